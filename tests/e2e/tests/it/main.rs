//! End to end: the real binary, attacked by real clients.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "this is test code"
)]

mod attackers;
mod capture;
mod command_line;
mod container;
mod containment;
mod crashes;
mod databases;
mod disk;
mod files;
mod fleet_file;
mod fleet_identity;
mod hostile;
mod install;
mod lifecycle;
mod mail;
mod operator;
mod simulate;
mod terminal;
mod tls;
