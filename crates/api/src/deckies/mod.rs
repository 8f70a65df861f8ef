//! The fleet: which deckies there are, how they are, and changing them (`spec/api.md` §10).

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
