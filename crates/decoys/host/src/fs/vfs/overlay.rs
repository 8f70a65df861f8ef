//! The changes over the base: every one is made here and counted against the ceilings.

use std::collections::BTreeMap;
use std::sync::Arc;

use base_model::Timestamp;

use super::{MAX_NODES, Vfs};
use crate::fs::{Errno, Ino, Node};

impl Vfs {
    /// Over `base`, unchanged; new nodes are numbered from `next`.
    #[must_use]
    pub(crate) fn over(base: BTreeMap<Ino, Node>, next: u64) -> Self {
        Self { base: Arc::new(base), changed: BTreeMap::new(), next, used: 0, revision: 0 }
    }

    /// Counts changes.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Bytes of changed content.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// The node numbered `ino`.
    #[must_use]
    pub fn node(&self, ino: Ino) -> Option<&Node> {
        match self.changed.get(&ino) {
            Some(changed) => changed.as_ref(),
            None => self.base.get(&ino),
        }
    }

    pub(in crate::fs) fn base(&self) -> &BTreeMap<Ino, Node> {
        &self.base
    }

    pub(in crate::fs) const fn changes(&self) -> &BTreeMap<Ino, Option<Node>> {
        &self.changed
    }

    /// Changes a node in place, copying it out of the base first.
    pub(super) fn edit(
        &mut self,
        ino: Ino,
        now: Timestamp,
        edit: impl FnOnce(&mut Node),
    ) -> Result<(), Errno> {
        if !self.changed.contains_key(&ino) {
            if self.changed.len() >= MAX_NODES {
                return Err(Errno::NoSpace);
            }
            let node = self.base.get(&ino).ok_or(Errno::NoEntry)?.clone();
            self.used += node.weight();
            self.changed.insert(ino, Some(node));
        }
        let Some(Some(node)) = self.changed.get_mut(&ino) else { return Err(Errno::NoEntry) };
        let before = node.weight();
        edit(node);
        node.ctime = now;
        self.used = self.used.saturating_sub(before).saturating_add(node.weight());
        self.revision += 1;
        Ok(())
    }

    /// A number no node has.
    pub(in crate::fs) const fn fresh_number(&self) -> Ino {
        Ino(self.next)
    }

    pub(in crate::fs) fn put(&mut self, ino: Ino, node: Option<Node>) {
        self.used += node.as_ref().map_or(0, Node::weight);
        let old = self.changed.insert(ino, node);
        self.used = self.used.saturating_sub(old.flatten().map_or(0, |node| node.weight()));
        self.next = self.next.max(ino.0 + 1);
        self.revision += 1;
    }

    pub(super) fn forget(&mut self, ino: Ino) {
        if self.base.contains_key(&ino) {
            self.put(ino, None);
        } else if let Some(Some(node)) = self.changed.remove(&ino) {
            self.used = self.used.saturating_sub(node.weight());
            self.revision += 1;
        }
    }
}
