//! Reading and writing SFTP packets.

use base_model::Timestamp;

use crate::fs::{Kind, Node, Stat};

/// Reads a packet's fields; every method fails past the end.
pub(super) struct Reader<'p>(pub(super) &'p [u8]);

impl<'p> Reader<'p> {
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let (head, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*head))
    }

    pub(super) fn string(&mut self) -> Option<&'p [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    pub(super) fn attributes(&mut self) -> Option<Attributes> {
        let flags = self.u32()?;
        let mut out = Attributes::default();
        if flags & 1 != 0 {
            out.size = Some(self.u64()?);
        }
        if flags & 2 != 0 {
            out.owner = Some((self.u32()?, self.u32()?));
        }
        if flags & 4 != 0 {
            out.mode = Some(self.u32()?);
        }
        if flags & 8 != 0 {
            let at = |seconds: u32| Timestamp::from_micros(i64::from(seconds) * 1_000_000);
            out.times = Some((at(self.u32()?), at(self.u32()?)));
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.u32()?.min(64) {
                self.string()?;
                self.string()?;
            }
        }
        Some(out)
    }
}

/// Attributes as a client sends them.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) size: Option<u64>,
    pub(super) owner: Option<(u32, u32)>,
    pub(super) mode: Option<u32>,
    /// Access, modification.
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

/// Writes a packet.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A packet of type `kind` that answers request `id`.
    pub(super) fn answer(kind: u8, id: u32) -> Self {
        Self(vec![0, 0, 0, 0, kind]).u32(id)
    }

    /// A packet of type `kind`.
    pub(super) fn plain(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn string(self, text: &[u8]) -> Self {
        let mut out = self.u32(u32::try_from(text.len()).unwrap_or(0));
        out.0.extend_from_slice(text);
        out
    }

    pub(super) fn attributes(self, stat: &Stat) -> Self {
        let seconds = |at: Timestamp| u32::try_from(at.seconds()).unwrap_or(0);
        let node = &stat.node;
        self.u32(0xf)
            .u64(node.size())
            .u32(node.uid)
            .u32(node.gid)
            .u32(full_mode(node))
            .u32(seconds(node.atime))
            .u32(seconds(node.mtime))
    }

    /// The packet with its length.
    pub(super) fn done(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len().saturating_sub(4)).unwrap_or(0);
        if let Some(head) = self.0.first_chunk_mut::<4>() {
            *head = length.to_be_bytes();
        }
        self.0
    }
}

/// Permission bits with the file type, as `st_mode`.
pub(super) fn full_mode(node: &Node) -> u32 {
    let kind = match node.kind {
        Kind::File(_) => 0o100_000,
        Kind::Directory(_) => 0o040_000,
        Kind::Symlink(_) => 0o120_000,
        Kind::Device(_) => 0o020_000,
    };
    kind | u32::from(node.mode)
}
