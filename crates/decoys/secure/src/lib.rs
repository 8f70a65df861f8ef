//! Where decoy cryptography ends.
//!
//! An edge speaks the encrypted protocol and leaves every decision to a session of
//! `decoys-kit`; what the session wants done in the world goes out through [`World`]. No other
//! decoy crate has a cryptography stack.

pub mod ssh;
pub mod tls;
mod world;

pub use world::{Outward, Stalled, World};
