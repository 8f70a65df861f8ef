//! The connection: logging in, its settings, transactions.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng as _;

use super::{Answer, Call, Reply, Spec, specs, syntax};
use crate::redis::server::{Client, Server};

/// Most commands of a transaction.
const MAX_QUEUED: usize = 1024;
/// Most bytes of them together.
const MAX_QUEUED_BYTES: usize = 2 * 1024 * 1024;
/// Most keys that are watched.
const MAX_WATCHED: usize = 256;

/// What a connection has of its own.
#[derive(Debug)]
pub(in crate::redis) struct Me {
    pub(in crate::redis) id: u64,
    pub(in crate::redis) db: usize,
    pub(in crate::redis) user: String,
    /// Whether it may run commands.
    pub(in crate::redis) known: bool,
    pub(in crate::redis) three: bool,
    pub(in crate::redis) name: String,
    pub(in crate::redis) monitor: bool,
    pub(in crate::redis) channels: BTreeSet<Vec<u8>>,
    pub(in crate::redis) patterns: BTreeSet<Vec<u8>>,
    /// Commands of an open transaction.
    pub(in crate::redis) queued: Option<Vec<Vec<Vec<u8>>>>,
    queued_bytes: usize,
    spoiled: bool,
    /// Keys that must not change, with what they held.
    watched: BTreeMap<(usize, Vec<u8>), Option<crate::redis::keyspace::Entry>>,
    /// `CLIENT REPLY`: whether replies are sent at all, and whether the next is.
    pub(in crate::redis) silent: (bool, u8),
}

impl Me {
    pub(in crate::redis) fn new(id: u64, server: &Server) -> Self {
        Self {
            id,
            db: 0,
            user: "default".to_owned(),
            known: !server.is_closed(),
            three: false,
            name: String::new(),
            monitor: false,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            queued: None,
            queued_bytes: 0,
            spoiled: false,
            watched: BTreeMap::new(),
            silent: (false, 0),
        }
    }

    /// Whether it listens to channels.
    pub(in crate::redis) fn listens(&self) -> bool {
        self.listening() > 0
    }

    /// To how many.
    pub(super) fn listening(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// An open transaction cannot be run any more.
    pub(super) const fn spoil(&mut self) {
        if self.queued.is_some() {
            self.spoiled = true;
        }
    }

    fn end_transaction(&mut self) {
        self.queued = None;
        self.queued_bytes = 0;
        self.spoiled = false;
        self.watched.clear();
    }

    /// Brings the entry of `CLIENT LIST` up to date.
    pub(in crate::redis) fn show(&self, client: &mut Client) {
        client.db = self.db;
        client.name.clone_from(&self.name);
        client.user.clone_from(&self.user);
        client.three = self.three;
        client.monitor = self.monitor;
        client.subscriptions = (self.channels.len(), self.patterns.len());
        client.multi =
            self.queued.as_ref().map_or(-1, |q| i64::try_from(q.len()).unwrap_or(i64::MAX));
    }
}

/// Queues the command when a transaction is open.
pub(in crate::redis) fn start(call: &mut Call<'_>, spec: &Spec) -> Option<Reply> {
    let at_once = ["exec", "discard", "multi", "watch", "quit", "reset"];
    if call.me.queued.is_none() || at_once.contains(&spec.name) {
        return None;
    }
    if spec.has("no_multi") {
        call.me.spoil();
        return Some(Reply::error("ERR Command not allowed inside a transaction"));
    }
    let bytes: usize = call.args.iter().map(|arg| arg.len() + 32).sum();
    let queued = call.me.queued.as_mut()?;
    if queued.len() >= MAX_QUEUED || call.me.queued_bytes + bytes > MAX_QUEUED_BYTES {
        call.me.spoil();
        return Some(super::oom());
    }
    queued.push(call.args.to_vec());
    call.me.queued_bytes += bytes;
    Some(Reply::Simple("QUEUED".to_owned()))
}

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    match name {
        "ping" => Ok(match (call.args.len(), call.me.listens() && !call.me.three) {
            (1 | 2, true) => {
                Reply::Array(vec![Reply::text("pong"), Reply::Bulk(call.arg(1).to_vec())])
            }
            (1, false) => Reply::Simple("PONG".to_owned()),
            (2, false) => Reply::Bulk(call.arg(1).to_vec()),
            _ => Reply::error("ERR wrong number of arguments for 'ping' command"),
        }),
        "echo" => Ok(Reply::Bulk(call.arg(1).to_vec())),
        "select" => {
            call.int(1).map_err(|_| {
                Reply::error(if call.server.persona.seven {
                    "ERR value is not an integer or out of range"
                } else {
                    "ERR invalid DB index"
                })
            })?;
            call.me.db = super::keys::database(call, 1)?;
            Ok(Reply::ok())
        }
        "auth" => auth(call),
        "hello" => hello(call),
        "quit" => {
            call.outcome.close = true;
            Ok(Reply::ok())
        }
        "reset" => {
            let id = call.me.id;
            *call.me = Me::new(id, call.server);
            Ok(Reply::Simple("RESET".to_owned()))
        }
        "client" => client(call),
        "multi" if call.me.queued.is_some() => {
            Err(Reply::error("ERR MULTI calls can not be nested"))
        }
        "multi" => {
            call.me.queued = Some(Vec::new());
            Ok(Reply::ok())
        }
        "exec" => exec(call),
        "discard" if call.me.queued.is_none() => Err(Reply::error("ERR DISCARD without MULTI")),
        "discard" => {
            call.me.end_transaction();
            Ok(Reply::ok())
        }
        "watch" if call.me.queued.is_some() => {
            Err(Reply::error("ERR WATCH inside MULTI is not allowed"))
        }
        "watch" => {
            for key in call.from(1) {
                if call.me.watched.len() < MAX_WATCHED {
                    let held = call.peek(key).cloned();
                    call.me.watched.insert((call.me.db, key.clone()), held);
                }
            }
            Ok(Reply::ok())
        }
        "unwatch" => {
            call.me.watched.clear();
            Ok(Reply::ok())
        }
        _ => Err(syntax()),
    }
}

/// Checks a password for `user`, tells of it, and lets the connection in.
fn log_in(call: &mut Call<'_>, user: Option<&[u8]>, password: &[u8]) -> bool {
    let name = String::from_utf8_lossy(user.unwrap_or(b"default")).into_owned();
    let accepted = call.server.users.admits(&name, password);
    call.outcome.logins.push((user.map(<[u8]>::to_vec), password.to_vec(), accepted));
    if accepted {
        call.me.known = true;
        call.me.user = name;
    }
    accepted
}

fn refused() -> Reply {
    Reply::error("WRONGPASS invalid username-password pair or user is disabled.")
}

fn auth(call: &mut Call<'_>) -> Answer {
    let (user, password) = match call.args.len() {
        2 => (None, call.arg(1)),
        3 => (Some(call.arg(1)), call.arg(2)),
        _ => return Err(syntax()),
    };
    if user.is_none() && call.server.users.get("default").is_some_and(|user| user.nopass) {
        call.outcome.logins.push((None, password.to_vec(), false));
        return Err(Reply::error(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
        ));
    }
    if log_in(call, user, password) { Ok(Reply::ok()) } else { Err(refused()) }
}

fn hello(call: &mut Call<'_>) -> Answer {
    let mut at = 1;
    let mut three = call.me.three;
    if call.args.len() > 1 {
        three = match call.int(1) {
            Ok(2) => false,
            Ok(3) => true,
            Ok(_) => return Err(Reply::error("NOPROTO unsupported protocol version")),
            Err(_) if call.server.persona.seven => {
                return Err(Reply::error("ERR Protocol version is not an integer or out of range"));
            }
            Err(_) => return Err(Reply::error("NOPROTO unsupported protocol version")),
        };
        at = 2;
    }
    let mut name = None;
    while at < call.args.len() {
        match call.word(at).as_str() {
            "auth" if at + 2 < call.args.len() => {
                let (user, password) = (call.arg(at + 1), call.arg(at + 2));
                if !log_in(call, Some(user), password) {
                    return Err(refused());
                }
                at += 2;
            }
            "setname" if at + 1 < call.args.len() => {
                name = Some(valid_name(call.arg(at + 1))?);
                at += 1;
            }
            option => {
                return Err(Reply::error(format!("ERR Syntax error in HELLO option '{option}'")));
            }
        }
        at += 1;
    }
    if !call.me.known {
        return Err(Reply::error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    call.me.three = three;
    if let Some(name) = name {
        call.me.name = name;
    }
    let role = if call.server.kept.master.is_some() { "replica" } else { "master" };
    let pair = |key: &str, value: Reply| (Reply::text(key), value);
    Ok(Reply::Map(vec![
        pair("server", Reply::text("redis")),
        pair("version", Reply::text(call.server.persona.version.clone())),
        pair("proto", Reply::Int(if three { 3 } else { 2 })),
        pair("id", Reply::Int(i64::try_from(call.me.id).unwrap_or(0))),
        pair("mode", Reply::text("standalone")),
        pair("role", Reply::text(role)),
        pair("modules", Reply::Array(Vec::new())),
    ]))
}

fn valid_name(name: &[u8]) -> Result<String, Reply> {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Ok(String::from_utf8_lossy(name.get(..4096).unwrap_or(name)).into_owned());
    }
    Err(Reply::error("ERR Client names cannot contain spaces, newlines or special characters."))
}

fn client(call: &mut Call<'_>) -> Answer {
    let id = call.me.id;
    match call.word(1).as_str() {
        "id" => Ok(Reply::Int(i64::try_from(id).unwrap_or(0))),
        "getname" if call.me.name.is_empty() => Ok(Reply::Null),
        "getname" => Ok(Reply::text(call.me.name.clone())),
        "setname" => {
            call.me.name = valid_name(call.arg(2))?;
            Ok(Reply::ok())
        }
        "info" => {
            let line = call.server.client_lines(call.now, Some(id));
            Ok(Reply::Verbatim(line))
        }
        "list" => list(call),
        "kill" => kill(call),
        "reply" => {
            call.me.silent = match call.word(2).as_str() {
                "on" => (false, 0),
                "off" => (true, 0),
                "skip" => (call.me.silent.0, 2),
                _ => return Err(syntax()),
            };
            Ok(if call.me.silent == (false, 0) { Reply::ok() } else { Reply::None })
        }
        "pause" => {
            super::not_negative(call, 2)?;
            Ok(Reply::ok())
        }
        "unpause" | "no-evict" | "caching" | "tracking" => Ok(Reply::ok()),
        "unblock" => Ok(Reply::Int(0)),
        "getredir" => Ok(Reply::Int(-1)),
        "trackinginfo" => Ok(Reply::Map(vec![
            (Reply::text("flags"), Reply::Set(vec![Reply::text("off")])),
            (Reply::text("redirect"), Reply::Int(-1)),
            (Reply::text("prefixes"), Reply::Array(Vec::new())),
        ])),
        _ => Ok(super::docs::help(call, "client")),
    }
}

fn list(call: &mut Call<'_>) -> Answer {
    match (call.word(2).as_str(), call.args.len()) {
        ("", 2) => Ok(Reply::Verbatim(call.server.client_lines(call.now, None))),
        ("type", 4) => match call.word(3).as_str() {
            "normal" => Ok(Reply::Verbatim(call.server.client_lines(call.now, None))),
            "master" | "replica" | "slave" | "pubsub" => Ok(Reply::Verbatim(String::new())),
            other => Err(Reply::error(format!("ERR Unknown client type '{other}'"))),
        },
        ("id", _) => {
            let mut out = String::new();
            for at in 3..call.args.len() {
                let id = u64::try_from(call.int(at)?).unwrap_or(0);
                out.push_str(&call.server.client_lines(call.now, Some(id)));
            }
            Ok(Reply::Verbatim(out))
        }
        _ => Err(syntax()),
    }
}

fn kill(call: &mut Call<'_>) -> Answer {
    let mine = call.me.id;
    if call.args.len() == 3 {
        let address = String::from_utf8_lossy(call.arg(2)).into_owned();
        let found = call.server.clients.values_mut().find(|client| client.address == address);
        let Some(client) = found else { return Err(Reply::error("ERR No such client")) };
        client.killed = true;
        call.outcome.close = client.id == mine;
        return Ok(Reply::ok());
    }
    if call.args.len() % 2 == 1 {
        return Err(syntax());
    }
    let (mut id, mut address, mut user, mut skip) = (None, None, None, true);
    for at in (2..call.args.len()).step_by(2) {
        let value = String::from_utf8_lossy(call.arg(at + 1)).into_owned();
        match call.word(at).as_str() {
            "id" => id = Some(u64::try_from(call.int(at + 1)?).unwrap_or(0)),
            "addr" => address = Some(value),
            "user" => user = Some(value),
            "skipme" => skip = value.eq_ignore_ascii_case("yes"),
            "type" | "laddr" => {}
            _ => return Err(syntax()),
        }
    }
    let mut count = 0;
    for client in call.server.clients.values_mut() {
        let hit = id.is_none_or(|id| id == client.id)
            && address.as_ref().is_none_or(|address| *address == client.address)
            && user.as_ref().is_none_or(|user| *user == client.user)
            && !(skip && client.id == mine);
        if hit {
            client.killed = true;
            count += 1;
            call.outcome.close |= client.id == mine;
        }
    }
    Ok(Reply::count(count))
}

fn exec(call: &mut Call<'_>) -> Answer {
    let Some(queued) = call.me.queued.take() else {
        return Err(Reply::error("ERR EXEC without MULTI"));
    };
    let spoiled = call.me.spoiled;
    let watched = std::mem::take(&mut call.me.watched);
    call.me.end_transaction();
    if spoiled {
        return Err(Reply::error("EXECABORT Transaction discarded because of previous errors."));
    }
    let now = call.ms();
    let moved = watched.iter().any(|((db, key), held)| {
        let entry = call.server.keys.get(*db, key, now);
        entry.map(|entry| (&entry.value, entry.expires))
            != held.as_ref().map(|entry| (&entry.value, entry.expires))
    });
    if moved {
        return Ok(Reply::NullArray);
    }
    let mut out = Vec::new();
    for args in queued {
        let Some((spec, sub)) = specs(&args) else { continue };
        let mut inner = Call {
            args: &args,
            server: call.server,
            machine: call.machine,
            me: call.me,
            now: call.now,
            rng: call.rng,
            outcome: call.outcome,
        };
        out.push(super::perform(&mut inner, spec, sub));
    }
    Ok(Reply::Array(out))
}

impl Server {
    /// Lines of `CLIENT LIST`: all of them, or that of client `only`.
    fn client_lines(&self, now: base_model::Timestamp, only: Option<u64>) -> String {
        let seven = self.persona.seven;
        let mut out = String::new();
        let mut line = |client: &Client, fd: usize, mine: bool| {
            let flags = match (client.monitor, client.subscriptions) {
                (true, _) => "O",
                (false, (0, 0)) if client.multi >= 0 => "x",
                (false, (0, 0)) => "N",
                _ => "P",
            };
            let (sub, patterns) = client.subscriptions;
            let (buffer, free) = if mine {
                (26, if seven { 20_448 } else { 32_742 })
            } else {
                (0, if seven { 20_474 } else { 0 })
            };
            let head = format!(
                "id={} addr={} {}fd={fd} name={} age={} idle={} flags={flags} db={} sub={sub} psub={patterns} ",
                client.id,
                client.address,
                if seven { format!("laddr={} ", client.local) } else { String::new() },
                client.name,
                now.seconds() - client.since,
                now.seconds() - client.last,
                client.db,
            );
            out.push_str(&head);
            if seven {
                let arguments = if mine { 10 } else { 0 };
                let total = if mine { 37_658 } else { 22_272 };
                let reply = if mine { 16_384 } else { 1024 };
                out.push_str(&format!(
                    "ssub=0 multi={} qbuf={buffer} qbuf-free={free} argv-mem={arguments} multi-mem=0 rbs={reply} rbp={reply} obl=0 oll=0 omem=0 tot-mem={total} events=r cmd={} user={} redir=-1 resp={}\n",
                    client.multi, client.command, client.user, if client.three { 3 } else { 2 },
                ));
            } else {
                let command = client.command.split('|').next().unwrap_or_default();
                out.push_str(&format!(
                    "multi={} qbuf={buffer} qbuf-free={free} obl=0 oll=0 omem=0 events=r cmd={command} user={}\n",
                    client.multi, client.user,
                ));
            }
        };
        let own = self.own_clients(now);
        let others: Vec<&Client> = self.clients.values().filter(|client| !client.killed).collect();
        let all = own.iter().chain(others);
        for (at, client) in all.enumerate().filter(|(_, c)| only.is_none_or(|id| id == c.id)) {
            let asks = client.command.starts_with("client");
            line(client, 8 + at, asks && client.last == now.seconds());
        }
        out
    }

    /// The decky's own application, as the server sees it.
    fn own_clients(&self, now: base_model::Timestamp) -> Vec<Client> {
        let commands = ["get", "set", "hgetall", "ping"];
        let own = self.persona.own.iter().enumerate().map(|(at, (id, port))| {
            let since = self.persona.started + 40 + i64::try_from(at).unwrap_or(0) * 7;
            let beat = 5 + i64::try_from(*id).unwrap_or(0) * 3;
            Client {
                id: *id,
                address: format!("127.0.0.1:{port}"),
                local: "127.0.0.1:6379".to_owned(),
                name: String::new(),
                since,
                last: now.seconds() - now.seconds() % beat,
                db: 0,
                command: commands.get(at).copied().unwrap_or("get").to_owned(),
                user: "default".to_owned(),
                subscriptions: (0, 0),
                multi: -1,
                three: false,
                monitor: false,
                killed: false,
            }
        });
        own.filter(|client| client.since <= now.seconds()).collect()
    }

    /// Connections there are.
    pub(super) fn connected(&self, now: base_model::Timestamp) -> usize {
        self.own_clients(now).len() + self.clients.len()
    }
}

/// Random hexadecimal digits.
pub(super) fn fresh_hex(call: &mut Call<'_>, digits: usize) -> String {
    let mut bytes = vec![0; digits.div_ceil(2)];
    call.rng.fill_bytes(&mut bytes);
    let mut text = crate::redis::persona::hex(&bytes);
    text.truncate(digits);
    text
}
