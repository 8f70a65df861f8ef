//! What was typed into a shell, and where the shell was asked to lead.

use super::{Fact, Kind};
use crate::Fields;

/// A command line was run.
pub const COMMAND: Kind = Kind::warning("command");
/// A program was to fetch something from elsewhere.
pub const DOWNLOAD_ATTEMPT: Kind = Kind::warning("download_attempt");
/// A port forwarding was asked for.
pub const TCPIP_FORWARD: Kind = Kind::warning("tcpip_forward");

/// What [`command`] records.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// The line, whole, as it was read.
    pub line: &'a [u8],
    /// Login name it ran as.
    pub user: &'a str,
    /// Numeric user id it ran as.
    pub uid: u32,
    /// Working directory.
    pub pwd: &'a [u8],
    /// Exit status.
    pub status: u8,
    /// Whether it came as an SSH `exec` request instead of being typed.
    pub exec: bool,
}

/// A command line with the place it ran in and how it ended.
#[must_use]
pub fn command(command: &Command<'_>) -> Fact {
    command_fact(command, true)
}

/// A command line that is told while it still runs; its `status` is not known and not recorded.
#[must_use]
pub fn running_command(command: &Command<'_>) -> Fact {
    command_fact(command, false)
}

fn command_fact(command: &Command<'_>, ended: bool) -> Fact {
    let fields = Fields::new()
        .bytes("command", command.line)
        .with("user", command.user)
        .with("uid", command.uid)
        .bytes("pwd", command.pwd)
        .with_some("status", ended.then_some(command.status))
        .with("exec", u8::from(command.exec));
    Fact::new(&COMMAND, fields)
}

/// `tool` (`wget`, `curl`, …) was told to fetch `url`; nothing was fetched.
#[must_use]
pub fn download_attempt(tool: &str, url: &[u8]) -> Fact {
    Fact::new(&DOWNLOAD_ATTEMPT, Fields::new().bytes("url", url).with("tool", tool))
}

/// A client asked to be led to `host`:`port`, sending `first` once led there; nothing was opened.
#[must_use]
pub fn tcpip_forward(host: &[u8], port: u32, first: &[u8]) -> Fact {
    let fields = Fields::new().bytes("host", host).with("port", port).bytes("first_bytes", first);
    Fact::new(&TCPIP_FORWARD, fields)
}
