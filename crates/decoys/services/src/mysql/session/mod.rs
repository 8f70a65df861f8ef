//! The state machine: greeting, login, commands.

mod command;
mod login;
mod prepared;
mod query;

use std::collections::BTreeMap;
use std::time::Duration;

use base_model::{Timestamp, catalogue};
use decoys_host::HostHandle;
use decoys_kit::{Opening, StreamContext, StreamSession, TlsFacts, TlsOffer, TlsServer};

use super::errors::{Refusal, refusal};
use super::parser::{self, Login, Parsed};
use super::replies::{AUTOCOMMIT, IN_TRANSACTION, Packets, Place};
use super::server::Server;
use super::statements::Run;
use crate::inbox::Inbox;
use crate::pace::{Due, Pace};
use crate::sql::{Budget, Value};

/// Time to log in (`connect_timeout`), and to be silent then (`wait_timeout`).
const LOGIN: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(28_800);
/// How often a connection looks whether somebody ended it.
const LOOK: Duration = Duration::from_secs(1);
/// Longest packet of somebody who has not logged in, and of others; a longer one ends the connection.
const MAX_LOGIN: usize = 64 * 1024;
const MAX_PACKET: usize = 1024 * 1024;
/// Most prepared statements of a connection, and most bytes of a fetched file.
const MAX_PREPARED: usize = 256;
const MAX_FETCHED: usize = 16 * 1024 * 1024;
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
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// The plugin whose proof a cracker takes.
const NATIVE: &[u8] = b"mysql_native_password";
/// The plugin of MySQL 8.
const CACHING: &[u8] = b"caching_sha2_password";

/// What a connection has of its own.
#[derive(Debug, Default)]
pub(super) struct Me {
    pub(super) id: u64,
    pub(super) user: String,
    pub(super) host: String,
    pub(super) admin: bool,
    pub(super) database: Option<String>,
    pub(super) variables: BTreeMap<String, String>,
    /// `@` variables.
    pub(super) own: BTreeMap<String, Value>,
    /// Statements prepared by name.
    pub(super) named: BTreeMap<String, String>,
    pub(super) warnings: Vec<(&'static str, u16, String)>,
    pub(super) fresh_warnings: Vec<(&'static str, u16, String)>,
    pub(super) last_id: i64,
    pub(super) row_count: i64,
    pub(super) found_rows: i64,
    pub(super) in_transaction: bool,
    /// Whether the client is asked for files it offers.
    pub(super) local_files: bool,
    /// What was agreed when the connection was encrypted.
    pub(super) tls: Option<TlsFacts>,
}

#[derive(Debug)]
struct Prepared {
    text: String,
    parameters: usize,
    types: Vec<(u8, u8)>,
    /// Parameters sent ahead in pieces.
    long: BTreeMap<usize, Vec<u8>>,
}

#[derive(Debug)]
enum State {
    /// Waits for the login.
    Greeted,
    /// Waits for the answer to another challenge; with the answer to the first and its salt.
    Switched(Login, [u8; 20]),
    /// Waits for the password itself, which only TLS may carry.
    Asked(Login),
    Ready,
    /// Reads a file of the client.
    Fetching {
        name: String,
        content: Vec<u8>,
    },
    Over,
}

pub(super) struct MysqlSession {
    host: HostHandle,
    peer: String,
    port: u16,
    input: Inbox,
    state: State,
    salt: [u8; 20],
    capabilities: u32,
    extended: u32,
    charset: u8,
    maria: bool,
    /// TLS was offered.
    offers_tls: bool,
    /// The client asked for TLS and has not begun with it.
    upgrading: bool,
    me: Me,
    prepared: BTreeMap<u32, Prepared>,
    next_prepared: u32,
    attempts: u32,
    pace: Pace,
    /// Steps for the packet in work.
    budget: Budget,
}

impl MysqlSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let local_files = opening.settings.flag("load_data_local").unwrap_or(false);
        Self {
            peer: opening.peer.ip.to_string(),
            port: opening.peer.port,
            host: opening.host,
            input: Inbox::default(),
            budget: Budget::new(STEPS),
            state: State::Greeted,
            salt: [0; 20],
            capabilities: 0,
            extended: 0,
            charset: 45,
            maria: true,
            offers_tls: false,
            upgrading: false,
            me: Me { local_files, ..Me::default() },
            prepared: BTreeMap::new(),
            next_prepared: 0,
            attempts: 0,
            pace: Pace::default(),
        }
    }

    /// Works on packets as long as there are whole ones and the turn lasts.
    fn work(&mut self, cx: &mut StreamContext<'_>) {
        self.pace.begin_turn();
        let mut spent = 0;
        while !self.pace.holds() && !self.upgrading && !matches!(self.state, State::Over) {
            if spent >= TURN {
                self.pace.put_off(cx.now() + BREATH);
                break;
            }
            let most = if self.me.user.is_empty() { MAX_LOGIN } else { MAX_PACKET };
            match parser::packet(&mut self.input, most) {
                Parsed::Need => break,
                Parsed::TooLong => {
                    cx.emit(catalogue::protocol_error("packet too long", self.input.sample(4)));
                    cx.commit();
                    let refused =
                        refusal(1153, "Got a packet bigger than 'max_allowed_packet' bytes");
                    return self.refuse(cx, 1, &refused, true);
                }
                Parsed::Done(number, packet) => {
                    self.budget = Budget::new(STEPS);
                    self.packet(cx, number, &packet);
                    spent += PER_PACKET + STEPS.saturating_sub(self.budget.left());
                }
            }
        }
        if self.input.rest().len() > MAX_WAITING {
            self.end(cx);
        }
    }

    fn packet(&mut self, cx: &mut StreamContext<'_>, number: u8, packet: &[u8]) {
        let next = number.wrapping_add(1);
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Greeted => self.first(cx, next, packet),
            State::Switched(login, _) => {
                let login = Login { response: packet.to_vec(), ..login };
                self.judge(cx, next, login, false);
            }
            State::Asked(login) => {
                let password = packet.strip_suffix(b"\0").unwrap_or(packet).to_vec();
                self.judge(cx, next, Login { response: password, ..login }, true);
            }
            State::Ready => {
                self.pace.deadline = Some(cx.now() + IDLE);
                self.command(cx, packet);
            }
            State::Fetching { name, mut content } => {
                if packet.is_empty() {
                    return self.fetched(cx, next, &name, content);
                }
                if content.len() + packet.len() <= MAX_FETCHED {
                    content.extend(packet);
                }
                self.state = State::Fetching { name, content };
            }
            State::Over => self.state = State::Over,
        }
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

    fn note(&self, change: impl FnOnce(&mut super::server::Connection)) {
        let id = self.me.id;
        self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                if let Some(connection) = server.connections.get_mut(&id) {
                    change(connection);
                }
            });
        });
    }

    fn note_database(&self) {
        let database = self.me.database.clone();
        self.note(|connection| connection.database = database);
    }

    fn status(&self) -> u16 {
        let off =
            self.me.variables.get("autocommit").is_some_and(|value| value == "OFF" || value == "0");
        let auto = if off { 0 } else { AUTOCOMMIT };
        auto | if self.me.in_transaction { IN_TRANSACTION } else { 0 }
    }

    fn place<'p>(&self, database: &'p str, status: u16) -> Place<'p> {
        let warnings = u16::try_from(self.me.warnings.len()).unwrap_or(u16::MAX);
        Place {
            database,
            charset: self.charset,
            status,
            warnings,
            capabilities: self.capabilities,
            extended: self.extended,
        }
    }

    fn refuse(&mut self, cx: &mut StreamContext<'_>, number: u8, refused: &Refusal, close: bool) {
        let mut packets = Packets::from(number);
        packets.error(refused.code, refused.state, &refused.text);
        cx.send(packets.out);
        if close {
            self.end(cx);
        }
    }

    /// Sends `out` after `wait`.
    fn hold(&mut self, cx: &StreamContext<'_>, wait: Duration, out: Vec<u8>, close: bool) {
        self.pace.hold(cx.now() + wait, out, close);
    }

    /// Ends when another session said so.
    fn end_if_killed(&mut self, cx: &mut StreamContext<'_>) {
        self.pace.look = Some(cx.now() + LOOK);
        let id = self.me.id;
        let killed = self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                server.connections.get(&id).is_some_and(|c| c.killed)
            })
        });
        if killed {
            self.end(cx);
        }
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.state = State::Over;
        self.pace.stop();
        self.input.clear();
        cx.close();
    }
}

impl StreamSession for MysqlSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.pace.deadline = Some(cx.now() + LOGIN);
        self.greet(cx);
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if matches!(self.state, State::Over) || self.upgrading {
            return;
        }
        self.input.push(bytes);
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if matches!(self.state, State::Over) {
            return;
        }
        match self.pace.due(cx.now()) {
            Some(Due::Answer { out, closes }) => {
                self.note(|connection| connection.info = None);
                cx.send(out);
                if closes {
                    return self.end(cx);
                }
                self.work(cx);
            }
            Some(Due::Work) => self.work(cx),
            Some(Due::Deadline) => {
                self.tell_unfinished(cx);
                self.end(cx);
            }
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
            cx.emit(catalogue::protocol_error("connection closed within a packet", sample));
        }
        self.tell_unfinished(cx);
        self.state = State::Over;
        let id = self.me.id;
        self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| drop(server.connections.remove(&id)));
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
        TlsOffer::of(TlsServer::MySql)
    }

    fn on_tls(&mut self, _cx: &mut StreamContext<'_>, facts: &TlsFacts) {
        self.upgrading = false;
        self.me.tls = Some(facts.clone());
    }
}
