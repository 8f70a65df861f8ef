//! Names in directories: making, removing, moving.

use std::collections::BTreeMap;

use base_model::Timestamp;

use super::lookup::MAX_PATH;
use super::{Access, Creds, MAX_BYTES, MAX_NODES, Vfs};
use crate::fs::{Errno, IMMUTABLE, Ino, Kind, Node};

impl Vfs {
    /// Makes a directory.
    ///
    /// # Errors
    /// As `mkdir(2)`.
    pub fn make_dir(
        &mut self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        mode: u16,
        now: Timestamp,
    ) -> Result<Ino, Errno> {
        self.make(creds, cwd, path, Kind::Directory(BTreeMap::new()), mode, now, false)
    }

    /// Makes a symbolic link at `path` to `target`.
    ///
    /// # Errors
    /// As `symlink(2)`.
    pub fn make_link(
        &mut self,
        creds: &Creds,
        cwd: &[u8],
        target: &[u8],
        path: &[u8],
        now: Timestamp,
    ) -> Result<Ino, Errno> {
        if target.is_empty() {
            return Err(Errno::NoEntry);
        }
        if target.len() > MAX_PATH {
            return Err(Errno::NameTooLong);
        }
        self.make(creds, cwd, path, Kind::Symlink(target.to_vec()), 0o777, now, false)
    }

    /// Removes the file (`directory` false) or empty directory at `path`.
    ///
    /// # Errors
    /// As `unlink(2)` and `rmdir(2)`.
    pub fn remove(
        &mut self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        directory: bool,
        now: Timestamp,
    ) -> Result<(), Errno> {
        let (parent, name) = self.walk(creds, cwd, path, false)?;
        let name = name.ok_or(if directory { Errno::Busy } else { Errno::IsDirectory })?;
        let ino = self.entry(parent, &name).ok_or(Errno::NoEntry)?;
        match self.node(ino).map(|node| &node.kind) {
            Some(Kind::Directory(_)) if !directory => return Err(Errno::IsDirectory),
            Some(Kind::Directory(entries)) if !entries.is_empty() => return Err(Errno::NotEmpty),
            Some(Kind::Directory(_)) => {}
            Some(_) if directory => return Err(Errno::NotDirectory),
            _ => {}
        }
        self.may_change_entry(creds, parent, ino)?;
        self.edit_entries(parent, now, |entries| {
            entries.remove(&name);
        })?;
        self.forget(ino);
        Ok(())
    }

    /// Moves `from` to `to`, replacing what is there if it may be replaced.
    ///
    /// # Errors
    /// As `rename(2)`.
    pub fn rename(
        &mut self,
        creds: &Creds,
        cwd: &[u8],
        from: &[u8],
        to: &[u8],
        now: Timestamp,
    ) -> Result<(), Errno> {
        let (old_parent, old_name) = self.walk(creds, cwd, from, false)?;
        let old_name = old_name.ok_or(Errno::Busy)?;
        let moved = self.entry(old_parent, &old_name).ok_or(Errno::NoEntry)?;
        let (new_parent, new_name) = self.walk(creds, cwd, to, false)?;
        let new_name = new_name.ok_or(Errno::Busy)?;
        self.may_change_entry(creds, old_parent, moved)?;
        let replaced = self.entry(new_parent, &new_name);
        if replaced == Some(moved) {
            return Ok(());
        }
        let moved_is_dir = self.node(moved).is_some_and(Node::is_dir);
        if moved_is_dir && self.contains(moved, new_parent) {
            return Err(Errno::Invalid);
        }
        self.may_change_entry(creds, new_parent, replaced.unwrap_or(moved))?;
        match replaced.and_then(|ino| self.node(ino)).map(|node| &node.kind) {
            Some(Kind::Directory(_)) if !moved_is_dir => return Err(Errno::IsDirectory),
            Some(Kind::Directory(entries)) if !entries.is_empty() => return Err(Errno::NotEmpty),
            Some(Kind::Directory(_)) | None => {}
            Some(_) if moved_is_dir => return Err(Errno::NotDirectory),
            Some(_) => {}
        }
        self.edit_entries(old_parent, now, |entries| {
            entries.remove(&old_name);
        })?;
        self.edit_entries(new_parent, now, |entries| {
            entries.insert(new_name, moved);
        })?;
        if let Some(replaced) = replaced {
            self.forget(replaced);
        }
        self.edit(moved, now, |_| {})
    }

    #[expect(clippy::too_many_arguments, reason = "the one place all kinds of node are made")]
    pub(super) fn make(
        &mut self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        kind: Kind,
        mode: u16,
        now: Timestamp,
        follow: bool,
    ) -> Result<Ino, Errno> {
        let (parent, name) = self.walk(creds, cwd, path, follow)?;
        let name = name.ok_or(Errno::Exists)?;
        if self.entry(parent, &name).is_some() {
            return Err(Errno::Exists);
        }
        if path.ends_with(b"/") && !matches!(kind, Kind::Directory(_)) {
            return Err(Errno::IsDirectory);
        }
        let directory = self.node(parent).ok_or(Errno::NoEntry)?;
        if directory.flags & IMMUTABLE != 0 {
            return Err(Errno::NotPermitted);
        }
        if !creds.may(directory, Access::Write) {
            return Err(Errno::Access);
        }
        if self.changed.len() >= MAX_NODES {
            return Err(Errno::NoSpace);
        }
        // A set-group-id directory hands its group down.
        let gid = if directory.mode & 0o2000 != 0 { directory.gid } else { creds.gid };
        let node =
            Node { kind, mode, uid: creds.uid, gid, mtime: now, ctime: now, atime: now, flags: 0 };
        if self.used + node.weight() > MAX_BYTES {
            return Err(Errno::NoSpace);
        }
        let ino = Ino(self.next);
        self.next += 1;
        self.edit_entries(parent, now, |entries| {
            entries.insert(name, ino);
        })?;
        self.put(ino, Some(node));
        Ok(ino)
    }

    fn edit_entries(
        &mut self,
        directory: Ino,
        now: Timestamp,
        edit: impl FnOnce(&mut BTreeMap<Vec<u8>, Ino>),
    ) -> Result<(), Errno> {
        let node = self.node(directory).ok_or(Errno::NoEntry)?;
        if node.uid == 0 && node.mode & 0o777 == 0o555 {
            return Err(Errno::NotPermitted);
        }
        self.edit(directory, now, |node| {
            if let Kind::Directory(entries) = &mut node.kind {
                edit(entries);
                node.mtime = now;
            }
        })
    }
}
