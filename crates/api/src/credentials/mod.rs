//! Credentials that attackers tried.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
