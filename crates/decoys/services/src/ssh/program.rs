//! A program on a session channel.

use base_model::{SessionId, Timestamp};
use decoys_host::shell::{Entry, Spawn, Stdio};
use decoys_host::{Account, HostHandle};
use decoys_kit::recorder::Terminal;
use decoys_kit::ssh::{Channel, SshContext, SshReply};

use super::channel::Wishes;
use crate::runner::{Account as About, Output, Runner};

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
    runner: Runner,
    pty: bool,
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
        let terminal = wishes.pty.as_ref().map(|pty| Terminal {
            size: pty.size,
            term: pty.term.clone(),
            env: wishes.env.clone(),
            modes: pty.modes.clone(),
            client: caller.client.to_vec(),
            auth_method: caller.method.to_owned(),
            agent: wishes.agent,
            x11: wishes.x11,
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
            entry: Entry::Ssh,
        };
        let account = About { session, terminal, exec, subsystem };
        let runner = Runner::start(caller.host, spawn, account);
        Self { channel, runner, pty: wishes.pty.is_some() }
    }

    /// Takes input from the client.
    pub(super) fn input(&mut self, now: Timestamp, bytes: &[u8]) {
        self.runner.input(now, bytes);
    }

    pub(super) fn end_of_input(&mut self) {
        self.runner.end_of_input();
    }

    pub(super) fn resize(&mut self, now: Timestamp, columns: u32, rows: u32) {
        self.runner.resize(now, columns, rows);
    }

    pub(super) fn signal(&mut self, name: &[u8]) {
        self.runner.signal(name);
    }

    /// When [`Program::run`] is wanted next.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.runner.due()
    }

    /// Lets it run, and passes on what came of it; false once it has ended.
    pub(super) fn run(&mut self, cx: &mut SshContext<'_>) -> bool {
        let channel = self.channel;
        let status = self.runner.run(cx, |output| match output {
            Output::Out(bytes) => SshReply::Data(channel, bytes),
            Output::Err(bytes) => SshReply::Stderr(channel, bytes),
        });
        let Some(status) = status else { return true };
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

    /// The session is over, whoever ended it.
    pub(super) fn finish(&mut self, cx: &mut SshContext<'_>) {
        self.runner.finish(cx);
    }
}
