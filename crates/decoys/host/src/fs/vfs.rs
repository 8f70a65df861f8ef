//! Reading and changing the tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use base_model::Timestamp;

use super::errno::Errno;
use super::node::{Content, Ino, Kind, Node, program_bytes};
use super::path::join;

/// Most bytes of changed content.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Most changed nodes.
pub const MAX_NODES: usize = 20_000;
/// The root directory.
pub const ROOT: Ino = Ino(2);
/// Symbolic links followed in one look-up.
const MAX_LINKS: usize = 40;
/// `PATH_MAX`.
const MAX_PATH: usize = 4096;
/// `NAME_MAX`.
const MAX_NAME: usize = 255;
/// Parts looked at in one look-up, links included.
const MAX_STEPS: usize = 2048;

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

    pub(super) fn base(&self) -> &BTreeMap<Ino, Node> {
        &self.base
    }

    pub(super) const fn changes(&self) -> &BTreeMap<Ino, Option<Node>> {
        &self.changed
    }

    /// Finds `path` seen from `cwd`, following a final link when `follow`.
    ///
    /// # Errors
    /// As `path_resolution(7)`.
    pub fn find(&self, creds: &Creds, cwd: &[u8], path: &[u8], follow: bool) -> Result<Ino, Errno> {
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        let (parent, name) = self.walk(creds, cwd, path, follow)?;
        match name {
            None => Ok(parent),
            Some(name) => self.entry(parent, &name).ok_or(Errno::NoEntry),
        }
    }

    /// `stat(2)` (`follow`) or `lstat(2)`.
    ///
    /// # Errors
    /// As `path_resolution(7)`.
    pub fn stat(
        &self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        follow: bool,
    ) -> Result<Stat, Errno> {
        let ino = self.find(creds, cwd, path, follow)?;
        self.stat_ino(ino).ok_or(Errno::NoEntry)
    }

    /// `fstat(2)`.
    #[must_use]
    pub fn stat_ino(&self, ino: Ino) -> Option<Stat> {
        let node = self.node(ino)?.clone();
        let nlink = match &node.kind {
            Kind::Directory(entries) => {
                let dirs =
                    entries.values().filter(|ino| self.node(**ino).is_some_and(Node::is_dir));
                2 + dirs.count() as u64
            }
            _ => 1,
        };
        Some(Stat { ino, nlink, node })
    }

    /// The real path of `path`: links and dots resolved.
    ///
    /// # Errors
    /// As `path_resolution(7)`.
    pub fn real_path(&self, creds: &Creds, cwd: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        let (parent, name, mut real) = self.walk_named(creds, cwd, path, true)?;
        if let Some(name) = name {
            self.entry(parent, &name).ok_or(Errno::NoEntry)?;
            real.push(b'/');
            real.extend_from_slice(&name);
        }
        if real.is_empty() {
            real.push(b'/');
        }
        Ok(real)
    }

    /// Names in the directory `ino`, sorted by bytes.
    ///
    /// # Errors
    /// `ENOTDIR`, `EACCES`.
    pub fn list(&self, creds: &Creds, ino: Ino) -> Result<Vec<(Vec<u8>, Ino)>, Errno> {
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        let Kind::Directory(entries) = &node.kind else { return Err(Errno::NotDirectory) };
        if !creds.may(node, Access::Read) {
            return Err(Errno::Access);
        }
        Ok(entries.iter().map(|(name, ino)| (name.clone(), *ino)).collect())
    }

    /// At most `length` bytes of the file `ino` from `offset`. Live files and devices are the
    /// machine's business and read as empty here.
    #[must_use]
    pub fn read(&self, ino: Ino, offset: u64, length: usize) -> Vec<u8> {
        match self.node(ino).map(|node| &node.kind) {
            Some(Kind::File(Content::Bytes(bytes))) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let to = from.saturating_add(length).min(bytes.len());
                bytes.get(from..to).unwrap_or_default().to_vec()
            }
            Some(Kind::File(Content::Program { seed, size })) => {
                program_bytes(*seed, *size, offset, length)
            }
            _ => Vec::new(),
        }
    }

    /// Finds or creates the regular file `path` for writing.
    ///
    /// # Errors
    /// As `open(2)` with `O_CREAT`.
    pub fn create(
        &mut self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        mode: u16,
        now: Timestamp,
    ) -> Result<Ino, Errno> {
        match self.find(creds, cwd, path, true) {
            Ok(ino) => {
                let node = self.node(ino).ok_or(Errno::NoEntry)?;
                match &node.kind {
                    Kind::Directory(_) => Err(Errno::IsDirectory),
                    Kind::File(Content::Live(_)) => Err(Errno::Access),
                    _ if !creds.may(node, Access::Write) => Err(Errno::Access),
                    _ => Ok(ino),
                }
            }
            Err(Errno::NoEntry) => {
                let kind = Kind::File(Content::Bytes(Arc::default()));
                self.make(creds, cwd, path, kind, mode, now, true)
            }
            Err(errno) => Err(errno),
        }
    }

    /// Writes `bytes` at `offset`, filling a gap with zeros.
    ///
    /// # Errors
    /// `ENOSPC`, `EINVAL` for what is no regular file.
    pub fn write(
        &mut self,
        ino: Ino,
        offset: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), Errno> {
        let end = offset.checked_add(bytes.len() as u64).ok_or(Errno::TooBig)?;
        let size = self.node(ino).ok_or(Errno::NoEntry)?.size();
        if end > MAX_BYTES || self.used + end.saturating_sub(size) > MAX_BYTES {
            return Err(Errno::NoSpace);
        }
        let from = usize::try_from(offset).map_err(|_| Errno::TooBig)?;
        self.edit_bytes(ino, now, |content| {
            let end = from + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            if let Some(target) = content.get_mut(from..end) {
                target.copy_from_slice(bytes);
            }
        })
    }

    /// Sets the length of the file `ino`.
    ///
    /// # Errors
    /// As [`Vfs::write`].
    pub fn truncate(&mut self, ino: Ino, length: u64, now: Timestamp) -> Result<(), Errno> {
        let size = self.node(ino).ok_or(Errno::NoEntry)?.size();
        if length > MAX_BYTES || self.used + length.saturating_sub(size) > MAX_BYTES {
            return Err(Errno::NoSpace);
        }
        let length = usize::try_from(length).map_err(|_| Errno::TooBig)?;
        if length == 0
            && let Some(node) = self.node(ino)
            && matches!(node.kind, Kind::File(Content::Program { .. }))
        {
            // Spares making the old content just to drop it.
            return self.edit(ino, now, |node| {
                node.kind = Kind::File(Content::Bytes(Arc::default()));
                node.mtime = now;
            });
        }
        self.edit_bytes(ino, now, |content| content.resize(length, 0))
    }

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

    /// The directory of `path` and its last name; no name when it ends in the directory itself.
    /// A final link is followed when `follow`.
    fn walk(
        &self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        follow: bool,
    ) -> Result<(Ino, Option<Vec<u8>>), Errno> {
        self.walk_named(creds, cwd, path, follow).map(|(directory, name, _)| (directory, name))
    }

    /// As [`Vfs::walk`], with the real path of the directory, empty for the root.
    fn walk_named(
        &self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        follow: bool,
    ) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        if path.len() > MAX_PATH || path.contains(&0) {
            return Err(if path.contains(&0) { Errno::Invalid } else { Errno::NameTooLong });
        }
        let full = join(cwd, path);
        let must_be_dir = full.ends_with(b"/") || full.ends_with(b"/.");
        let mut todo = parts(&full);
        let mut trail = vec![ROOT];
        let mut names: Vec<Vec<u8>> = Vec::new();
        let real = |names: &[Vec<u8>]| -> Vec<u8> {
            names
                .iter()
                .flat_map(|name| std::iter::once(b'/').chain(name.iter().copied()))
                .collect()
        };
        let mut links = 0;
        let mut steps = 0;
        while let Some(part) = todo.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                return Err(Errno::NameTooLong);
            }
            let here = trail.last().copied().unwrap_or(ROOT);
            let node = self.node(here).ok_or(Errno::NoEntry)?;
            if !node.is_dir() {
                return Err(Errno::NotDirectory);
            }
            if !creds.may(node, Access::Execute) {
                return Err(Errno::Access);
            }
            if part == b"." {
                continue;
            }
            if part == b".." {
                if trail.len() > 1 {
                    trail.pop();
                    names.pop();
                }
                continue;
            }
            if part.len() > MAX_NAME {
                return Err(Errno::NameTooLong);
            }
            let last = todo.is_empty();
            let Some(ino) = self.entry(here, &part) else {
                return if last {
                    Ok((here, Some(part), real(&names)))
                } else {
                    Err(Errno::NoEntry)
                };
            };
            match self.node(ino).map(|node| &node.kind) {
                Some(Kind::Symlink(target)) if !last || follow || must_be_dir => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::Loop);
                    }
                    if target.first() == Some(&b'/') {
                        trail.truncate(1);
                        names.clear();
                    }
                    todo.extend(parts(target));
                }
                Some(Kind::Directory(_)) if !last => {
                    trail.push(ino);
                    names.push(part);
                }
                Some(Kind::Directory(_)) | None => return Ok((here, Some(part), real(&names))),
                Some(_) if !last || must_be_dir => return Err(Errno::NotDirectory),
                Some(_) => return Ok((here, Some(part), real(&names))),
            }
        }
        Ok((trail.last().copied().unwrap_or(ROOT), None, real(&names)))
    }

    fn entry(&self, directory: Ino, name: &[u8]) -> Option<Ino> {
        match &self.node(directory)?.kind {
            Kind::Directory(entries) => entries.get(name).copied(),
            _ => None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the one place all kinds of node are made")]
    fn make(
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
        if !creds.may(directory, Access::Write) {
            return Err(Errno::Access);
        }
        if self.changed.len() >= MAX_NODES {
            return Err(Errno::NoSpace);
        }
        // A set-group-id directory hands its group down.
        let gid = if directory.mode & 0o2000 != 0 { directory.gid } else { creds.gid };
        let node = Node { kind, mode, uid: creds.uid, gid, mtime: now, ctime: now, atime: now };
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

    fn may_change_entry(&self, creds: &Creds, parent: Ino, child: Ino) -> Result<(), Errno> {
        let directory = self.node(parent).ok_or(Errno::NoEntry)?;
        if directory.uid == 0 && directory.mode & 0o777 == 0o555 {
            // `/proc` and `/sys`: nobody makes or removes anything there.
            return Err(Errno::NotPermitted);
        }
        if !creds.may(directory, Access::Write) {
            return Err(Errno::Access);
        }
        let sticky = directory.mode & 0o1000 != 0;
        let owner = self.node(child).is_none_or(|node| node.uid == creds.uid);
        if sticky && creds.uid != 0 && !owner && directory.uid != creds.uid {
            return Err(Errno::NotPermitted);
        }
        Ok(())
    }

    fn owned(&self, creds: &Creds, ino: Ino) -> Result<(), Errno> {
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        if creds.uid == 0 || creds.uid == node.uid { Ok(()) } else { Err(Errno::NotPermitted) }
    }

    /// Whether `inner` is `outer` or below it.
    fn contains(&self, outer: Ino, inner: Ino) -> bool {
        let mut stack = vec![outer];
        while let Some(ino) = stack.pop() {
            if ino == inner {
                return true;
            }
            if let Some(Kind::Directory(entries)) = self.node(ino).map(|node| &node.kind) {
                stack.extend(entries.values());
            }
        }
        false
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

    fn edit_bytes(
        &mut self,
        ino: Ino,
        now: Timestamp,
        edit: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Errno> {
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        match node.kind {
            Kind::File(Content::Bytes(_)) => {}
            Kind::File(Content::Program { seed, size }) => {
                let whole = program_bytes(seed, size, 0, usize::try_from(size).unwrap_or(0));
                self.edit(ino, now, |node| {
                    node.kind = Kind::File(Content::Bytes(Arc::new(whole)));
                })?;
            }
            _ => return Err(Errno::Invalid),
        }
        self.edit(ino, now, |node| {
            if let Kind::File(Content::Bytes(bytes)) = &mut node.kind {
                edit(Arc::make_mut(bytes));
                node.mtime = now;
            }
        })
    }

    /// Changes a node in place, copying it out of the base first.
    fn edit(
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
    pub(super) const fn fresh_number(&self) -> Ino {
        Ino(self.next)
    }

    pub(super) fn put(&mut self, ino: Ino, node: Option<Node>) {
        self.used += node.as_ref().map_or(0, Node::weight);
        let old = self.changed.insert(ino, node);
        self.used = self.used.saturating_sub(old.flatten().map_or(0, |node| node.weight()));
        self.next = self.next.max(ino.0 + 1);
        self.revision += 1;
    }

    fn forget(&mut self, ino: Ino) {
        if self.base.contains_key(&ino) {
            self.put(ino, None);
        } else if let Some(Some(node)) = self.changed.remove(&ino) {
            self.used = self.used.saturating_sub(node.weight());
            self.revision += 1;
        }
    }
}

/// A directory, a name in it if one is left, and the directory's real path.
type Place = (Ino, Option<Vec<u8>>, Vec<u8>);

/// The parts of a path, last one first.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|&b| b == b'/').filter(|part| !part.is_empty());
    let mut parts: Vec<_> = parts.map(<[u8]>::to_vec).collect();
    parts.reverse();
    parts
}
