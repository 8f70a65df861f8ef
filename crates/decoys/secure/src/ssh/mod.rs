//! The SSH edge, on russh.
//!
//! ```text
//! client ─► ident ─► russh ─► handler ─► brain (SshSession) ─► outbox ─► performer ─► world, client
//! ```
//! The handler runs the session's step and answers requests at once; everything else a step wants
//! goes through the connection's outbox in order, so that a reply which must wait for the disk
//! never holds up the reading side.
//!
//! russh hands user names, passwords and environment over as UTF-8 text only; a try that is not
//! ends the connection inside russh.

mod brain;
mod edge;
mod handler;
mod ident;
mod keys;
mod performer;

pub use edge::serve;
pub use keys::{HostKeys, KeyError};
