//! The bytes of captured files.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
