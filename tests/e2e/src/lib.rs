//! The real binary on its own state folder, and real clients to drive it.
//!
//! Start with [`Decnet::start`]; [`Decnet::api`] asks the API, [`clients`] attack.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "this crate is test code"
)]

mod boot;
pub mod clients;
mod daemon;
mod http;
pub mod jarm;
mod lossy_fs;
mod mariadb;
mod wait;

pub use boot::booted;
pub use daemon::{Decky, Decnet, Options, binary};
pub use http::{Answer, request};
pub use lossy_fs::LossyFs;
pub use mariadb::MariaDb;
pub use wait::until;

/// Says which tool is missing; a failure where skips are.
#[must_use]
pub fn missing(tool: &str) -> bool {
    let found = std::process::Command::new("which").arg(tool).output();
    if found.is_ok_and(|which| which.status.success()) {
        return false;
    }
    skipped(&format!("{tool} is not installed"));
    true
}

/// Says why a test is skipped; a failure where skips are.
pub fn skipped(why: &str) {
    assert!(std::env::var_os("DECNET_TESTS_STRICT").is_none(), "{why}");
    eprintln!("SKIPPED: {why}");
}
