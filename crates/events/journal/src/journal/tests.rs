use std::collections::BTreeMap;

use base_model::{Body, DeckyId, RecordingChunk, SessionId, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::lossy::LossyDisk;
use crate::shelf::Position;

fn boot(n: u8) -> BootId {
    BootId::from_entropy([n; 16])
}

fn record(seq: u64, text: &str) -> Record {
    let chunk = RecordingChunk {
        session: SessionId::from_entropy([1; 16]),
        decky: DeckyId::from_entropy([2; 16]),
        decky_name: "decky-01".into(),
        service: "ssh".into(),
        started: Timestamp::default(),
        offset: 0,
        lines: text.into(),
    };
    Record { seq, blobs: Vec::new(), body: Body::Recording(chunk) }
}

fn start(disk: &LossyDisk, boot: BootId, limits: Limits) -> (Journal, Shelf) {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let shelf = Shelf::open(Arc::clone(&disk)).unwrap();
    (Journal::start(disk, shelf.clone(), boot, limits).unwrap(), shelf)
}

/// Everything a shelf holds of `boot`, by sequence number.
fn texts(shelf: &Shelf, boot: BootId) -> BTreeMap<u64, String> {
    let mut position = Position::after(boot, 0);
    let mut all = BTreeMap::new();
    while let Some(batch) = shelf.read(&mut position, 100).unwrap() {
        for payload in batch.payloads {
            let record = segment::decode(&payload).unwrap();
            let Body::Recording(chunk) = record.body else { panic!("not what was written") };
            assert_eq!(all.insert(record.seq, chunk.lines), None);
        }
    }
    all
}

#[tokio::test]
async fn what_is_durable_survives_a_crash_in_order() {
    let disk = LossyDisk::new();
    let limits = Limits { segment_bytes: 600, ..Limits::default() };
    let (journal, _) = start(&disk, boot(1), limits);
    let mut last = 0;
    for n in 1..=40 {
        last = journal.append(n % 3 == 0, |seq| record(seq, &n.to_string())).await.unwrap();
        if n % 8 == 0 {
            journal.durable(last).await.unwrap();
        }
    }
    assert_eq!(last, 40);
    disk.crash(5);
    let shelf = Shelf::open(Arc::new(disk.clone())).unwrap();
    let expected: BTreeMap<u64, String> = (1..=40).map(|n| (n, n.to_string())).collect();
    assert_eq!(texts(&shelf, boot(1)), expected);
    assert!(disk.list().unwrap().len() > 3, "segments were rolled");
    drop(journal);
}

#[tokio::test]
async fn a_failing_disk_stalls_and_nothing_is_lost_when_it_works_again() {
    let disk = LossyDisk::new();
    let (journal, shelf) = start(&disk, boot(1), Limits::default());
    let first = journal.append(true, |seq| record(seq, "a")).await.unwrap();
    journal.durable(first).await.unwrap();
    disk.leave_room(Some(20));
    let second = journal.append(true, |seq| record(seq, "b")).await.unwrap();
    let mut state = journal.state();
    state.wait_for(|state| matches!(state, State::Stalled(_))).await.unwrap();
    assert_eq!(*journal.durable_seq().borrow(), first);
    disk.leave_room(None);
    journal.durable(second).await.unwrap();
    state.wait_for(|state| *state == State::Writing).await.unwrap();
    assert_eq!(texts(&shelf, boot(1)), [(1, "a".into()), (2, "b".into())].into());
    disk.crash(0);
    let shelf = Shelf::open(Arc::new(disk)).unwrap();
    assert_eq!(texts(&shelf, boot(1)), [(1, "a".into()), (2, "b".into())].into());
}

#[tokio::test]
async fn a_sync_that_fails_is_not_durable() {
    let disk = LossyDisk::new();
    let (journal, shelf) = start(&disk, boot(1), Limits::default());
    let first = journal.append(true, |seq| record(seq, "a")).await.unwrap();
    journal.durable(first).await.unwrap();
    disk.break_syncs(true);
    let second = journal.append(true, |seq| record(seq, "b")).await.unwrap();
    journal.state().wait_for(|state| matches!(state, State::Stalled(_))).await.unwrap();
    assert_eq!(texts(&shelf, boot(1)).len(), 1, "what is not durable is not shipped");
    disk.break_syncs(false);
    journal.durable(second).await.unwrap();
    assert_eq!(texts(&shelf, boot(1)).len(), 2);
}

#[tokio::test]
async fn acknowledged_segments_go_and_the_open_one_stays() {
    let disk = LossyDisk::new();
    let limits = Limits { segment_bytes: 100, ..Limits::default() };
    let (journal, shelf) = start(&disk, boot(1), limits);
    for n in 0..10 {
        let seq = journal.append(true, |seq| record(seq, &n.to_string())).await.unwrap();
        journal.durable(seq).await.unwrap();
    }
    shelf.acknowledge(boot(1), 10, false).unwrap();
    assert_eq!(disk.list().unwrap().len(), 1);
    let next = journal.append(true, |seq| record(seq, "more")).await.unwrap();
    journal.durable(next).await.unwrap();
    let mut position = Position::after(boot(1), 10);
    let batch = shelf.read(&mut position, 100).unwrap().unwrap();
    assert_eq!((batch.first_seq, batch.payloads.len()), (11, 1));
    journal.close();
    let shelf = Shelf::open(Arc::new(disk.clone())).unwrap();
    shelf.acknowledge(boot(1), 11, true).unwrap();
    assert!(disk.list().unwrap().is_empty());
}

#[tokio::test]
async fn a_full_journal_refuses_until_control_acknowledges() {
    let disk = LossyDisk::new();
    let limits = Limits { segment_bytes: 100, total_bytes: 1000 };
    let (journal, shelf) = start(&disk, boot(1), limits);
    let mut last = 0;
    let refused = loop {
        match journal.append(true, |seq| record(seq, "0123456789")).await {
            Ok(seq) => journal.durable(seq).await.unwrap(),
            Err(error) => break error,
        }
        last += 1;
    };
    assert!(matches!(refused, JournalError::Full(_)));
    shelf.acknowledge(boot(1), last, false).unwrap();
    assert_eq!(journal.append(true, |seq| record(seq, "x")).await.unwrap(), last + 1);
}

#[tokio::test]
async fn a_damaged_frame_costs_only_the_rest_of_its_segment() {
    let disk = LossyDisk::new();
    let limits = Limits { segment_bytes: 400, ..Limits::default() };
    let (journal, _) = start(&disk, boot(1), limits);
    for n in 1..=12 {
        let seq = journal.append(true, |seq| record(seq, &n.to_string())).await.unwrap();
        journal.durable(seq).await.unwrap();
    }
    let names = disk.list().unwrap();
    let (first, size) = names.first().unwrap();
    disk.damage(first, usize::try_from(*size).unwrap() - 3);
    let shelf = Shelf::open(Arc::new(disk.clone())).unwrap();
    let kept = texts(&shelf, boot(1));
    assert!(kept.len() < 12 && kept.contains_key(&1) && kept.contains_key(&12));
}

#[tokio::test]
async fn too_long_a_record_is_refused_and_takes_no_number() {
    let disk = LossyDisk::new();
    let (journal, _) = start(&disk, boot(1), Limits::default());
    let huge = "x".repeat(segment::MAX_PAYLOAD);
    let refused = journal.append(true, |seq| record(seq, &huge)).await;
    assert!(matches!(refused, Err(JournalError::Unfit(Unfit::TooLong(_)))));
    assert_eq!(journal.append(true, |seq| record(seq, "x")).await.unwrap(), 1);
}

#[test]
fn leftovers_without_a_whole_header_are_removed() {
    let disk = LossyDisk::new();
    disk.create("cut.seg").unwrap().append(b"DECNETJ").unwrap();
    let shelf = Shelf::open(Arc::new(disk.clone())).unwrap();
    assert!(shelf.boots().is_empty() && disk.list().unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_bytes_in_a_segment_are_read_without_panic(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        let disk = LossyDisk::new();
        let mut bytes = segment::header(boot(1), 1);
        segment::write_frame(&mut bytes, &record(1, "kept")).unwrap();
        bytes.extend(&noise);
        disk.create("a.seg").unwrap().append(&bytes).unwrap();
        let shelf = Shelf::open(Arc::new(disk)).unwrap();
        let mut position = Position::after(boot(1), 0);
        let batch = shelf.read(&mut position, usize::MAX).unwrap().unwrap();
        prop_assert_eq!(segment::decode(&batch.payloads[0]).unwrap(), record(1, "kept"));
    }

    /// Whatever the crash point, a prefix is left: at least what was durable, in order, once.
    #[test]
    fn a_crash_leaves_a_prefix(count in 1u64..60, torn in 0usize..300, segment_bytes in 50u64..2000) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (kept, durable) = runtime.block_on(async {
            let disk = LossyDisk::new();
            let limits = Limits { segment_bytes, ..Limits::default() };
            let (journal, _) = start(&disk, boot(1), limits);
            for n in 1..=count {
                journal.append(false, |seq| record(seq, &n.to_string())).await.unwrap();
            }
            journal.durable(count / 2).await.unwrap();
            let durable = *journal.durable_seq().borrow();
            disk.crash(torn);
            let shelf = Shelf::open(Arc::new(disk)).unwrap();
            (texts(&shelf, boot(1)), durable)
        });
        let end = kept.keys().max().copied().unwrap_or(0);
        prop_assert!(end >= durable);
        let expected: BTreeMap<u64, String> = (1..=end).map(|n| (n, n.to_string())).collect();
        prop_assert_eq!(kept, expected);
    }
}
