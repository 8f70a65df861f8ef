//! Who asks, and what the kernel would let them do.

use super::Vfs;
use crate::fs::{Errno, Ino, Node};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creds {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
}

impl Creds {
    /// The superuser.
    #[must_use]
    pub const fn root() -> Self {
        Self { uid: 0, gid: 0, groups: Vec::new() }
    }

    /// Whether `node` may be accessed so.
    #[must_use]
    pub fn may(&self, node: &Node, access: Access) -> bool {
        if self.uid == 0 {
            return access != Access::Execute || node.is_dir() || node.mode & 0o111 != 0;
        }
        let shift = if self.uid == node.uid {
            6
        } else if self.gid == node.gid || self.groups.contains(&node.gid) {
            3
        } else {
            0
        };
        node.mode >> shift & access.bit() != 0
    }
}

/// A way to use a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `r`.
    Read,
    /// `w`.
    Write,
    /// `x`.
    Execute,
}

impl Access {
    const fn bit(self) -> u16 {
        match self {
            Self::Read => 4,
            Self::Write => 2,
            Self::Execute => 1,
        }
    }
}

impl Vfs {
    /// Whether `creds` may make, remove or move the entry `child` of the directory `parent`.
    pub(super) fn may_change_entry(
        &self,
        creds: &Creds,
        parent: Ino,
        child: Ino,
    ) -> Result<(), Errno> {
        let directory = self.node(parent).ok_or(Errno::NoEntry)?;
        if directory.uid == 0 && directory.mode & 0o777 == 0o555 {
            // `/proc` and `/sys`: nobody makes or removes anything there.
            return Err(Errno::NotPermitted);
        }
        if !creds.may(directory, Access::Write) {
            return Err(Errno::Access);
        }
        let held = |node: &Node| node.flags != 0;
        if directory.flags != 0 || self.node(child).is_some_and(held) {
            return Err(Errno::NotPermitted);
        }
        let sticky = directory.mode & 0o1000 != 0;
        let owner = self.node(child).is_none_or(|node| node.uid == creds.uid);
        if sticky && creds.uid != 0 && !owner && directory.uid != creds.uid {
            return Err(Errno::NotPermitted);
        }
        Ok(())
    }

    /// Whether `creds` may change what only an owner may.
    pub(super) fn owned(&self, creds: &Creds, ino: Ino) -> Result<(), Errno> {
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        if node.flags != 0 {
            return Err(Errno::NotPermitted);
        }
        if creds.uid == 0 || creds.uid == node.uid { Ok(()) } else { Err(Errno::NotPermitted) }
    }
}
