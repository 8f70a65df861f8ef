//! What the disk holds for control: segments of this run and of earlier ones, oldest first.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_model::{BootId, Sha256Digest};

use crate::disk::Disk;
use crate::segment::{self, Next};

/// Bytes read from a segment at once.
const READ: usize = 256 * 1024;

/// The segments on the disk; clones share one shelf.
#[derive(Clone)]
pub struct Shelf {
    disk: Arc<dyn Disk>,
    books: Arc<Mutex<Vec<Book>>>,
}

#[derive(Clone, Debug)]
struct Book {
    boot: BootId,
    name: String,
    first_seq: u64,
    /// Highest durable record; `None` in segments of earlier runs, where it is found by reading.
    last_seq: Option<u64>,
    bytes: u64,
    /// Its garbage was told.
    told: bool,
}

/// Records ready to be shipped, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// The run they belong to.
    pub boot: BootId,
    /// Sequence number of the first; the others follow without gap.
    pub first_seq: u64,
    /// Payloads as in [`segment`].
    pub payloads: Vec<Vec<u8>>,
}

impl Batch {
    /// Sequence number of the last record.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        (self.first_seq + self.payloads.len() as u64).saturating_sub(1)
    }
}

/// Where a reader stands: after record `seq` of `boot`.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// The run.
    pub boot: BootId,
    /// The last record read; 0 before the first.
    pub seq: u64,
    /// Where the next frame of segment `segment` is, if known.
    at: Option<(u64, u64)>,
}

impl Position {
    /// After record `seq` of `boot`.
    #[must_use]
    pub const fn after(boot: BootId, seq: u64) -> Self {
        Self { boot, seq, at: None }
    }
}

impl Shelf {
    /// Lists what earlier runs left on `disk`. Files that are no segments are removed.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn open(disk: Arc<dyn Disk>) -> io::Result<Self> {
        let mut books = Vec::new();
        for (name, bytes) in disk.list()? {
            if !name.ends_with(".seg") {
                continue;
            }
            match segment::parse_header(&disk.read(&name, 0, segment::HEADER)?) {
                Some((boot, first_seq)) => {
                    let (last_seq, told) = (None, false);
                    books.push(Book { boot, name, first_seq, last_seq, bytes, told });
                }
                // The header is synced before the first record: there is nothing in it.
                None => disk.remove(&name)?,
            }
        }
        books.sort_by(|a, b| (a.boot, &a.name).cmp(&(b.boot, &b.name)));
        Ok(Self { disk, books: Arc::new(Mutex::new(books)) })
    }

    /// Runs that have records here, in no particular order of time.
    #[must_use]
    pub fn boots(&self) -> Vec<BootId> {
        let mut boots: Vec<BootId> = self.books().iter().map(|book| book.boot).collect();
        boots.dedup();
        boots
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.books().iter().map(|book| book.bytes).sum()
    }

    /// The records after `position` of its run, at most about `max_bytes` and at least one if there
    /// is one; `None` when there is none yet. Moves `position` behind them.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn read(&self, position: &mut Position, max_bytes: usize) -> io::Result<Option<Batch>> {
        let books: Vec<(usize, Book)> = {
            let books = self.books();
            books.iter().cloned().enumerate().filter(|(_, b)| b.boot == position.boot).collect()
        };
        for (index, (_, book)) in books.iter().enumerate() {
            let next = books.get(index + 1).map(|(_, book)| book.first_seq);
            // A later segment that begins at or before the next record supersedes this one.
            if next.is_some_and(|first| first <= position.seq + 1) {
                continue;
            }
            let batch = self.read_book(book, position, max_bytes)?;
            if batch.is_some() || book.last_seq.is_some_and(|last| last > position.seq) {
                return Ok(batch);
            }
            // What is missing here is lost: go on where the next segment begins.
            if let Some(first) = next
                && first > position.seq + 1
            {
                tracing::warn!(
                    boot = %book.boot, from = position.seq + 1, to = first - 1,
                    "journal segment is damaged; records are lost"
                );
                *position = Position::after(position.boot, first - 1);
            }
        }
        Ok(None)
    }

    fn read_book(
        &self,
        book: &Book,
        position: &mut Position,
        max_bytes: usize,
    ) -> io::Result<Option<Batch>> {
        let limit = book.last_seq.unwrap_or(u64::MAX);
        let (mut offset, mut seq) = match position.at {
            Some((first, offset)) if first == book.first_seq => (offset, position.seq + 1),
            _ => (segment::HEADER as u64, book.first_seq),
        };
        let mut payloads = Vec::new();
        let mut taken = 0;
        let mut buffer = Vec::new();
        let mut start = 0;
        while taken < max_bytes && seq <= limit {
            match segment::next_frame(buffer.get(start..).unwrap_or_default()) {
                Next::Frame(payload, size) => {
                    if seq > position.seq {
                        taken += payload.len();
                        payloads.push(payload.to_vec());
                    }
                    seq += 1;
                    start += size;
                    offset += size as u64;
                }
                Next::Partial => {
                    let have = buffer.len() - start;
                    let more = self.disk.read(&book.name, offset + have as u64, READ.max(have))?;
                    if more.is_empty() {
                        break;
                    }
                    buffer.drain(..start);
                    start = 0;
                    buffer.extend(more);
                }
                Next::Broken => {
                    self.tell_garbage(book, offset);
                    break;
                }
            }
        }
        if payloads.is_empty() {
            return Ok(None);
        }
        let first_seq = position.seq.max(book.first_seq - 1) + 1;
        *position = Position { boot: book.boot, seq: seq - 1, at: Some((book.first_seq, offset)) };
        Ok(Some(Batch { boot: book.boot, first_seq, payloads }))
    }

    /// Control has everything of `boot` up to `seq`: segments that hold nothing else go. Segments of
    /// an earlier run go when `seq` is its last record.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn acknowledge(&self, boot: BootId, seq: u64, ended: bool) -> io::Result<()> {
        let mut gone = Vec::new();
        {
            let mut books = self.books();
            let firsts: Vec<u64> =
                books.iter().filter(|book| book.boot == boot).map(|book| book.first_seq).collect();
            let mut later = firsts.into_iter().skip(1);
            books.retain(|book| {
                if book.boot != boot {
                    return true;
                }
                // A segment ends where the next begins; the last of a run ends with the run.
                let done = later.next().map_or(ended, |next| next <= seq + 1);
                if done {
                    gone.push(book.name.clone());
                }
                !done
            });
        }
        gone.iter().try_for_each(|name| self.disk.remove(name))
    }

    /// Every blob that a record here names.
    ///
    /// # Errors
    /// As the file system reports.
    pub fn blobs(&self) -> io::Result<Vec<(Sha256Digest, BootId, u64)>> {
        let mut blobs = Vec::new();
        for boot in self.boots() {
            let mut position = Position::after(boot, 0);
            while let Some(batch) = self.read(&mut position, READ)? {
                for (seq, payload) in (batch.first_seq..).zip(&batch.payloads) {
                    let named = segment::split_payload(payload).map(|(named, _)| named);
                    blobs.extend(named.unwrap_or_default().into_iter().map(|b| (b, boot, seq)));
                }
            }
        }
        Ok(blobs)
    }

    pub(crate) fn began(&self, boot: BootId, first_seq: u64, name: String) {
        let last_seq = Some(first_seq.saturating_sub(1));
        let bytes = segment::HEADER as u64;
        self.books().push(Book { boot, name, first_seq, last_seq, bytes, told: false });
    }

    pub(crate) fn grew(&self, bytes: u64, last_seq: u64) {
        if let Some(book) = self.books().last_mut() {
            book.bytes += bytes;
            book.last_seq = Some(last_seq);
        }
    }

    /// Says once that a segment cannot be read to its end.
    fn tell_garbage(&self, book: &Book, offset: u64) {
        let mut books = self.books();
        let Some(book) = books.iter_mut().find(|known| known.name == book.name) else { return };
        if !std::mem::replace(&mut book.told, true) {
            tracing::warn!(
                segment = book.name,
                offset,
                bytes = book.bytes.saturating_sub(offset),
                "journal segment ends with garbage; it is read up to there"
            );
        }
    }

    fn books(&self) -> MutexGuard<'_, Vec<Book>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
