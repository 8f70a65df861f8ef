//! What changed, as bytes that survive a restart.
//!
//! Changes are kept by path, not by inode: when the operator changes accounts or host name, the base
//! tree is laid out anew and the intruder's files are put back into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::node::{Content, Device, Ino, Kind, Live, Node};
use super::path::{base_name, parent_of};
use super::vfs::{MAX_BYTES, MAX_NODES, ROOT, Vfs};

/// Deepest directory that is saved; deeper ones cannot be reached by a legal path either.
const MAX_DEPTH: usize = 2048;

/// The changes of a file system.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Saved {
    /// Paths of the base that are gone.
    gone: Vec<Vec<u8>>,
    /// What differs from the base, parents before children.
    nodes: Vec<SavedNode>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedNode {
    path: Vec<u8>,
    ino: u64,
    mode: u16,
    uid: u32,
    gid: u32,
    times: [i64; 3],
    kind: SavedKind,
    /// Absent in older snapshots.
    #[serde(default)]
    flags: u8,
}

#[derive(Debug, Serialize, Deserialize)]
enum SavedKind {
    Bytes(Vec<u8>),
    Program(u64, u64),
    Live(u8),
    Directory,
    Symlink(Vec<u8>),
    Device(u8),
}

const LIVE: &[Live] = &[
    Live::Uptime,
    Live::LoadAverage,
    Live::MemInfo,
    Live::CpuInfo,
    Live::Version,
    Live::Mounts,
    Live::Stat,
    Live::CommandLine,
    Live::HostName,
    Live::FileSystems,
];
const DEVICES: &[Device] = &[Device::Null, Device::Zero, Device::Full, Device::Random, Device::Tty];

impl Vfs {
    /// The changes since the base was laid out.
    #[must_use]
    pub fn save(&self) -> Saved {
        let mut saved = Saved::default();
        let current = paths(|ino| self.node(ino));
        let base = paths(|ino| self.base().get(&ino));
        for (path, ino) in &current {
            let same = base.get(path) == Some(ino) && !self.changes().contains_key(ino);
            if let Some(node) = self.node(*ino).filter(|_| !same) {
                saved.nodes.push(save_node(path.clone(), *ino, node));
            }
        }
        for path in base.keys().filter(|path| !current.contains_key(*path)) {
            // What hangs below a removed directory goes with it.
            if !saved
                .gone
                .iter()
                .any(|gone| path.starts_with(gone) && path.get(gone.len()) == Some(&b'/'))
            {
                saved.gone.push(path.clone());
            }
        }
        saved
    }

    /// Puts saved changes back over a fresh base. `None` when they make no sense.
    #[must_use]
    pub fn restore(mut self, saved: Saved) -> Option<Self> {
        if saved.nodes.len() > MAX_NODES + self.base().len() {
            return None;
        }
        let mut by_path = paths(|ino| self.node(ino));
        for path in saved.gone {
            self.unlink(&by_path, &path);
            let below = [&path[..], b"/"].concat();
            let inside =
                by_path.range(below.clone()..).take_while(|(other, _)| other.starts_with(&below));
            let mut gone: Vec<Vec<u8>> = inside.map(|(other, _)| other.clone()).collect();
            gone.push(path);
            for path in gone {
                if let Some(ino) = by_path.remove(&path) {
                    self.put(ino, None);
                }
            }
        }
        for node in saved.nodes {
            if node.path == b"/" {
                let Some(Kind::Directory(entries)) = self.node(ROOT).map(|root| root.kind.clone())
                else {
                    return None;
                };
                let root = restore_node(node, entries)?;
                if !root.is_dir() {
                    return None;
                }
                self.put(ROOT, Some(root));
                continue;
            }
            let parent = *by_path.get(parent_of(&node.path))?;
            let name = base_name(&node.path).to_vec();
            let ino = match by_path.get(&node.path) {
                Some(ino) => *ino,
                None if self.node(Ino(node.ino)).is_none()
                    && node.ino > 2
                    && node.ino < 1 << 48 =>
                {
                    Ino(node.ino)
                }
                // Its number went to another node when the base was laid out anew.
                None => self.fresh_number(),
            };
            let entries = match self.node(ino).map(|node| &node.kind) {
                Some(Kind::Directory(entries)) => entries.clone(),
                _ => BTreeMap::new(),
            };
            let path = node.path.clone();
            let restored = restore_node(node, entries)?;
            let mut directory = self.node(parent)?.clone();
            let Kind::Directory(siblings) = &mut directory.kind else { return None };
            if siblings.insert(name, ino) != Some(ino) {
                self.put(parent, Some(directory));
            }
            self.put(ino, Some(restored));
            by_path.insert(path, ino);
            if self.used() > MAX_BYTES {
                return None;
            }
        }
        Some(self)
    }

    fn unlink(&mut self, by_path: &BTreeMap<Vec<u8>, Ino>, path: &[u8]) {
        let Some(parent) = by_path.get(parent_of(path)).copied() else { return };
        let Some(mut directory) = self.node(parent).cloned() else { return };
        if let Kind::Directory(entries) = &mut directory.kind {
            entries.remove(base_name(path));
            self.put(parent, Some(directory));
        }
    }
}

/// Every path of a tree. A node that hangs in itself is not followed.
fn paths<'n>(node: impl Fn(Ino) -> Option<&'n Node>) -> BTreeMap<Vec<u8>, Ino> {
    let mut out = BTreeMap::from([(b"/".to_vec(), ROOT)]);
    let mut stack = vec![(Vec::new(), ROOT, 0)];
    while let Some((path, ino, depth)) = stack.pop() {
        let Some(Kind::Directory(entries)) = node(ino).map(|node| &node.kind) else { continue };
        for (name, child) in entries {
            let mut full = path.clone();
            full.push(b'/');
            full.extend_from_slice(name);
            out.insert(full.clone(), *child);
            if depth < MAX_DEPTH {
                stack.push((full, *child, depth + 1));
            }
        }
    }
    out
}

fn save_node(path: Vec<u8>, ino: Ino, node: &Node) -> SavedNode {
    let index = |at: Option<usize>| u8::try_from(at.unwrap_or(0)).unwrap_or(0);
    let kind = match &node.kind {
        Kind::File(Content::Bytes(bytes)) => SavedKind::Bytes(bytes.as_ref().clone()),
        Kind::File(Content::Program { seed, size }) => SavedKind::Program(*seed, *size),
        Kind::File(Content::Live(live)) => {
            SavedKind::Live(index(LIVE.iter().position(|known| known == live)))
        }
        Kind::Directory(_) => SavedKind::Directory,
        Kind::Symlink(target) => SavedKind::Symlink(target.clone()),
        Kind::Device(device) => {
            SavedKind::Device(index(DEVICES.iter().position(|known| known == device)))
        }
    };
    let times = [node.mtime, node.ctime, node.atime].map(Timestamp::micros);
    SavedNode {
        path,
        ino: ino.0,
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        times,
        kind,
        flags: node.flags,
    }
}

fn restore_node(saved: SavedNode, entries: BTreeMap<Vec<u8>, Ino>) -> Option<Node> {
    let kind = match saved.kind {
        SavedKind::Bytes(bytes) => Kind::File(Content::Bytes(Arc::new(bytes))),
        SavedKind::Program(seed, size) if size <= MAX_BYTES => {
            Kind::File(Content::Program { seed, size })
        }
        SavedKind::Program(..) => return None,
        SavedKind::Live(index) => Kind::File(Content::Live(*LIVE.get(usize::from(index))?)),
        SavedKind::Directory => Kind::Directory(entries),
        SavedKind::Symlink(target) => Kind::Symlink(target),
        SavedKind::Device(index) => Kind::Device(*DEVICES.get(usize::from(index))?),
    };
    let [mtime, ctime, atime] = saved.times.map(Timestamp::from_micros);
    let mode = saved.mode & 0o7777;
    let flags = saved.flags;
    Some(Node { kind, mode, uid: saved.uid, gid: saved.gid, mtime, ctime, atime, flags })
}
