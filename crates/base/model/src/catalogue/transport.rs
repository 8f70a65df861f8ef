//! Connections, and what goes wrong on them.

use std::time::Duration;

use super::{Fact, Kind};
use crate::Fields;

/// A connection was opened.
pub const CONNECT: Kind = Kind::info("connect");
/// A connection ended.
pub const DISCONNECT: Kind = Kind::info("disconnect");
/// Our own code failed on a connection and ended it.
pub const ERROR: Kind = Kind::warning("error");
/// The client broke the protocol.
pub const PROTOCOL_ERROR: Kind = Kind::warning("protocol_error");
/// An SSH client said what it is.
pub const SSH_CLIENT_BANNER: Kind = Kind::info("ssh_client_banner");
/// A service began to listen.
pub const STARTUP: Kind = Kind::info("startup");

/// A connection was opened.
#[must_use]
pub fn connect() -> Fact {
    Fact::new(&CONNECT, Fields::new())
}

/// `count` more connections like this one were opened and said nothing.
#[must_use]
pub fn connects(count: u64) -> Fact {
    Fact::new(&CONNECT, Fields::new().with("suppressed", count))
}

/// A connection ended after `duration`, `received` bytes in and `sent` bytes out.
#[must_use]
pub fn disconnect(duration: Duration, received: u64, sent: u64) -> Fact {
    let fields = Fields::new()
        .with("duration_s", duration.as_secs_f64())
        .with("bytes_in", received)
        .with("bytes_out", sent);
    Fact::new(&DISCONNECT, fields)
}

/// Our code failed; `what` is ours, not the attacker's.
#[must_use]
pub fn error(what: &str) -> Fact {
    Fact::new(&ERROR, Fields::new().with("text", what))
}

/// The client broke the protocol; `sample` holds its offending bytes.
#[must_use]
pub fn protocol_error(why: &str, sample: &[u8]) -> Fact {
    Fact::new(&PROTOCOL_ERROR, Fields::new().with("reason", why).bytes("sample", sample))
}

/// The identification string of an SSH client (RFC 4253 §4.2), without line end.
#[must_use]
pub fn ssh_client_banner(ident: &[u8]) -> Fact {
    Fact::new(&SSH_CLIENT_BANNER, Fields::new().bytes("ssh_version", ident))
}

/// A service began to listen on `ports`.
#[must_use]
pub fn startup(ports: &[u16]) -> Fact {
    Fact::new(&STARTUP, Fields::new().with("ports", ports.to_vec()))
}
