//! The event log: rows and their histogram.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
