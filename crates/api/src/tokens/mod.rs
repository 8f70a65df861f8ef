//! Keys for programs (`spec/api.md` §3.2): made, listed and revoked by people.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
