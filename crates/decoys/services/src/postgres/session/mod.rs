//! The state machine: start, proof of the password, statements.

mod copy;
mod extended;
mod login;
mod query;
mod startup;

use std::collections::BTreeMap;
use std::time::Duration;

use base_model::{Timestamp, catalogue};
use decoys_host::HostHandle;
use decoys_kit::{Opening, StreamContext, StreamSession, TlsFacts, TlsOffer, TlsServer};

use super::auth::Scram;
use super::errors::{Refusal, error, fatal};
use super::parser::{self, Parsed, Reader};
use super::persona::Method;
use super::replies;
use super::server::{Connection, Server};
use super::statements::Run;
use crate::inbox::Inbox;
use crate::pace::{Due, Pace};
use crate::sql::{Budget, Rows, Value};

/// Time to log in (`authentication_timeout`).
const LOGIN: Duration = Duration::from_secs(60);
/// How often a connection looks whether somebody ended it.
const LOOK: Duration = Duration::from_secs(1);
/// Longest message of somebody who has not logged in, and of others; a longer one ends the connection.
const MAX_LOGIN: usize = 64 * 1024;
const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Most prepared statements and portals of a connection.
const MAX_PREPARED: usize = 256;
/// Most bytes of rows that a client copies in.
const MAX_COPY: usize = 8 * 1024 * 1024;
/// Longest password message.
const MAX_PASSWORD: usize = 10_000;
/// Bytes of what was not the protocol that are kept.
const SAMPLE: usize = 512;
/// Steps that one packet may take, and after how many of them others get their turn.
const STEPS: u32 = 2_000_000;
const TURN: u32 = 250_000;
/// What a packet costs beside the steps of its statements.
const PER_PACKET: u32 = 2_000;
/// Between two turns of a client that asks for much.
const BREATH: Duration = Duration::from_millis(1);
/// Bytes that wait while the server sleeps; more ends the connection.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// What a connection has of its own.
#[derive(Debug, Default)]
pub(super) struct Me {
    pub(super) pid: u64,
    pub(super) user: String,
    pub(super) admin: bool,
    pub(super) database: String,
    pub(super) application: String,
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) local: String,
    /// What was agreed when the connection was encrypted.
    pub(super) tls: Option<TlsFacts>,
    pub(super) settings: BTreeMap<String, String>,
    /// Statements prepared by name.
    pub(super) named: BTreeMap<String, String>,
    pub(super) cursors: BTreeMap<String, Rows>,
    /// `I`, `T` in a transaction, `E` in a failed one.
    pub(super) state: u8,
}

#[derive(Clone, Debug)]
struct Prepared {
    text: String,
    parameters: Vec<u32>,
}

#[derive(Debug)]
struct Portal {
    text: String,
    values: Vec<Value>,
    formats: Vec<u16>,
    /// What is left of a result that is fetched in parts.
    rest: Option<(Rows, String)>,
}

#[derive(Debug)]
enum State {
    Start,
    /// Waits for a password, or for an answer to the salt.
    Password(Option<[u8; 4]>),
    /// Waits for the client's first message of SCRAM.
    ScramFirst,
    ScramLast(Box<Scram>),
    Ready,
    /// Takes rows of the client.
    Copying {
        table: String,
        content: Vec<u8>,
        too_much: bool,
    },
    Over,
}

pub(super) struct PostgresSession {
    host: HostHandle,
    input: Inbox,
    state: State,
    me: Me,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    method: Method,
    secret: u32,
    prepared: BTreeMap<String, Prepared>,
    portals: BTreeMap<String, Portal>,
    /// Messages are passed over until the next `Sync`.
    skipping: bool,
    attempts: u32,
    asked: u8,
    /// The client was told to begin with TLS and has not done so.
    upgrading: bool,
    pace: Pace,
    /// Steps for the message in work.
    budget: Budget,
}

impl PostgresSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let me = Me {
            address: opening.peer.ip.to_string(),
            port: opening.peer.port,
            local: opening.local.ip.to_string(),
            state: b'I',
            ..Me::default()
        };
        Self {
            host: opening.host,
            input: Inbox::default(),
            budget: Budget::new(STEPS),
            state: State::Start,
            me,
            parameters: Vec::new(),
            method: Method::Scram,
            secret: 0,
            prepared: BTreeMap::new(),
            portals: BTreeMap::new(),
            skipping: false,
            attempts: 0,
            asked: 0,
            upgrading: false,
            pace: Pace::default(),
        }
    }

    /// Works on messages as long as there are whole ones and the turn lasts.
    fn work(&mut self, cx: &mut StreamContext<'_>) {
        self.pace.begin_turn();
        let mut spent = 0;
        while !self.pace.holds() {
            if spent >= TURN {
                self.pace.put_off(cx.now() + BREATH);
                break;
            }
            self.budget = Budget::new(STEPS);
            let more = match self.state {
                State::Over => false,
                State::Start => self.begin(cx),
                _ => self.next(cx),
            };
            if !more {
                break;
            }
            spent += PER_PACKET + STEPS.saturating_sub(self.budget.left());
        }
        if self.input.rest().len() > MAX_WAITING {
            self.end(cx);
        }
    }

    /// Reads one message; says whether there was one.
    fn next(&mut self, cx: &mut StreamContext<'_>) -> bool {
        let known = matches!(self.state, State::Ready | State::Copying { .. });
        let most = if known { MAX_MESSAGE } else { MAX_LOGIN };
        let (kind, content) = match parser::message(&mut self.input, most) {
            Parsed::Need => return false,
            Parsed::Bad => {
                let sample = self.input.sample(5);
                cx.emit(catalogue::protocol_error("invalid message length", sample));
                cx.commit();
                let refused =
                    fatal("08P01", "invalid message length", ("pqcomm.c", 1203, "pq_getmessage"));
                self.refuse(cx, &refused, true);
                return true;
            }
            Parsed::Done(message) => message,
        };
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ready => {
                self.state = State::Ready;
                self.message(cx, kind, &content);
            }
            State::Copying { table, content: taken, too_much } => {
                self.copying(cx, kind, &content, table, taken, too_much);
            }
            _ if kind != b'p' || content.len() > MAX_PASSWORD => {
                let sample = content.get(..SAMPLE).unwrap_or(&content);
                cx.emit(catalogue::protocol_error("not an answer to the challenge", sample));
                cx.commit();
                let text = format!("expected password response, got message type {kind}");
                let refused = fatal("08P01", text, ("auth.c", 698, "recv_password_packet"));
                self.refuse(cx, &refused, true);
            }
            State::Password(salt) => self.password(cx, salt, &content),
            State::ScramFirst => self.scram_first(cx, &content),
            State::ScramLast(scram) => self.scram_last(cx, &scram, &content),
            State::Start | State::Over => {}
        }
        true
    }

    fn run<T>(&mut self, cx: &mut StreamContext<'_>, work: impl FnOnce(&mut Run<'_>) -> T) -> T {
        let now = cx.now();
        let (me, budget) = (&mut self.me, &self.budget);
        self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                work(&mut Run { server, machine, me, now, rng: cx.rng(), budget })
            })
        })
    }

    fn note(&self, change: impl FnOnce(&mut Connection)) {
        let pid = self.me.pid;
        self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                if let Some(connection) = server.connections.get_mut(&pid) {
                    change(connection);
                }
            });
        });
    }

    fn message(&mut self, cx: &mut StreamContext<'_>, kind: u8, content: &[u8]) {
        if self.skipping && kind != b'S' && kind != b'X' {
            return;
        }
        match kind {
            b'Q' => self.simple(cx, content),
            b'X' => self.end(cx),
            b'P' => self.parse(cx, content),
            b'B' => self.bind(cx, content),
            b'D' => self.describe(cx, content),
            b'E' => self.execute(cx, content),
            b'C' => {
                let mut reader = Reader(content);
                let what = reader.byte();
                let name = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
                if what == Some(b'S') {
                    self.prepared.remove(&name);
                } else {
                    self.portals.remove(&name);
                }
                let mut out = Vec::new();
                replies::message(&mut out, b'3', &[]);
                cx.send(out);
            }
            b'S' => {
                self.skipping = false;
                self.portals.clear();
                let mut out = Vec::new();
                replies::ready(&mut out, self.me.state);
                cx.send(out);
            }
            b'H' => {}
            // What is left of a copy that failed.
            b'd' | b'c' | b'f' => {}
            b'F' => {
                let refused = error(
                    "0A000",
                    "function calls through the fast path are not supported",
                    ("fastpath.c", 233, "HandleFunctionRequest"),
                );
                let mut out = Vec::new();
                replies::refuse(&mut out, &refused);
                replies::ready(&mut out, self.me.state);
                cx.send(out);
            }
            kind => {
                let sample = content.get(..SAMPLE).unwrap_or(content);
                cx.emit(catalogue::protocol_error("invalid message type", sample));
                cx.commit();
                let refused = fatal(
                    "08P01",
                    format!("invalid frontend message type {kind}"),
                    ("postgres.c", 446, "SocketBackend"),
                );
                self.refuse(cx, &refused, true);
            }
        }
    }

    fn refuse(&mut self, cx: &mut StreamContext<'_>, refused: &Refusal, close: bool) {
        let mut out = Vec::new();
        replies::refuse(&mut out, refused);
        cx.send(out);
        if close {
            self.end(cx);
        }
    }

    /// Ends when another session said so.
    fn end_if_killed(&mut self, cx: &mut StreamContext<'_>) {
        self.pace.look = Some(cx.now() + LOOK);
        let pid = self.me.pid;
        let killed = self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                server.connections.get(&pid).is_some_and(|c| c.killed)
            })
        });
        if killed {
            let refused = fatal(
                "57P01",
                "terminating connection due to administrator command",
                ("postgres.c", 3218, "ProcessInterrupts"),
            );
            self.refuse(cx, &refused, true);
        }
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.state = State::Over;
        self.pace.stop();
        self.input.clear();
        cx.close();
    }
}

impl StreamSession for PostgresSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.pace.deadline = Some(cx.now() + LOGIN);
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if matches!(self.state, State::Over) || self.upgrading {
            return;
        }
        self.input.push(bytes);
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        match self.pace.due(cx.now()) {
            Some(Due::Answer { out, closes }) => {
                cx.send(out);
                if closes {
                    return self.end(cx);
                }
                self.note(|connection| connection.active = false);
                self.work(cx);
            }
            _ if matches!(self.state, State::Over) => {}
            Some(Due::Work) => self.work(cx),
            Some(Due::Deadline) => self.end(cx),
            Some(Due::Look) => self.end_if_killed(cx),
            None => {}
        }
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        // What came before the end is evidence, if nobody will read its answers.
        if self.pace.is_put_off() {
            self.work(cx);
        }
        if !matches!(self.state, State::Over) && !self.input.rest().is_empty() && !self.pace.holds()
        {
            let sample = self.input.sample(SAMPLE);
            cx.emit(catalogue::protocol_error("connection closed within a message", sample));
        }
        self.state = State::Over;
        let pid = self.me.pid;
        self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| drop(server.connections.remove(&pid)));
        });
        self.pace.stop();
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.pace.next()
    }

    fn reads(&self) -> bool {
        self.pace.reads()
    }

    fn tls(&self) -> TlsOffer {
        TlsOffer::of(TlsServer::Postgres)
    }

    fn on_tls(&mut self, _cx: &mut StreamContext<'_>, facts: &TlsFacts) {
        self.upgrading = false;
        self.me.tls = Some(facts.clone());
    }
}
