//! Accounts and who may change them (`spec/api.md` §3.1, §15).

pub(crate) mod accounts;
pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
