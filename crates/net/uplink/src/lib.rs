//! Where decky addresses meet a network. The one uplink is `loopback`: kernel TCP sockets on the
//! addresses of this machine that only this machine reaches.
//!
//! Promises: no socket is ever opened on an address that another machine could reach, and each is
//! one decky's own, never a wildcard. A low port that is not permitted or taken is replaced by a
//! high one and the caller is told, so that it can be said clearly.
//!
//! It runs in the keeper and reads no attacker byte. Order of calls: [`raise_limit`], [`fit`] the
//! fleet, [`bind`] each port; then pass the sockets to the decoy process. Deckies without an address
//! of their own are given one of [`DECKIES`].

mod address;
mod descriptors;
mod listener;

pub use address::{AddressError, DECKIES, check_address};
pub use descriptors::{TooManyDeckies, descriptors_needed, fit, raise_limit};
pub use listener::{BindError, DataPort, HighPort, Listener, bind, data_port};
