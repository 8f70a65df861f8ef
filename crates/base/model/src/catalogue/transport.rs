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
/// An SSH client said what algorithms it has.
pub const SSH_CLIENT_KEXINIT: Kind = Kind::info("ssh_client_kexinit");
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

/// What [`ssh_client_kexinit`] records.
#[derive(Clone, Copy, Debug)]
pub struct KexInit<'a> {
    /// Hexadecimal MD5 of `algorithms`.
    pub hassh: &'a str,
    /// Key exchange methods, then ciphers, MACs and compression from client to server.
    pub algorithms: &'a str,
    /// Host key algorithms.
    pub host_keys: &'a str,
    /// Languages.
    pub languages: &'a str,
    /// A guess at the first message of the key exchange followed.
    pub first_kex_follows: bool,
    /// It understands extensions (RFC 8308).
    pub ext_info: bool,
    /// It is strict about the order of messages.
    pub strict: bool,
}

/// The first `SSH_MSG_KEXINIT` of an SSH client (RFC 4253 §7.1).
#[must_use]
pub fn ssh_client_kexinit(init: &KexInit<'_>) -> Fact {
    let fields = Fields::new()
        .with("hassh", init.hassh)
        .with("hassh_algorithms", init.algorithms)
        .with("host_key_algorithms", init.host_keys)
        .with("languages", init.languages)
        .with("first_kex_follows", init.first_kex_follows)
        .with("ext_info_c", init.ext_info)
        .with("kex_strict_c", init.strict);
    Fact::new(&SSH_CLIENT_KEXINIT, fields)
}

/// A service began to listen on `ports`.
#[must_use]
pub fn startup(ports: &[u16]) -> Fact {
    Fact::new(&STARTUP, Fields::new().with("ports", ports.to_vec()))
}
