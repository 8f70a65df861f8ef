//! Facts about recordings.

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
        let chunk =
            RecordingChunk { decky_name: decky.into(), service: service.into(), ..chunk(1, 0, 5) };
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
