//! Who is who: users, groups, logins, and becoming somebody else.

mod become_user;
mod book;
mod id;
mod last;
mod passwd;
mod su;
mod sudo;
#[cfg(test)]
mod tests;
mod useradd;
mod w;

use super::{BIN, SBIN};

programs! {
    "chpasswd" in SBIN, 63_696 => passwd::from_list;
    "groupadd" in SBIN, 93_216 => useradd::group;
    "groups" in BIN, 43_920 => id::run, help;
    "id" in BIN, 48_144 => id::run, help;
    "last" in BIN, 47_888 => last::run;
    "passwd" in BIN, 68_248 mode 0o4755 => passwd::run;
    "su" in BIN, 72_000 mode 0o4755 => su::run;
    "sudo" in BIN, 281_624 mode 0o4755 => sudo::run;
    "useradd" in SBIN, 151_008 => useradd::run;
    "userdel" in SBIN, 101_848 => useradd::delete;
    "usermod" in SBIN, 146_872 => useradd::modify;
    "users" in BIN, 39_824 => w::run, help;
    "w" in BIN, 22_840 => w::run;
    "who" in BIN, 60_432 => w::run, help;
    "whoami" in BIN, 39_792 => id::run, help;
}
