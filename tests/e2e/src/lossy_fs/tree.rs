//! Folders, names and files: as programs see them, and as a power cut leaves them.
//!
//! Changes of names are kept in order until a sync of a folder makes them durable, each whole: a
//! rename is there or not. Owner and mode of a file go with its name.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use fuser::Errno;

use super::content::{Content, PAGE};

/// The number of the root folder.
pub(super) const ROOT: u64 = 1;

/// A file or folder.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) modified: SystemTime,
    /// Names that lead here.
    pub(super) links: u32,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Body {
    File(Content),
    Folder {
        live: Names,
        /// Names that a power cut leaves.
        durable: Names,
    },
}

type Names = BTreeMap<OsString, u64>;

/// Mode and owner of something new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// One change of names: folder, name, and what it leads to then.
type Change = Vec<(u64, OsString, Option<u64>)>;

/// The whole file system.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: BTreeMap<u64, Node>,
    /// Numbers are not used twice, so that what a dead process still holds means nothing.
    next: u64,
    /// Changes of names that are not durable, oldest first.
    changes: Vec<Change>,
    /// Pages that may still be taken. What is freed does not count: someone else has it at once.
    pub(super) room: Option<u64>,
    pub(super) read_only: bool,
}

impl Tree {
    pub(super) fn new(owner: Owner) -> Self {
        let mut root = Node::new(empty_folder(), owner);
        root.links = 1;
        let nodes = BTreeMap::from([(ROOT, root)]);
        Self { nodes, next: ROOT + 1, changes: Vec::new(), room: None, read_only: false }
    }

    pub(super) fn node(&self, ino: u64) -> Result<&Node, Errno> {
        self.nodes.get(&ino).ok_or(Errno::ESTALE)
    }

    /// A node that is going to be changed.
    pub(super) fn writable(&mut self, ino: u64) -> Result<&mut Node, Errno> {
        if self.read_only {
            return Err(Errno::EROFS);
        }
        self.nodes.get_mut(&ino).ok_or(Errno::ESTALE)
    }

    pub(super) fn lookup(&self, folder: u64, name: &OsStr) -> Result<u64, Errno> {
        self.names(folder)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    pub(super) fn names(&self, folder: u64) -> Result<&Names, Errno> {
        match &self.node(folder)?.body {
            Body::Folder { live, .. } => Ok(live),
            Body::File(_) => Err(Errno::ENOTDIR),
        }
    }

    pub(super) fn content(&mut self, file: u64) -> Result<&mut Content, Errno> {
        match &mut self.nodes.get_mut(&file).ok_or(Errno::ESTALE)?.body {
            Body::File(content) => Ok(content),
            Body::Folder { .. } => Err(Errno::EISDIR),
        }
    }

    pub(super) fn make(
        &mut self,
        folder: u64,
        name: &OsStr,
        body: Body,
        owner: Owner,
    ) -> Result<u64, Errno> {
        self.writable(folder)?;
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        // A new folder needs a page for its names; a new file needs one when it gets content.
        if matches!(body, Body::Folder { .. }) && self.take(1) == 0 {
            return Err(Errno::ENOSPC);
        }
        let ino = self.next;
        self.next += 1;
        self.nodes.insert(ino, Node::new(body, owner));
        self.change(vec![(folder, name.to_owned(), Some(ino))]);
        Ok(ino)
    }

    pub(super) fn link(&mut self, ino: u64, folder: u64, name: &OsStr) -> Result<(), Errno> {
        self.writable(folder)?;
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.node(ino)?;
        self.change(vec![(folder, name.to_owned(), Some(ino))]);
        Ok(())
    }

    pub(super) fn remove(&mut self, folder: u64, name: &OsStr, is_dir: bool) -> Result<(), Errno> {
        self.writable(folder)?;
        let ino = self.lookup(folder, name)?;
        match &self.node(ino)?.body {
            Body::File(_) if is_dir => return Err(Errno::ENOTDIR),
            Body::Folder { .. } if !is_dir => return Err(Errno::EISDIR),
            Body::Folder { live, .. } if !live.is_empty() => return Err(Errno::ENOTEMPTY),
            Body::File(_) | Body::Folder { .. } => {}
        }
        self.change(vec![(folder, name.to_owned(), None)]);
        Ok(())
    }

    pub(super) fn rename(
        &mut self,
        (from, name): (u64, &OsStr),
        (to, new): (u64, &OsStr),
        replace: bool,
    ) -> Result<(), Errno> {
        self.writable(from)?;
        self.writable(to)?;
        let ino = self.lookup(from, name)?;
        match self.lookup(to, new) {
            Ok(_) if !replace => return Err(Errno::EEXIST),
            Ok(old) if old == ino => return Ok(()),
            Ok(old) => {
                if let Body::Folder { live, .. } = &self.node(old)?.body
                    && !live.is_empty()
                {
                    return Err(Errno::ENOTEMPTY);
                }
            }
            Err(_) => {}
        }
        self.change(vec![(from, name.to_owned(), None), (to, new.to_owned(), Some(ino))]);
        Ok(())
    }

    /// Writes as much as there is room for.
    pub(super) fn write(&mut self, file: u64, offset: u64, bytes: &[u8]) -> Result<u32, Errno> {
        self.writable(file)?.modified = SystemTime::now();
        let end = offset + bytes.len() as u64;
        let has = self.content(file)?.len().div_ceil(PAGE);
        let needs = end.div_ceil(PAGE).saturating_sub(has);
        let taken = self.take(needs);
        let fits = if taken == needs { end } else { end.min((has + taken) * PAGE) };
        let count = fits.saturating_sub(offset) as usize;
        if count == 0 && !bytes.is_empty() {
            return Err(Errno::ENOSPC);
        }
        self.content(file)?.write(offset, &bytes[..count]);
        Ok(count as u32)
    }

    /// Cuts or extends a file. A hole takes its room at once.
    pub(super) fn resize(&mut self, file: u64, len: u64) -> Result<(), Errno> {
        self.writable(file)?.modified = SystemTime::now();
        let has = self.content(file)?.len().div_ceil(PAGE);
        let needs = len.div_ceil(PAGE).saturating_sub(has);
        if self.take(needs) < needs {
            return Err(Errno::ENOSPC);
        }
        self.content(file)?.resize(len);
        Ok(())
    }

    /// Makes the names in `folder` durable, with every earlier change they depend on.
    pub(super) fn sync_names(&mut self, folder: u64) -> Result<(), Errno> {
        self.names(folder)?;
        let mut folders = BTreeSet::from([folder]);
        let mut due = Vec::new();
        for (at, change) in self.changes.iter().enumerate().rev() {
            if change.iter().any(|(of, ..)| folders.contains(of)) {
                folders.extend(change.iter().map(|(of, ..)| *of));
                due.push(at);
            }
        }
        for at in due.iter().rev() {
            let change = self.changes[*at].clone();
            self.settle(&change);
        }
        for at in due {
            self.changes.remove(at);
        }
        Ok(())
    }

    /// Loses everything that is not durable. With `chance`, which answers with a number below the
    /// given one, part of it had reached the disk by itself: the first so many changes of names, and
    /// any pages of files.
    pub(super) fn cut_power(&mut self, mut chance: Option<impl FnMut(u64) -> u64>) {
        if let Some(chance) = &mut chance {
            let reached = chance(self.changes.len() as u64 + 1) as usize;
            for change in self.changes.drain(..reached).collect::<Vec<_>>() {
                self.settle(&change);
            }
        }
        self.changes.clear();
        let mut old = std::mem::take(&mut self.nodes);
        let mut numbers = BTreeMap::from([(ROOT, ROOT)]);
        let mut waiting = vec![ROOT];
        while let Some(ino) = waiting.pop() {
            let mut node = old.remove(&ino).expect("a durable name leads somewhere");
            node.body = match node.body {
                Body::File(content) => Body::File(
                    content.after_power_cut(|| chance.as_mut().is_some_and(|take| take(2) == 1)),
                ),
                Body::Folder { durable, .. } => {
                    let mut live = Names::new();
                    for (name, target) in durable {
                        let number = *numbers.entry(target).or_insert_with(|| {
                            waiting.push(target);
                            self.next += 1;
                            self.next
                        });
                        live.insert(name, number);
                    }
                    Body::Folder { durable: live.clone(), live }
                }
            };
            node.links = 0;
            self.nodes.insert(numbers[&ino], node);
        }
        self.next += 1;
        let targets: Vec<u64> = self
            .nodes
            .values()
            .filter_map(|node| match &node.body {
                Body::Folder { live, .. } => Some(live.values().copied()),
                Body::File(_) => None,
            })
            .flatten()
            .chain([ROOT])
            .collect();
        for target in targets {
            self.nodes.get_mut(&target).expect("just numbered").links += 1;
        }
    }

    /// Takes at most `pages` of the room left. Returns how many.
    fn take(&mut self, pages: u64) -> u64 {
        let taken = self.room.map_or(pages, |room| room.min(pages));
        self.room = self.room.map(|room| room - taken);
        taken
    }

    fn change(&mut self, change: Change) {
        for (folder, name, target) in &change {
            let Some(node) = self.nodes.get_mut(folder) else { continue };
            node.modified = SystemTime::now();
            let Body::Folder { live, .. } = &mut node.body else { continue };
            let before = match target {
                Some(target) => live.insert(name.clone(), *target),
                None => live.remove(name),
            };
            if let Some(node) = target.and_then(|ino| self.nodes.get_mut(&ino)) {
                node.links += 1;
            }
            if let Some(node) = before.and_then(|ino| self.nodes.get_mut(&ino)) {
                node.links -= 1;
            }
        }
        self.changes.push(change);
    }

    fn settle(&mut self, change: &Change) {
        for (folder, name, target) in change {
            let body = self.nodes.get_mut(folder).map(|node| &mut node.body);
            if let Some(Body::Folder { durable, .. }) = body {
                match target {
                    Some(target) => drop(durable.insert(name.clone(), *target)),
                    None => drop(durable.remove(name)),
                }
            }
        }
    }
}

impl Node {
    fn new(body: Body, owner: Owner) -> Self {
        let Owner { mode, uid, gid } = owner;
        Self { body, mode, uid, gid, modified: SystemTime::now(), links: 0 }
    }
}

/// A folder without names.
pub(super) fn empty_folder() -> Body {
    Body::Folder { live: Names::new(), durable: Names::new() }
}

/// A file without content.
pub(super) fn empty_file() -> Body {
    Body::File(Content::default())
}
