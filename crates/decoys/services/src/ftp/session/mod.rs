//! One connection: commands in, the server's replies and events out, files over the data connection.
//!
//! A command that needs the data connection is a [`Job`] that waits for it; the commands after it wait
//! with it, except `ABOR`. `login` lets in, `inside` answers what needs no data connection, `data` does the
//! rest.

mod data;
mod inside;
mod login;

use std::time::Duration;

use base_model::catalogue;
use base_model::{Fact, Peer, Secret, Timestamp};
use decoys_host::HostHandle;
use decoys_host::persona::{self, FtpServer};
use decoys_kit::{Opening, Side, SideEvent, StreamContext, StreamSession, TlsFacts, TlsOffer};

use super::command::{self, Command};
use super::dialect::{self, Say};
use super::security::{self, Answer, Security};
use super::transfer::{Channel, Job};
use super::view::View;

/// Longest command line.
const MAX_LINE: usize = 4096;
/// Input held while a job or a pause lasts; the network holds the rest.
const MAX_HELD: usize = 64 * 1024;
/// Longest secret kept.
const MAX_SECRET: usize = 1024;
/// Entries of a listing.
const MAX_ENTRIES: usize = 10_000;

/// A reply that waits.
struct Delayed {
    due: Timestamp,
    text: String,
    closes: bool,
}

/// How logins are decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Mixed,
    Always,
    Never,
    AnonymousOnly,
}

pub(super) struct FtpSession {
    host: HostHandle,
    server: FtpServer,
    peer: Peer,
    local: Peer,
    banner: Option<String>,
    anonymous: bool,
    mode: Mode,
    user: Option<Vec<u8>>,
    view: Option<View>,
    failures: u32,
    tries: u32,
    binary: bool,
    restart: u64,
    rename: Option<Vec<u8>>,
    channel: Channel,
    job: Option<(Job, Timestamp)>,
    running: bool,
    security: Security,
    /// The control connection is about to be encrypted; what is plain is dropped.
    upgrading: bool,
    /// The data connection is about to be.
    securing: bool,
    /// When the job began, or is given up.
    job_until: Option<Timestamp>,
    sent: u64,
    received: u64,
    input: Vec<u8>,
    /// The line being answered, when its answer is told of as a command.
    told_as: Option<Vec<u8>>,
    told: bool,
    delayed: Option<Delayed>,
    deadline: Option<Timestamp>,
    over: bool,
}

impl FtpSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let host = opening.host;
        let settings = opening.settings;
        let server = match settings.text("server") {
            Some("vsftpd") => FtpServer::Vsftpd,
            Some("proftpd") => FtpServer::ProFtpd,
            Some("pure-ftpd") => FtpServer::PureFtpd,
            _ => persona::ftp_server(host.decky()),
        };
        let own = host.choices().range("ftp.anonymous", 0, 1) == 1;
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect();
        Self {
            server,
            peer: opening.peer,
            local: opening.local,
            banner: settings.text("banner").map(clean),
            anonymous: settings.flag("anonymous").unwrap_or(own),
            mode: match settings.text("mode") {
                Some("always") => Mode::Always,
                Some("never") => Mode::Never,
                Some("anonymous") => Mode::AnonymousOnly,
                _ => Mode::Mixed,
            },
            host,
            user: None,
            view: None,
            failures: 0,
            tries: 0,
            binary: false,
            restart: 0,
            rename: None,
            channel: Channel::None,
            job: None,
            running: false,
            security: Security {
                offered: settings.flag("tls").unwrap_or(true),
                ..Security::default()
            },
            upgrading: false,
            securing: false,
            job_until: None,
            sent: 0,
            received: 0,
            input: Vec::new(),
            told_as: None,
            told: false,
            delayed: None,
            deadline: None,
            over: false,
        }
    }

    fn touch(&mut self, now: Timestamp) {
        self.deadline = Some(now + Duration::from_secs(dialect::idle_seconds(self.server)));
    }

    fn tell(&mut self, cx: &mut StreamContext<'_>, fact: Fact) {
        cx.emit(fact);
        self.told = true;
    }

    fn say(&mut self, cx: &mut StreamContext<'_>, what: Say<'_>) {
        self.reply(cx, &dialect::say(self.server, what));
    }

    /// Sends a reply once what it concerns is durable.
    fn reply(&mut self, cx: &mut StreamContext<'_>, text: &str) {
        if let Some(line) = self.told_as.take() {
            let code = text.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            self.tell(cx, catalogue::ftp_command(&line, code));
        }
        if std::mem::take(&mut self.told) {
            cx.commit();
        }
        cx.send(format!("{text}\r\n"));
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.over = true;
        self.deadline = None;
        self.delayed = None;
        self.job = None;
        self.input = Vec::new();
        cx.side(Side::Close);
        cx.close();
    }

    fn greeting(&self, now: Timestamp) -> String {
        if let Some(banner) = &self.banner {
            return format!("220 {banner}");
        }
        let utc = now.to_utc();
        match self.server {
            FtpServer::Vsftpd => format!("220 (vsFTPd {})", self.version()),
            FtpServer::ProFtpd => {
                // Debian's configuration names the system, others keep to what it says by itself.
                match self.host.distro().mail_label.split('/').next() {
                    Some(label) if !label.is_empty() => {
                        format!("220 ProFTPD Server ({label}) [{}]", self.local.ip)
                    }
                    _ => "220 FTP Server ready.".to_owned(),
                }
            }
            FtpServer::PureFtpd => {
                let private = if self.anonymous {
                    ""
                } else {
                    "220-This is a private system - No anonymous login\r\n"
                };
                format!(
                    "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n\
                     220-You are user number 1 of 50 allowed.\r\n\
                     220-Local time is now {:02}:{:02}. Server port: {}.\r\n{private}\
                     220-IPv6 connections are also welcome on this server.\r\n\
                     220 You will be disconnected after 15 minutes of inactivity.",
                    utc.hour(),
                    utc.minute(),
                    self.local.port
                )
            }
        }
    }

    fn version(&self) -> &'static str {
        self.host.distro().package(match self.server {
            FtpServer::Vsftpd => "vsftpd",
            FtpServer::ProFtpd => "proftpd",
            FtpServer::PureFtpd => "pure-ftpd",
        })
    }

    fn is_waiting(&self) -> bool {
        let opening = matches!(self.channel, Channel::Opening { .. });
        self.delayed.is_some() || self.job.is_some() || opening
    }

    fn work(&mut self, cx: &mut StreamContext<'_>) {
        while !self.over && !self.upgrading {
            let Some(end) = self.input.iter().position(|&byte| byte == b'\n') else {
                if self.input.len() > MAX_LINE && !self.is_waiting() {
                    let sample = self.input.get(..256).unwrap_or_default().to_vec();
                    self.tell(cx, catalogue::protocol_error("line too long", &sample));
                    self.say(cx, Say::TooLong);
                    self.end(cx);
                }
                return;
            };
            let line = self.input.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let command = command::read(line);
            if self.is_waiting() {
                if self.running && command.verb == "ABOR" {
                    self.input.drain(..=end);
                    self.abort(cx);
                    continue;
                }
                return;
            }
            let long = line.len() > MAX_LINE;
            self.input.drain(..=end);
            if long {
                let sample = command.line.get(..256).unwrap_or_default();
                self.tell(cx, catalogue::protocol_error("line too long", sample));
                self.say(cx, Say::TooLong);
                self.end(cx);
                return;
            }
            self.command(cx, &command);
        }
    }

    fn command(&mut self, cx: &mut StreamContext<'_>, command: &Command) {
        let verb = command.verb.as_str();
        let quiet = matches!(
            verb,
            "USER" | "PASS" | "RETR" | "STOR" | "STOU" | "APPE" | "LIST" | "NLST" | "MLSD"
        );
        self.told_as = (!quiet).then(|| command.line.clone());
        match verb {
            "USER" => return self.user(cx, &command.argument),
            "PASS" => return self.pass(cx, &command.argument),
            "QUIT" => {
                self.say(cx, Say::Bye { sent: self.sent, received: self.received });
                return self.end(cx);
            }
            "FEAT" => {
                let text = dialect::features(self.server, self.security.offered);
                return self.reply(cx, text);
            }
            "AUTH" | "PBSZ" | "PROT" if self.view.is_some() || self.security.offered => {
                return self.secure(cx, verb, &command.argument);
            }
            _ => {}
        }
        let Some(view) = self.view.clone() else { return self.before_login(cx, verb) };
        self.inside(cx, verb, &command.argument, view);
    }

    fn secure(&mut self, cx: &mut StreamContext<'_>, verb: &str, argument: &[u8]) {
        let inside = self.view.is_some();
        match self.security.command(self.server, verb, &shown(argument), inside) {
            Answer::Say(text) => self.reply(cx, &text),
            Answer::Unknown => self.say(cx, Say::Unknown { verb }),
            Answer::LoginFirst => self.say(cx, Say::LoginFirst),
            Answer::Begin(text) => {
                self.reply(cx, text);
                self.upgrading = true;
                self.input.clear();
                cx.start_tls();
            }
        }
    }
}

impl StreamSession for FtpSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.touch(cx.now());
        let text = self.greeting(cx.now());
        cx.send(format!("{text}\r\n"));
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if self.over || self.upgrading {
            return;
        }
        self.touch(cx.now());
        let room =
            if self.is_waiting() { MAX_HELD.saturating_sub(self.input.len()) } else { bytes.len() };
        self.input.extend(bytes.iter().take(room));
        self.work(cx);
    }

    fn on_side(&mut self, cx: &mut StreamContext<'_>, event: SideEvent<'_>) {
        if self.over {
            return;
        }
        let opening = match self.channel {
            Channel::Opening { extended } => Some(extended),
            _ => None,
        };
        match (event, opening) {
            (SideEvent::Listening(port), Some(extended)) => {
                self.port_opened(cx, extended, Some(port));
            }
            (SideEvent::Failed, Some(extended)) => self.port_opened(cx, extended, None),
            (SideEvent::Connected, _) => {
                self.channel = Channel::Connected;
                if self.job.is_some() {
                    self.start(cx);
                }
            }
            (SideEvent::Refused(ip), _) => {
                let port = if let Channel::Listening(port) = self.channel { port } else { 0 };
                self.tell(cx, catalogue::data_refused(ip, port));
                if self.server == FtpServer::Vsftpd && self.job.is_some() {
                    self.give_up(cx, Say::WrongClient);
                } else {
                    cx.commit();
                    self.told = false;
                }
            }
            (SideEvent::Secured, _) if self.securing => {
                self.securing = false;
                self.go_on(cx);
            }
            (SideEvent::Failed, _) if self.securing => self.give_up(cx, Say::NotSecured),
            (SideEvent::Bytes(bytes), _) => self.uploaded(cx, bytes),
            (SideEvent::Sent, _) if self.running => self.go_on(cx),
            (SideEvent::Ended, _) if self.running => self.finish(cx, true),
            (SideEvent::Failed, _) if self.job.is_some() => self.give_up(cx, Say::Broken),
            (SideEvent::Failed, _) => self.channel = Channel::None,
            (
                SideEvent::Listening(_) | SideEvent::Secured | SideEvent::Sent | SideEvent::Ended,
                _,
            ) => {}
        }
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if self.over {
            return;
        }
        let now = cx.now();
        if self.delayed.as_ref().is_some_and(|delayed| delayed.due <= now)
            && let Some(delayed) = self.delayed.take()
        {
            self.touch(now);
            cx.send(format!("{}\r\n", delayed.text));
            if delayed.closes {
                return self.end(cx);
            }
            return self.work(cx);
        }
        if self.job_until.is_some_and(|until| until <= now) {
            let what = if self.running { Say::Broken } else { Say::NotConnected };
            self.give_up(cx, what);
            return self.work(cx);
        }
        if self.job.is_none() && self.deadline.is_some_and(|deadline| deadline <= now) {
            self.say(cx, Say::Idle);
            self.end(cx);
        }
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        if let Some((job, _)) = self.job.take() {
            self.tell_job(cx, &job, false);
            cx.commit();
        }
        self.over = true;
        self.deadline = None;
        self.delayed = None;
        self.job_until = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.delayed {
            Some(delayed) => Some(delayed.due),
            None => self.job_until.or(self.deadline),
        }
    }

    fn reads(&self) -> bool {
        // During a transfer commands are read on, because one may be `ABOR`.
        !self.is_waiting() || self.running && self.input.len() < MAX_LINE
    }

    fn reads_side(&self) -> bool {
        self.running && !self.securing && matches!(self.job, Some((Job::Upload { .. }, _)))
    }

    fn tls(&self) -> TlsOffer {
        TlsOffer::of(security::tls_server(self.server))
    }

    fn on_tls(&mut self, cx: &mut StreamContext<'_>, _facts: &TlsFacts) {
        self.upgrading = false;
        self.security.control = true;
        // A login begun in plain text does not count (RFC 4217 §4.2).
        self.user = None;
        self.touch(cx.now());
    }
}

/// `name`, or with the first free number.
fn unique_name(view: &View, name: &[u8]) -> Vec<u8> {
    let name = if name.is_empty() { b"STOU" } else { name };
    let free = |name: &[u8]| view.node(name, false).is_err();
    if free(name) {
        return name.to_vec();
    }
    let numbered = |n: u32| [name, format!(".{n}").as_bytes()].concat();
    (1..1000).map(numbered).find(|name| free(name)).unwrap_or_else(|| numbered(1000))
}

fn secret(bytes: &[u8]) -> Secret {
    Secret::plaintext(bytes.get(..MAX_SECRET).unwrap_or(bytes))
}

/// `bytes` as a reply holds them.
fn shown(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(bytes).chars().map(printable).collect()
}

/// `YYYYMMDDHHMMSS`.
fn parse_stamp(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    // Days since the epoch of a date in the proleptic Gregorian calendar.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second.min(59);
    Some(Timestamp::from_micros(seconds * 1_000_000))
}
