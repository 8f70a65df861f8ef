//! SSH as OpenSSH's server speaks it (RFC 4251 to 4254), with every decision left to a session.
//!
//! ```text
//! client ─► edge ─► connection ─► transport ─► packet ─► cipher        bytes
//!                       │ ▲            └─► negotiate, kex, keys        keys
//!                       ▼ │
//!                     brain (SshSession) ─► outbox ─► world, client    effects, in order
//! ```
//! `edge` is the only part with I/O: one task drives one connection. Everything else is a state
//! machine that takes bytes and time and gives bytes and effects; the same seed and the same input
//! give the same output, RSA's blinding apart, which shows nowhere. Start reading at
//! `connection.rs`.
//!
//! Algorithms and their order are those of the version that a decky's banner claims (`offer.rs`),
//! so the `hasshServer` equals that of the real server. Not here: certificates as host keys,
//! GSS-API, remote forwarding, and X11 or agent channels.

mod auth;
mod brain;
mod channel;
mod cipher;
mod connection;
mod edge;
mod ident;
mod kex;
mod keys;
mod negotiate;
mod numbers;
mod offer;
mod packet;
mod request;
mod sign;
mod suite;
mod transport;
mod wire;

pub use edge::serve;
pub use keys::{HostKeys, KeyError};

#[cfg(test)]
mod tests;
