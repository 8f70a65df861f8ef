//! The network, from which nothing leaves.

mod connect;
mod curl;
mod facts;
mod netstat;
mod route;
#[cfg(test)]
mod tests;
mod url;
mod wget;

use super::{BIN, SBIN};

programs! {
    "arp" in SBIN, 67_744 => route::arp;
    "curl" in BIN, 280_800 => curl::run;
    "ifconfig" in SBIN, 84_152 => route::ifconfig;
    "ip" in BIN, 703_728 => route::ip;
    "nc" in BIN, 35_064 => connect::nc;
    "netstat" in BIN, 155_496 => netstat::run;
    "ping" in BIN, 90_568 => connect::ping;
    "route" in SBIN, 65_400 => route::run;
    "ss" in BIN, 152_456 => netstat::ss;
    "ssh" in BIN, 1_082_600 => connect::ssh;
    "wget" in BIN, 470_384 => wget::run;
}

/// Programs that are applets of busybox only.
pub(super) const APPLETS: &[super::Command] = applets! {
    "ftpget" => connect::ftpget;
    "telnet" => connect::telnet;
    "tftp" => connect::tftp;
};
