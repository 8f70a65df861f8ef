//! The process environment.

use std::path::PathBuf;

/// The value of `DECNET_*` variable `name`; empty counts as unset.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where state lives when nothing else is said: `/var/lib/decnet` for root, else below
/// `XDG_STATE_HOME` or `~/.local/state`.
#[must_use]
pub fn default_state_dir(is_root: bool) -> PathBuf {
    if is_root {
        return "/var/lib/decnet".into();
    }
    let base = variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    base.or_else(home).unwrap_or_else(|| "/var/tmp".into()).join("decnet")
}
