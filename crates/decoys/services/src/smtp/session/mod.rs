//! One connection: commands in, Postfix's replies and events out.
//!
//! Lines are taken one by one, because a reply may have to wait (Postfix sleeps before it answers a
//! client that errs a lot), and what follows then waits with it. Commands are in rooms of their own:
//! `greeting` (with logins), `envelope`, `message`, `questions`.

mod envelope;
mod greeting;
mod message;
mod questions;

use std::time::Duration;

use base_model::catalogue;
use base_model::{Fact, Peer, Timestamp};
use decoys_host::HostHandle;
use decoys_kit::{Opening, StreamContext, StreamSession, TlsFacts, TlsOffer, TlsServer};

use super::command::words;
use super::data::{Data, Step};
use super::policy::Policy;
use super::sasl::{self, Exchange};

/// `smtpd_timeout`.
const TIMEOUT: Duration = Duration::from_secs(300);
/// `smtpd_soft_error_limit`, `smtpd_hard_error_limit`, `smtpd_error_sleep_time`.
const SOFT_ERRORS: u32 = 10;
const HARD_ERRORS: u32 = 20;
const ERROR_SLEEP: Duration = Duration::from_secs(1);
/// `smtpd_junk_command_limit`.
const JUNK: u32 = 100;
/// `line_length_limit`.
const MAX_LINE: usize = 2048;
/// `smtpd_sasl_response_limit`.
const MAX_RESPONSE: usize = 12_288;
/// `message_size_limit`.
const MAX_MESSAGE: usize = 10_240_000;
/// Input held while a reply waits; the network holds the rest.
const MAX_HELD: usize = 128 * 1024;
/// Longest secret kept.
const MAX_SECRET: usize = 1024;
/// Submission (RFC 6409).
const SUBMISSION: u16 = 587;

/// What EHLO lists after the host name; the one that is gone once the stream is encrypted among it.
const EXTENSIONS: &[&str] = &[
    "PIPELINING",
    "SIZE 10240000",
    "VRFY",
    "ETRN",
    STARTTLS,
    "AUTH PLAIN LOGIN",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "SMTPUTF8",
    "CHUNKING",
];

const STARTTLS: &str = "STARTTLS";

/// What the next bytes are.
enum Mode {
    Command,
    Sasl(Exchange),
    /// Text after DATA.
    Data(Data),
    /// Bytes of a chunk left, whether it is the last, its size, and the reply that refuses it.
    Chunk {
        left: u64,
        size: u64,
        last: bool,
        refusal: Option<String>,
    },
}

/// A reply that waits.
struct Delayed {
    due: Timestamp,
    text: String,
    closes: bool,
}

/// A mail transaction.
#[derive(Default)]
struct Transaction {
    sender: Vec<u8>,
    recipients: Vec<(Vec<u8>, Option<decoys_host::Account>)>,
    utf8: bool,
    /// Given at the first recipient.
    queue_id: String,
    /// What BDAT brought so far.
    chunks: Option<Data>,
    /// An earlier chunk was refused.
    failed: bool,
}

pub(super) struct SmtpSession {
    host: HostHandle,
    policy: Policy,
    peer: Peer,
    banner: String,
    fqdn: String,
    submission: bool,
    /// Postfix from 3.7 on words some refusals otherwise.
    modern: bool,
    helo: Option<(Vec<u8>, bool)>,
    user: Option<String>,
    tries: u32,
    transaction: Option<Transaction>,
    mode: Mode,
    errors: u32,
    junk: u32,
    input: Vec<u8>,
    line: Vec<u8>,
    /// The line was longer than what is kept of it.
    cut: bool,
    /// Facts were told that the next reply must wait for.
    told: bool,
    delayed: Option<Delayed>,
    deadline: Option<Timestamp>,
    /// The stream is about to be encrypted; what is plain is dropped.
    upgrading: bool,
    encrypted: bool,
    over: bool,
}

impl SmtpSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let host = opening.host;
        let fqdn = host.fqdn();
        let set = opening.settings.text("banner").or_else(|| opening.settings.text("smtp_banner"));
        let banner = match set {
            // A line end in a setting would let it say more than a greeting.
            Some(text) => text.chars().filter(|c| !c.is_control()).collect(),
            None => format!("{fqdn} ESMTP Postfix{}", host.distro().mail_banner()),
        };
        let banner = match banner.strip_prefix("220 ") {
            Some(_) => banner,
            None => format!("220 {banner}"),
        };
        let version = host.distro().package("postfix");
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let modern = (numbers.next(), numbers.next()) >= (Some(3), Some(7));
        Self {
            policy: Policy::new(host.clone()),
            host,
            peer: opening.peer,
            banner,
            fqdn,
            submission: opening.local.port == SUBMISSION,
            modern,
            helo: None,
            user: None,
            tries: 0,
            transaction: None,
            mode: Mode::Command,
            errors: 0,
            junk: 0,
            input: Vec::new(),
            line: Vec::new(),
            cut: false,
            told: false,
            delayed: None,
            deadline: None,
            upgrading: false,
            encrypted: false,
            over: false,
        }
    }

    fn tell(&mut self, cx: &mut StreamContext<'_>, fact: Fact) {
        cx.emit(fact);
        self.told = true;
    }

    /// Replies, after the pause that a client with many errors gets.
    fn say(&mut self, cx: &mut StreamContext<'_>, text: impl Into<String>) {
        self.say_after(cx, Duration::ZERO, text.into(), false);
    }

    fn say_after(
        &mut self,
        cx: &mut StreamContext<'_>,
        pause: Duration,
        text: String,
        closes: bool,
    ) {
        if std::mem::take(&mut self.told) {
            cx.commit();
        }
        let slow = if self.errors >= SOFT_ERRORS { ERROR_SLEEP } else { Duration::ZERO };
        let pause = pause + slow;
        if pause.is_zero() {
            self.send(cx, &text, closes);
        } else {
            self.delayed = Some(Delayed { due: cx.now() + pause, text, closes });
        }
    }

    fn send(&mut self, cx: &mut StreamContext<'_>, text: &str, closes: bool) {
        cx.send(format!("{text}\r\n"));
        if closes {
            self.end(cx);
        }
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.over = true;
        self.deadline = None;
        self.delayed = None;
        self.input = Vec::new();
        cx.close();
    }

    /// Replies to an error and counts it.
    fn fail(&mut self, cx: &mut StreamContext<'_>, text: impl Into<String>) {
        self.say(cx, text);
        self.errors += 1;
    }

    /// Works through the input as far as it goes.
    fn work(&mut self, cx: &mut StreamContext<'_>) {
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while !self.over && !self.upgrading && self.delayed.is_none() {
            if self.errors >= HARD_ERRORS {
                let text = format!("421 4.7.0 {} Error: too many errors", self.fqdn);
                self.say_after(cx, Duration::ZERO, text, true);
                continue;
            }
            if rest.is_empty() {
                break;
            }
            let used = match &mut self.mode {
                Mode::Command | Mode::Sasl(_) => self.take_line(cx, rest),
                Mode::Data(data) => match data.take(rest) {
                    Step::Goes => rest.len(),
                    Step::Ended(used) => {
                        self.data_ended(cx);
                        used
                    }
                },
                Mode::Chunk { .. } => self.take_chunk(cx, rest),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        if !self.over && !self.upgrading {
            self.input = rest.to_vec();
        }
    }

    /// Takes `input` up to the end of a line, and does what the line says once it is whole.
    fn take_line(&mut self, cx: &mut StreamContext<'_>, input: &[u8]) -> usize {
        let most = if matches!(self.mode, Mode::Sasl(_)) { MAX_RESPONSE } else { MAX_LINE };
        let end = input.iter().position(|&byte| byte == b'\n');
        let piece = input.get(..end.unwrap_or(input.len())).unwrap_or(input);
        let room = most.saturating_sub(self.line.len());
        self.cut |= piece.len() > room;
        self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
        let Some(end) = end else { return input.len() };
        let mut line = std::mem::take(&mut self.line);
        while line.last().is_some_and(u8::is_ascii_whitespace) {
            line.pop();
        }
        let cut = std::mem::take(&mut self.cut);
        match std::mem::replace(&mut self.mode, Mode::Command) {
            Mode::Sasl(_) if cut => self.fail(cx, "500 5.5.6 SASL response limit exceeded"),
            Mode::Sasl(exchange) => {
                let step = sasl::go_on(exchange, &line);
                self.authenticate(cx, step);
            }
            _ => {
                if cut {
                    self.tell(cx, catalogue::protocol_error("line too long", &line));
                }
                self.command(cx, &line);
            }
        }
        end + 1
    }

    fn command(&mut self, cx: &mut StreamContext<'_>, line: &[u8]) {
        if std::str::from_utf8(line).is_err() {
            self.tell(cx, catalogue::unknown_command(line));
            return self.fail(cx, "500 5.5.2 Error: bad UTF-8 syntax");
        }
        let words = words(line);
        let Some((verb, arguments)) = words.split_first() else {
            return self.fail(cx, "500 5.5.2 Error: bad syntax");
        };
        let upper = verb.to_ascii_uppercase();
        if matches!(upper.as_slice(), b"NOOP" | b"RSET" | b"VRFY" | b"ETRN") {
            self.junk += 1;
            if self.junk > JUNK {
                self.errors += 1;
            }
        }
        match upper.as_slice() {
            b"HELO" | b"EHLO" => self.helo(cx, &upper, arguments),
            b"AUTH" => self.auth(cx, arguments),
            b"MAIL" => self.mail(cx, line, arguments),
            b"RCPT" => self.rcpt(cx, arguments),
            b"DATA" => self.data(cx, arguments),
            b"BDAT" => self.bdat(cx, arguments),
            b"RSET" if arguments.is_empty() => {
                self.transaction = None;
                self.say(cx, "250 2.0.0 Ok");
            }
            b"RSET" => self.fail(cx, "501 5.5.4 Syntax: RSET"),
            b"NOOP" => self.say(cx, "250 2.0.0 Ok"),
            b"VRFY" => self.vrfy(cx, arguments),
            b"ETRN" => self.etrn(cx, arguments),
            b"QUIT" => self.say_after(cx, Duration::ZERO, "221 2.0.0 Bye".to_owned(), true),
            b"STARTTLS" => self.start_tls(cx, arguments),
            b"XCLIENT" | b"XFORWARD" if self.transaction.is_some() => {
                self.fail(cx, "503 5.5.1 Error: MAIL transaction in progress");
            }
            b"XCLIENT" | b"XFORWARD" => {
                self.fail(cx, "550 5.7.0 Error: insufficient authorization");
            }
            _ => self.unknown(cx, line, &upper),
        }
    }

    fn start_tls(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        if !arguments.is_empty() {
            return self.fail(cx, "501 5.5.4 Syntax: STARTTLS");
        }
        if self.encrypted {
            return self.fail(cx, "554 5.5.1 Error: TLS already active");
        }
        if std::mem::take(&mut self.told) {
            cx.commit();
        }
        self.send(cx, "220 2.0.0 Ready to start TLS", false);
        self.upgrading = true;
        cx.start_tls();
    }
}

impl StreamSession for SmtpSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.deadline = Some(cx.now() + TIMEOUT);
        let banner = self.banner.clone();
        self.send(cx, &banner, false);
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if self.over || self.upgrading {
            return;
        }
        self.deadline = Some(cx.now() + TIMEOUT);
        let room = if self.delayed.is_some() {
            MAX_HELD.saturating_sub(self.input.len())
        } else {
            bytes.len()
        };
        self.input.extend(bytes.iter().take(room));
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if self.over {
            return;
        }
        if self.delayed.as_ref().is_some_and(|delayed| delayed.due <= cx.now())
            && let Some(delayed) = self.delayed.take()
        {
            self.deadline = Some(cx.now() + TIMEOUT);
            self.send(cx, &delayed.text, delayed.closes);
            self.work(cx);
        } else if self.delayed.is_none() && self.deadline.is_some_and(|at| at <= cx.now()) {
            let text = format!("421 4.4.2 {} Error: timeout exceeded", self.fqdn);
            self.send(cx, &text, true);
        }
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        if !self.over && matches!(self.mode, Mode::Data(_) | Mode::Chunk { .. }) {
            let sample = self.transaction.as_ref().map_or(&b""[..], |t| t.sender.as_slice());
            cx.emit(catalogue::protocol_error("connection closed within a message", sample));
        }
        self.over = true;
        self.deadline = None;
        self.delayed = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.delayed {
            Some(delayed) => Some(delayed.due),
            None => self.deadline,
        }
    }

    fn reads(&self) -> bool {
        self.delayed.is_none()
    }

    fn tls(&self) -> TlsOffer {
        TlsOffer::of(TlsServer::Postfix)
    }

    fn on_tls(&mut self, cx: &mut StreamContext<'_>, _facts: &TlsFacts) {
        self.upgrading = false;
        self.encrypted = true;
        // Everything said before counts no more (RFC 3207 §4.2).
        self.helo = None;
        self.transaction = None;
        self.line.clear();
        self.cut = false;
        self.deadline = Some(cx.now() + TIMEOUT);
    }
}

/// `bytes` as Postfix prints what it does not trust.
fn shown(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(bytes).chars().map(printable).collect()
}
