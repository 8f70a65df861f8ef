//! Blobs on their way to control: one file per digest, kept until no unacknowledged record names it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_model::{BootId, Sha256Digest};

use crate::disk::Disk;

/// Bytes kept when nothing else is said.
pub const DEFAULT_QUOTA: u64 = 1024 * 1024 * 1024;

/// A blob was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The spool holds as much as it may.
    #[error("blob spool is full: {held} bytes of {quota}")]
    Full {
        /// Bytes held.
        held: u64,
        /// Most bytes.
        quota: u64,
    },
    /// The disk failed.
    #[error("failed to write blob {blob}")]
    Disk {
        /// Which.
        blob: Sha256Digest,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The spool; clones share it.
#[derive(Clone)]
pub struct Spool {
    disk: Arc<dyn Disk>,
    /// Names of whole blobs change only while this is locked.
    books: Arc<Mutex<Books>>,
    quota: u64,
}

#[derive(Debug, Default)]
struct Books {
    held: BTreeMap<Sha256Digest, Held>,
    /// Bytes being written that are not held yet.
    writing: u64,
    /// Writes begun so far; keeps those of the same content apart.
    begun: u64,
}

#[derive(Debug, Default)]
struct Held {
    size: u64,
    /// Its name survives a crash.
    durable: bool,
    /// The last record of each run that names it.
    named_by: BTreeMap<BootId, u64>,
    /// Puts whose record is not journaled yet.
    pending: u32,
}

impl Held {
    fn is_needed(&self) -> bool {
        self.pending > 0 || !self.named_by.is_empty()
    }
}

impl Spool {
    /// Opens the spool on `disk`; blobs that no record of `named` names are removed.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn open(
        disk: Arc<dyn Disk>,
        named: &[(Sha256Digest, BootId, u64)],
        quota: u64,
    ) -> io::Result<Self> {
        let mut books = Books::default();
        for (name, size) in disk.list()? {
            let digest = name.parse::<Sha256Digest>().ok();
            match digest.filter(|digest| named.iter().any(|(blob, ..)| blob == digest)) {
                Some(digest) => {
                    books.held.insert(digest, Held { size, ..Held::default() });
                }
                None => disk.remove(&name)?,
            }
        }
        let spool = Self { disk, books: Arc::new(Mutex::new(books)), quota };
        for (blob, boot, seq) in named {
            spool.note(*blob, *boot, *seq);
        }
        Ok(spool)
    }

    /// Keeps `bytes` under `blob`, durably. Follow with [`Spool::name`] or [`Spool::release`].
    /// Blocks on the disk; many may put the same at once.
    ///
    /// # Errors
    /// When the quota or the disk does not allow it; nothing is kept then.
    pub fn put(&self, blob: Sha256Digest, bytes: &[u8]) -> Result<(), SpoolError> {
        let failed = |source| SpoolError::Disk { blob, source };
        let size = bytes.len() as u64;
        let part = {
            let mut books = self.books();
            match books.held.get_mut(&blob) {
                Some(known) => {
                    known.pending += 1;
                    if known.durable {
                        return Ok(());
                    }
                    None
                }
                None => Some(self.begin(&mut books, blob, size)?),
            }
        };
        if let Some(part) = part {
            let written = self.write(&part, bytes);
            let mut books = self.books();
            books.writing -= size;
            if let Err(error) = written.and_then(|()| self.file(&mut books, blob, size, &part)) {
                drop(books);
                // What cannot be removed goes with the next start.
                drop(self.disk.remove(&part));
                return Err(failed(error));
            }
        }
        // Whoever put it first may not have come this far.
        match self.disk.sync() {
            Ok(()) => {
                if let Some(entry) = self.books().held.get_mut(&blob) {
                    entry.durable = true;
                }
                Ok(())
            }
            Err(error) => {
                self.release(blob);
                Err(failed(error))
            }
        }
    }

    /// Record `seq` of `boot` names `blob`, which [`Spool::put`] kept.
    pub fn name(&self, blob: Sha256Digest, boot: BootId, seq: u64) {
        self.note(blob, boot, seq);
        self.release(blob);
    }

    /// No record will name what [`Spool::put`] kept, as far as this put is concerned.
    pub fn release(&self, blob: Sha256Digest) {
        let mut books = self.books();
        let Some(entry) = books.held.get_mut(&blob) else { return };
        entry.pending = entry.pending.saturating_sub(1);
        if !entry.is_needed() {
            books.held.remove(&blob);
            // What cannot be removed goes with the next start.
            drop(self.disk.remove(&blob.to_string()));
        }
    }

    /// Size of `blob`, if it is here.
    #[must_use]
    pub fn size(&self, blob: Sha256Digest) -> Option<u64> {
        self.books().held.get(&blob).map(|held| held.size)
    }

    /// At most `max` bytes of `blob` from `offset`.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn read(&self, blob: Sha256Digest, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        self.disk.read(&blob.to_string(), offset, max)
    }

    /// Control has all records of `boot` up to `seq`: blobs that nothing else needs go.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn acknowledge(&self, boot: BootId, seq: u64) -> io::Result<()> {
        let mut gone = Vec::new();
        let mut books = self.books();
        books.held.retain(|blob, held| {
            if held.named_by.get(&boot).is_some_and(|last| *last <= seq) {
                held.named_by.remove(&boot);
            }
            if !held.is_needed() {
                gone.push(*blob);
            }
            held.is_needed()
        });
        gone.iter().try_for_each(|blob| self.disk.remove(&blob.to_string()))
    }

    /// The name to write new content under.
    fn begin(
        &self,
        books: &mut Books,
        blob: Sha256Digest,
        size: u64,
    ) -> Result<String, SpoolError> {
        let held = books.writing + books.held.values().map(|held| held.size).sum::<u64>();
        if held.saturating_add(size) > self.quota {
            return Err(SpoolError::Full { held, quota: self.quota });
        }
        books.writing += size;
        books.begun += 1;
        Ok(format!("{blob}.{}.part", books.begun))
    }

    fn write(&self, part: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.disk.create(part)?;
        file.append(bytes)?;
        file.sync()
    }

    /// Gives written content its name, unless it has it already.
    fn file(&self, books: &mut Books, blob: Sha256Digest, size: u64, part: &str) -> io::Result<()> {
        match books.held.entry(blob) {
            Entry::Occupied(mut known) => {
                known.get_mut().pending += 1;
                // What cannot be removed goes with the next start.
                drop(self.disk.remove(part));
            }
            Entry::Vacant(place) => {
                self.disk.rename(part, &blob.to_string())?;
                place.insert(Held { size, pending: 1, ..Held::default() });
            }
        }
        Ok(())
    }

    fn note(&self, blob: Sha256Digest, boot: BootId, seq: u64) {
        if let Some(entry) = self.books().held.get_mut(&blob) {
            let last = entry.named_by.entry(boot).or_default();
            *last = seq.max(*last);
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lossy::LossyDisk;

    fn boot() -> BootId {
        BootId::from_entropy([1; 16])
    }

    fn open(disk: &LossyDisk, named: &[(Sha256Digest, BootId, u64)]) -> Spool {
        Spool::open(Arc::new(disk.clone()), named, 1000).unwrap()
    }

    #[test]
    fn a_kept_blob_survives_a_crash_and_goes_with_its_last_record() {
        let disk = LossyDisk::new();
        let blob = Sha256Digest::of(b"x");
        let spool = open(&disk, &[]);
        spool.put(blob, b"x").unwrap();
        disk.crash(0);
        let spool = open(&disk, &[(blob, boot(), 4), (blob, boot(), 9)]);
        assert_eq!(spool.read(blob, 0, 9).unwrap(), b"x");
        spool.acknowledge(boot(), 4).unwrap();
        assert_eq!(spool.size(blob), Some(1));
        spool.acknowledge(boot(), 9).unwrap();
        assert_eq!(spool.size(blob), None);
        assert!(disk.list().unwrap().is_empty());
    }

    #[test]
    fn a_blob_put_again_outlives_the_first_record() {
        let disk = LossyDisk::new();
        let blob = Sha256Digest::of(b"x");
        let spool = open(&disk, &[]);
        spool.put(blob, b"x").unwrap();
        spool.name(blob, boot(), 1);
        spool.put(blob, b"x").unwrap();
        spool.acknowledge(boot(), 1).unwrap();
        assert_eq!(spool.size(blob), Some(1));
        spool.name(blob, boot(), 2);
        spool.acknowledge(boot(), 2).unwrap();
        assert_eq!(spool.size(blob), None);
    }

    #[test]
    fn orphans_are_removed_at_start() {
        let disk = LossyDisk::new();
        open(&disk, &[]).put(Sha256Digest::of(b"x"), b"x").unwrap();
        let spool = open(&disk, &[]);
        assert_eq!(spool.size(Sha256Digest::of(b"x")), None);
        assert!(disk.list().unwrap().is_empty());
    }

    #[test]
    fn the_same_content_put_by_many_at_once_is_there_for_each() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::new(crate::disk::Folder::open(folder.path().join("blobs")).unwrap());
        let spool = Spool::open(disk, &[], 1000).unwrap();
        let blob = Sha256Digest::of(b"x");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (spool, boot) = (&spool, BootId::from_entropy([thread; 16]));
                scope.spawn(move || {
                    for seq in 1..50 {
                        spool.put(blob, b"x").unwrap();
                        spool.name(blob, boot, seq);
                        assert_eq!(spool.read(blob, 0, 9).unwrap(), b"x");
                        spool.acknowledge(boot, seq).unwrap();
                    }
                });
            }
        });
        assert_eq!(spool.size(blob), None);
        assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0);
    }

    #[test]
    fn content_whose_record_never_came_goes() {
        let disk = LossyDisk::new();
        let blob = Sha256Digest::of(b"x");
        let spool = open(&disk, &[]);
        spool.put(blob, b"x").unwrap();
        spool.put(blob, b"x").unwrap();
        spool.release(blob);
        assert_eq!(spool.size(blob), Some(1));
        spool.release(blob);
        assert_eq!(spool.size(blob), None);
        assert!(disk.list().unwrap().is_empty());
    }

    #[test]
    fn a_name_that_was_not_made_durable_is_not_trusted() {
        let disk = LossyDisk::new();
        let blob = Sha256Digest::of(b"x");
        let spool = open(&disk, &[]);
        spool.put(blob, b"x").unwrap();
        spool.name(blob, boot(), 1);
        // As the first of two leaves it between naming and syncing.
        spool.books().held.get_mut(&blob).unwrap().durable = false;
        disk.break_syncs(true);
        assert!(matches!(spool.put(blob, b"x"), Err(SpoolError::Disk { .. })));
        disk.break_syncs(false);
        spool.put(blob, b"x").unwrap();
        assert_eq!(spool.size(blob), Some(1));
    }

    #[test]
    fn quota_and_full_disk_refuse_and_leave_nothing() {
        let disk = LossyDisk::new();
        let spool = open(&disk, &[]);
        assert!(matches!(
            spool.put(Sha256Digest::of(b"a"), &[0; 1001]),
            Err(SpoolError::Full { .. })
        ));
        disk.leave_room(Some(3));
        assert!(matches!(spool.put(Sha256Digest::of(b"b"), &[0; 9]), Err(SpoolError::Disk { .. })));
        assert!(disk.list().unwrap().is_empty());
    }
}
