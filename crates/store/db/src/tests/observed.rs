//! Observations.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::at;
use crate::ingest::Changes;
use crate::testing::databases;
use crate::{AttackerState, Db, ObservationRow};

async fn attacker(db: &Db, uuid: Uuid) {
    let ttl = Duration::from_secs(9);
    let lease = db.ingest_lease().acquire("test", at(0), ttl).await.unwrap();
    let transaction = db.begin_ingest(&lease, at(0), ttl).await.unwrap();
    let state = AttackerState {
        uuid: uuid.to_string(),
        ip: "10.0.0.1".into(),
        first_seen: at(0),
        last_seen: at(0),
        event_count: 1,
        activity: [].into(),
        contacts: vec![],
        bounty_count: 0,
        credential_count: 0,
        updated_at: at(0),
    };
    let changes = Changes { attackers: vec![state], ..Changes::default() };
    transaction.save(changes).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn an_observation_is_one_row_per_evidence_and_primitive() {
    for test in databases().await {
        let uuid = Uuid::from_u128(7);
        attacker(&test.db, uuid).await;
        let row = |id: u32, evidence: &str, ts: f64, value| ObservationRow {
            id: format!("{id:032x}"),
            identity_ref: None,
            primitive: "motor.keystroke.cadence".into(),
            value,
            confidence: 0.5,
            window_start_ts: 1.25,
            window_end_ts: 2.5,
            source: "test".into(),
            evidence_ref: evidence.into(),
            envelope_v: 1,
            ts,
            attacker_uuid: uuid.to_string(),
        };
        let observations = test.db.observations();
        let first = observations.upsert_observation(&row(1, "e1", 10.5, json!("a"))).await;
        assert_eq!(first.unwrap(), format!("{:032x}", 1));
        let second = observations.upsert_observation(&row(2, "e1", 11.5, json!([1, 2.5]))).await;
        assert_eq!(second.unwrap(), format!("{:032x}", 1), "the id stays");
        observations.upsert_observation(&row(3, "e2", 9.0, json!(true))).await.unwrap();
        let series = observations.observations_time_series(uuid, "motor.keystroke.cadence").await;
        let series: Vec<_> = series.unwrap().into_iter().map(|p| (p.ts, p.value)).collect();
        assert_eq!(series, [(9.0, json!(true)), (11.5, json!([1, 2.5]))]);
        let latest = observations.latest_observation_per_primitive(uuid).await.unwrap();
        assert_eq!(latest.len(), 1);
        assert_eq!(latest["motor.keystroke.cadence"], row(1, "e1", 11.5, json!([1, 2.5])));
        assert!(observations.has_observations_for_evidence("e2").await.unwrap());
        assert!(!observations.has_observations_for_evidence("e3").await.unwrap());
        let stranger =
            ObservationRow { attacker_uuid: Uuid::nil().into(), ..row(9, "e9", 1.0, json!(0)) };
        assert!(observations.upsert_observation(&stranger).await.is_err(), "no such attacker");
    }
}
