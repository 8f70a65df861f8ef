//! Events to feed, a deployment to feed them to, and all that it then holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base_model::{
    Body, BootId, ConnId, DeckyId, Event, EventId, Fact, Fields, Peer, Record, RecordingChunk,
    SensorId, SessionId, Timestamp, Transport,
};
use base_runtime::Clock;
use events_bus::Bus;
use sha2::{Digest as _, Sha256};
use store_db::testing::TestDb;
use store_db::*;

use crate::ingest::Step;
use crate::{Applied, Ingest, IngestError, IngestOptions};

/// Decides at each step whether the transaction fails there.
pub(crate) type Fault = Box<dyn FnMut(Step, &[&Record]) -> Result<(), IngestError> + Send>;

/// Start of the day of all test events.
pub(crate) const DAY: i64 = 1_767_225_600_000_000;

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(DAY + micros)
}

pub(crate) fn sensor() -> SensorId {
    SensorId::from_entropy([7; 16])
}

pub(crate) fn boot() -> BootId {
    BootId::from_entropy([8; 16])
}

pub(crate) fn sid(n: u8) -> SessionId {
    SessionId::from_entropy([n; 16])
}

/// An event, to be changed as a test needs.
pub(crate) fn event(seq: u64, kind: &str, fields: Fields) -> Event {
    let digest: [u8; 32] = Sha256::digest(seq.to_be_bytes()).into();
    let when = at(i64::try_from(seq).unwrap() * 1_000_003);
    Event {
        v: 1,
        id: EventId::at(when, *digest.first_chunk().unwrap()),
        boot: boot(),
        seq,
        at: when,
        sensor: None,
        decky: DeckyId::from_entropy([1; 16]),
        decky_name: "web-01".into(),
        topology: None,
        service: "ssh".into(),
        kind: kind.to_owned().into(),
        attacker: Some(Peer { ip: "203.0.113.9".parse().unwrap(), port: 40_000 }),
        local: Some(Peer { ip: "192.0.2.1".parse().unwrap(), port: 22 }),
        conn: Some(ConnId::from_entropy([3; 16])),
        session: None,
        origin: None,
        synthetic: false,
        transport: Transport::Tcp,
        fields,
    }
}

pub(crate) fn of(seq: u64, fact: Fact) -> Event {
    let (kind, fields, _) = fact.into_parts();
    event(seq, kind.name, fields)
}

pub(crate) fn record(event: Event) -> Record {
    Record { seq: event.seq, blobs: Vec::new(), body: Body::Event(Box::new(event)) }
}

pub(crate) fn chunk(seq: u64, session: SessionId, offset: u64, lines: &str) -> Record {
    let chunk = RecordingChunk {
        session,
        decky: DeckyId::from_entropy([1; 16]),
        decky_name: "web-01".into(),
        service: "ssh".into(),
        started: at(0),
        offset,
        lines: lines.into(),
    };
    Record { seq, blobs: Vec::new(), body: Body::Recording(chunk) }
}

/// A deployment on one engine.
pub(crate) struct World {
    pub(crate) test: TestDb,
    pub(crate) ingest: Ingest,
    pub(crate) bus: Bus,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn db(&self) -> &Db {
        &self.test.db
    }

    pub(crate) async fn apply(&self, records: &[Record]) -> Applied {
        self.ingest.apply(sensor(), boot(), records).await.unwrap()
    }

    pub(crate) fn fail_at(&self, fault: Option<Fault>) {
        *self.ingest.fault().lock().unwrap() = fault;
    }

    pub(crate) fn options(&self) -> IngestOptions {
        options(&self.folder)
    }
}

fn options(folder: &tempfile::TempDir) -> IngestOptions {
    let mut options = IngestOptions::new(folder.path().join("artifacts"), "test".into());
    options.log_file = Some(folder.path().join("log/decnet.log"));
    // Over as soon as it is taken, so that a test may take over; it is not renewed by itself.
    options.lease_ttl = Duration::ZERO;
    options
}

/// A deployment on each engine.
pub(crate) async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for test in store_db::testing::databases().await {
        let folder = tempfile::tempdir().unwrap();
        let bus = Bus::new();
        let opened = Ingest::open(test.db.clone(), options(&folder), Clock::start(), bus.clone());
        let ingest = opened.await.unwrap();
        worlds.push(World { test, ingest, bus, folder });
    }
    worlds
}

/// A fault at one step, the first time it is reached.
pub(crate) fn once(step: Step) -> (Fault, Arc<Mutex<bool>>) {
    let reached = Arc::new(Mutex::new(false));
    let seen = reached.clone();
    let fault = move |now: Step, _: &[&Record]| {
        let mut seen = seen.lock().unwrap();
        if now == step && !*seen {
            *seen = true;
            return Err(IngestError::Db(DbError::Transient("injected".into())));
        }
        Ok(())
    };
    (Box::new(fault), reached)
}

/// Everything that a deployment holds, except row numbers of no meaning and times of receipt.
#[derive(Debug, PartialEq)]
pub(crate) struct Holdings {
    pub(crate) logs: Vec<LogRow>,
    pub(crate) attackers: BTreeMap<String, AttackerRow>,
    pub(crate) commands: Vec<CommandRow>,
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) credentials: Vec<CredentialRow>,
    pub(crate) bounties: Vec<BountyRow>,
    pub(crate) histogram: Vec<Bucket>,
    pub(crate) totals: [u64; 5],
}

pub(crate) const ALL: Paging = Paging { limit: 1000, offset: 0 };

pub(crate) async fn holdings(db: &Db) -> Holdings {
    let never = Timestamp::default();
    let mut logs = db.logs().after(0, &LogQuery::default(), 100_000).await.unwrap();
    logs.iter_mut().for_each(|row| row.received_at = never);
    let page = db.attackers().list(&AttackerQuery::default(), ALL).await.unwrap();
    let total_attackers = page.total;
    let mut commands = Vec::new();
    let mut attackers = BTreeMap::new();
    for mut row in page.data {
        let uuid = row.uuid.parse().unwrap();
        commands.extend(db.commands().of_attacker(uuid, None, ALL).await.unwrap().data);
        row.updated_at = never;
        attackers.insert(row.ip.clone(), row);
    }
    commands.sort_by(|a, b| a.event_uid.cmp(&b.event_uid));
    let mut sessions =
        db.sessions().list(&store_db::SessionQuery::default(), ALL).await.unwrap().data;
    sessions.sort_by(|a, b| a.sid.cmp(&b.sid));
    let page = db.credentials().list(&CredentialQuery::default(), ALL).await.unwrap();
    let total_credentials = page.total;
    let mut credentials = page.data;
    credentials.iter_mut().for_each(|row| row.id = 0);
    let key = |row: &CredentialRow| {
        let place = (row.decky_name.clone(), row.service.clone());
        (row.attacker_ip.clone(), place, row.secret_sha256.clone(), row.principal.clone())
    };
    credentials.sort_by_key(key);
    let page = db.bounties().list(&BountyQuery::default(), ALL).await.unwrap();
    let total_bounties = page.total;
    let mut bounties = page.data;
    bounties.iter_mut().for_each(|row| row.id = 0);
    bounties.sort_by_key(|row| (row.attacker_ip.clone(), row.payload.to_string()));
    let query = LogQuery::default();
    let histogram = db.logs().histogram(&query, 1).await.unwrap();
    let total_logs = db.logs().count(&query).await.unwrap().0;
    let newest = db.logs().newest_seq().await.unwrap();
    let totals = [total_logs, newest, total_attackers, total_credentials, total_bounties];
    Holdings { logs, attackers, commands, sessions, credentials, bounties, histogram, totals }
}
