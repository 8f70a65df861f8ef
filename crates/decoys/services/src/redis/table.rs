//! Every command of Redis 7.0 with what clients may ask about it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A command, or a subcommand under `container name`.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// Words it takes with its name; at least so many when negative.
    pub(super) arity: i64,
    pub(super) flags: &'static str,
    /// First and last key, and the step between them.
    pub(super) keys: (i64, i64, i64),
    /// Families, without `@`.
    pub(super) families: &'static str,
    pub(super) since: &'static str,
    pub(super) group: &'static str,
    pub(super) complexity: &'static str,
    pub(super) summary: &'static str,
}

static TABLE: LazyLock<BTreeMap<&'static str, Spec>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.splitn(11, '|');
        let mut next = || parts.next();
        let spec = Spec {
            name: next()?,
            arity: next()?.parse().ok()?,
            flags: next()?,
            keys: (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?),
            families: next()?,
            since: next()?,
            group: next()?,
            complexity: next()?,
            summary: next()?,
        };
        Some((spec.name, spec))
    };
    include_str!("data/commands.txt").lines().filter_map(line).collect()
});

/// The command called `name`, in lower case.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    TABLE.get(name).filter(|spec| !spec.name.contains(' '))
}

/// Subcommand `sub` of `container`.
pub(super) fn find_sub(container: &str, sub: &str) -> Option<&'static Spec> {
    TABLE.get(format!("{container} {sub}").as_str())
}

/// Subcommands of `container`.
pub(super) fn subs(container: &str) -> impl Iterator<Item = &'static Spec> {
    let prefix = format!("{container} ");
    TABLE.values().filter(move |spec| spec.name.starts_with(&prefix))
}

/// All commands of the version.
pub(super) fn all(seven: bool) -> impl Iterator<Item = &'static Spec> {
    TABLE.values().filter(move |spec| !spec.name.contains(' ') && spec.is_in(seven))
}

/// Whether there is a family of commands called `name`.
pub(super) fn is_family(name: &str) -> bool {
    FAMILIES.contains(&name)
}

/// Families in the order that `ACL CAT` lists them.
pub(super) const FAMILIES: &[&str] = &[
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

impl Spec {
    /// Whether version 7, or else 6.0, has it.
    pub(super) fn is_in(&self, seven: bool) -> bool {
        let mut parts = self.since.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let since = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        seven || since <= (6, 0)
    }

    /// Whether it has subcommands.
    pub(super) fn is_container(&self) -> bool {
        subs(self.name).next().is_some()
    }

    /// Whether it has `flag`.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.split(' ').any(|known| known == flag)
    }

    /// Whether `words` is a number of words it takes.
    pub(super) fn takes(&self, words: usize) -> bool {
        let words = i64::try_from(words).unwrap_or(i64::MAX);
        if self.arity >= 0 { words == self.arity } else { words >= -self.arity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_reads() {
        assert_eq!(TABLE.len(), include_str!("data/commands.txt").lines().count());
        assert_eq!(all(true).count(), 240);
        assert!(find("copy").is_some_and(|spec| !spec.is_in(false)));
        assert!(find_sub("config", "get").is_some_and(|spec| spec.takes(3) && !spec.takes(2)));
    }
}
