//! The words every stage shares: ids, time, events with their closed catalogue, decky records.
//!
//! Promises: no I/O, no clock, no randomness; what needs time or entropy takes it as an argument.
//! Start with [`Event`] (what happened, at rest) and [`catalogue`] (what may happen, at the source).

pub mod address;
pub mod catalogue;
mod class;
mod decky;
mod event;
mod fields;
mod ids;
mod mac;
mod record;
mod recording;
mod secret;
mod time;

pub use address::Peer;
pub use catalogue::{Fact, Kind};
pub use class::{Class, classify};
pub use decky::{Account, Decky, DeckyService, PersonaSecret, Port};
pub use event::{EVENT_VERSION, Event, Transport};
pub use fields::Fields;
pub use ids::{BootId, ConnId, DeckyId, EventId, SensorId, SessionId};
pub use mac::{MacAddress, MacFormat};
pub use record::{Body, Record};
pub use recording::{RecordingChunk, Sha256Digest};
pub use secret::{Secret, SecretKind, printable};
pub use time::Timestamp;
