//! Facts about the fold alone.

use base_model::{BootId, DeckyId, Event, EventId, Fields, Peer, SessionId, Timestamp, Transport};
use proptest::prelude::*;
use store_db::ingest::Changes;

use super::*;

/// Event `n` of a stream in which several things are met again and again.
fn event(n: u8) -> Event {
    let kinds = ["connect", "auth_attempt", "command", "login_success", "session_recorded"];
    let kind = kinds[usize::from(n) % 5];
    let fields = match kind {
        "auth_attempt" => {
            Fields::new().with("principal", format!("{}", n % 3)).with("secret_b64", "eA==")
        }
        "command" => Fields::new().with("command", format!("do {n}")),
        "session_recorded" => Fields::new().with("duration_s", 1.5).with("truncated", n > 100),
        _ => Fields::new().with("username", format!("user {}", n % 2)),
    };
    let at = Timestamp::from_micros(1_767_225_600_000_000 + i64::from(n) * 7_000_003);
    Event {
        v: 1,
        id: EventId::at(at, [n; 10]),
        boot: BootId::from_entropy([1; 16]),
        seq: n.into(),
        at,
        sensor: None,
        decky: DeckyId::from_entropy([n % 3; 16]),
        decky_name: format!("web-{}", n % 3),
        topology: None,
        service: "ssh".into(),
        kind: kind.into(),
        attacker: Some(Peer { ip: [10, 0, 0, n % 4].into(), port: 1 }),
        local: None,
        conn: None,
        session: Some(SessionId::from_entropy([n % 7; 16])),
        origin: None,
        synthetic: false,
        transport: Transport::Tcp,
        fields,
    }
}

fn digested(numbers: &[u8]) -> Vec<Derived> {
    let source = Source { sensor: "s".into(), boot: "b".into() };
    numbers.iter().map(|&n| derive(&event(n), &source, n.into())).collect()
}

/// What a database that holds `changes` over `existing` gives back.
fn stored(mut existing: Existing, changes: &Changes) -> Existing {
    existing.last_seq += changes.logs.len() as u64;
    let attackers = changes.attackers.iter().cloned();
    existing.attackers.extend(attackers.map(|row| (row.ip.clone(), row)));
    let sessions = changes.sessions.iter().cloned();
    existing.sessions.extend(sessions.map(|row| (row.sid.clone(), row)));
    for row in &changes.credentials {
        existing.credentials.insert(row.dedup_key.clone(), row.tally.clone());
    }
    existing
}

fn clone(existing: &Existing) -> Existing {
    Existing {
        last_seq: existing.last_seq,
        attackers: existing.attackers.clone(),
        sessions: existing.sessions.clone(),
        credentials: existing.credentials.clone(),
        bounties: existing.bounties.clone(),
    }
}

/// What is held after these batches, how many commands were told and how many credentials are new.
fn run(batches: &[&[u8]]) -> (Existing, usize, u64) {
    let (mut existing, mut commands, mut credentials) = (Existing::default(), 0, 0);
    for numbers in batches {
        let before = clone(&existing);
        let (changes, _) = fold(existing, digested(numbers), Timestamp::from_micros(5));
        commands += changes.commands.len();
        credentials += changes.totals.credentials;
        existing = stored(before, &changes);
    }
    (existing, commands, credentials)
}

proptest! {
    #[test]
    fn how_a_stream_is_cut_makes_no_difference(
        numbers in proptest::collection::btree_set(any::<u8>(), 1..60),
        cut in 0..60_usize,
    ) {
        let numbers: Vec<u8> = numbers.into_iter().collect();
        let (left, right) = numbers.split_at(cut.min(numbers.len()));
        let (whole, commands, credentials) = run(&[&numbers]);
        let (parts, some_commands, some_credentials) = run(&[left, right]);
        prop_assert_eq!(whole.last_seq, parts.last_seq);
        prop_assert_eq!(&whole.attackers, &parts.attackers);
        prop_assert_eq!(&whole.sessions, &parts.sessions);
        prop_assert_eq!(&whole.credentials, &parts.credentials);
        prop_assert_eq!((commands, credentials), (some_commands, some_credentials));
        let counted: u64 = whole.attackers.values().map(|row| row.credential_count).sum();
        prop_assert_eq!(counted, credentials);
    }

    #[test]
    fn attackers_do_not_depend_on_the_order_of_arrival(
        numbers in Just((0..60_u8).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let ordered: Vec<u8> = (0..60).collect();
        prop_assert_eq!(run(&[&ordered]).0.attackers, run(&[&numbers]).0.attackers);
    }
}

#[test]
fn first_sightings_and_ends_are_signalled_once() {
    let events = digested(&[0, 3, 4, 2, 7, 39]);
    let (changes, signals) = fold(Existing::default(), events, Timestamp::default());
    assert_eq!(signals.observed.len(), changes.attackers.len());
    assert_eq!(signals.started.len(), changes.sessions.len());
    let ended = changes.sessions.iter().filter(|row| row.ended_at.is_some()).count();
    assert_eq!(signals.ended.len(), ended);
    assert!(ended > 0);
}
