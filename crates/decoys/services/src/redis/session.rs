//! The state machine: requests in, answers and events out.

use std::time::Duration;

use base_model::catalogue::{self, Captured, DatabaseAuth, KeyValueCommand};
use base_model::{Secret, SecretKind, Timestamp};
use decoys_host::HostHandle;
use decoys_kit::{Opening, StreamContext, StreamSession};

use super::commands::{self, Call, Me, Outcome, Written};
use super::parser::{Parsed, Parser, Rules};
use super::replies::Reply;
use super::server::{Server, Told};

/// Answers of one step; what waits is worked on in the next.
const MAX_OUTPUT: usize = 512 * 1024;
/// Commands of one step.
const MAX_COMMANDS: usize = 512;
/// Requests that wait while answers are being taken; more ends the connection.
const MAX_WAITING: usize = 2 * 1024 * 1024;
/// How often a connection that is told things looks for them.
const LISTEN: Duration = Duration::from_millis(250);
/// Between two steps of work that waits.
const BREATH: Duration = Duration::from_millis(1);
/// Bytes of what was not the protocol that are kept.
const SAMPLE: usize = 512;

pub(super) struct RedisSession {
    host: HostHandle,
    address: String,
    local: String,
    parser: Parser,
    me: Option<Me>,
    /// Where to go on in what is told to all.
    heard: u64,
    attempts: u32,
    over: bool,
    /// What waits is worked on in the next step.
    more: bool,
    wake: Option<Timestamp>,
}

impl RedisSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let place = |peer: base_model::Peer| match peer.ip {
            std::net::IpAddr::V4(ip) => format!("{ip}:{}", peer.port),
            std::net::IpAddr::V6(ip) => format!("[{ip}]:{}", peer.port),
        };
        Self {
            host: opening.host,
            address: place(opening.peer),
            local: place(opening.local),
            parser: Parser::default(),
            me: None,
            heard: 0,
            attempts: 0,
            over: false,
            more: false,
            wake: None,
        }
    }

    /// Works on what waits, as far as one step goes.
    fn work(&mut self, cx: &mut StreamContext<'_>) {
        let mut out = Vec::new();
        let mut facts = Facts::default();
        let mut done = 0;
        let mut close = false;
        while !close && out.len() < MAX_OUTPUT && done < MAX_COMMANDS {
            let Some(me) = &self.me else { return };
            let rules = Rules { stranger: !me.known, seven: self.seven() };
            match self.parser.next(rules) {
                Parsed::Need => break,
                Parsed::Bad(why) => {
                    let fact = catalogue::protocol_error(&why, self.parser.last_line());
                    facts.0.push(Said::Fact(fact));
                    Reply::Error(format!("ERR {why}")).write(false, &mut out);
                    close = true;
                }
                Parsed::Done(args) => {
                    done += 1;
                    close = self.command(cx, &args, &mut out, &mut facts);
                }
            }
        }
        let more = done >= MAX_COMMANDS || out.len() >= MAX_OUTPUT;
        facts.tell(cx);
        if !out.is_empty() {
            cx.send(out);
        }
        if close || self.parser.waiting() > MAX_WAITING {
            return self.end(cx);
        }
        self.more = more;
        self.wake = if more { Some(cx.now() + BREATH) } else { self.listen(cx.now()) };
    }

    fn seven(&self) -> bool {
        self.host.with(|machine| machine.with_kept(|_, server: &mut Server| server.persona.seven))
    }

    /// When to look for what is told to all.
    fn listen(&self, now: Timestamp) -> Option<Timestamp> {
        let listens = self.me.as_ref().is_some_and(|me| me.listens() || me.monitor);
        listens.then(|| now + LISTEN)
    }

    /// Runs one command; says whether the connection ends.
    fn command(
        &mut self,
        cx: &mut StreamContext<'_>,
        args: &[Vec<u8>],
        out: &mut Vec<u8>,
        facts: &mut Facts,
    ) -> bool {
        let Some(me) = &mut self.me else { return true };
        // A browser that was led here by another site says so; the server hangs up.
        let name = args.first().map_or(&[][..], Vec::as_slice);
        if name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:") {
            let line = args.join(&b' ');
            let sample = line.get(..SAMPLE).unwrap_or(&line);
            facts.0.push(Said::Fact(catalogue::protocol_error("cross-protocol request", sample)));
            return true;
        }
        let (db, user) = (me.db, me.user.clone());
        let now = cx.now();
        let mut outcome = Outcome::default();
        let (address, heard) = (&self.address, &mut self.heard);
        let reply = self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                let was_listening = me.monitor || me.listens();
                before(server, me, args, address, now);
                let reply = commands::run(&mut Call {
                    args,
                    server,
                    machine,
                    me,
                    now,
                    rng: cx.rng(),
                    outcome: &mut outcome,
                });
                after(server, me, &reply);
                if !was_listening {
                    *heard = server.told_since(0).1;
                }
                reply
            })
        });
        let skipped = me.silent.0 || me.silent.1 == 1;
        me.silent.1 = me.silent.1.saturating_sub(1);
        if !skipped {
            reply.write(me.three, out);
        }
        let login = !outcome.logins.is_empty();
        for (principal, password, accepted) in outcome.logins {
            self.attempts += 1;
            facts.login(principal.as_deref(), &password, accepted, self.attempts);
        }
        // The words of a login are in its own event.
        if !(login && name.eq_ignore_ascii_case(b"auth")) {
            facts.0.push(Said::Command(
                args.to_vec(),
                db,
                user,
                reply.failure().map(str::to_owned),
            ));
        }
        for file in outcome.written {
            facts.0.push(Said::File(file));
        }
        outcome.close
    }

    /// Sends what others did, to a connection that listens.
    fn hear(&mut self, cx: &mut StreamContext<'_>) {
        let Some(me) = &self.me else { return };
        let from = self.heard;
        let (told, next, killed) = self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                let (told, next) = server.told_since(from);
                let killed = server.clients.get(&me.id).is_some_and(|client| client.killed);
                (told, next, killed)
            })
        });
        self.heard = next;
        let mut out = Vec::new();
        for told in told {
            match told {
                Told::Command(line) if me.monitor => Reply::Simple(line).write(false, &mut out),
                Told::Message(channel, message) => {
                    let bulk = |bytes: &[u8]| Reply::Bulk(bytes.to_vec());
                    if me.channels.contains(&channel) {
                        let items = vec![Reply::text("message"), bulk(&channel), bulk(&message)];
                        Reply::Push(items).write(me.three, &mut out);
                    }
                    for pattern in me.patterns.iter().filter(|p| commands::glob(p, &channel)) {
                        let kind = Reply::text("pmessage");
                        let items = vec![kind, bulk(pattern), bulk(&channel), bulk(&message)];
                        Reply::Push(items).write(me.three, &mut out);
                    }
                }
                Told::Command(_) => {}
            }
        }
        if !out.is_empty() {
            cx.send(out);
        }
        if killed {
            self.end(cx);
        }
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.over = true;
        self.wake = None;
        self.parser.end();
        cx.close();
    }
}

/// What the server notes when a command comes in.
fn before(server: &mut Server, me: &Me, args: &[Vec<u8>], address: &str, now: Timestamp) {
    server.counts.commands += 1;
    let name = args.first().map_or(&[][..], Vec::as_slice);
    let lower = String::from_utf8_lossy(name.get(..64).unwrap_or(name)).to_ascii_lowercase();
    if let Some(client) = server.clients.get_mut(&me.id) {
        client.last = now.seconds();
        client.command = match commands::specs(args) {
            Some((_, Some(sub))) => sub.name.replace(' ', "|"),
            Some((spec, None)) => spec.name.to_owned(),
            None => "NULL".to_owned(),
        };
    }
    let secret = lower == "auth" || lower == "hello" || lower == "monitor";
    if server.is_monitored() && me.known && !secret {
        let words: Vec<String> =
            args.iter().map(|arg| format!("\"{}\"", arg.escape_ascii())).collect();
        let micros = now.micros();
        server.tell(Told::Command(format!(
            "{}.{:06} [{} {address}] {}",
            micros.div_euclid(1_000_000),
            micros.rem_euclid(1_000_000),
            me.db,
            words.join(" ")
        )));
    }
}

/// What the server notes when it has answered.
fn after(server: &mut Server, me: &Me, reply: &Reply) {
    if let Some(client) = server.clients.get_mut(&me.id) {
        me.show(client);
    }
    server.heard.retain(|(id, _), _| *id != me.id);
    // The table of listeners is as large as connections and channels may be.
    for (channel, pattern) in
        me.channels.iter().map(|c| (c, false)).chain(me.patterns.iter().map(|p| (p, true)))
    {
        if server.heard.len() < 16_384 {
            server.heard.insert((me.id, channel.clone()), pattern);
        }
    }
    if let Some(code) = reply.failure().and_then(|text| text.split(' ').next())
        && (server.counts.errors.len() < 64 || server.counts.errors.contains_key(code))
    {
        *server.counts.errors.entry(code.to_owned()).or_default() += 1;
    }
}

/// Something to be told.
enum Said {
    Fact(base_model::Fact),
    Command(Vec<Vec<u8>>, usize, String, Option<String>),
    File(Written),
}

/// What is to be told of one step, before its answers go out.
#[derive(Default)]
struct Facts(Vec<Said>);

impl Facts {
    fn login(&mut self, principal: Option<&[u8]>, password: &[u8], accepted: bool, attempts: u32) {
        let secret = Secret { kind: SecretKind::Plaintext, bytes: password.to_vec() };
        self.0.push(Said::Fact(catalogue::database_auth(&DatabaseAuth {
            principal,
            secret: Some(secret),
            method: "password",
            accepted,
            ..DatabaseAuth::default()
        })));
        if accepted {
            let user = principal.unwrap_or(b"default");
            self.0.push(Said::Fact(catalogue::login_success(user, "password", attempts)));
        }
    }

    fn tell(self, cx: &mut StreamContext<'_>) {
        if self.0.is_empty() {
            return;
        }
        for said in self.0 {
            match said {
                Said::Fact(fact) => cx.emit(fact),
                Said::Command(args, database, user, error) => {
                    let line = args.join(&b' ');
                    let blob = catalogue::needs_blob(&line).then(|| cx.keep(line));
                    cx.emit(catalogue::key_value_command(&KeyValueCommand {
                        args: &args,
                        blob,
                        database,
                        user: &user,
                        error,
                    }));
                }
                Said::File(Written { path, content, uid }) => {
                    let now = cx.now();
                    let size = content.len() as u64;
                    let sha256 = cx.keep(content);
                    let file = Captured {
                        sha256,
                        size,
                        path: &path,
                        user: if uid == 0 { "root" } else { "redis" },
                        uid,
                        writer: "redis-server",
                        mtime: now,
                    };
                    cx.emit(catalogue::database_file(now, &file, "rdb_write"));
                }
            }
        }
        cx.commit();
    }
}

impl StreamSession for RedisSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        let now = cx.now();
        let (address, local) = (self.address.clone(), self.local.clone());
        self.me = Some(self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                let id = server.connect(address, local, now);
                Me::new(id, server)
            })
        }));
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if self.over {
            return;
        }
        self.parser.feed(bytes);
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if self.over || self.wake.is_none_or(|wake| wake > cx.now()) {
            return;
        }
        if self.parser.waiting() > 0 {
            self.work(cx);
        }
        if !self.over && self.listen(cx.now()).is_some() {
            self.hear(cx);
        }
        if !self.over && self.wake.is_some_and(|wake| wake <= cx.now()) {
            self.wake = self.listen(cx.now());
        }
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        // What came before the end is evidence, if nobody will read its answers.
        if self.more && !self.over {
            self.work(cx);
        }
        if !self.over && self.parser.waiting() > 0 {
            let sample = self.parser.rest();
            let sample = sample.get(..SAMPLE).unwrap_or(sample);
            cx.emit(catalogue::protocol_error("connection closed within a request", sample));
        }
        self.over = true;
        self.wake = None;
        if let Some(me) = self.me.take() {
            self.host.with(|machine| {
                machine.with_kept(|_, server: &mut Server| {
                    server.clients.remove(&me.id);
                    server.heard.retain(|(id, _), _| *id != me.id);
                });
            });
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.wake
    }

    fn reads(&self) -> bool {
        !self.more
    }
}
