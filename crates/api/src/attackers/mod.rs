//! Attackers and what each of them did.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
