//! What can go wrong on a connection.

use std::io;
use std::net::SocketAddrV4;

/// Why an act ended early.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing answers.
    #[error("failed to connect to {to}")]
    Unreachable {
        /// Where.
        to: SocketAddrV4,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No socket on the actor's own address.
    #[error("failed to bind an attacker's address")]
    Source(#[source] io::Error),
    /// It takes too long.
    #[error("{0} did not come in time")]
    Late(&'static str),
    /// The other side ended it.
    #[error("the connection ended before {0}")]
    Ended(&'static str),
    /// More than anybody would send.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// Not what the protocol says.
    #[error("{0} is not what the protocol says")]
    Odd(&'static str),
    /// The socket failed.
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    /// SSH failed.
    #[error("SSH failed")]
    Ssh(#[from] russh::Error),
}
