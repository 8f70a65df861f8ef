//! A program on the machine on behalf of a client: its input and output, its recording, its end.
//!
//! Whatever the client came over, what a program did is told and durable before its output is sent.

mod tell;

use std::time::Duration;

use base_model::{SessionId, Timestamp, catalogue};
use decoys_host::HostHandle;
use decoys_host::shell::{Act, Item, Process, Spawn};
use decoys_kit::recorder::{Direction, Terminal};
use decoys_kit::{Context, Recorder};

/// Recorded lines are handed over at the latest after this.
const FLUSH: Duration = Duration::from_secs(1);

/// What a program has for its client.
pub(crate) enum Output {
    /// Standard output, or the terminal.
    Out(Vec<u8>),
    /// Standard error, where it is apart.
    Err(Vec<u8>),
}

/// How a program is told of.
pub(crate) struct Account {
    pub(crate) session: SessionId,
    /// Records it when it has a terminal.
    pub(crate) terminal: Option<Terminal>,
    /// It came as one command.
    pub(crate) exec: bool,
    /// The client typed no command.
    pub(crate) subsystem: bool,
}

/// A running program.
pub(crate) struct Runner {
    session: SessionId,
    process: Process,
    recorder: Option<Recorder>,
    flush_at: Option<Timestamp>,
    started: Timestamp,
    exec: bool,
    subsystem: bool,
    /// Facts were told since the last commit.
    uncommitted: bool,
}

impl Runner {
    pub(crate) fn start(host: &HostHandle, spawn: Spawn, account: Account) -> Self {
        let now = spawn.now;
        let Account { session, terminal, exec, subsystem } = account;
        Self {
            session,
            process: Process::spawn(host, spawn),
            recorder: terminal.map(|terminal| Recorder::start(session, now, &terminal)),
            flush_at: None,
            started: now,
            exec,
            subsystem,
            uncommitted: false,
        }
    }

    /// Takes input from the client.
    pub(crate) fn input(&mut self, now: Timestamp, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.bytes(now, Direction::Input { echo: self.process.echo() }, bytes);
            self.flush_at.get_or_insert(now + FLUSH);
        }
        self.process.input(bytes);
    }

    pub(crate) fn end_of_input(&mut self) {
        self.process.end_of_input();
    }

    pub(crate) fn resize(&mut self, now: Timestamp, columns: u32, rows: u32) {
        if let Some(recorder) = &mut self.recorder {
            recorder.resize(now, columns, rows);
            self.flush_at.get_or_insert(now + FLUSH);
        }
        self.process.resize(columns, rows);
    }

    pub(crate) fn signal(&mut self, name: &[u8]) {
        self.process.signal(name);
    }

    /// When [`Runner::run`] is wanted next.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        [self.process.wake_at(), self.flush_at].into_iter().flatten().min()
    }

    /// Lets it run and sends what comes of it, as `reply` forms it; its status once it has ended.
    pub(crate) fn run<R>(
        &mut self,
        cx: &mut Context<'_, R>,
        reply: impl Fn(Output) -> R,
    ) -> Option<u8> {
        self.process.poll(cx.now());
        self.pass_on(cx, reply);
        let status = self.process.exit();
        if status.is_some() {
            self.finish(cx);
        } else {
            self.settle(cx);
            if self.flush_at.is_some_and(|at| at <= cx.now()) {
                self.flush(cx);
            }
        }
        status
    }

    fn pass_on<R>(&mut self, cx: &mut Context<'_, R>, reply: impl Fn(Output) -> R) {
        for item in self.process.take() {
            let (bytes, error) = match item {
                Item::Act(Act::Command { .. }) if self.subsystem => continue,
                Item::Act(act) => {
                    tell::act(cx, self.session, act, self.exec);
                    self.uncommitted = true;
                    continue;
                }
                Item::Out(bytes) => (bytes, false),
                Item::Err(bytes) => (bytes, true),
            };
            self.record_output(cx, &bytes);
            self.settle(cx);
            cx.reply(reply(if error { Output::Err(bytes) } else { Output::Out(bytes) }));
        }
    }

    fn record_output<R>(&mut self, cx: &mut Context<'_, R>, bytes: &[u8]) {
        let now = cx.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.bytes(now, Direction::Output, bytes);
            self.flush_at.get_or_insert(now + FLUSH);
            if let Some(piece) = recorder.take_if_large() {
                cx.record(piece);
            }
        }
    }

    fn flush<R>(&mut self, cx: &mut Context<'_, R>) {
        self.flush_at = None;
        if let Some(piece) = self.recorder.as_mut().and_then(Recorder::take) {
            cx.record(piece);
        }
    }

    /// Makes what was told durable before anything further is sent.
    fn settle<R>(&mut self, cx: &mut Context<'_, R>) {
        if self.uncommitted {
            self.uncommitted = false;
            self.flush(cx);
            cx.commit();
        }
    }

    /// The session is over, whoever ended it.
    pub(crate) fn finish<R>(&mut self, cx: &mut Context<'_, R>) {
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
