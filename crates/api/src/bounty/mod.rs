//! Bounties: fingerprints, leaks and captured files.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
