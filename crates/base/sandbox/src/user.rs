//! The unprivileged user of the decoy process.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

/// A numeric user and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Ids {
    /// Who the process is (effective ids).
    #[must_use]
    pub fn current() -> Self {
        Self { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
    }

    /// Whether either number is root's.
    #[must_use]
    pub const fn is_root(self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// The user that packages create for the decoy process.
const NAME: &str = "decnet";

/// Where a number is taken from when that user does not exist: the range that systemd keeps free
/// for users without an entry. The start is fixed, so that files keep their owner over restarts.
const FREE: std::ops::RangeInclusive<u32> = 61_184..=65_519;
const FIRST_CHOICE: u32 = 62_377;

/// The user that the decoy process becomes: `decnet` of `/etc/passwd`, else a fixed number that no
/// user or group has. The files are read directly: name-service plug-ins would run foreign code as
/// root.
#[must_use]
pub fn unprivileged_user() -> Ids {
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    let group = fs::read("/etc/group").unwrap_or_default();
    choose(&String::from_utf8_lossy(&passwd), &String::from_utf8_lossy(&group))
}

/// Whether the process has root's user id.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn choose(passwd: &str, group: &str) -> Ids {
    let named = passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let &[NAME, _, uid, gid, ..] = fields.as_slice() else { return None };
        Some(Ids { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
    });
    if let Some(ids) = named.filter(|ids| !ids.is_root()) {
        return ids;
    }
    let taken: BTreeSet<u32> = numbers(passwd).chain(numbers(group)).collect();
    let number = (FIRST_CHOICE..=*FREE.end())
        .chain(*FREE.start()..FIRST_CHOICE)
        .find(|number| !taken.contains(number))
        .unwrap_or(FIRST_CHOICE);
    Ids { uid: number, gid: number }
}

/// The third field of each line: the user's or group's number.
fn numbers(table: &str) -> impl Iterator<Item = u32> + '_ {
    table.lines().filter_map(|line| line.split(':').nth(2)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken\ndecnetx:x:7:7::/:/x\n";

    #[test]
    fn the_packaged_user_is_taken() {
        let passwd = format!("{PASSWD}decnet:x:990:988::/var/lib/decnet:/usr/sbin/nologin\n");
        assert_eq!(choose(&passwd, ""), Ids { uid: 990, gid: 988 });
    }

    #[test]
    fn without_it_the_number_is_fixed_and_in_the_free_range() {
        let ids = choose(PASSWD, "");
        assert_eq!(ids, choose("", ""));
        assert!(FREE.contains(&ids.uid) && ids.uid == ids.gid);
    }

    #[test]
    fn a_number_that_a_user_or_group_has_is_skipped() {
        let passwd = format!("{PASSWD}a:x:{FIRST_CHOICE}:1::/:/x\n");
        let group = format!("b:x:{}:\n", FIRST_CHOICE + 1);
        assert_eq!(choose(&passwd, &group).uid, FIRST_CHOICE + 2);
    }

    #[test]
    fn a_decnet_user_with_roots_rights_is_not_taken() {
        assert!(!choose("decnet:x:0:0::/:/x\n", "").is_root());
        assert!(!choose("decnet:x:990:0::/:/x\n", "").is_root());
    }
}
