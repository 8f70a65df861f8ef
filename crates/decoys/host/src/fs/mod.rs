//! The decky's file system: a tree laid out from the persona, and what was changed since.
//!
//! All operations are total and bounded: contents and nodes have a ceiling (`ENOSPC` past it),
//! symbolic links a hop limit, paths a length. Every operation takes the caller's [`Creds`] and is
//! refused as the kernel would refuse it.

mod errno;
mod layout;
mod node;
pub mod path;
mod snapshot;
mod vfs;

pub use errno::Errno;
pub(crate) use layout::lay_out;
pub use node::{APPEND_ONLY, Content, Device, IMMUTABLE, Ino, Kind, Live, Node};
pub use path::{absolute, base_name, join, parent_of};
pub use snapshot::Saved;
pub use vfs::{Access, Creds, MAX_BYTES, MAX_NODES, ROOT, Stat, Vfs};

#[cfg(test)]
mod tests;
