//! Files, directories and what is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// An inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(pub u64);

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Exactly these bytes.
    Bytes(Arc<Vec<u8>>),
    /// A program or library of `size` bytes that reads the same everywhere: an ELF header and
    /// noise from `seed`.
    Program {
        /// Source of the noise.
        seed: u64,
        /// Bytes.
        size: u64,
    },
    /// Made by the kernel when read.
    Live(Live),
}

/// Files under `/proc` whose content is made when read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// `/proc/uptime`.
    Uptime,
    /// `/proc/loadavg`.
    LoadAverage,
    /// `/proc/meminfo`.
    MemInfo,
    /// `/proc/cpuinfo`.
    CpuInfo,
    /// `/proc/version`.
    Version,
    /// `/proc/self/mounts`.
    Mounts,
    /// `/proc/stat`.
    Stat,
    /// `/proc/cmdline`.
    CommandLine,
    /// `/proc/sys/kernel/hostname`.
    HostName,
    /// `/proc/filesystems`.
    FileSystems,
}

/// Character devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/full`.
    Full,
    /// `/dev/random`, `/dev/urandom`.
    Random,
    /// `/dev/tty`.
    Tty,
}

impl Device {
    /// Major and minor number.
    #[must_use]
    pub const fn numbers(self) -> (u32, u32) {
        match self {
            Self::Null => (1, 3),
            Self::Zero => (1, 5),
            Self::Full => (1, 7),
            Self::Random => (1, 9),
            Self::Tty => (5, 0),
        }
    }
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File(Content),
    /// A directory: its entries by name.
    Directory(BTreeMap<Vec<u8>, Ino>),
    /// A symbolic link and where it points.
    Symlink(Vec<u8>),
    /// A device.
    Device(Device),
}

/// One inode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, `0o7777`.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last change of content.
    pub mtime: Timestamp,
    /// Last change of the node.
    pub ctime: Timestamp,
    /// Last read.
    pub atime: Timestamp,
    /// What `chattr` set: [`IMMUTABLE`], [`APPEND_ONLY`].
    pub flags: u8,
}

/// Nobody may change the node.
pub const IMMUTABLE: u8 = 1;
/// A file may only grow.
pub const APPEND_ONLY: u8 = 2;

impl Node {
    /// Bytes of content; what `stat` says for directories and links too.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(Content::Bytes(bytes)) => bytes.len() as u64,
            Kind::File(Content::Program { size, .. }) => *size,
            Kind::File(Content::Live(_)) | Kind::Device(_) => 0,
            Kind::Directory(_) => 4096,
            Kind::Symlink(target) => target.len() as u64,
        }
    }

    /// Blocks of 512 bytes that `stat` says it takes. Short links live in the inode; the kernel's
    /// own files take none.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        match &self.kind {
            Kind::File(Content::Live(_)) | Kind::Device(_) => 0,
            Kind::Symlink(target) if target.len() < 60 => 0,
            _ => self.size().div_ceil(4096) * 8,
        }
    }

    /// The type character of `ls -l`.
    #[must_use]
    pub const fn type_char(&self) -> char {
        match self.kind {
            Kind::File(_) => '-',
            Kind::Directory(_) => 'd',
            Kind::Symlink(_) => 'l',
            Kind::Device(_) => 'c',
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub const fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }

    /// Whether it is a regular file.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File(_))
    }

    /// Content bytes held by this node, for the ceiling.
    pub(crate) fn weight(&self) -> u64 {
        match &self.kind {
            Kind::File(Content::Bytes(bytes)) => bytes.len() as u64,
            Kind::Symlink(target) => target.len() as u64,
            Kind::File(_) | Kind::Directory(_) | Kind::Device(_) => 0,
        }
    }
}

/// At most `length` bytes at `offset` of the program made from `seed`.
pub(crate) fn program_bytes(seed: u64, size: u64, offset: u64, length: usize) -> Vec<u8> {
    const BLOCK: u64 = 4096;
    let end = size.min(offset.saturating_add(length as u64));
    let mut out = Vec::new();
    let mut at = offset;
    while at < end {
        let block = at / BLOCK;
        let mut bytes = [0; 4096];
        let mut key = [0; 32];
        if let Some(slot) = key.get_mut(..8) {
            slot.copy_from_slice(&seed.to_le_bytes());
        }
        if let Some(slot) = key.get_mut(8..16) {
            slot.copy_from_slice(&block.to_le_bytes());
        }
        ChaCha12Rng::from_seed(key).fill_bytes(&mut bytes);
        if block == 0
            && let Some(head) = bytes.get_mut(..ELF_HEADER.len())
        {
            head.copy_from_slice(ELF_HEADER);
        }
        let from = usize::try_from(at % BLOCK).unwrap_or(0);
        let take = usize::try_from((BLOCK - at % BLOCK).min(end - at)).unwrap_or(0);
        out.extend_from_slice(bytes.get(from..from + take).unwrap_or_default());
        at += take as u64;
    }
    out
}

/// The start of a position-independent x86-64 executable (System V ABI, ELF header).
const ELF_HEADER: &[u8] = &[
    0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x3e, 0, 1, 0, 0, 0, 0x30,
    0x6d, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0,
];
