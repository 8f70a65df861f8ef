//! Driving a program of a session.
//!
//! [`Process`] is what a service holds. `start` sets up its environment, `session` reads command
//! lines and runs them; `prompt`, `complete`, `history` and `notice` are what a person at a terminal
//! sees of it.

mod complete;
mod history;
mod notice;
mod prompt;
mod session;
mod start;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use base_model::Timestamp;

use self::session::{run_command_line, run_login_shell, run_piped_shell};
use super::io::{Boxed, Item, Shared, Stream};
use super::limits;
use crate::accounts::Account;
use crate::{HostHandle, login};

/// Turns a driver makes within one poll before it lets others go on.
const MAX_TURNS: usize = 4096;

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

/// The server that somebody came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `sshd`.
    Ssh,
    /// `telnetd` and `login`.
    Telnet,
    /// None: a server of the machine was made to start a program.
    Server,
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
    /// How they came in.
    pub entry: Entry,
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
        let from = (spawn.connection.0.clone(), spawn.connection.1);
        let interactive = terminal.is_some() && spawn.command.is_none();
        let (welcome, session) = host.with(|machine| {
            let welcome = login::welcome(machine, &spawn.account.name, spawn.now);
            let session =
                machine.log_in(&spawn.account, terminal.is_some(), (&from.0, from.1), spawn.now);
            machine.came_by(session.pid, spawn.entry);
            (welcome, session)
        });
        let session_pid = session.pid;
        let proc = start::process_of(host, &io, &spawn, &session);
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
        if self.host.with(|machine| machine.deadly(self.session_pid)).is_some() {
            self.signal(b"KILL");
        }
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
        self.io.lock().take_items()
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
