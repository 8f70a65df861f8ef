//! The process environment, and what fills it where it says nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What a configuration file says.
static FILLED: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// The value of `DECNET_*` variable `name`, or what fills it; empty counts as unset.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    set(name).or_else(|| FILLED.get()?.get(name).cloned())
}

/// The value of variable `name` in the environment itself; empty counts as unset.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// From now on `values` stand for the variables that are not set. Only the first call counts.
pub fn fill(values: BTreeMap<String, String>) {
    // A second one would change what was read already.
    let _ = FILLED.set(values);
}

/// The variables that begin with `prefix`, sorted.
#[must_use]
pub fn names(prefix: &str) -> Vec<String> {
    let all = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = all.filter(|name| name.starts_with(prefix)).collect();
    names.sort();
    names
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
