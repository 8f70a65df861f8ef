//! Transcripts.

use std::os::unix::fs::PermissionsExt as _;

use base_model::catalogue;
use base_model::{Body, Event};

use super::world::*;

#[tokio::test]
async fn a_session_is_read_back_by_its_extents_though_sessions_interleave() {
    for world in worlds().await {
        world.apply(&[chunk(1, sid(1), 0, "a1\n"), chunk(2, sid(2), 0, "b1\n")]).await;
        world.apply(&[chunk(3, sid(1), 3, "a2\n"), chunk(4, sid(2), 3, "b2\n")]).await;
        // Repeated, overlapping, and the whole again.
        world.apply(&[chunk(5, sid(1), 3, "a2\na3\n"), chunk(6, sid(1), 0, "a1\na2\na3\n")]).await;
        let path = world.folder.path().join("artifacts/web-01/ssh/transcripts");
        let file = path.join("sessions-2026-01-01.jsonl");
        let shard = std::fs::read(&file).unwrap();
        assert_eq!(shard, b"a1\nb1\na2\nb2\na3\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
        let row = world.db().sessions().recording(sid(1)).await.unwrap().unwrap();
        assert_eq!((row.shard.as_str(), row.bytes), ("sessions-2026-01-01.jsonl", 9));
        let mut read = Vec::new();
        for extent in world.db().sessions().extents(sid(1)).await.unwrap() {
            let from = usize::try_from(extent.shard_offset).unwrap();
            let to = from + usize::try_from(extent.length).unwrap();
            read.extend_from_slice(&shard[from..to]);
        }
        assert_eq!(read, b"a1\na2\na3\n");
        assert_eq!(world.ingest.counts().recording_gaps, 0);
    }
}

#[tokio::test]
async fn a_gap_is_counted_and_the_rest_kept() {
    for world in worlds().await {
        world.apply(&[chunk(1, sid(1), 0, "a\n"), chunk(2, sid(1), 10, "z\n")]).await;
        assert_eq!(world.ingest.counts().recording_gaps, 1);
        world.apply(&[chunk(3, sid(1), 2, "bbbbbbb\n")]).await;
        let extents = world.db().sessions().extents(sid(1)).await.unwrap();
        let spans: Vec<_> = extents.iter().map(|e| (e.session_offset, e.length)).collect();
        assert_eq!(spans, [(0, 2), (2, 8), (10, 2)]);
    }
}

#[tokio::test]
async fn a_recorded_session_tells_where_its_transcript_is() {
    for world in worlds().await {
        let over = catalogue::session_recorded(std::time::Duration::from_secs(1), 5, true);
        let over = Event { session: Some(sid(1)), ..of(2, over) };
        world.apply(&[chunk(1, sid(1), 0, "a1\n"), record(over)]).await;
        let held = holdings(world.db()).await;
        let uuid = held.attackers["203.0.113.9"].uuid.parse().unwrap();
        let page = world.db().sessions().transcripts(uuid, ALL).await.unwrap();
        assert_eq!(page.total, 1);
        let fields = page.data[0].fields();
        assert_eq!(fields["shard_path"], "sessions-2026-01-01.jsonl");
        assert_eq!(fields["shard_bytes"], 3);
        assert_eq!(fields["sid"], sid(1).to_string());
        let row = world.db().sessions().by_sid(sid(1)).await.unwrap().unwrap();
        assert!(row.truncated && row.recorded_seq == Some(1));
        assert_eq!(row.interactive, Some(true));
    }
}

#[tokio::test]
async fn a_recording_that_would_leave_its_folder_is_set_aside() {
    for world in worlds().await {
        let mut bad = chunk(1, sid(1), 0, "a\n");
        let Body::Recording(inner) = &mut bad.body else { panic!("a chunk") };
        inner.decky_name = "../../etc".into();
        let applied = world.apply(&[bad, chunk(2, sid(2), 0, "b\n")]).await;
        assert_eq!((applied.through, applied.stored, applied.quarantined), (2, 1, 1));
        assert_eq!(world.db().quarantine().list(ALL).await.unwrap().total, 1);
        let made: Vec<_> = std::fs::read_dir(world.folder.path().join("artifacts"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(made, ["web-01"]);
    }
}
