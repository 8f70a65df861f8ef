//! The channels of a connection.

use std::time::Duration;

use base_model::{SessionId, Timestamp, catalogue};
use decoys_kit::ssh::{Channel, SshContext, SshReply};

use super::program::Program;

/// Most variables a client may send; more are refused.
const MAX_ENV: usize = 64;
/// Longest name or value of one.
const MAX_ENV_BYTES: usize = 4096;
/// Bytes kept of what a client sends through a forwarding.
const MAX_FIRST: usize = 4096;
/// How long a forwarded connection waits for its first bytes.
const FORWARD_WAIT: Duration = Duration::from_secs(8);

/// A terminal a client asked for.
#[derive(Clone, Debug)]
pub(super) struct Pty {
    pub(super) term: Vec<u8>,
    pub(super) size: (u32, u32),
    pub(super) modes: Vec<(u8, u32)>,
}

/// What was asked for before a program starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    pub(super) pty: Option<Pty>,
    pub(super) env: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) agent: bool,
    pub(super) x11: bool,
}

impl Wishes {
    /// Takes a variable; whether the server would.
    pub(super) fn add_env(&mut self, name: Vec<u8>, value: Vec<u8>) -> bool {
        let accepted = name == b"LANG" || name.starts_with(b"LC_");
        let fits = name.len() <= MAX_ENV_BYTES && value.len() <= MAX_ENV_BYTES;
        if accepted && fits && self.env.len() < MAX_ENV {
            self.env.push((name, value));
            return true;
        }
        false
    }
}

/// A channel.
pub(super) enum Open {
    /// A session on which nothing runs yet.
    Waiting(SessionId, Wishes),
    /// A session with its program.
    Running(Box<Program>),
    /// A forwarding: nothing is behind it.
    Forward(Forward),
    /// We closed it; the client has not yet.
    Closed,
}

/// A `direct-tcpip` channel, open until its first bytes are known.
pub(super) struct Forward {
    host: Vec<u8>,
    port: u32,
    deadline: Timestamp,
}

impl Forward {
    pub(super) fn new(now: Timestamp, host: Vec<u8>, port: u32) -> Self {
        Self { host, port, deadline: now + FORWARD_WAIT }
    }

    pub(super) const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Tells of it with what the client sent first.
    pub(super) fn tell(&self, cx: &mut SshContext<'_>, first: &[u8]) {
        let first = first.get(..MAX_FIRST).unwrap_or(first);
        cx.emit(catalogue::tcpip_forward(&self.host, self.port, first));
        cx.commit();
    }

    /// Tells of it and ends it, as when the far side went away.
    pub(super) fn finish(&self, cx: &mut SshContext<'_>, channel: Channel, first: &[u8]) {
        self.tell(cx, first);
        cx.reply(SshReply::Eof(channel));
        cx.reply(SshReply::Close(channel));
    }
}
