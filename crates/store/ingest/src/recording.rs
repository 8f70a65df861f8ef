//! Recordings: chunks into shard files, exactly once (`spec/behave.md` §6).
//!
//! The database knows how much of each shard counts. New lines are written there, over whatever a
//! crash left behind, and made durable before the transaction that counts them commits. So a byte is
//! in the committed part of a shard once or not at all. A session stays in the shard it began in.
//!
//! [`plan`] decides and [`write()`] acts.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base_model::{RecordingChunk, Timestamp};
use store_db::ingest::ShardRow;
use store_db::{ExtentRow, RecordingRow, storable_time};

use crate::IngestError;
use crate::blobs::{make_folder, sync_folder};

/// Decky, service and file name of a shard.
type ShardKey = (String, String, String);

/// What the database holds of the recordings and shards that a batch touches.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By session.
    pub(crate) recordings: BTreeMap<String, RecordingRow>,
    /// Of sessions whose chunks do not simply follow.
    pub(crate) extents: BTreeMap<String, Vec<ExtentRow>>,
    /// Of the days and places of new sessions.
    pub(crate) shards: Vec<ShardRow>,
}

/// What to write, and what then holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) writes: Vec<Write>,
    pub(crate) recordings: Vec<RecordingRow>,
    pub(crate) extents: Vec<(String, ExtentRow)>,
    pub(crate) shards: Vec<ShardRow>,
    /// Chunks that left a hole before them.
    pub(crate) gaps: u64,
    /// Chunks that brought nothing new.
    pub(crate) duplicates: u64,
    /// Chunks whose names make no harmless path: their position in the batch.
    pub(crate) refused: Vec<usize>,
}

/// Bytes for one shard.
#[derive(Debug, PartialEq)]
pub(crate) struct Write {
    pub(crate) decky: String,
    pub(crate) service: String,
    pub(crate) shard: String,
    /// Where: the end of what counts.
    pub(crate) at: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Start of the names of a day's shards.
pub(crate) fn day_prefix(started: Timestamp) -> String {
    format!("sessions-{}", storable_time(started).date())
}

/// Whether the names of a chunk may become a path.
pub(crate) fn is_harmless(chunk: &RecordingChunk) -> bool {
    let word = |text: &str, limit: usize, extra: u8| {
        let first = text.bytes().next();
        first.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && text.len() <= limit
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == extra)
    };
    word(&chunk.decky_name, 63, b'-') && word(&chunk.service, 32, b'_')
}

/// What follows from `chunks`, in order; a shard is continued under another name at `rotate_at`
/// bytes.
pub(crate) fn plan(known: Known, chunks: &[&RecordingChunk], rotate_at: u64) -> Plan {
    let mut planner = Planner {
        recordings: known.recordings,
        extents: known.extents,
        shards: known
            .shards
            .into_iter()
            .map(|row| ((row.decky, row.service, row.shard), row.committed))
            .collect(),
        writes: BTreeMap::new(),
        touched: BTreeMap::new(),
        plan: Plan::default(),
        rotate_at,
    };
    for (position, chunk) in chunks.iter().enumerate() {
        if is_harmless(chunk) {
            planner.chunk(chunk);
        } else {
            planner.plan.refused.push(position);
        }
    }
    planner.finish()
}

struct Planner {
    recordings: BTreeMap<String, RecordingRow>,
    extents: BTreeMap<String, Vec<ExtentRow>>,
    shards: BTreeMap<ShardKey, u64>,
    writes: BTreeMap<ShardKey, Write>,
    touched: BTreeMap<String, ()>,
    plan: Plan,
    rotate_at: u64,
}

impl Planner {
    fn chunk(&mut self, chunk: &RecordingChunk) {
        let sid = chunk.session.to_string();
        let start = chunk.offset;
        let Some(end) = start.checked_add(chunk.lines.len() as u64) else { return };
        if start == end {
            self.plan.duplicates += 1;
            return;
        }
        let next = self.recordings.get(&sid).map_or(0, |row| row.next_offset);
        let missing = if start >= next {
            vec![(start, end)]
        } else {
            // Part of it may be there; what is stored decides.
            let stored = self.extents.get(&sid).map(Vec::as_slice).unwrap_or_default();
            uncovered((start, end), stored)
        };
        if start > next {
            self.plan.gaps += 1;
        }
        if missing.is_empty() {
            self.plan.duplicates += 1;
            return;
        }
        if !self.recordings.contains_key(&sid) {
            let row = self.begin(&sid, chunk);
            self.recordings.insert(sid.clone(), row);
        }
        for (from, to) in missing {
            self.append(&sid, chunk, from, to);
        }
    }

    /// A session's place: the last shard of its day that is not full.
    fn begin(&self, sid: &str, chunk: &RecordingChunk) -> RecordingRow {
        let prefix = day_prefix(chunk.started);
        let mut part = 0_u32;
        let shard = loop {
            let name = match part {
                0 => format!("{prefix}.jsonl"),
                part => format!("{prefix}.{part}.jsonl"),
            };
            let key = (chunk.decky_name.clone(), chunk.service.clone(), name);
            if self.shards.get(&key).is_none_or(|committed| *committed < self.rotate_at) {
                break key.2;
            }
            part += 1;
        };
        RecordingRow {
            sid: sid.to_owned(),
            decky: chunk.decky_name.clone(),
            service: chunk.service.clone(),
            shard,
            started_at: storable_time(chunk.started),
            next_offset: 0,
            bytes: 0,
        }
    }

    fn append(&mut self, sid: &str, chunk: &RecordingChunk, from: u64, to: u64) {
        let Some(row) = self.recordings.get_mut(sid) else { return };
        let within = |offset: u64| usize::try_from(offset - chunk.offset).unwrap_or(usize::MAX);
        let Some(bytes) = chunk.lines.as_bytes().get(within(from)..within(to)) else { return };
        let key = (row.decky.clone(), row.service.clone(), row.shard.clone());
        let committed = self.shards.entry(key.clone()).or_default();
        let write = self.writes.entry(key).or_insert_with(|| Write {
            decky: row.decky.clone(),
            service: row.service.clone(),
            shard: row.shard.clone(),
            at: *committed,
            bytes: Vec::new(),
        });
        write.bytes.extend_from_slice(bytes);
        let length = to - from;
        let extent = ExtentRow { session_offset: from, shard_offset: *committed, length };
        *committed += length;
        row.bytes += length;
        row.next_offset = row.next_offset.max(to);
        let extents = self.extents.entry(sid.to_owned()).or_default();
        let place = extents.partition_point(|other| other.session_offset < from);
        extents.insert(place, extent.clone());
        self.plan.extents.push((sid.to_owned(), extent));
        self.touched.insert(sid.to_owned(), ());
    }

    fn finish(mut self) -> Plan {
        for key in self.writes.keys() {
            let (decky, service, shard) = key.clone();
            let committed = self.shards.get(key).copied().unwrap_or(0);
            self.plan.shards.push(ShardRow { decky, service, shard, committed });
        }
        self.plan.writes = self.writes.into_values().collect();
        let touched = self.touched;
        self.plan.recordings =
            self.recordings.into_values().filter(|row| touched.contains_key(&row.sid)).collect();
        self.plan
    }
}

/// The parts of `range` that no extent covers; extents are sorted and do not overlap.
fn uncovered(range: (u64, u64), extents: &[ExtentRow]) -> Vec<(u64, u64)> {
    let (mut from, to) = range;
    let mut missing = Vec::new();
    for extent in extents {
        let (start, end) = (extent.session_offset, extent.session_offset + extent.length);
        if end <= from || start >= to {
            continue;
        }
        if start > from {
            missing.push((from, start));
        }
        from = from.max(end);
    }
    if from < to {
        missing.push((from, to));
    }
    missing
}

/// Writes a plan's bytes below `artifacts` and makes them durable. Blocks.
pub(crate) fn write(artifacts: &Path, writes: &[Write]) -> Result<(), IngestError> {
    for write in writes {
        let path = folder(artifacts, &write.decky, &write.service).join(&write.shard);
        append(&path, write).map_err(|source| IngestError::File { path, source })?;
    }
    Ok(())
}

/// The folder of a decky's and service's shards.
pub(crate) fn folder(artifacts: &Path, decky: &str, service: &str) -> PathBuf {
    artifacts.join(decky).join(service).join("transcripts")
}

fn append(path: &Path, write: &Write) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    make_folder(folder)?;
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o640).open(path)?;
    if file.metadata()?.len() < write.at {
        // Someone shortened it. Readers skip what is no line; what follows is sound.
        tracing::warn!(path = %path.display(), "a transcript shard is shorter than it was");
    }
    // What lies beyond was written by a transaction that never happened.
    file.set_len(write.at)?;
    file.write_all_at(&write.bytes, write.at)?;
    file.sync_data()?;
    // Nothing in it counted so far, so nobody has made its name durable.
    if write.at == 0 { sync_folder(folder) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
