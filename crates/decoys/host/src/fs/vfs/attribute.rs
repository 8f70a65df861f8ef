//! Mode, owner and times.

use base_model::Timestamp;

use super::{Creds, Vfs};
use crate::fs::{Errno, Ino};

impl Vfs {
    /// Changes permission bits.
    ///
    /// # Errors
    /// `EPERM` for others than the owner.
    pub fn chmod(
        &mut self,
        creds: &Creds,
        ino: Ino,
        mode: u16,
        now: Timestamp,
    ) -> Result<(), Errno> {
        self.owned(creds, ino)?;
        self.edit(ino, now, |node| node.mode = mode & 0o7777)
    }

    /// Changes owner and group.
    ///
    /// # Errors
    /// `EPERM` for others than root.
    pub fn chown(
        &mut self,
        creds: &Creds,
        ino: Ino,
        uid: Option<u32>,
        gid: Option<u32>,
        now: Timestamp,
    ) -> Result<(), Errno> {
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        if node.flags != 0 {
            return Err(Errno::NotPermitted);
        }
        if creds.uid != 0 && uid.is_some_and(|uid| uid != node.uid) {
            return Err(Errno::NotPermitted);
        }
        if creds.uid != 0 && gid.is_some_and(|gid| gid != node.gid) {
            return Err(Errno::NotPermitted);
        }
        self.edit(ino, now, |node| {
            node.uid = uid.unwrap_or(node.uid);
            node.gid = gid.unwrap_or(node.gid);
        })
    }

    /// Sets the flags of `chattr`.
    ///
    /// # Errors
    /// `EPERM` for others than root.
    pub fn set_flags(
        &mut self,
        creds: &Creds,
        ino: Ino,
        flags: u8,
        now: Timestamp,
    ) -> Result<(), Errno> {
        if creds.uid != 0 {
            return Err(Errno::NotPermitted);
        }
        self.edit(ino, now, |node| node.flags = flags)
    }

    /// Sets access and modification time.
    ///
    /// # Errors
    /// `EPERM` for others than the owner.
    pub fn set_times(
        &mut self,
        creds: &Creds,
        ino: Ino,
        atime: Timestamp,
        mtime: Timestamp,
        now: Timestamp,
    ) -> Result<(), Errno> {
        self.owned(creds, ino)?;
        self.edit(ino, now, |node| {
            node.atime = atime;
            node.mtime = mtime;
        })
    }
}
