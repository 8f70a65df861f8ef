//! Recordings: chunks into shard files, exactly once (`spec/behave.md` §6).
//!
//! The database knows how much of each shard counts. New lines are written there, over whatever a
//! crash left behind, and made durable before the transaction that counts them commits. So a byte is
//! in the committed part of a shard once or not at all. A session stays in the shard it began in.
//!
//! [`plan`] decides and [`write`] acts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base_model::{RecordingChunk, Timestamp};
use store_db::ingest::ShardRow;
use store_db::{ExtentRow, RecordingRow, storable_time};

use crate::IngestError;
use crate::blobs::make_folder;

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
    let is_new = !path.exists();
    if is_new {
        make_folder(folder)?;
    }
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
    if is_new {
        for folder in folder.ancestors().take(4) {
            File::open(folder)?.sync_all()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base_model::{DeckyId, SessionId};
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "0123456789abcdefghij";

    fn chunk(session: u8, from: usize, to: usize) -> RecordingChunk {
        RecordingChunk {
            session: SessionId::from_entropy([session; 16]),
            decky: DeckyId::from_entropy([0; 16]),
            decky_name: "web-01".into(),
            service: "ssh".into(),
            started: Timestamp::from_micros(1_767_225_600_000_000),
            offset: from as u64,
            lines: TEXT[from..to].into(),
        }
    }

    fn planned(known: Known, chunks: &[RecordingChunk]) -> Plan {
        plan(known, &chunks.iter().collect::<Vec<_>>(), 1 << 20)
    }

    /// What the next batch finds.
    fn after(plan: &Plan) -> Known {
        let mut known = Known { shards: plan.shards.clone(), ..Known::default() };
        for row in &plan.recordings {
            known.recordings.insert(row.sid.clone(), row.clone());
        }
        for (sid, extent) in &plan.extents {
            let extents = known.extents.entry(sid.clone()).or_default();
            extents.push(extent.clone());
            extents.sort_by_key(|extent| extent.session_offset);
        }
        known
    }

    #[test]
    fn chunks_that_follow_are_written_in_one_piece() {
        let plan = planned(Known::default(), &[chunk(1, 0, 5), chunk(1, 5, 8)]);
        assert_eq!(plan.writes.len(), 1);
        assert_eq!((plan.writes[0].at, plan.writes[0].bytes.as_slice()), (0, &b"01234567"[..]));
        assert_eq!(plan.writes[0].shard, "sessions-2026-01-01.jsonl");
        assert_eq!(plan.shards[0].committed, 8);
        assert_eq!((plan.recordings[0].next_offset, plan.recordings[0].bytes), (8, 8));
        assert_eq!(plan.gaps, 0);
    }

    #[test]
    fn a_repeat_is_skipped_and_an_overlap_cut() {
        let first = planned(Known::default(), &[chunk(1, 0, 8)]);
        let second = planned(after(&first), &[chunk(1, 0, 8), chunk(1, 4, 12)]);
        assert_eq!(second.duplicates, 1);
        assert_eq!((second.writes[0].at, second.writes[0].bytes.as_slice()), (8, &b"89ab"[..]));
    }

    #[test]
    fn a_hole_is_counted_and_can_be_filled_later() {
        let first = planned(Known::default(), &[chunk(1, 0, 2), chunk(1, 6, 8)]);
        assert_eq!(first.gaps, 1);
        let second = planned(after(&first), &[chunk(1, 0, 10)]);
        assert_eq!(second.writes[0].bytes, b"234589");
        assert_eq!(second.recordings[0].bytes, 10);
    }

    #[test]
    fn a_full_shard_is_continued_for_new_sessions_only() {
        let first = plan(Known::default(), &[&chunk(1, 0, 10)], 10);
        let known = after(&first);
        let second = plan(known, &[&chunk(1, 10, 12), &chunk(2, 0, 3)], 10);
        let shards: Vec<_> = second.writes.iter().map(|w| (w.shard.as_str(), w.at)).collect();
        assert_eq!(shards, [("sessions-2026-01-01.1.jsonl", 0), ("sessions-2026-01-01.jsonl", 10)]);
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for (decky, service) in
            [("..", "ssh"), ("a/b", "ssh"), ("", "ssh"), ("a", "../x"), ("A", "ssh"), ("a", "")]
        {
            let chunk = RecordingChunk {
                decky_name: decky.into(),
                service: service.into(),
                ..chunk(1, 0, 5)
            };
            let plan = planned(Known::default(), &[chunk]);
            assert_eq!((plan.refused.as_slice(), plan.writes.len()), (&[0][..], 0), "{decky}");
        }
    }

    #[test]
    fn what_a_crash_left_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let first = planned(Known::default(), &[chunk(1, 0, 4)]);
        write(folder.path(), &first.writes).unwrap();
        // A second transaction wrote and never happened; the third is another.
        let lost = planned(after(&first), &[chunk(1, 4, 12)]);
        write(folder.path(), &lost.writes).unwrap();
        let third = planned(after(&first), &[chunk(1, 4, 6)]);
        write(folder.path(), &third.writes).unwrap();
        let path = folder.path().join("web-01/ssh/transcripts/sessions-2026-01-01.jsonl");
        assert_eq!(std::fs::read(path).unwrap(), b"012345");
    }

    proptest! {
        #[test]
        fn whatever_the_cuts_repeats_and_batches_every_byte_is_there_once(
            pieces in proptest::collection::vec((0..20_usize, 0..20_usize, any::<bool>()), 1..12),
        ) {
            let mut known = Known::default();
            let mut file = Vec::new();
            let mut covered = [false; 20];
            let mut batch = Vec::new();
            for (a, b, flush) in pieces {
                let (from, to) = (a.min(b), a.max(b));
                covered[from..to].fill(true);
                batch.push(chunk(1, from, to));
                if flush {
                    step(&mut known, &mut file, &std::mem::take(&mut batch));
                }
            }
            step(&mut known, &mut file, &batch);
            let extents = known.extents.into_values().next().unwrap_or_default();
            let mut rebuilt = [None; 20];
            for extent in &extents {
                for n in 0..extent.length {
                    let (at, from) = (extent.session_offset + n, extent.shard_offset + n);
                    let slot = &mut rebuilt[usize::try_from(at).unwrap()];
                    prop_assert!(slot.is_none(), "a byte is there twice");
                    *slot = Some(file[usize::try_from(from).unwrap()]);
                }
            }
            for (at, byte) in TEXT.bytes().enumerate() {
                prop_assert_eq!(rebuilt[at], covered[at].then_some(byte));
            }
        }
    }

    fn step(known: &mut Known, file: &mut Vec<u8>, chunks: &[RecordingChunk]) {
        let state = std::mem::take(known);
        let (extents, shards) = (state.extents.clone(), state.shards.clone());
        let recordings = state.recordings.clone();
        let plan = planned(state, chunks);
        for write in &plan.writes {
            assert_eq!(write.at, file.len() as u64);
            file.extend_from_slice(&write.bytes);
        }
        let mut next = after(&plan);
        for (sid, mut old) in extents {
            let all = next.extents.entry(sid).or_default();
            all.append(&mut old);
            all.sort_by_key(|extent| extent.session_offset);
        }
        for (sid, row) in recordings {
            next.recordings.entry(sid).or_insert(row);
        }
        if next.shards.is_empty() {
            next.shards = shards;
        }
        *known = next;
    }
}
