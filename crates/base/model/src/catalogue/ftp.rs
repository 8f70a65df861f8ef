//! What is done over FTP (`spec/services.md` §7).

use std::net::IpAddr;

use super::shell::DOWNLOAD_ATTEMPT;
use super::{Fact, Kind};
use crate::{Fields, Sha256Digest};

/// A user name was given.
pub const USER: Kind = Kind::info("user");
/// A directory was listed.
pub const LIST: Kind = Kind::info("list");
/// A file came in.
pub const UPLOAD: Kind = Kind::warning("upload");
/// The server was asked to connect to somebody else.
pub const BOUNCE_ATTEMPT: Kind = Kind::warning("bounce_attempt");
/// Somebody other than the client connected to a port that was opened for the client.
pub const DATA_REFUSED: Kind = Kind::warning("data_refused");

/// The client gave the user `name`.
#[must_use]
pub fn ftp_user(name: &[u8]) -> Fact {
    Fact::new(&USER, Fields::new().bytes("username", name))
}

/// The client sent `line`, answered with `code`.
#[must_use]
pub fn ftp_command(line: &[u8], code: u16) -> Fact {
    Fact::new(&super::shell::COMMAND, Fields::new().bytes("command", line).with("reply", code))
}

/// The client asked for the file `path`; `size` when it was sent, `outcome` says how it went.
#[must_use]
pub fn ftp_download(path: &[u8], size: Option<u64>, outcome: &str) -> Fact {
    let fields = Fields::new().bytes("path", path).with_some("size", size).with("outcome", outcome);
    Fact::new(&DOWNLOAD_ATTEMPT, fields)
}

/// The client listed `path` by `verb`.
#[must_use]
pub fn ftp_list(verb: &str, path: &[u8]) -> Fact {
    Fact::new(&LIST, Fields::new().bytes("path", path).with("verb", verb))
}

/// The file `path` came in; `complete` unless the transfer was cut off.
#[must_use]
pub fn ftp_upload(path: &[u8], size: u64, sha256: Sha256Digest, complete: bool) -> Fact {
    let fields = Fields::new()
        .bytes("path", path)
        .with("size", size)
        .with("sha256", sha256.to_string())
        .with("complete", complete);
    Fact::new(&UPLOAD, fields)
}

/// The client asked by `verb` to be sent data at `ip`:`port`, which is not where it is.
#[must_use]
pub fn bounce_attempt(verb: &str, ip: IpAddr, port: u16) -> Fact {
    let fields = Fields::new()
        .with("verb", verb)
        .with("bounce_ip", ip.to_string())
        .with("bounce_port", port);
    Fact::new(&BOUNCE_ATTEMPT, fields)
}

/// `ip` connected to data port `port`, which was opened for somebody else.
#[must_use]
pub fn data_refused(ip: IpAddr, port: u16) -> Fact {
    let fields = Fields::new().with("refused_ip", ip.to_string()).with("data_port", port);
    Fact::new(&DATA_REFUSED, fields)
}
