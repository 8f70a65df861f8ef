//! Events to rows, in one transaction with all that follows from them, exactly once.
//!
//! [`Ingest::apply`] takes what a sensor's journal says and returns how far it may be forgotten. The
//! decisions are plain functions without I/O (`fold` for rows, `finds` for bounties, `recording` for
//! transcripts); [`Ingest`] only loads what a batch touches, calls them and saves.
//! It never trusts a sensor: who sent a record is the caller's word, names become paths only when
//! they are harmless, and a record that cannot be stored is set aside instead of blocking the rest.
//!
//! Beside it: [`BlobStore`], captured content under its digest, and [`Indexer`], which keeps the index
//! of the log close behind the log.

pub mod blobs;
mod counts;
mod error;
mod finds;
mod fold;
mod forensic;
mod indexer;
mod ingest;
mod mail;
mod recording;
mod rotating;
mod signals;
#[cfg(test)]
mod tests;
mod unreadable;

pub use blobs::{BlobError, BlobStore, BlobWriter};
pub use counts::Counts;
pub use error::IngestError;
pub use indexer::Indexer;
pub use ingest::{Applied, Ingest, IngestOptions};
pub use unreadable::Unreadable;
