//! One connection: options, login, shell.

use std::time::Duration;

use base_model::{Peer, Secret, SessionId, Timestamp, catalogue};
use decoys_host::HostHandle;
use decoys_host::shell::{Entry, Spawn, Stdio};
use decoys_kit::recorder::Terminal;
use decoys_kit::{Opening, StreamContext, StreamReply, StreamSession};
use rand_core::Rng as _;

use super::login::{Login, Step};
use super::options::Options;
use super::wire::{self, Event, Parser};
use crate::runner::{Account as About, Output, Runner};

/// How long options may take.
const NEGOTIATING: Duration = Duration::from_secs(120);
/// `LOGIN_TIMEOUT` and `LOGIN_RETRIES`.
const LOGIN: Duration = Duration::from_secs(60);
const MAX_TRIES: u32 = 5;
/// PAM's failure delay, as for every login of the machine.
const DELAY_MICROS: u64 = 2_000_000;
/// Keys held while a refusal waits, as a terminal holds them.
const MAX_HELD: usize = 4096;
/// Longest secret kept.
const MAX_SECRET: usize = 1024;

/// Telnet's commands that stand for keys (RFC 854).
const INTERRUPT: u8 = 244;
const BREAK: u8 = 243;
const ARE_YOU_THERE: u8 = 246;
const ERASE_CHARACTER: u8 = 247;
const ERASE_LINE: u8 = 248;

enum Phase {
    Options,
    Login(Login),
    Shell(Box<Runner>),
    Over,
}

pub(super) struct TelnetSession {
    host: HostHandle,
    peer: Peer,
    local: Peer,
    session: SessionId,
    parser: Parser,
    options: Options,
    phase: Phase,
    /// The last byte was a `CR`, whose `NUL` or `LF` is no key.
    after_cr: bool,
    told: bool,
    tries: u32,
    failures: u32,
    held: Vec<u8>,
    /// When a refusal is shown.
    refusal: Option<Timestamp>,
    deadline: Option<Timestamp>,
}

impl TelnetSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        Self {
            host: opening.host,
            peer: opening.peer,
            local: opening.local,
            session: opening.session,
            parser: Parser::default(),
            options: Options::begin().0,
            phase: Phase::Options,
            after_cr: false,
            told: false,
            tries: 0,
            failures: 0,
            held: Vec::new(),
            refusal: None,
            deadline: None,
        }
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        if let Phase::Shell(mut runner) = std::mem::replace(&mut self.phase, Phase::Over) {
            runner.finish(cx);
        }
        self.deadline = None;
        self.refusal = None;
        cx.close();
    }

    fn send(cx: &mut StreamContext<'_>, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            cx.send(bytes);
        }
    }

    fn show(cx: &mut StreamContext<'_>, bytes: &[u8]) {
        Self::send(cx, wire::encode(bytes));
    }

    /// The name that the prompt and the shell show.
    fn host_name(&self) -> String {
        self.host.with(|machine| machine.facts().hostname.clone())
    }

    fn tell_options(&mut self, cx: &mut StreamContext<'_>) {
        if !std::mem::replace(&mut self.told, true) && self.options.heard() {
            cx.emit(self.options.fact());
            cx.commit();
        }
    }

    fn event(&mut self, cx: &mut StreamContext<'_>, event: Event) {
        match event {
            Event::Option(verb, option) => {
                let out = self.options.said(verb, option);
                Self::send(cx, out);
            }
            Event::Sub(option, value) => {
                let (out, resized) = self.options.value(option, &value);
                Self::send(cx, out);
                if let (true, Phase::Shell(runner), Some((columns, rows))) =
                    (resized, &mut self.phase, self.options.window)
                {
                    runner.resize(cx.now(), columns.into(), rows.into());
                }
            }
            Event::Command(ARE_YOU_THERE) => {
                let text = format!("\r\n[{} : yes]\r\n", self.host_name());
                Self::show(cx, text.as_bytes());
            }
            Event::Command(command) => {
                let key = match command {
                    INTERRUPT | BREAK => 0x03,
                    ERASE_CHARACTER => 0x7f,
                    ERASE_LINE => 0x15,
                    _ => return,
                };
                self.hold(key);
            }
            Event::Data(byte) => {
                let second = std::mem::replace(&mut self.after_cr, byte == b'\r');
                if !(second && matches!(byte, 0 | b'\n')) {
                    self.hold(byte);
                }
            }
        }
        if self.options.is_done() && matches!(self.phase, Phase::Options) {
            self.begin_login(cx);
        }
        self.keys(cx);
    }

    fn hold(&mut self, byte: u8) {
        if self.held.len() < MAX_HELD || matches!(self.phase, Phase::Shell(_)) {
            self.held.push(byte);
        }
    }

    fn begin_login(&mut self, cx: &mut StreamContext<'_>) {
        self.deadline = Some(cx.now() + LOGIN);
        let mut environment = self.options.environment.iter();
        let name = environment.find(|(name, _)| name == b"USER").map(|(_, value)| value.clone());
        // A name that begins with a dash would be an option of `login`, as once `-f root` was.
        let name = name.filter(|name| !name.is_empty() && !name.starts_with(b"-"));
        let (login, shown) = Login::begin(&self.host_name(), name);
        let kernel = self.host.with(|machine| machine.facts().release.kernel.clone());
        let issue = self.host.distro().issue_net.replace("\\S", "").replace("\\m", "x86_64");
        let issue = issue.replace("\\r", &kernel).replace('\n', "\r\n");
        Self::show(cx, &[issue.into_bytes(), shown].concat());
        self.phase = Phase::Login(login);
    }

    /// Works through the keys of the login as far as it goes.
    fn keys(&mut self, cx: &mut StreamContext<'_>) {
        while self.refusal.is_none() && !self.held.is_empty() {
            let Phase::Login(login) = &mut self.phase else { return };
            let byte = self.held.remove(0);
            match login.key(byte) {
                Step::Show(bytes) if bytes.is_empty() => {}
                Step::Show(bytes) => Self::show(cx, &bytes),
                Step::Leave => return self.end(cx),
                Step::Try(name, password) => self.try_login(cx, &name, &password),
            }
        }
    }

    fn try_login(&mut self, cx: &mut StreamContext<'_>, name: &[u8], password: &[u8]) {
        // By then the client has answered everything.
        self.tell_options(cx);
        self.tries += 1;
        let right = password.len() < MAX_SECRET && self.host.check_login(name, password);
        let account = if right { self.host.account(name) } else { None };
        let secret = Secret::plaintext(password.get(..MAX_SECRET).unwrap_or(password));
        cx.emit(catalogue::auth_attempt(name, &secret, "password", account.is_some()));
        if let Some(account) = account {
            cx.emit(catalogue::login_success(name, "password", self.tries));
            cx.commit();
            Self::show(cx, b"\r\n");
            return self.begin_shell(cx, account);
        }
        cx.commit();
        let spread = cx.rng().next_u64() % (DELAY_MICROS / 2);
        self.refusal = Some(cx.now() + Duration::from_micros(DELAY_MICROS * 3 / 4 + spread));
    }

    fn begin_shell(&mut self, cx: &mut StreamContext<'_>, account: decoys_host::Account) {
        let term = self.options.terminal.clone().unwrap_or_else(|| b"network".to_vec());
        // The classic server lowers the name that the client gives in capitals.
        let term = term.to_ascii_lowercase();
        let (columns, rows) = self.options.window.unwrap_or((80, 24));
        let size = if columns == 0 || rows == 0 { (80, 24) } else { (columns, rows) };
        let size = (u32::from(size.0), u32::from(size.1));
        let spawn = Spawn {
            account,
            stdio: Stdio::Terminal { term: term.clone(), size },
            command: None,
            env: Vec::new(),
            connection: (
                self.peer.ip.to_string(),
                self.peer.port,
                self.local.ip.to_string(),
                self.local.port,
            ),
            now: cx.now(),
            entry: Entry::Telnet,
        };
        let terminal = Terminal {
            size,
            term,
            env: self.options.environment.clone(),
            auth_method: "password".to_owned(),
            ..Terminal::default()
        };
        let about = About {
            session: self.session,
            terminal: Some(terminal),
            exec: false,
            subsystem: false,
        };
        self.deadline = None;
        self.phase = Phase::Shell(Box::new(Runner::start(&self.host, spawn, about)));
    }

    /// Hands the shell its keys and lets it run.
    fn run(&mut self, cx: &mut StreamContext<'_>) {
        let Phase::Shell(runner) = &mut self.phase else { return };
        let keys = std::mem::take(&mut self.held);
        if !keys.is_empty() {
            runner.input(cx.now(), &keys);
        }
        let ended = runner.run(cx, |output| match output {
            Output::Out(bytes) | Output::Err(bytes) => StreamReply::Data(wire::encode(&bytes)),
        });
        if ended.is_some() {
            self.phase = Phase::Over;
            cx.close();
        }
    }
}

impl StreamSession for TelnetSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        let (options, first) = Options::begin();
        self.options = options;
        self.deadline = Some(cx.now() + NEGOTIATING);
        cx.send(first);
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        for &byte in bytes {
            if matches!(self.phase, Phase::Over) {
                return;
            }
            if let Some(event) = self.parser.take(byte) {
                self.event(cx, event);
            }
        }
        self.run(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        let now = cx.now();
        if self.refusal.is_some_and(|due| due <= now) {
            self.refusal = None;
            self.failures += 1;
            self.deadline = Some(now + LOGIN);
            if self.failures >= MAX_TRIES {
                let text = "\r\nLogin incorrect\r\nMaximum number of tries exceeded (5)\r\n";
                Self::show(cx, text.as_bytes());
                return self.end(cx);
            }
            if let Phase::Login(login) = &mut self.phase {
                let shown = login.again();
                Self::show(cx, &shown);
            }
            self.keys(cx);
            return self.run(cx);
        }
        if self.refusal.is_none() && self.deadline.is_some_and(|deadline| deadline <= now) {
            self.tell_options(cx);
            if matches!(self.phase, Phase::Login(_)) {
                Self::show(cx, b"\r\nLogin timed out after 60 seconds.\r\n");
            }
            return self.end(cx);
        }
        self.run(cx);
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        self.tell_options(cx);
        if let Phase::Shell(mut runner) = std::mem::replace(&mut self.phase, Phase::Over) {
            runner.finish(cx);
        }
        self.deadline = None;
        self.refusal = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        if self.refusal.is_some() {
            return self.refusal;
        }
        match &self.phase {
            Phase::Shell(runner) => runner.due(),
            Phase::Options | Phase::Login(_) => self.deadline,
            Phase::Over => None,
        }
    }

    fn reads(&self) -> bool {
        self.refusal.is_none()
    }
}
