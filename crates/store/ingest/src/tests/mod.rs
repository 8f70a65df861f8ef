//! The ingest on both engines.

mod exactly_once;
mod finds;
mod follow_up;
mod hostile;
mod indexing;
mod lease;
mod reading;
mod recordings;
mod rows;
mod world;

pub(crate) use world::Fault;
