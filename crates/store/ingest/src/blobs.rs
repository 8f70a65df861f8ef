//! Captured content, kept once under its SHA-256 digest.
//!
//! A blob is there whole or not at all: it is written under another name, checked against its digest,
//! made durable, then named. Files are never executable. Calls block; run them where that is
//! allowed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base_model::Sha256Digest;
use sha2::{Digest as _, Sha256};

/// Where unfinished blobs are.
const INCOMING: &str = "incoming";

/// A blob could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The store is full.
    #[error("the blob store is full: {used} of {quota} bytes are used, {wanted} more were wanted")]
    Quota {
        /// Bytes kept and promised.
        used: u64,
        /// Bytes allowed.
        quota: u64,
        /// Bytes asked for.
        wanted: u64,
    },
    /// More or fewer bytes came than were announced.
    #[error("a blob of {announced} bytes was announced, but {received} came")]
    Size {
        /// As announced.
        announced: u64,
        /// As received.
        received: u64,
    },
    /// The bytes are not those of the digest.
    #[error("content with digest {actual} was sent as {claimed}")]
    Digest {
        /// What it was sent as.
        claimed: Sha256Digest,
        /// What it is.
        actual: Sha256Digest,
    },
    /// The file system failed.
    #[error("failed to keep a blob")]
    Io(#[from] io::Error),
}

/// The blobs below one folder. Clones share the quota.
#[derive(Clone, Debug)]
pub struct BlobStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    quota: u64,
    /// Bytes kept and promised to writers.
    used: AtomicU64,
    next: AtomicU64,
}

impl BlobStore {
    /// Opens `<artifacts>/blobs`, throws away what was unfinished and counts what is there.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(artifacts: &Path, quota: u64) -> io::Result<Self> {
        let root = artifacts.join("blobs");
        make_folder(&root)?;
        let incoming = root.join(INCOMING);
        if incoming.exists() {
            fs::remove_dir_all(&incoming)?;
        }
        make_folder(&incoming)?;
        // A kill between naming something and making the name durable leaves it for this start.
        sync_folder(artifacts)?;
        sync_folder(&root)?;
        let mut used = 0;
        for folder in fs::read_dir(&root)? {
            let folder = folder?.path();
            if folder.is_dir() && !folder.ends_with(INCOMING) {
                sync_folder(&folder)?;
                for file in fs::read_dir(folder)? {
                    used += file?.metadata()?.len();
                }
            }
        }
        let (used, next) = (AtomicU64::new(used), AtomicU64::new(0));
        Ok(Self(Arc::new(Shared { root, quota, used, next })))
    }

    /// Whether the blob is kept.
    #[must_use]
    pub fn has(&self, sha256: Sha256Digest) -> bool {
        self.path(sha256).is_file()
    }

    /// Opens a blob for reading.
    ///
    /// # Errors
    /// When it is not kept or cannot be read.
    pub fn get(&self, sha256: Sha256Digest) -> io::Result<File> {
        File::open(self.path(sha256))
    }

    /// Bytes kept and promised.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Begins to keep a blob of `size` bytes.
    ///
    /// # Errors
    /// [`BlobError::Quota`] when it does not fit.
    pub fn writer(&self, sha256: Sha256Digest, size: u64) -> Result<BlobWriter, BlobError> {
        self.reserve(size)?;
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let temporary = self.0.root.join(INCOMING).join(format!("{sha256}.{number}"));
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&temporary);
        match opened {
            Ok(file) => Ok(BlobWriter {
                store: self.clone(),
                file,
                temporary,
                hasher: Sha256::new(),
                claimed: sha256,
                size,
                received: 0,
                kept: false,
            }),
            Err(error) => {
                self.release(size);
                Err(error.into())
            }
        }
    }

    fn reserve(&self, wanted: u64) -> Result<(), BlobError> {
        let quota = self.0.quota;
        let fits = |used: u64| used.checked_add(wanted).filter(|total| *total <= quota);
        match self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(()),
            Err(used) => Err(BlobError::Quota { used, quota, wanted }),
        }
    }

    fn release(&self, size: u64) {
        self.0.used.fetch_sub(size, Ordering::Relaxed);
    }

    fn path(&self, sha256: Sha256Digest) -> PathBuf {
        let name = sha256.to_string();
        self.0.root.join(name.get(..2).unwrap_or_default()).join(&name)
    }
}

/// A blob on its way. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub struct BlobWriter {
    store: BlobStore,
    file: File,
    temporary: PathBuf,
    hasher: Sha256,
    claimed: Sha256Digest,
    size: u64,
    received: u64,
    kept: bool,
}

impl BlobWriter {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When more come than were announced, or the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.received += bytes.len() as u64;
        if self.received > self.size {
            return Err(BlobError::Size { announced: self.size, received: self.received });
        }
        self.hasher.update(bytes);
        Ok(self.file.write_all(bytes)?)
    }

    /// Checks the content and makes it durable under its name.
    ///
    /// # Errors
    /// When size or digest are not as announced, or the disk fails.
    pub fn finish(mut self) -> Result<(), BlobError> {
        if self.received != self.size {
            return Err(BlobError::Size { announced: self.size, received: self.received });
        }
        let actual = Sha256Digest::from_bytes(self.hasher.clone().finalize().into());
        if actual != self.claimed {
            return Err(BlobError::Digest { claimed: self.claimed, actual });
        }
        let path = self.store.path(self.claimed);
        let folder = path.parent().unwrap_or(&self.store.0.root);
        if !self.store.has(self.claimed) {
            self.file.sync_all()?;
            make_folder(folder)?;
            // A link, unlike a rename, tells of another writer that was first.
            match fs::hard_link(&self.temporary, &path) {
                Ok(()) => {
                    self.kept = true;
                    let _ = fs::remove_file(&self.temporary);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Also for another writer that was first: it may not have come this far.
        Ok(sync_folder(folder)?)
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed goes with the next start.
            let _ = fs::remove_file(&self.temporary);
            self.store.release(self.size);
        }
    }
}

/// Makes a folder and its missing parents, for the service user and its group only, so that a power
/// cut leaves them.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| !folder.is_dir()).count();
    DirBuilder::new().recursive(true).mode(0o750).create(path)?;
    path.ancestors().skip(1).take(missing).try_for_each(sync_folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // The parent of a relative path is the working folder.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn keep(store: &BlobStore, content: &[u8]) -> Result<Sha256Digest, BlobError> {
        let digest = Sha256Digest::of(content);
        let mut writer = store.writer(digest, content.len() as u64)?;
        content.chunks(3).try_for_each(|piece| writer.write(piece))?;
        writer.finish()?;
        Ok(digest)
    }

    #[test]
    fn what_is_kept_comes_back_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 100).unwrap();
        let digest = keep(&store, b"malware").unwrap();
        keep(&store, b"malware").unwrap();
        assert_eq!(store.used(), 7, "the same content counts once");
        let store = BlobStore::open(folder.path(), 100).unwrap();
        assert_eq!(store.used(), 7);
        assert!(store.has(digest));
        let mut content = Vec::new();
        let mut file = store.get(digest).unwrap();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"malware");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777 & 0o111, 0);
    }

    #[test]
    fn a_lie_about_the_content_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 100).unwrap();
        let claimed = Sha256Digest::of(b"good");
        let mut writer = store.writer(claimed, 4).unwrap();
        writer.write(b"evil").unwrap();
        assert!(matches!(writer.finish(), Err(BlobError::Digest { .. })));
        let mut writer = store.writer(claimed, 4).unwrap();
        assert!(matches!(writer.write(b"good!"), Err(BlobError::Size { .. })));
        drop(writer);
        let writer = store.writer(claimed, 4).unwrap();
        assert!(matches!(writer.finish(), Err(BlobError::Size { .. })));
        assert!(!store.has(claimed));
        assert_eq!(store.used(), 0);
        assert_eq!(fs::read_dir(folder.path().join("blobs/incoming")).unwrap().count(), 0);
    }

    #[test]
    fn the_quota_holds_also_for_promises() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 10).unwrap();
        let first = store.writer(Sha256Digest::of(b"a"), 8).unwrap();
        let refused = store.writer(Sha256Digest::of(b"b"), 3);
        assert!(matches!(refused, Err(BlobError::Quota { used: 8, quota: 10, wanted: 3 })));
        drop(first);
        keep(&store, b"0123456789").unwrap();
        assert!(matches!(keep(&store, b"x"), Err(BlobError::Quota { .. })));
    }
}
