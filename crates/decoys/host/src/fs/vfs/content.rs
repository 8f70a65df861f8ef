//! What files hold: reading, writing, setting the length.

use std::sync::Arc;

use base_model::Timestamp;

use super::{Access, Creds, MAX_BYTES, Vfs};
use crate::fs::node::program_bytes;
use crate::fs::{APPEND_ONLY, Content, Errno, IMMUTABLE, Ino, Kind};

impl Vfs {
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
                    _ if node.flags & IMMUTABLE != 0 => Err(Errno::NotPermitted),
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
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        let size = node.size();
        if node.flags & IMMUTABLE != 0 || (node.flags & APPEND_ONLY != 0 && offset < size) {
            return Err(Errno::NotPermitted);
        }
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
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        let size = node.size();
        if node.flags != 0 {
            return Err(Errno::NotPermitted);
        }
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
}
