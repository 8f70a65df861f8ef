//! A program on a session channel: its input and output, its recording, its end.

use std::time::Duration;

use base_model::{SessionId, Timestamp, catalogue};
use decoys_host::shell::{Act, Item, Process, Spawn, Stdio};
use decoys_host::{Account, HostHandle};
use decoys_kit::Recorder;
use decoys_kit::recorder::{Direction, Terminal};
use decoys_kit::ssh::{Channel, SshContext, SshReply};

use super::channel::Wishes;
use super::tell;

/// Recorded lines are handed over at the latest after this.
const FLUSH: Duration = Duration::from_secs(1);

/// What a client asks to run.
pub(super) enum Run {
    /// A login shell.
    Shell,
    /// A command line.
    Exec(Vec<u8>),
    /// A subsystem, by the program behind it; the client typed no command.
    Subsystem(&'static [u8]),
}

/// What the connection knows that a program needs.
pub(super) struct Caller<'a> {
    pub(super) host: &'a HostHandle,
    pub(super) account: &'a Account,
    pub(super) method: &'a str,
    pub(super) client: &'a [u8],
    /// Client address and port, server address and port.
    pub(super) connection: (String, u16, String, u16),
}

/// A running program.
pub(super) struct Program {
    channel: Channel,
    session: SessionId,
    process: Process,
    recorder: Option<Recorder>,
    flush_at: Option<Timestamp>,
    started: Timestamp,
    exec: bool,
    subsystem: bool,
    pty: bool,
    /// Facts were told since the last commit.
    uncommitted: bool,
}

impl Program {
    pub(super) fn start(
        cx: &SshContext<'_>,
        channel: Channel,
        session: SessionId,
        caller: &Caller<'_>,
        wishes: &Wishes,
        run: Run,
    ) -> Self {
        let now = cx.now();
        let stdio = match &wishes.pty {
            Some(pty) => Stdio::Terminal { term: pty.term.clone(), size: pty.size },
            None => Stdio::Pipes,
        };
        let recorder = wishes.pty.as_ref().map(|pty| {
            let terminal = Terminal {
                size: pty.size,
                term: pty.term.clone(),
                env: wishes.env.clone(),
                modes: pty.modes.clone(),
                client: caller.client.to_vec(),
                auth_method: caller.method.to_owned(),
                agent: wishes.agent,
                x11: wishes.x11,
            };
            Recorder::start(session, now, &terminal)
        });
        let subsystem = matches!(run, Run::Subsystem(_));
        let command = match run {
            Run::Shell => None,
            Run::Exec(line) => Some(line),
            Run::Subsystem(program) => Some(program.to_vec()),
        };
        let exec = command.is_some();
        let spawn = Spawn {
            account: caller.account.clone(),
            stdio,
            command,
            env: wishes.env.clone(),
            connection: caller.connection.clone(),
            now,
        };
        Self {
            channel,
            session,
            process: Process::spawn(caller.host, spawn),
            recorder,
            flush_at: None,
            started: now,
            exec,
            subsystem,
            pty: wishes.pty.is_some(),
            uncommitted: false,
        }
    }

    /// Takes input from the client.
    pub(super) fn input(&mut self, now: Timestamp, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.bytes(now, Direction::Input { echo: self.process.echo() }, bytes);
            self.flush_at.get_or_insert(now + FLUSH);
        }
        self.process.input(bytes);
    }

    pub(super) fn end_of_input(&mut self) {
        self.process.end_of_input();
    }

    pub(super) fn resize(&mut self, now: Timestamp, columns: u32, rows: u32) {
        if let Some(recorder) = &mut self.recorder {
            recorder.resize(now, columns, rows);
            self.flush_at.get_or_insert(now + FLUSH);
        }
        self.process.resize(columns, rows);
    }

    pub(super) fn signal(&mut self, name: &[u8]) {
        self.process.signal(name);
    }

    /// When [`Program::run`] is wanted next.
    pub(super) fn due(&self) -> Option<Timestamp> {
        [self.process.wake_at(), self.flush_at].into_iter().flatten().min()
    }

    /// Lets it run, and passes on what came of it; false once it has ended.
    pub(super) fn run(&mut self, cx: &mut SshContext<'_>) -> bool {
        self.process.poll(cx.now());
        self.pass_on(cx);
        match self.process.exit() {
            None => {
                self.settle(cx);
                if self.flush_at.is_some_and(|at| at <= cx.now()) {
                    self.flush(cx);
                }
                true
            }
            Some(status) => {
                self.finish(cx);
                let channel = self.channel;
                let status = SshReply::ExitStatus(channel, u32::from(status));
                // The order in which sshd notices the end of a terminal and of pipes.
                if self.pty {
                    cx.reply(status);
                    cx.reply(SshReply::Eof(channel));
                } else {
                    cx.reply(SshReply::Eof(channel));
                    cx.reply(status);
                }
                cx.reply(SshReply::Close(channel));
                false
            }
        }
    }

    fn pass_on(&mut self, cx: &mut SshContext<'_>) {
        for item in self.process.take() {
            match item {
                Item::Act(Act::Command { .. }) if self.subsystem => {}
                Item::Act(act) => {
                    tell::act(cx, self.session, act, self.exec);
                    self.uncommitted = true;
                }
                Item::Out(bytes) => {
                    self.record_output(cx, &bytes);
                    self.settle(cx);
                    cx.reply(SshReply::Data(self.channel, bytes));
                }
                Item::Err(bytes) => {
                    self.record_output(cx, &bytes);
                    self.settle(cx);
                    cx.reply(SshReply::Stderr(self.channel, bytes));
                }
            }
        }
    }

    fn record_output(&mut self, cx: &mut SshContext<'_>, bytes: &[u8]) {
        let now = cx.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.bytes(now, Direction::Output, bytes);
            self.flush_at.get_or_insert(now + FLUSH);
            if let Some(piece) = recorder.take_if_large() {
                cx.record(piece);
            }
        }
    }

    fn flush(&mut self, cx: &mut SshContext<'_>) {
        self.flush_at = None;
        if let Some(piece) = self.recorder.as_mut().and_then(Recorder::take) {
            cx.record(piece);
        }
    }

    /// Makes what was told durable before anything further is sent.
    fn settle(&mut self, cx: &mut SshContext<'_>) {
        if self.uncommitted {
            self.uncommitted = false;
            self.flush(cx);
            cx.commit();
        }
    }

    /// The session is over, whoever ended it.
    pub(super) fn finish(&mut self, cx: &mut SshContext<'_>) {
        let now = cx.now();
        for item in self.process.take() {
            if let Item::Act(act) = item
                && !(self.subsystem && matches!(act, Act::Command { .. }))
            {
                tell::act(cx, self.session, act, self.exec);
            }
        }
        match self.recorder.take() {
            Some(mut recorder) => {
                let (piece, duration, bytes, truncated) = recorder.finish(now);
                if let Some(piece) = piece {
                    cx.record(piece);
                }
                cx.emit_in(self.session, catalogue::session_recorded(duration, bytes, truncated));
            }
            None => {
                cx.emit_in(self.session, catalogue::session_ended(now.since(self.started)));
            }
        }
        self.flush_at = None;
        self.uncommitted = false;
        cx.commit();
    }
}
