//! Replays, shuffles, cuts, failures: the same rows.

use std::collections::{BTreeMap, BTreeSet};

use base_model::catalogue::{self, Command};
use base_model::{Event, Fields, Peer, Record, Secret};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::world::*;
use crate::ingest::Step;
use crate::{IngestError, Unreadable};

/// A stream in which everything happens, `n` being the position.
fn stream(n: u64) -> Event {
    let ip = |last: u64| Peer {
        ip: format!("203.0.113.{last}").parse().unwrap(),
        port: 1000 + u16::try_from(n).unwrap(),
    };
    let mut event = match n % 7 {
        0 => of(n, catalogue::connect()),
        1 | 2 => {
            let secret = Secret::plaintext(format!("secret {}", n % 3).into_bytes());
            of(n, catalogue::auth_attempt(b"root ", &secret, "password", n.is_multiple_of(2)))
        }
        3 => of(n, catalogue::login_success(b"root", "password", 2)),
        4 => {
            let line = format!("cat /etc/shadow #{n}");
            let command = Command {
                line: line.as_bytes(),
                user: "root",
                uid: 0,
                pwd: b"/",
                status: 0,
                exec: false,
            };
            of(n, catalogue::command(&command))
        }
        5 => of(n, catalogue::session_recorded(std::time::Duration::from_secs(3), n, false)),
        _ => {
            let headers =
                [(b"Host".to_vec(), b"x".to_vec()), (b"User-Agent".to_vec(), b"curl/8".to_vec())];
            let mut event = of(n, http(&headers));
            event.service = "http".into();
            event
        }
    };
    event.session = Some(sid(u8::try_from(n / 7 % 5).unwrap()));
    event.attacker = Some(ip(n % 4));
    event.decky_name = format!("web-{:02}", (n * 5 + n / 11) % 4);
    event
}

fn http(headers: &[(Vec<u8>, Vec<u8>)]) -> base_model::Fact {
    catalogue::http_request(&catalogue::Request {
        method: b"GET",
        path: b"/",
        query: None,
        version: 1,
        headers,
        body: b"",
        body_blob: None,
        status: 200,
        tls_ja4: None,
        credential: None,
    })
}

/// What must be held, computed the plain way.
fn expected(events: &[Event], holdings: &Holdings) {
    let mut deckies: BTreeMap<String, BTreeMap<&str, i64>> = BTreeMap::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut tries: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let mut commands: BTreeMap<String, u64> = BTreeMap::new();
    for event in events {
        let ip = event.attacker.unwrap().ip.to_string();
        *counts.entry(ip.clone()).or_default() += 1;
        let micros = event.at.micros();
        let first =
            deckies.entry(ip.clone()).or_default().entry(&event.decky_name).or_insert(micros);
        *first = (*first).min(micros);
        if let Some(secret) = event.fields.text("secret_printable") {
            let key = (ip.clone(), event.decky_name.clone(), secret.to_owned());
            *tries.entry(key).or_default() += 1;
        }
        if event.kind == "command" {
            *commands.entry(event.session.unwrap().to_string()).or_default() += 1;
        }
    }
    let uids: BTreeSet<String> = holdings.logs.iter().map(|row| row.event_uid.clone()).collect();
    assert_eq!(uids, events.iter().map(|event| event.id.hex()).collect());
    assert_eq!(holdings.logs.len(), events.len());
    let numbers: Vec<u64> = holdings.logs.iter().map(|row| row.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(holdings.attackers.len(), counts.len());
    for (ip, row) in &holdings.attackers {
        assert_eq!(row.event_count, counts[ip]);
        let mut order: Vec<_> = deckies[ip].iter().map(|(name, first)| (*first, *name)).collect();
        order.sort_unstable();
        let order: Vec<&str> = order.into_iter().map(|(_, name)| name).collect();
        assert_eq!(row.deckies, order);
        assert_eq!(row.is_traversal, order.len() > 1);
        assert_eq!(row.traversal_path, (order.len() > 1).then(|| order.join(" → ")));
        let own = tries.keys().filter(|key| key.0 == *ip).count() as u64;
        assert_eq!(row.credential_count, own);
        let own = holdings.bounties.iter().filter(|row| row.attacker_ip == *ip).count() as u64;
        assert_eq!(row.bounty_count, own);
    }
    for row in &holdings.credentials {
        let key = (row.attacker_ip.clone(), row.decky_name.clone(), row.secret_printable.clone());
        assert_eq!(row.attempt_count, tries[&key]);
        assert_eq!(row.principal.as_deref(), Some("root "));
    }
    assert_eq!(holdings.credentials.len(), tries.len());
    for row in &holdings.sessions {
        assert_eq!(row.command_count, commands.get(&row.sid).copied().unwrap_or(0));
    }
    let in_buckets: u64 = holdings.histogram.iter().map(|bucket| bucket.count).sum();
    assert_eq!(in_buckets, events.len() as u64);
    let sightings: u64 = holdings.bounties.iter().map(|row| row.seen_count).sum();
    let requests = events.iter().filter(|event| event.kind == "request").count() as u64;
    assert_eq!(sightings, requests * 2);
    let total = events.len() as u64;
    let credentials = holdings.credentials.len() as u64;
    let bounties = holdings.bounties.len() as u64;
    assert_eq!(holdings.totals, [total, total, counts.len() as u64, credentials, bounties]);
}

/// What depends on the order of arrival: numbers, and what is kept of the first sighting.
fn without_order(mut holdings: Holdings) -> Holdings {
    holdings.logs.iter_mut().for_each(|row| row.seq = 0);
    holdings.logs.sort_by(|a, b| a.event_uid.cmp(&b.event_uid));
    holdings.sessions.iter_mut().for_each(|row| {
        row.recorded_seq = row.recorded_seq.map(|_| 0);
        // Whoever is first heard of in a session shared by several attackers owns it.
        row.attacker_uuid = None;
        row.attacker_ip.clear();
        row.decky.clear();
        row.service.clear();
    });
    holdings.credentials.iter_mut().for_each(|row| row.fields = serde_json::Value::Null);
    holdings.bounties.iter_mut().for_each(|row| {
        row.decky.clear();
        row.service.clear();
    });
    holdings
}

#[test]
fn however_it_arrives_each_event_counts_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = Config { cases: 10, failure_persistence: None, ..Config::default() };
    let deliveries = proptest::collection::vec(
        (proptest::collection::vec(1..60_u64, 1..40), any::<bool>()),
        1..6,
    );
    TestRunner::new(config)
        .run(&deliveries, |deliveries| {
            runtime.block_on(async {
                let mut results = Vec::new();
                for world in worlds().await {
                    for (batch, again) in &deliveries {
                        let records: Vec<_> = batch.iter().map(|&n| record(stream(n))).collect();
                        world.apply(&records).await;
                        if *again {
                            let repeated = world.apply(&records).await;
                            assert_eq!(repeated.stored, 0);
                        }
                    }
                    results.push(holdings(world.db()).await);
                }
                let all: BTreeSet<u64> =
                    deliveries.iter().flat_map(|(batch, _)| batch.clone()).collect();
                let events: Vec<_> = all.iter().map(|&n| stream(n)).collect();
                results.iter().for_each(|holdings| expected(&events, holdings));
                // In one piece and in order gives the same.
                let plain = worlds().await.remove(0);
                let records: Vec<_> = events.into_iter().map(record).collect();
                plain.apply(&records).await;
                let plain = without_order(holdings(plain.db()).await);
                for holdings in results {
                    assert_eq!(without_order(holdings), plain);
                }
            });
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn both_engines_hold_the_same() {
    let mut all = Vec::new();
    for world in worlds().await {
        for n in 0..8_u64 {
            let records: Vec<_> = (n * 25 + 1..n * 25 + 26).map(|n| record(stream(n))).collect();
            world.apply(&records).await;
        }
        all.push(holdings(world.db()).await);
    }
    let first = all.remove(0);
    assert_eq!(first.logs.len(), 200);
    assert!(all.into_iter().all(|other| other == first));
}

#[tokio::test]
async fn a_failure_at_any_step_is_made_good_by_a_retry() {
    let mut results = Vec::new();
    for step in [Step::Begun, Step::Filed, Step::Saved, Step::Committed] {
        for world in worlds().await {
            world.apply(&[record(stream(1)), chunk(2, sid(9), 0, "one\n")]).await;
            let records = [
                chunk(3, sid(9), 4, "two\n"),
                record(stream(4)),
                record(stream(5)),
                chunk(6, sid(9), 8, "three\n"),
            ];
            let (fault, reached) = once(step);
            world.fail_at(Some(fault));
            let failed = world.ingest.apply(sensor(), boot(), &records).await.unwrap_err();
            assert!(failed.is_retryable(), "{failed:?}");
            assert!(*reached.lock().unwrap());
            let held = world.db().logs().newest_seq().await.unwrap();
            assert_eq!(held, if step == Step::Committed { 3 } else { 1 }, "{step:?}");
            let applied = world.apply(&records).await;
            assert_eq!(applied.through, 6);
            assert_eq!(applied.stored + applied.duplicates, 4);
            let path = "artifacts/web-01/ssh/transcripts/sessions-2026-01-01.jsonl";
            let shard = std::fs::read_to_string(world.folder.path().join(path)).unwrap();
            assert_eq!(shard, "one\ntwo\nthree\n", "{step:?}");
            results.push(holdings(world.db()).await);
        }
    }
    let first = results.remove(0);
    assert!(results.into_iter().all(|other| other == first));
}

#[tokio::test]
async fn a_record_that_cannot_be_stored_is_set_aside_and_the_rest_is_not() {
    for world in worlds().await {
        world.fail_at(Some(Box::new(|step, records: &[&Record]| {
            let poisonous = records.iter().any(|record| record.seq == 13);
            if step == Step::Saved && poisonous {
                return Err(IngestError::Db(store_db::DbError::Failed("injected".into())));
            }
            Ok(())
        })));
        let records: Vec<_> = (1..=20).map(|n| record(stream(n))).collect();
        let applied = world.apply(&records).await;
        assert_eq!((applied.through, applied.stored, applied.quarantined), (20, 19, 1));
        let rows = world.db().quarantine().list(ALL).await.unwrap();
        assert_eq!((rows.total, rows.data[0].boot_seq), (1, 13));
        assert!(rows.data[0].error.contains("injected"), "{}", rows.data[0].error);
        let kept: Record = serde_json::from_str(&rows.data[0].record).unwrap();
        assert_eq!(kept, record(stream(13)));
        assert!(world.db().logs().newest_seq().await.unwrap() == 19);
        let again = world.apply(&records).await;
        assert_eq!((again.through, again.stored, again.duplicates), (20, 0, 19));
        assert_eq!(world.db().quarantine().list(ALL).await.unwrap().total, 1);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_kept_as_it_is_and_moved_past() {
    for world in worlds().await {
        world.apply(&[record(of(1, catalogue::connect()))]).await;
        let error = "missing field `body`".to_owned();
        let unreadable = Unreadable { seq: 2, error: error.clone(), payload: vec![0, 0xff, b'x'] };
        for _ in 0..2 {
            let aside = world.ingest.set_aside(sensor(), boot(), &unreadable).await.unwrap();
            assert_eq!((aside.through, aside.stored, aside.quarantined), (2, 0, 1));
        }
        assert_eq!(world.apply(&[record(of(3, catalogue::connect()))]).await.through, 3);
        let late = world.ingest.set_aside(sensor(), boot(), &unreadable).await.unwrap();
        assert_eq!(late.through, 3, "a cursor never goes back");
        let rows = world.db().quarantine().list(ALL).await.unwrap();
        assert_eq!((rows.total, rows.data[0].boot_seq, &rows.data[0].error), (1, 2, &error));
        assert_eq!(rows.data[0].record, r#"{"payload_b64":"AP94"}"#);
        assert_eq!(world.db().logs().newest_seq().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_hole_is_not_acknowledged_until_it_is_filled() {
    for world in worlds().await {
        let some = |numbers: &[u64]| -> Vec<_> {
            numbers.iter().map(|&n| record(of(n, catalogue::connect()))).collect()
        };
        assert_eq!(world.apply(&some(&[1, 2, 5, 6])).await.through, 2);
        assert_eq!(world.apply(&some(&[3])).await.through, 3);
        let last = world.apply(&some(&[4, 5, 6])).await;
        assert_eq!((last.through, last.stored, last.duplicates), (6, 1, 2));
        assert_eq!(world.apply(&some(&[2])).await.through, 6, "never back");
        assert_eq!(world.ingest.counts().gaps, 0);
        // A new database after a loss: the sensor has forgotten the beginning.
        let lost = base_model::BootId::from_entropy([9; 16]);
        let applied = world.ingest.apply(sensor(), lost, &some(&[50, 51])).await.unwrap();
        assert_eq!(applied.through, 51);
        assert_eq!(world.ingest.counts().gaps, 1);
    }
}

#[tokio::test]
async fn the_same_id_twice_in_one_batch_is_one_event() {
    for world in worlds().await {
        let first = of(1, catalogue::connect());
        let second = Event { seq: 2, fields: Fields::new().with("x", 1), ..first.clone() };
        let applied = world.apply(&[record(first), record(second)]).await;
        assert_eq!((applied.stored, applied.duplicates, applied.through), (1, 1, 2));
    }
}

#[tokio::test]
async fn calls_made_together_are_served_in_their_order() {
    for world in worlds().await {
        let batch =
            |from: u64| -> Vec<_> { (from..from + 10).map(|n| record(stream(n))).collect() };
        let (first, second, third) = (batch(1), batch(11), batch(21));
        let (a, b, c) = tokio::join!(
            world.ingest.apply(sensor(), boot(), &first),
            world.ingest.apply(sensor(), boot(), &second),
            world.ingest.apply(sensor(), boot(), &third)
        );
        let through = [a, b, c].map(|applied| applied.unwrap().through);
        assert_eq!(through, [10, 20, 30]);
        assert_eq!(world.ingest.counts().gaps, 0);
        let held = holdings(world.db()).await;
        let order: Vec<u64> = held.logs.iter().map(|row| row.boot_seq).collect();
        assert_eq!(order, (1..=30).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn nothing_to_apply_tells_how_far_it_is() {
    for world in worlds().await {
        world.apply(&[record(stream(1)), record(stream(2))]).await;
        assert_eq!(world.apply(&[]).await, crate::Applied { through: 2, ..Default::default() });
    }
}
