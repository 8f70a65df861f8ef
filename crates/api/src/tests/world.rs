//! A deployment for a test: a store filled through the ingest, accounts, and the API on a socket.

use std::net::SocketAddr;

use base_model::catalogue::Captured;
use base_model::{
    Body, BootId, ConnId, DeckyId, Event, EventId, Fact, Fields, Peer, Record, RecordingChunk,
    SensorId, SessionId, Sha256Digest, Timestamp, Transport,
};
use base_runtime::{Clock, Shutdown};
use events_bus::Bus;
use store_db::UserRow;
use store_db::testing::TestDb;
use store_ingest::{BlobStore, Ingest, IngestOptions};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::client::{self, Answer, Live};
use super::fleet;
use crate::stream::Pace;
use crate::{Api, ApiConfig, ApiParts, HealthBoard, JwtSecret};

/// Password of every test account.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Start of all test events: 2026-01-01T00:00:00Z.
pub(crate) const DAY: i64 = 1_767_225_600_000_000;
/// Strings that do harm where they are not escaped.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'\\ \r\n\u{0}\u{1b}]0;x\u{7} \u{202e}\u{2028} ../../ ${jndi:x} %00 👾";

/// A test deployment.
pub(crate) struct World {
    pub(crate) test: TestDb,
    pub(crate) api: Api,
    pub(crate) bus: Bus,
    pub(crate) blobs: BlobStore,
    pub(crate) health: HealthBoard,
    pub(crate) addr: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) shutdown: Shutdown,
    pub(crate) served: JoinHandle<()>,
    ingest: Ingest,
    seq: Mutex<u64>,
}

/// The accounts: name, role, whether the password must be changed.
pub(crate) const ACCOUNTS: [(&str, &str, bool); 3] =
    [("admin", "admin", false), ("viewer", "viewer", false), ("fresh", "admin", true)];

pub(crate) fn user_id(name: &str) -> Uuid {
    let place = ACCOUNTS.iter().position(|(account, ..)| *account == name).unwrap();
    Uuid::from_bytes([u8::try_from(place + 1).unwrap(); 16])
}

impl World {
    /// A deployment on a fresh SQLite file.
    pub(crate) async fn new() -> Self {
        Self::with(store_db::testing::sqlite().await, |_| {}).await
    }

    /// A deployment on `test`, with a changed configuration.
    pub(crate) async fn with(test: TestDb, change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::paced(test, change, Pace::default(), false).await
    }

    /// The same at another pace; a `deaf` API does not hear what the ingest publishes.
    pub(crate) async fn paced(
        test: TestDb,
        change: impl FnOnce(&mut ApiConfig),
        pace: Pace,
        deaf: bool,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("artifacts");
        let (clock, bus) = (Clock::start(), Bus::new());
        let options = IngestOptions::new(artifacts.clone(), "test".into());
        let heard = if deaf { Bus::new() } else { bus.clone() };
        let ingest = Ingest::open(test.db.clone(), options, clock, heard).await.unwrap();
        let blobs = BlobStore::open(&artifacts, 1 << 30).unwrap();
        let hash = bcrypt::hash(PASSWORD, 4).unwrap();
        for (name, role, must_change_password) in ACCOUNTS {
            let user = UserRow {
                uuid: user_id(name).to_string(),
                username: name.into(),
                password_hash: hash.clone(),
                role: role.into(),
                must_change_password,
                tokens_valid_from: None,
            };
            test.db.users().create(&user).await.unwrap();
        }
        let mut config = ApiConfig::new(JwtSecret::new([42; 32]), artifacts);
        change(&mut config);
        let health = HealthBoard::default();
        let parts = ApiParts {
            config,
            db: test.db.clone(),
            bus: bus.clone(),
            clock,
            health: health.clone(),
            blobs: blobs.clone(),
            deployments: fleet::deployments(&test.db, clock),
        };
        let shutdown = Shutdown::default();
        fleet::bring_about(&parts, shutdown.clone());
        let api = Api::paced(parts, pace);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let served = tokio::spawn(crate::serve(listener, api.clone(), shutdown.clone()));
        let seq = Mutex::new(0);
        Self { test, api, bus, blobs, health, addr, folder, shutdown, served, ingest, seq }
    }

    /// Ingests events and chunks, numbered in order.
    pub(crate) async fn feed(&self, bodies: impl IntoIterator<Item = Body>) {
        let mut seq = self.seq.lock().await;
        let mut records = Vec::new();
        for mut body in bodies {
            *seq += 1;
            if let Body::Event(event) = &mut body {
                event.seq = *seq;
                let digest = Sha256Digest::of(&seq.to_be_bytes());
                event.id = EventId::at(event.at, *digest.as_bytes().first_chunk().unwrap());
            }
            records.push(Record { seq: *seq, blobs: Vec::new(), body });
        }
        let count = records.len() as u64;
        let applied = self.ingest.apply(sensor(), boot(), &records).await.unwrap();
        assert_eq!((applied.stored, applied.quarantined), (count, 0));
    }

    /// A token of an account.
    pub(crate) fn token(&self, name: &str) -> String {
        let now = self.api.0.now();
        let jti = Uuid::from_bytes(base_runtime::entropy::bytes().unwrap()).simple().to_string();
        self.api.0.tokens.issue(user_id(name), &jti, now, None)
    }

    /// GET as an account; nobody when the name is empty.
    pub(crate) async fn get(&self, path: &str, name: &str) -> Answer {
        let token = if name.is_empty() { String::new() } else { self.token(name) };
        self.call("GET", path, &token, None).await
    }

    /// A request with a token, if not empty, and a JSON body, if any.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&str>,
    ) -> Answer {
        client::send(self.addr, request(method, path, token, body).as_bytes()).await
    }

    /// A live stream with these query parameters.
    pub(crate) async fn live(&self, query: &str, token: &str) -> Live {
        let path = format!("/api/v1/stream{query}");
        Live::open(self.addr, request("GET", &path, token, None).as_bytes()).await
    }
}

/// A request as bytes.
pub(crate) fn request(method: &str, path: &str, token: &str, body: Option<&str>) -> String {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    if !token.is_empty() {
        request.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if let Some(body) = body {
        let length = body.len();
        request
            .push_str(&format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body.unwrap_or_default());
    request
}

pub(crate) fn sensor() -> SensorId {
    SensorId::from_entropy([7; 16])
}

fn boot() -> BootId {
    BootId::from_entropy([8; 16])
}

pub(crate) fn sid(n: u8) -> SessionId {
    SessionId::from_entropy([n; 16])
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(DAY + seconds * 1_000_000)
}

/// An event `seconds` into the day, to be changed as a test needs.
pub(crate) fn event(seconds: i64, ip: &str, kind: &str, fields: Fields) -> Event {
    Event {
        v: 1,
        id: EventId::from_entropy([0; 16]),
        boot: boot(),
        seq: 0,
        at: at(seconds),
        sensor: None,
        decky: DeckyId::from_entropy([1; 16]),
        decky_name: "web-01".into(),
        topology: None,
        service: "ssh".into(),
        kind: kind.to_owned().into(),
        attacker: Some(Peer { ip: ip.parse().unwrap(), port: 40_000 }),
        local: Some(Peer { ip: "192.0.2.1".parse().unwrap(), port: 22 }),
        conn: Some(ConnId::from_entropy([3; 16])),
        session: None,
        origin: None,
        synthetic: false,
        transport: Transport::Tcp,
        fields,
    }
}

/// An event of a fact.
pub(crate) fn fact(seconds: i64, ip: &str, fact: Fact) -> Event {
    let (kind, fields, _) = fact.into_parts();
    event(seconds, ip, kind.name, fields)
}

/// A file left at `path`.
pub(crate) fn captured(seconds: i64, content: &[u8]) -> Fact {
    let file = Captured {
        sha256: Sha256Digest::of(content),
        size: content.len() as u64,
        path: b"/tmp/x.sh",
        user: "root",
        uid: 0,
        writer: "scp",
        mtime: at(seconds),
    };
    base_model::catalogue::file_captured(at(seconds), &file)
}

pub(crate) fn body(event: Event) -> Body {
    Body::Event(Box::new(event))
}

/// Lines of a recording.
pub(crate) fn chunk(session: SessionId, offset: u64, lines: &str) -> Body {
    Body::Recording(RecordingChunk {
        session,
        decky: DeckyId::from_entropy([1; 16]),
        decky_name: "web-01".into(),
        service: "ssh".into(),
        started: at(0),
        offset,
        lines: lines.into(),
    })
}
