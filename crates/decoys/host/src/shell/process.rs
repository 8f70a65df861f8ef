//! Driving a program of a session.

use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use base_model::Timestamp;

use super::fd::{Fd, Fds};
use super::interp::{Dialect, Flow, Interp};
use super::io::{Act, Boxed, Item, Shared, Stream};
use super::limits;
use super::proc::{Proc, User};
use super::readline::{Line, read_line};
use crate::accounts::Account;
use crate::fs::base_name;
use crate::{HostHandle, login};

/// Turns a driver makes within one poll before it lets others go on.
const MAX_TURNS: usize = 4096;
/// Lines kept in the history (`HISTSIZE`).
const HISTORY: usize = 1000;

/// How a program is connected.
#[derive(Clone, Debug)]
pub enum Stdio {
    /// A terminal.
    Terminal {
        /// Terminal type.
        term: Vec<u8>,
        /// Columns and rows.
        size: (u32, u32),
    },
    /// Three pipes.
    Pipes,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// Who.
    pub account: Account,
    /// On what.
    pub stdio: Stdio,
    /// The command line; a login shell without one.
    pub command: Option<Vec<u8>>,
    /// Environment the client sent and the server accepted.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// Client address and port, server address and port.
    pub connection: (String, u16, String, u16),
    /// Start time.
    pub now: Timestamp,
}

/// A running program with all it started.
pub struct Process {
    host: HostHandle,
    io: Shared,
    main: Option<Boxed<'static, u8>>,
    jobs: Vec<(u32, Boxed<'static, u8>)>,
    exit: Option<u8>,
    session_pid: u32,
}

impl Process {
    /// Starts a program; nothing runs before the first [`Process::poll`].
    #[must_use]
    pub fn spawn(host: &HostHandle, spawn: Spawn) -> Self {
        let terminal = match &spawn.stdio {
            Stdio::Terminal { size, .. } => Some(*size),
            Stdio::Pipes => None,
        };
        let io = Shared::new(spawn.now, terminal);
        let from = spawn.connection.0.clone();
        let interactive = terminal.is_some() && spawn.command.is_none();
        let (welcome, session) = host.with(|machine| {
            let welcome = login::welcome(machine, &spawn.account.name, spawn.now);
            let session = machine.log_in(&spawn.account, terminal.is_some(), &from, spawn.now);
            (welcome, session)
        });
        let session_pid = session.pid;
        let proc = process_of(host, &io, &spawn, &session);
        let command = spawn.command;
        let main: Boxed<'static, u8> = match command {
            Some(line) => Box::pin(run_command_line(proc, line)),
            None if interactive => {
                let quiet = host.with(|machine| {
                    let hush = format!("{}/.hushlogin", spawn.account.home);
                    machine.fs.find(&crate::fs::Creds::root(), b"/", hush.as_bytes(), true).is_ok()
                });
                if !quiet {
                    io.lock().push(Stream::Out, welcome.as_bytes());
                }
                Box::pin(run_login_shell(proc))
            }
            None => Box::pin(run_piped_shell(proc)),
        };
        Self { host: host.clone(), io, main: Some(main), jobs: Vec::new(), exit: None, session_pid }
    }

    /// Gives it input: keys on a terminal, bytes on a pipe. What exceeds the buffer is lost, as on a
    /// terminal.
    pub fn input(&mut self, bytes: &[u8]) {
        let mut io = self.io.lock();
        for &byte in bytes {
            if byte == 0x03 && io.tty.is_some() && io.foreground {
                io.interrupt = true;
                io.input.clear();
                io.cooked.clear();
                io.push(Stream::Out, b"^C\n");
            } else if io.input.len() < if io.tty.is_some() { limits::TYPED } else { limits::INPUT }
            {
                io.input.push_back(byte);
            } else if io.tty.is_none() {
                io.killed = true;
            }
        }
    }

    /// There will be no more input.
    pub fn end_of_input(&mut self) {
        self.io.lock().eof = true;
    }

    /// The terminal was resized.
    pub fn resize(&mut self, columns: u32, rows: u32) {
        let mut io = self.io.lock();
        if io.tty.is_some() {
            io.tty = Some((columns, rows));
        }
    }

    /// A signal from outside: `INT`, `TERM`, `HUP`, `KILL`, `QUIT`; others change nothing.
    pub fn signal(&mut self, name: &[u8]) {
        match name {
            b"INT" | b"QUIT" => self.io.lock().interrupt = true,
            b"TERM" | b"HUP" | b"KILL" => {
                self.main = None;
                let number = match name {
                    b"TERM" => 143,
                    b"HUP" => 129,
                    _ => 137,
                };
                self.exit.get_or_insert(number);
            }
            _ => {}
        }
    }

    /// Whether the terminal shows what is typed; false while a password is asked.
    #[must_use]
    pub fn echo(&self) -> bool {
        self.io.lock().echo
    }

    /// Runs until it waits for something.
    pub fn poll(&mut self, now: Timestamp) {
        self.io.lock().begin_slice(now);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..MAX_TURNS {
            let before = self.io.lock().progress;
            self.poll_main(&mut cx);
            self.poll_jobs(&mut cx);
            let io = self.io.lock();
            if self.exit.is_some() || (io.progress == before && io.new_jobs.is_empty()) {
                break;
            }
        }
    }

    fn poll_main(&mut self, cx: &mut Context<'_>) {
        let Some(main) = &mut self.main else { return };
        if let Poll::Ready(status) = main.as_mut().poll(cx) {
            self.main = None;
            self.exit = Some(status);
            self.jobs.clear();
        }
    }

    fn poll_jobs(&mut self, cx: &mut Context<'_>) {
        let started: Vec<_> = std::mem::take(&mut self.io.lock().new_jobs);
        for (job, future) in started {
            self.jobs.push((job.pid, future));
            self.io.lock().jobs.push(job);
        }
        let io = self.io.clone();
        self.jobs.retain_mut(|(pid, future)| {
            let killed = io.lock().jobs.iter().any(|job| job.pid == *pid && job.done.is_some());
            if killed {
                return false;
            }
            let Poll::Ready(status) = Pin::new(future).poll(cx) else { return true };
            let mut io = io.lock();
            io.progress += 1;
            if let Some(job) = io.jobs.iter_mut().find(|job| job.pid == *pid) {
                job.done = Some(status);
            }
            false
        });
    }

    /// What came out since the last call, in order.
    #[must_use]
    pub fn take(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.io.lock().items)
    }

    /// When it wants to be polled again without input.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        if self.exit.is_some() { None } else { self.io.lock().wake }
    }

    /// Its exit status, once it has ended.
    #[must_use]
    pub const fn exit(&self) -> Option<u8> {
        self.exit
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.main = None;
        self.jobs.clear();
        self.host.with(|machine| machine.log_out(self.session_pid));
    }
}

fn process_of(
    host: &HostHandle,
    io: &Shared,
    spawn: &Spawn,
    session: &crate::LoginSession,
) -> Proc {
    let account = &spawn.account;
    let (client, client_port, server, server_port) = &spawn.connection;
    let path = match (account.uid, spawn.command.is_some()) {
        (0, false) => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        (_, true) => "/usr/local/bin:/usr/bin:/bin:/usr/games",
        _ => "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
    };
    let mut proc = Proc {
        host: host.clone(),
        io: io.clone(),
        user: User {
            name: account.name.clone(),
            creds: host.creds(account),
            home: account.home.clone().into_bytes(),
        },
        cwd: account.home.clone().into_bytes(),
        env: std::collections::BTreeMap::new(),
        fds: Fds::from([
            (0, Fd::Input),
            (1, Fd::Session(Stream::Out)),
            (2, Fd::Session(Stream::Err)),
        ]),
        args: Vec::new(),
        pid: session.pid,
        session_pid: session.pid,
        depth: 0,
        umask: 0o022,
    };
    let mut set =
        |name: &str, value: String| drop(proc.env.insert(name.to_owned(), value.into_bytes()));
    set("USER", account.name.clone());
    set("LOGNAME", account.name.clone());
    set("HOME", account.home.clone());
    set("SHELL", account.shell.clone());
    set("PATH", path.to_owned());
    set("SSH_CLIENT", format!("{client} {client_port} {server_port}"));
    set("SSH_CONNECTION", format!("{client} {client_port} {server} {server_port}"));
    if let (Stdio::Terminal { term, .. }, Some(tty)) = (&spawn.stdio, &session.tty) {
        set("SSH_TTY", format!("/dev/{tty}"));
        let term = String::from_utf8_lossy(term).into_owned();
        set("TERM", if term.is_empty() { "xterm".to_owned() } else { term });
    }
    for (name, value) in &spawn.env {
        // sshd's `AcceptEnv LANG LC_*`.
        if name == b"LANG" || name.starts_with(b"LC_") {
            proc.env.insert(String::from_utf8_lossy(name).into_owned(), value.clone());
        }
    }
    if proc.host.with(|m| m.fs.find(&proc.user.creds, b"/", &proc.cwd, true).is_err()) {
        proc.cwd = b"/".to_vec();
    }
    proc
}

/// `bash -c line`.
async fn run_command_line(proc: Proc, line: Vec<u8>) -> u8 {
    let mut shell = Interp::new(proc, b"bash", Dialect::Bash);
    let mark = shell.begin_line(&line);
    let flow = shell.interruptible(&line).await;
    shell.end_line(mark);
    let _ = flow;
    shell.status
}

/// A shell that reads its script from a pipe, line by line.
async fn run_piped_shell(proc: Proc) -> u8 {
    let mut shell = Interp::new(proc, b"bash", Dialect::BashScript);
    let io = shell.proc.io.clone();
    let mut script = Vec::new();
    let mut ended = false;
    while !ended {
        loop {
            match io.byte().await {
                None => {
                    ended = true;
                    break;
                }
                Some(b'\n') => {
                    script.push(b'\n');
                    break;
                }
                Some(byte) => script.push(byte),
            }
            if script.len() > limits::LINE {
                break;
            }
        }
        let more = base_shell::parse(&script, &base_shell::Limits::default());
        if !ended
            && matches!(more, Err(base_shell::ParseFault::Incomplete(_)))
            && script.len() <= limits::LINE
        {
            continue;
        }
        let line = std::mem::take(&mut script);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let mark = shell.begin_line(line.trim_ascii_end());
        let flow = shell.interruptible(&line).await;
        shell.end_line(mark);
        if flow == Flow::Exit {
            break;
        }
    }
    shell.status
}

/// A login shell on a terminal.
async fn run_login_shell(proc: Proc) -> u8 {
    let mut shell = Interp::new(proc, b"-bash", Dialect::Bash);
    shell.interactive = true;
    let aliases: &[(&str, &str)] = if shell.proc.user.creds.uid == 0 {
        &[("ll", "ls -alF"), ("la", "ls -A"), ("l", "ls -CF")]
    } else {
        &[
            ("ll", "ls -l"),
            ("la", "ls -A"),
            ("l", "ls -CF"),
            ("ls", "ls --color=auto"),
            ("grep", "grep --color=auto"),
        ]
    };
    for (name, value) in aliases {
        shell.aliases.insert((*name).to_owned(), value.as_bytes().to_vec());
    }
    shell.load_history();
    let loaded = shell.history.lock().unwrap_or_else(PoisonError::into_inner).len();
    let io = shell.proc.io.clone();
    loop {
        shell.tell_finished_jobs().await;
        let Some(line) = shell.read_command().await else {
            shell.proc.err("logout\n").await;
            break;
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        shell.remember(&line);
        let mark = shell.begin_line(&line);
        io.lock().foreground = true;
        let flow = shell.interruptible(&line).await;
        io.lock().foreground = false;
        shell.end_line(mark);
        if flow == Flow::Exit {
            break;
        }
    }
    shell.save_history(loaded);
    shell.status
}

impl Interp {
    /// Tells that a command line starts; its fuel is fresh.
    fn begin_line(&mut self, line: &[u8]) -> usize {
        let mut io = self.proc.io.lock();
        io.begin_line();
        let position = io.items.len();
        io.items.push(Item::Act(Act::Command {
            line: line.to_vec(),
            user: self.proc.user.name.clone(),
            uid: self.proc.user.creds.uid,
            pwd: self.proc.cwd.clone(),
            status: None,
        }));
        position
    }

    /// Adds the status to what [`Interp::begin_line`] told, if that was not taken yet.
    fn end_line(&mut self, position: usize) {
        let ended = self.status;
        if let Some(Item::Act(Act::Command { status, .. })) =
            self.proc.io.lock().items.get_mut(position)
        {
            *status = Some(ended);
        }
    }

    /// Runs `line` until it ends, is interrupted or killed.
    async fn interruptible(&mut self, line: &[u8]) -> Flow {
        let io = self.proc.io.clone();
        let saved = (self.proc.fds.clone(), self.proc.depth, self.locals.len());
        let mut line_future: Boxed<'_, Flow> = Box::pin(self.run_source(line));
        let ended = std::future::poll_fn(|cx| {
            let stopped = |io: &Shared| {
                let io = io.lock();
                match (io.interrupt, io.killed) {
                    (true, _) => Some(130),
                    (_, true) => Some(137),
                    _ => None,
                }
            };
            if let Some(status) = stopped(&io) {
                return Poll::Ready(Err(status));
            }
            match line_future.as_mut().poll(cx) {
                Poll::Ready(flow) => Poll::Ready(stopped(&io).map_or(Ok(flow), Err)),
                Poll::Pending => {
                    stopped(&io).map_or(Poll::Pending, |status| Poll::Ready(Err(status)))
                }
            }
        })
        .await;
        drop(line_future);
        match ended {
            Ok(flow) => flow,
            Err(status) => {
                let (fds, depth, locals) = saved;
                self.proc.fds = fds;
                self.proc.depth = depth;
                self.locals.truncate(locals);
                (self.loops, self.conditions) = (0, 0);
                self.status = status;
                {
                    let mut io = self.proc.io.lock();
                    io.begin_line();
                    io.echo = io.tty.is_some();
                }
                if status == 137 {
                    self.proc.err("Killed\n").await;
                }
                if self.interactive { Flow::Next } else { Flow::Exit }
            }
        }
    }

    /// Reads a command of as many lines as it needs; `None` at the end of input.
    async fn read_command(&mut self) -> Option<Vec<u8>> {
        let io = self.proc.io.clone();
        let mut script: Vec<u8> = Vec::new();
        loop {
            let prompt = if script.is_empty() { self.prompt() } else { b"> ".to_vec() };
            let history = self.history.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let complete = |head: &[u8]| self.complete(head);
            match read_line(&io, &prompt, &history, &complete).await {
                Line::End if script.is_empty() => return None,
                Line::End => {
                    self.complain("syntax error: unexpected end of file").await;
                    self.status = 2;
                    script.clear();
                }
                Line::Interrupted => {
                    self.status = 130;
                    script.clear();
                }
                Line::Text(line) => {
                    script.extend(line);
                    let more = base_shell::parse(&script, &base_shell::Limits::default());
                    match more {
                        Err(base_shell::ParseFault::Incomplete(_))
                            if script.len() < limits::LINE =>
                        {
                            script.push(b'\n');
                        }
                        _ => return Some(script),
                    }
                }
            }
        }
    }

    /// The prompt, as the distribution's `PS1` makes it.
    fn prompt(&self) -> Vec<u8> {
        let host = self.proc.host.with(|machine| machine.facts().hostname.clone());
        let host = host.split('.').next().unwrap_or_default();
        let user = &self.proc.user.name;
        let home = self.variable("HOME").unwrap_or_else(|| self.proc.user.home.clone());
        let cwd = match self.proc.cwd.strip_prefix(home.as_slice()) {
            Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with(b"/")) => {
                [&b"~"[..], rest].concat()
            }
            _ => self.proc.cwd.clone(),
        };
        if let Some(ps1) = self.variable("PS1") {
            return self.custom_prompt(&ps1, host, &cwd);
        }
        let root = self.proc.user.creds.uid == 0;
        let sign = if root { "#" } else { "$" };
        let term = self.variable("TERM").unwrap_or_default();
        let mut out = Vec::new();
        if self.proc.host.distro().title_in_prompt
            && (term.starts_with(b"xterm") || term.starts_with(b"rxvt"))
        {
            out.extend(format!("\x1b]0;{user}@{host}: ").into_bytes());
            out.extend_from_slice(&cwd);
            out.push(7);
        }
        if !root && term.ends_with(b"-256color") {
            out.extend(format!("\x1b[01;32m{user}@{host}\x1b[00m:\x1b[01;34m").into_bytes());
            out.extend_from_slice(&cwd);
            out.extend(format!("\x1b[00m{sign} ").into_bytes());
        } else {
            out.extend(format!("{user}@{host}:").into_bytes());
            out.extend_from_slice(&cwd);
            out.extend(format!("{sign} ").into_bytes());
        }
        out
    }

    /// The prompt for a `PS1` that the user set.
    fn custom_prompt(&self, ps1: &[u8], host: &str, cwd: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut bytes = ps1.iter().take(4096);
        while let Some(&byte) = bytes.next() {
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            match bytes.next() {
                Some(b'u') => out.extend_from_slice(self.proc.user.name.as_bytes()),
                Some(b'h' | b'H') => out.extend_from_slice(host.as_bytes()),
                Some(b'w') => out.extend_from_slice(cwd),
                Some(b'W') => out.extend_from_slice(base_name(cwd)),
                Some(b'$') => out.push(if self.proc.user.creds.uid == 0 { b'#' } else { b'$' }),
                Some(b'n') => out.push(b'\n'),
                Some(b'e') => out.push(0x1b),
                Some(b'[' | b']') => {}
                Some(b't') => {
                    out.extend(crate::clock::format(self.proc.io.now(), "%H:%M:%S").into_bytes())
                }
                Some(&other) => out.push(other),
                None => {}
            }
        }
        out
    }

    /// Completes a command or file name.
    fn complete(&self, head: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let start = head.iter().rposition(|b| b" ;|&<>(".contains(b)).map_or(0, |at| at + 1);
        let word = head.get(start..).unwrap_or_default();
        let first = head.get(..start).unwrap_or_default().iter().all(|b| *b == b' ');
        let mut choices: Vec<(Vec<u8>, bool)> = Vec::new();
        let slash = word.iter().rposition(|&b| b == b'/');
        let prefix = slash.map_or(word, |at| word.get(at + 1..).unwrap_or_default());
        if first && slash.is_none() {
            if word.is_empty() {
                return (Vec::new(), Vec::new());
            }
            let builtins = super::builtins::names().map(|name| name.as_bytes().to_vec());
            let programs =
                super::commands::LIST.iter().map(|command| command.name.as_bytes().to_vec());
            choices.extend(
                builtins
                    .chain(programs)
                    .filter(|name| name.starts_with(prefix))
                    .map(|n| (n, false)),
            );
        } else {
            let directory = match slash {
                Some(0) => b"/".to_vec(),
                Some(at) => word.get(..at).unwrap_or_default().to_vec(),
                None => b".".to_vec(),
            };
            let creds = &self.proc.user.creds;
            choices = self.proc.host.with(|machine| {
                let ino = machine.fs.find(creds, &self.proc.cwd, &directory, true);
                let list = ino.and_then(|ino| machine.fs.list(creds, ino)).unwrap_or_default();
                let wanted = |(name, _): &(Vec<u8>, crate::fs::Ino)| {
                    name.starts_with(prefix) && (!prefix.is_empty() || name.first() != Some(&b'.'))
                };
                let is_dir = |ino| machine.fs.node(ino).is_some_and(crate::fs::Node::is_dir);
                list.into_iter().filter(wanted).map(|(name, ino)| (name, is_dir(ino))).collect()
            });
        }
        choices.sort();
        choices.dedup();
        match choices.as_slice() {
            [] => (Vec::new(), Vec::new()),
            [(only, directory)] => {
                let mut insert = only.get(prefix.len()..).unwrap_or_default().to_vec();
                insert.push(if *directory { b'/' } else { b' ' });
                (insert, Vec::new())
            }
            [(one, _), rest @ ..] => {
                let shared = rest.iter().fold(one.len(), |length, (other, _)| {
                    one.iter().zip(other).take(length).take_while(|(a, b)| a == b).count()
                });
                let insert = one.get(prefix.len()..shared).unwrap_or_default().to_vec();
                (insert, choices.into_iter().take(200).map(|(name, _)| name).collect())
            }
        }
    }

    fn history_path(&self) -> Vec<u8> {
        [&self.proc.user.home[..], b"/.bash_history"].concat()
    }

    fn load_history(&mut self) {
        let path = self.history_path();
        let text = self
            .proc
            .open(&path)
            .map(|ino| self.proc.host.read(ino, 0, 1 << 20, self.proc.io.now()));
        let text = text.unwrap_or_default();
        let lines: Vec<Vec<u8>> = text
            .split(|&b| b == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        let skip = lines.len().saturating_sub(HISTORY);
        *self.history.lock().unwrap_or_else(PoisonError::into_inner) =
            lines.into_iter().skip(skip).collect();
    }

    fn remember(&mut self, line: &[u8]) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        // Debian's users have `HISTCONTROL=ignoreboth`; root keeps everything.
        let ignored = self.proc.user.creds.uid != 0
            && (line.first() == Some(&b' ') || history.last().is_some_and(|last| last == line));
        if !ignored {
            history.push(line.to_vec());
            if history.len() > HISTORY {
                history.remove(0);
            }
        }
    }

    /// Appends what was typed after the first `loaded` lines to the history file.
    fn save_history(&mut self, loaded: usize) {
        if self.variable("HISTFILE").is_some_and(|path| path != self.history_path()) {
            return;
        }
        let lines = self.history.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let new = lines.get(loaded.min(lines.len())..).unwrap_or_default();
        let mut text = new.join(&b'\n');
        if text.is_empty() {
            return;
        }
        text.push(b'\n');
        let path = self.history_path();
        let now = self.proc.io.now();
        let creds = self.proc.user.creds.clone();
        self.proc.host.with(|machine| {
            let Ok(ino) = machine.fs.create(&creds, b"/", &path, 0o600, now) else { return };
            let size = machine.fs.node(ino).map_or(0, crate::fs::Node::size);
            // A full disk loses history, as on a real machine.
            let _ = machine.fs.write(ino, size, &text, now);
        });
    }

    /// `[1]+  Done …` of background commands that ended.
    async fn tell_finished_jobs(&mut self) {
        let text: String = {
            let mut io = self.proc.io.lock();
            let last = io.jobs.len();
            let line = |(at, job): (usize, &super::io::Job)| {
                let mark = if at + 1 == last {
                    '+'
                } else if at + 2 == last {
                    '-'
                } else {
                    ' '
                };
                job.done.map(|status| {
                    let state = match status {
                        0 => "Done".to_owned(),
                        143 => "Terminated".to_owned(),
                        status => format!("Exit {status}"),
                    };
                    format!("[{}]{mark}  {state:<24}{}\n", job.number, job.text)
                })
            };
            let text = io.jobs.iter().enumerate().filter_map(line).collect();
            io.jobs.retain(|job| job.done.is_none());
            text
        };
        if !text.is_empty() {
            self.proc.err(text).await;
        }
    }
}
