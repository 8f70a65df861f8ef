//! The machine's files as a login sees them: by its permissions, below its root.

use base_model::Timestamp;
use decoys_host::HostHandle;
use decoys_host::fs::{self, Access, Creds, Errno, Ino, Node};

/// Who is logged in, and where.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) host: HostHandle,
    pub(super) name: String,
    pub(super) creds: Creds,
    /// What `/` is; empty for the machine's own.
    pub(super) root: Vec<u8>,
    /// Within the root.
    pub(super) cwd: Vec<u8>,
    /// Bits that new files do not get.
    pub(super) umask: u16,
}

impl View {
    /// `path` within the root, absolute and without dots.
    pub(super) fn absolute(&self, path: &[u8]) -> Vec<u8> {
        fs::absolute(&self.cwd, path)
    }

    /// `path` on the machine.
    pub(super) fn real(&self, path: &[u8]) -> Vec<u8> {
        let inside = self.absolute(path);
        if self.root.is_empty() { inside } else { [&self.root[..], &inside].concat() }
    }

    /// As [`View::real`], unless a link there leads out of the root.
    fn resolved(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let real = self.real(path);
        if self.root.is_empty() {
            return Ok(real);
        }
        for place in [real.as_slice(), fs::parent_of(&real)] {
            let place = self.host.with(|m| m.fs.real_path(&self.creds, b"/", place));
            let outside = place.is_ok_and(|place| {
                let rest = place.strip_prefix(self.root.as_slice());
                !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            });
            if outside {
                return Err(Errno::NoEntry);
            }
        }
        Ok(real)
    }

    /// The node at `path`, links followed when `follow`.
    pub(super) fn node(&self, path: &[u8], follow: bool) -> Result<(Ino, Node), Errno> {
        let real = self.resolved(path)?;
        self.host.with(|machine| {
            let stat = machine.fs.stat(&self.creds, b"/", &real, follow)?;
            Ok((stat.ino, stat.node))
        })
    }

    /// A directory that can be entered.
    pub(super) fn directory(&self, path: &[u8]) -> Result<(), Errno> {
        let (_, node) = self.node(path, true)?;
        if !node.is_dir() {
            return Err(Errno::NotDirectory);
        }
        if self.creds.may(&node, Access::Execute) { Ok(()) } else { Err(Errno::Access) }
    }

    /// A regular file that can be read, with its size.
    pub(super) fn readable(&self, path: &[u8]) -> Result<(Ino, u64), Errno> {
        let (ino, node) = self.node(path, true)?;
        if !node.is_file() {
            return Err(Errno::IsDirectory);
        }
        if self.creds.may(&node, Access::Read) {
            Ok((ino, node.size()))
        } else {
            Err(Errno::Access)
        }
    }

    /// The file at `path` to write to; emptied unless it is continued.
    pub(super) fn writable(
        &self,
        path: &[u8],
        keeps: bool,
        now: Timestamp,
    ) -> Result<(Ino, u64), Errno> {
        let real = self.resolved(path)?;
        let mode = 0o666 & !self.umask;
        self.host.with(|machine| {
            let ino = machine.fs.create(&self.creds, b"/", &real, mode, now)?;
            if !machine.fs.node(ino).is_some_and(Node::is_file) {
                return Err(Errno::Access);
            }
            if !keeps {
                machine.fs.truncate(ino, 0, now)?;
            }
            Ok((ino, machine.fs.node(ino).map_or(0, Node::size)))
        })
    }

    pub(super) fn make_directory(&self, path: &[u8], now: Timestamp) -> Result<(), Errno> {
        let (real, mode) = (self.resolved(path)?, 0o777 & !self.umask);
        self.host.with(|m| m.fs.make_dir(&self.creds, b"/", &real, mode, now)).map(drop)
    }

    pub(super) fn remove(&self, path: &[u8], directory: bool, now: Timestamp) -> Result<(), Errno> {
        let real = self.resolved(path)?;
        self.host.with(|m| m.fs.remove(&self.creds, b"/", &real, directory, now))
    }

    pub(super) fn rename(&self, from: &[u8], to: &[u8], now: Timestamp) -> Result<(), Errno> {
        let (from, to) = (self.resolved(from)?, self.resolved(to)?);
        self.host.with(|m| m.fs.rename(&self.creds, b"/", &from, &to, now))
    }

    pub(super) fn chmod(&self, path: &[u8], mode: u16, now: Timestamp) -> Result<(), Errno> {
        let (ino, _) = self.node(path, true)?;
        self.host.with(|m| m.fs.chmod(&self.creds, ino, mode, now))
    }

    pub(super) fn touch(&self, path: &[u8], at: Timestamp, now: Timestamp) -> Result<(), Errno> {
        let (ino, _) = self.node(path, true)?;
        self.host.with(|m| m.fs.set_times(&self.creds, ino, at, at, now))
    }

    /// Entries of the directory at `path`, or the file itself by its name.
    pub(super) fn entries(&self, path: &[u8]) -> Result<Vec<(Vec<u8>, Ino, Node)>, Errno> {
        let (ino, node) = self.node(path, true)?;
        if !node.is_dir() {
            return Ok(vec![(path.to_vec(), ino, node)]);
        }
        self.host.with(|machine| {
            let names = machine.fs.list(&self.creds, ino)?;
            let entry = |(name, ino)| machine.fs.node(ino).cloned().map(|node| (name, ino, node));
            Ok(names.into_iter().filter_map(entry).collect())
        })
    }
}
