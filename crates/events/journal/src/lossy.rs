//! A disk that forgets: what was not synced is gone after [`LossyDisk::crash`]. For tests.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile};

/// An in-memory disk whose unsynced bytes and names do not survive a crash.
#[derive(Clone, Debug, Default)]
pub struct LossyDisk(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    /// Names as the running program sees them.
    names: BTreeMap<String, usize>,
    /// Names that a crash leaves.
    durable_names: BTreeMap<String, usize>,
    files: Vec<Content>,
    /// Bytes that may still be appended before the disk is full.
    room: Option<u64>,
    /// Whether syncs fail.
    broken: bool,
    epoch: u64,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: usize,
}

impl LossyDisk {
    /// An empty disk without limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Power fails: every file falls back to its synced bytes and `torn` bytes of the rest, every
    /// unsynced name is gone, and open files are dead.
    pub fn crash(&self, torn: usize) {
        let mut world = self.world();
        world.names = world.durable_names.clone();
        for file in &mut world.files {
            let keep = file.bytes.len().min(file.durable + torn);
            file.bytes.truncate(keep);
            file.durable = keep;
        }
        world.epoch += 1;
    }

    /// Leaves room for `bytes` more; `None` lifts the limit.
    pub fn leave_room(&self, bytes: Option<u64>) {
        self.world().room = bytes;
    }

    /// Makes syncs fail, or work again.
    pub fn break_syncs(&self, broken: bool) {
        self.world().broken = broken;
    }

    /// Changes a byte of a file, as a failing medium does.
    pub fn damage(&self, name: &str, at: usize) {
        let mut world = self.world();
        if let Some(&index) = world.names.get(name)
            && let Some(byte) = world.files.get_mut(index).and_then(|file| file.bytes.get_mut(at))
        {
            *byte ^= 0x55;
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for LossyDisk {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let world = self.world();
        let size = |index: &usize| world.files.get(*index).map_or(0, |file| file.bytes.len());
        Ok(world.names.iter().map(|(name, index)| (name.clone(), size(index) as u64)).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.world();
        if world.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = world.files.len();
        world.files.push(Content::default());
        world.names.insert(name.to_owned(), index);
        let epoch = world.epoch;
        drop(world);
        Ok(Box::new(LossyFile { disk: self.clone(), index, epoch }))
    }

    fn read(&self, name: &str, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        let world = self.world();
        let file = world.names.get(name).and_then(|index| world.files.get(*index));
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(file.bytes.len());
        let end = start.saturating_add(max).min(file.bytes.len());
        Ok(file.bytes.get(start..end).unwrap_or_default().to_vec())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let index = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), index);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.world().names.remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.world();
        if world.broken {
            return Err(io::Error::other("sync failed"));
        }
        world.durable_names = world.names.clone();
        Ok(())
    }
}

struct LossyFile {
    disk: LossyDisk,
    index: usize,
    epoch: u64,
}

impl LossyFile {
    fn with<T>(&self, act: impl FnOnce(&mut World, usize) -> io::Result<T>) -> io::Result<T> {
        let mut world = self.disk.world();
        if world.epoch != self.epoch {
            return Err(io::Error::other("the machine is off"));
        }
        act(&mut world, self.index)
    }
}

impl DiskFile for LossyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|world, index| {
            let fits = world.room.map_or(bytes.len(), |room| {
                bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))
            });
            world.room = world.room.map(|room| room - fits as u64);
            if let Some(file) = world.files.get_mut(index) {
                file.bytes.extend(bytes.iter().take(fits));
            }
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|world, index| {
            if world.broken {
                return Err(io::Error::other("sync failed"));
            }
            if let Some(file) = world.files.get_mut(index) {
                file.durable = file.bytes.len();
            }
            Ok(())
        })
    }
}
