//! One SSH connection as a state machine without I/O: bytes and time in, bytes and effects out.
//!
//! What the session wants goes through its outbox in order; a reply behind an effect on the world
//! waits until [`Connection::performed`] says that this is done. Meanwhile the client's messages go
//! on to be read, unless one of them must be answered first or too much waits.

mod messages;

use base_model::{Timestamp, catalogue};
use chacha20::ChaCha12Rng;
use decoys_kit::ssh::{AuthAnswer, SshReply, SshSession};
use rand_core::{Rng as _, SeedableRng as _};

use super::auth;
use super::brain::{Act, Brain};
use super::channel::{Channels, Input, Piece};
use super::ident::{Client, Ident};
use super::keys::HostKeys;
use super::numbers;
use super::offer;
use super::transport::{End, Transport};
use super::wire::Put as _;
use crate::world::Outward;

/// Bytes that wait for the client or the disk, from which on nothing is read from the client.
const FULL: usize = 1024 * 1024;
/// Bytes that wait, at which the connection is given up: one step of a session made too many.
const TOO_MUCH: usize = 64 * 1024 * 1024;
/// Bytes read at once.
const READ: usize = 16 * 1024;
/// Bytes read from a client while nothing is taken from them.
const AHEAD: usize = 64 * 1024;
/// Bytes of a message that offends, kept with the fact.
const SAMPLE: usize = 1024;

enum Phase {
    /// Its first line is coming.
    Ident(Ident),
    /// Not authenticated; whether the service for that was asked for.
    Login { serviced: bool },
    /// Authenticated.
    Open,
}

/// Authentication that is going on.
#[derive(Default)]
struct Login {
    /// A try is with the session.
    pending: bool,
    /// So many prompts are with the client, for this user.
    prompts: Option<(usize, Vec<u8>)>,
    /// Who the pending try is for.
    user: Vec<u8>,
}

/// A connection.
pub(super) struct Connection {
    brain: Brain,
    transport: Transport,
    phase: Phase,
    login: Login,
    channels: Channels,
    payload: Vec<u8>,
    /// An effect on the world is being performed.
    performing: bool,
    no_more_sessions: bool,
    /// The client sends nothing more.
    ended: bool,
    over: bool,
}

impl Connection {
    pub(super) fn new(session: Box<dyn SshSession>, mut rng: ChaCha12Rng, keys: HostKeys) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let brain = Brain::new(session, rng);
        let offer = offer::of(brain.banner());
        let own = ChaCha12Rng::from_seed(seed);
        let transport = Transport::new(offer, keys, own, brain.banner());
        Self {
            brain,
            transport,
            phase: Phase::Ident(Ident::default()),
            login: Login::default(),
            channels: Channels::default(),
            payload: Vec::new(),
            performing: false,
            no_more_sessions: false,
            ended: false,
            over: false,
        }
    }

    /// The client is there.
    pub(super) fn begin(&mut self, now: Timestamp) {
        let line = format!("{}\r\n", self.brain.banner());
        self.transport.write(line.as_bytes());
        self.brain.step(now, |session, cx| session.on_open(cx));
        self.advance(now);
    }

    /// How many bytes to read next; none while enough waits.
    pub(super) fn room(&self) -> usize {
        match &self.phase {
            _ if self.over || self.ended => 0,
            Phase::Ident(ident) if !ident.is_promising() => 1,
            Phase::Ident(_) => READ,
            Phase::Login { .. } | Phase::Open => {
                if self.takes() || self.transport.waiting() < AHEAD { READ } else { 0 }
            }
        }
    }

    /// Bytes came.
    pub(super) fn receive(&mut self, now: Timestamp, bytes: &[u8]) {
        let mut bytes = bytes;
        if let Phase::Ident(ident) = &mut self.phase {
            let Some((client, taken)) = ident.take(bytes) else { return };
            bytes = bytes.get(taken..).unwrap_or_default();
            match client {
                Client::Ssh(line) => {
                    self.phase = Phase::Login { serviced: false };
                    self.brain.step(now, |session, cx| session.on_client(cx, &line));
                    self.transport.start(&line);
                }
                Client::Other(line, answer) => {
                    self.transport.write(answer);
                    self.refuse_ident(now, &line);
                    return;
                }
            }
        }
        self.transport.push(bytes);
        self.advance(now);
    }

    /// No more bytes will come. What came is still served.
    pub(super) fn end_of_input(&mut self, now: Timestamp) {
        self.ended = true;
        if let Phase::Ident(ident) = &mut self.phase {
            let line = std::mem::take(ident).into_line();
            if !line.is_empty() {
                self.refuse_ident(now, &line);
            }
            self.over = true;
        }
        self.advance(now);
    }

    /// The instant given by [`Self::poll_timeout`] has come.
    pub(super) fn timeout(&mut self, now: Timestamp) {
        self.brain.step(now, |session, cx| session.on_timeout(cx));
        self.advance(now);
    }

    /// When [`Self::timeout`] wants to be called next. Programs rest while client or disk do not
    /// take what they have written.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        if self.over || self.is_full() { None } else { self.brain.poll_timeout() }
    }

    /// The next effect on the world, to be performed before anything behind it.
    pub(super) fn outward(&mut self) -> Option<Outward> {
        if self.performing || !matches!(self.brain.front(), Some(Act::Out(_))) {
            return None;
        }
        match self.brain.pop() {
            Some(Act::Out(outward)) => {
                self.performing = true;
                Some(outward)
            }
            _ => None,
        }
    }

    /// What [`Self::outward`] gave is done.
    pub(super) fn performed(&mut self, now: Timestamp) {
        self.performing = false;
        self.advance(now);
    }

    /// Bytes for the client.
    pub(super) fn output(&self) -> &[u8] {
        self.transport.output()
    }

    /// So many of them are sent.
    pub(super) fn sent(&mut self, now: Timestamp, count: usize) {
        self.transport.sent(count);
        self.advance(now);
    }

    /// Whether only output and effects are left.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// Gives the connection up; `panicked` when a step of it did, so that no other may follow.
    pub(super) fn close(&mut self, now: Timestamp, panicked: bool) {
        self.over = true;
        if panicked {
            self.brain.collect();
        } else {
            self.brain.step(now, |session, cx| session.on_close(cx));
        }
    }

    /// The next effect on the world of a connection that is closed.
    pub(super) fn last_outward(&mut self) -> Option<Outward> {
        loop {
            if let Act::Out(outward) = self.brain.pop()? {
                return Some(outward);
            }
        }
    }

    /// As after a long time.
    #[cfg(test)]
    pub(super) const fn wear_out(&mut self) {
        self.transport.wear_out();
    }

    fn refuse_ident(&mut self, now: Timestamp, line: &[u8]) {
        let why = "not an SSH identification string";
        self.brain.step(now, |_, cx| cx.emit(catalogue::protocol_error(why, line)));
        self.over = true;
    }

    /// Whether a message may be taken from the client.
    fn takes(&self) -> bool {
        // An exchange of keys must go on, or nothing else can.
        self.transport.is_exchanging()
            || !self.login.pending
                && self.brain.waiting() < FULL
                && self.transport.output().len() < FULL
    }

    fn is_full(&self) -> bool {
        self.brain.waiting() + self.transport.output().len() > FULL
    }

    /// Goes on as far as possible.
    fn advance(&mut self, now: Timestamp) {
        while !self.over {
            self.perform();
            self.channels.flush(&mut self.transport);
            while let Some((channel, full)) = self.channels.next_full() {
                self.brain.step(now, |session, _| session.on_full(channel, full));
            }
            if self.brain.waiting() + self.channels.waiting() > TOO_MUCH {
                return self.end(now, End::hangup("too much waits for the client"));
            }
            if self.over || matches!(self.phase, Phase::Ident(_)) {
                return;
            }
            if !self.takes() {
                // Who sends nothing more and takes nothing either will not change.
                self.over = self.ended && self.transport.output().len() >= FULL;
                return;
            }
            if let Some((channel, input)) = self.channels.next_input(&mut self.transport) {
                self.brain.step(now, |session, cx| match &input {
                    Input::Data(bytes) => session.on_data(cx, channel, bytes),
                    Input::Eof => session.on_eof(cx, channel),
                });
                continue;
            }
            let mut payload = std::mem::take(&mut self.payload);
            let next = self.transport.next(&mut payload);
            if let Some(lists) = self.transport.take_lists() {
                self.brain.step(now, |session, cx| session.on_lists(cx, &lists));
            }
            let goes = match next {
                Ok(Some(number)) => self.message(now, number, &payload).map(|()| true),
                Ok(None) => Ok(false),
                Err(end) => Err(end),
            };
            self.payload = payload;
            match goes {
                Ok(true) => {}
                Ok(false) => {
                    self.over = self.ended;
                    // What the last message led to.
                    if !self.acts() {
                        return;
                    }
                }
                Err(end) => return self.end(now, end),
            }
        }
    }

    /// Whether the outbox has something for the client.
    fn acts(&self) -> bool {
        !self.performing
            && !self.transport.is_exchanging()
            && self.brain.front().is_some_and(|act| !matches!(act, Act::Out(_)))
    }

    /// Acts on the client until an effect on the world is next.
    fn perform(&mut self) {
        while !self.over && self.acts() {
            match self.brain.pop() {
                Some(Act::Reply(reply)) => self.reply(reply),
                Some(Act::Message(message)) => self.transport.send(&message),
                Some(Act::Gone(channel)) => self.channels.gone(channel, &mut self.transport),
                Some(Act::Out(_)) | None => return,
            }
        }
    }

    fn reply(&mut self, reply: SshReply) {
        match reply {
            SshReply::Auth(answer) => self.authenticate(&answer),
            SshReply::Opened(channel, accepted) => {
                self.channels.confirm(channel, accepted, &mut self.transport);
            }
            SshReply::Requested(channel, accepted) => {
                self.channels.answer(channel, accepted, &mut self.transport);
            }
            SshReply::Data(channel, bytes) => self.channels.put(channel, Piece::Data(bytes)),
            SshReply::Stderr(channel, bytes) => self.channels.put(channel, Piece::Stderr(bytes)),
            SshReply::ExitStatus(channel, status) => {
                self.channels.put(channel, Piece::ExitStatus(status));
            }
            SshReply::Eof(channel) => self.channels.put(channel, Piece::Eof),
            SshReply::Close(channel) => self.channels.put(channel, Piece::Close),
            SshReply::Disconnect(code, text) => {
                self.channels.flush(&mut self.transport);
                self.transport.disconnect(code, &text);
                self.over = true;
            }
            SshReply::Hangup => self.over = true,
        }
    }

    fn authenticate(&mut self, answer: &AuthAnswer) {
        if !std::mem::take(&mut self.login.pending) || matches!(self.phase, Phase::Open) {
            return;
        }
        self.transport.send(&auth::message(answer));
        match answer {
            AuthAnswer::Prompt(prompts) => {
                self.login.prompts = Some((prompts.len(), std::mem::take(&mut self.login.user)));
            }
            AuthAnswer::Reject(_) => {}
            AuthAnswer::Accept => {
                self.phase = Phase::Open;
                self.login = Login::default();
                self.transport.authenticated();
                self.tell_host_keys();
            }
        }
    }

    /// Tells the client of all host keys (OpenSSH's PROTOCOL §2.5).
    fn tell_host_keys(&mut self) {
        let mut message = vec![numbers::GLOBAL_REQUEST];
        message.put_string(b"hostkeys-00@openssh.com");
        message.put_bool(false);
        for key in self.transport.keys().iter() {
            message.put_string(&key.blob);
        }
        self.transport.send(&message);
    }

    fn end(&mut self, now: Timestamp, end: End) {
        let sample = self.payload.get(..SAMPLE).unwrap_or(&self.payload).to_vec();
        self.over = true;
        let why = match end {
            End::ByClient => return,
            End::Hangup(why) => why,
            End::Disconnect(code, text) => {
                self.transport.disconnect(code, &text);
                text
            }
        };
        tracing::debug!(%why, "ssh client broke the protocol");
        self.brain.step(now, |_, cx| cx.emit(catalogue::protocol_error(&why, &sample)));
    }
}
