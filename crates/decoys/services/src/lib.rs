//! The decoy services, one folder each.
//!
//! A service is a [`decoys_kit::Service`] over the simulated machines of `decoys-host`: a state
//! machine without I/O. `registry` lists them all; `template` is the smallest complete one, to be
//! copied for the next. Settings, catalogue, port map and documentation derive from each
//! `SERVICE`; joining the list enrols a service in the conformance tests.

pub mod ftp;
pub mod http;
pub mod https;
mod inbox;
pub mod mysql;
mod pace;
pub mod postgres;
pub mod redis;
mod registry;
mod runner;
pub mod smtp;
mod sql;
pub mod ssh;
pub mod telnet;
pub mod template;

pub use registry::{ALL, find};

/// A service on one of our machines.
pub type Service = decoys_kit::Service<decoys_host::HostHandle>;

#[cfg(test)]
mod tests;
