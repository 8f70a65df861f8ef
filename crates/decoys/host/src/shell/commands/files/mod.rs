//! Files and directories: listing, making, moving, removing, attributes, space.

mod basename;
mod chattr;
mod chmod;
mod cp;
mod dd;
mod df;
mod du;
mod find;
mod ln;
mod ls;
mod mkdir;
mod mktemp;
pub(super) mod mode;
mod mv;
mod pwd;
mod readlink;
mod rm;
mod rmdir;
mod stat;
mod target;
mod touch;

use super::BIN;
use crate::fs::Node;
use crate::shell::proc::Proc;

/// A size as `-h` shows it: at most three digits and a unit, rounded up.
pub(super) fn human(size: u64) -> String {
    for (unit, bytes) in [('T', 1_u64 << 40), ('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)] {
        if size >= bytes {
            let tenths = (size * 10).div_ceil(bytes);
            return if tenths < 100 {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            } else {
                format!("{}{unit}", size.div_ceil(bytes))
            };
        }
    }
    size.to_string()
}

/// The names of a node's user and group.
pub(super) fn owner_names(proc: &Proc, node: &Node) -> (String, String) {
    proc.host.with(|machine| {
        let accounts = machine.accounts();
        let user =
            accounts.by_uid(node.uid).map_or_else(|| "UNKNOWN".to_owned(), |a| a.name.clone());
        (user, accounts.group_name(node.gid).unwrap_or("UNKNOWN").to_owned())
    })
}

programs! {
    "basename" in BIN, 43_856 => basename::run, help;
    "chmod" in BIN, 64_496 => chmod::run, help;
    "chown" in BIN, 72_752 => chmod::run, help;
    "cmp" in BIN, 51_424 => mktemp::cmp, help;
    "cp" in BIN, 151_152 => cp::run, help;
    "dd" in BIN, 89_352 => dd::run, help;
    "df" in BIN, 102_200 => df::run, help;
    "chattr" in BIN, 14_656 => chattr::run;
    "chgrp" in BIN, 68_656 => chmod::run, help;
    "dirname" in BIN, 39_760 => basename::dirname, help;
    "du" in BIN, 113_288 => du::run, help;
    "find" in BIN, 224_848 => find::run;
    "ln" in BIN, 72_824 => ln::run, help;
    "ls" in BIN, 151_344 => ls::run, help;
    "lsattr" in BIN, 14_656 => chattr::list;
    "mkdir" in BIN, 97_552 => mkdir::run, help;
    "mktemp" in BIN, 43_920 => mktemp::run, help;
    "mv" in BIN, 142_968 => mv::run, help;
    "pwd" in BIN, 43_952 => pwd::run, help;
    "readlink" in BIN, 52_112 => readlink::run, help;
    "realpath" in BIN, 43_952 => readlink::run, help;
    "rm" in BIN, 72_752 => rm::run, help;
    "rmdir" in BIN, 56_240 => rmdir::run, help;
    "stat" in BIN, 97_488 => stat::run, help;
    "touch" in BIN, 109_616 => touch::run, help;
}
