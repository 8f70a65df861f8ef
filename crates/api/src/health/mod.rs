//! Whether this process does its work.

pub(crate) mod board;
pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
