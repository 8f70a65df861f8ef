//! The system itself: names, time, memory, environment.

mod clear;
mod crontab;
mod date;
pub(super) mod dates;
pub(super) mod env;
mod free;
mod hardware;
mod hostname;
mod nohup;
pub(super) mod nothing;
mod nproc;
mod openrc;
mod release;
mod services;
mod sleep;
#[cfg(test)]
mod tests;
mod tty;
mod uname;
pub(super) mod uptime;
mod which;

use super::{BIN, SBIN};

programs! {
    "arch" in BIN, 43_888 => uname::run, help;
    "clear" in BIN, 14_584 => clear::run;
    "crontab" in BIN, 43_568 mode 0o2755 => crontab::run;
    "date" in BIN, 121_904 => date::run, help;
    "dmesg" in BIN, 84_264 => hardware::dmesg;
    "env" in BIN, 48_536 => env::run, help;
    "false" in BIN, 35_664 => nothing::fails;
    "free" in BIN, 26_936 => free::run;
    "hostnamectl" in BIN, 30_928 => release::hostnamectl;
    "hostname" in BIN, 22_680 => hostname::run;
    "lsblk" in BIN, 166_184 => hardware::lsblk;
    "lscpu" in BIN, 109_808 => hardware::lscpu;
    "lsb_release" in BIN, 3_638 => release::lsb_release;
    "mount" in BIN, 59_704 mode 0o4755 => hardware::mount;
    "nohup" in BIN, 43_920 => nohup::run, help;
    "nproc" in BIN, 43_920 => nproc::run, help;
    "printenv" in BIN, 35_664 => env::printenv, help;
    "rc-service" in SBIN, 34_584 => openrc::service;
    "rc-status" in BIN, 34_584 => openrc::status;
    "service" in SBIN, 9_047 => services::service;
    "sleep" in BIN, 43_888 => sleep::run, help;
    "systemctl" in BIN, 1_501_352 => services::run;
    "sync" in BIN, 39_824 => nothing::run, help;
    "true" in BIN, 35_664 => nothing::run;
    "tty" in BIN, 35_696 => tty::run, help;
    "umount" in BIN, 35_128 mode 0o4755 => hardware::umount;
    "uname" in BIN, 43_888 => uname::run, help;
    "uptime" in BIN, 14_648 => uptime::run;
    "whereis" in BIN, 35_112 => which::whereis;
    "which" in BIN, 946 => which::run;
}
