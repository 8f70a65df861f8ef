//! Blobs on their way to control: one file per digest, kept until no unacknowledged record names it.

use std::collections::BTreeMap;
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
    held: Arc<Mutex<BTreeMap<Sha256Digest, Held>>>,
    quota: u64,
}

#[derive(Debug, Default)]
struct Held {
    size: u64,
    /// The last record of each run that names it.
    named_by: BTreeMap<BootId, u64>,
    /// Puts whose record is not journaled yet.
    pending: u32,
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
        let mut held: BTreeMap<Sha256Digest, Held> = BTreeMap::new();
        for (name, size) in disk.list()? {
            let digest = name.parse::<Sha256Digest>().ok();
            match digest.filter(|digest| named.iter().any(|(blob, ..)| blob == digest)) {
                Some(digest) => drop(held.insert(digest, Held { size, ..Held::default() })),
                None => disk.remove(&name)?,
            }
        }
        let spool = Self { disk, held: Arc::new(Mutex::new(held)), quota };
        for (blob, boot, seq) in named {
            spool.note(*blob, *boot, *seq);
        }
        Ok(spool)
    }

    /// Keeps `bytes` under `blob`, durably. Follow with [`Spool::name`]. Blocks on the disk.
    ///
    /// # Errors
    /// When the quota or the disk does not allow it; nothing is kept then.
    pub fn put(&self, blob: Sha256Digest, bytes: &[u8]) -> Result<(), SpoolError> {
        {
            let mut held = self.held();
            if let Some(known) = held.get_mut(&blob) {
                known.pending += 1;
                return Ok(());
            }
            let total: u64 = held.values().map(|held| held.size).sum();
            if total.saturating_add(bytes.len() as u64) > self.quota {
                return Err(SpoolError::Full { held: total, quota: self.quota });
            }
        }
        self.write(blob, bytes).map_err(|source| SpoolError::Disk { blob, source })?;
        let mut held = self.held();
        let entry = held.entry(blob).or_default();
        entry.size = bytes.len() as u64;
        entry.pending += 1;
        Ok(())
    }

    /// Record `seq` of `boot` names `blob`, which [`Spool::put`] kept.
    pub fn name(&self, blob: Sha256Digest, boot: BootId, seq: u64) {
        if let Some(entry) = self.held().get_mut(&blob) {
            entry.pending = entry.pending.saturating_sub(1);
        }
        self.note(blob, boot, seq);
    }

    /// Size of `blob`, if it is here.
    #[must_use]
    pub fn size(&self, blob: Sha256Digest) -> Option<u64> {
        self.held().get(&blob).map(|held| held.size)
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
        self.held().retain(|blob, held| {
            if held.named_by.get(&boot).is_some_and(|last| *last <= seq) {
                held.named_by.remove(&boot);
                if held.named_by.is_empty() && held.pending == 0 {
                    gone.push(*blob);
                    return false;
                }
            }
            true
        });
        gone.iter().try_for_each(|blob| self.disk.remove(&blob.to_string()))
    }

    fn write(&self, blob: Sha256Digest, bytes: &[u8]) -> io::Result<()> {
        let name = blob.to_string();
        let part = format!("{name}.part");
        self.disk.remove(&part)?;
        let mut file = self.disk.create(&part)?;
        let written = file.append(bytes).and_then(|()| file.sync());
        if let Err(error) = written {
            self.disk.remove(&part)?;
            return Err(error);
        }
        self.disk.rename(&part, &name)?;
        self.disk.sync()
    }

    fn note(&self, blob: Sha256Digest, boot: BootId, seq: u64) {
        if let Some(entry) = self.held().get_mut(&blob) {
            let last = entry.named_by.entry(boot).or_default();
            *last = seq.max(*last);
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Sha256Digest, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
