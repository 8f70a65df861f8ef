//! Where decoy cryptography ends.
//!
//! The edge speaks the encrypted protocol with a library and leaves every decision to a session of
//! `decoys-kit`; what the session wants done in the world goes out through [`World`]. No other
//! decoy crate has a cryptography stack.

pub mod ssh;
mod world;

pub use world::{Outward, Stalled, World};
