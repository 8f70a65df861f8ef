//! The decoy process: everything that reads attacker bytes happens here.
//!
//! ```text
//! keeper ─► link ─► fleet ─► listener ─► connection ─► session ─► voice ─► journal ─► shipper ─► link
//! ```
//! [`run`] is called inside the sandbox, with the link as its only way out. Identity of events
//! (decky, attacker, session) is bound in [`voice`]; nothing an attacker says reaches it.
//! Start with [`process`].

mod admission;
mod bare;
mod connection;
mod counted;
mod data;
mod fleet;
mod machine;
mod process;
mod sensor;
mod shipper;
mod stream;
mod voice;
mod wire;

pub use process::{Options, RunError, run};

/// A service on the machines of this process.
pub type Service = decoys_kit::Service<decoys_host::HostHandle>;
