//! Reading and changing the tree.
//!
//! `lookup` finds, `content` reads and writes, `entry` makes, removes and moves, `attribute` changes
//! mode, owner and times. All of them change nodes through `overlay`, which holds the ceilings, and
//! ask `permission` first. What outlives a restart is the business of [`super::snapshot`].

mod attribute;
mod content;
mod entry;
mod lookup;
mod overlay;
mod permission;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Ino, Node};

pub use permission::{Access, Creds};

/// Most bytes of changed content.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Most changed nodes.
pub const MAX_NODES: usize = 20_000;
/// The root directory.
pub const ROOT: Ino = Ino(2);

/// What `stat(2)` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Inode.
    pub ino: Ino,
    /// Links.
    pub nlink: u64,
    /// The node.
    pub node: Node,
}

/// A file system: an unchanging base and changes over it.
#[derive(Clone, Debug)]
pub struct Vfs {
    base: Arc<BTreeMap<Ino, Node>>,
    changed: BTreeMap<Ino, Option<Node>>,
    next: u64,
    used: u64,
    revision: u64,
}
