//! Package managers: they tell of what is installed. What they would fetch is out of reach, and they
//! say so as they do on a machine whose mirrors do not resolve.

mod apk;
mod apt;
mod dnf;
mod dpkg;
mod pacman;
mod rpm;
#[cfg(test)]
mod tests;

use super::{BIN, SBIN};
use crate::persona::Package;
use crate::shell::proc::Proc;

programs! {
    "apk" in SBIN, 64_776 => apk::run;
    "apt" in BIN, 18_752 => apt::run;
    "apt-cache" in BIN, 88_472 => apt::run;
    "apt-get" in BIN, 51_592 => apt::run;
    "dnf" in BIN, 2_091 => dnf::run;
    "dpkg" in BIN, 318_136 => dpkg::run;
    "dpkg-query" in BIN, 154_496 => dpkg::run;
    "pacman" in BIN, 145_920 => pacman::run;
    "rpm" in BIN, 24_360 => rpm::run;
    "yum" in BIN, 801 => dnf::run;
}

/// What is installed.
fn installed(proc: &Proc) -> Vec<Package> {
    proc.host.with(|machine| crate::persona::packages(machine.decky(), machine.facts()))
}

/// The arguments as text.
fn words(proc: &Proc) -> Vec<String> {
    proc.arguments().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect()
}

/// Whether `name` is meant by `pattern`, which may have `*`.
fn meant(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}
