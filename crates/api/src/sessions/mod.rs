//! Sessions: who was on which decky, for how long, and whether it was recorded.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
