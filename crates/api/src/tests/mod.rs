//! Facts about the whole API, over real sockets against a real store.

pub(crate) mod client;
mod document;
mod engines;
mod fleet;
mod hostile;
mod requests;
mod roles;
pub(crate) mod world;
