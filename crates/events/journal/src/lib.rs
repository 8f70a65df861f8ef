//! The only road from a decoy process to control.
//!
//! [`Journal`] appends records to segment files and tells when they are on the disk (group commit);
//! [`Shelf`] reads them back in order until control has acknowledged them; [`Spool`] keeps blobs
//! until no unacknowledged record names them. All three reach the disk through [`Disk`], so tests
//! can lose what was not synced, fill the disk or break a write.
//!
//! Promise: a record whose [`Journal::durable`] returned survives `kill -9` and power loss.
//! Start with [`journal`], then [`segment`] for the format.

pub mod disk;
pub mod journal;
pub mod lossy;
pub mod segment;
pub mod shelf;
pub mod spool;

pub use disk::{Disk, DiskFile, Folder};
pub use journal::{Journal, JournalError, Limits, State};
pub use shelf::{Batch, Shelf};
pub use spool::Spool;
