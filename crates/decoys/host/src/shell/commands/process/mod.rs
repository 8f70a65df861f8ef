//! Processes: who runs, and ending them.

pub(in crate::shell) mod kill;
mod ps;
pub(in crate::shell) mod signal;
mod timeout;
mod top;

use super::BIN;

pub(super) use timeout::seconds as timeout_seconds;

programs! {
    "kill" in BIN, 22_840 => kill::run;
    "killall" in BIN, 31_584 => kill::killall;
    "pgrep" in BIN, 31_032 => kill::by_pattern;
    "pidof" in BIN, 31_192 => kill::pidof;
    "pkill" in BIN, 31_032 => kill::by_pattern;
    "ps" in BIN, 146_360 => ps::run;
    "timeout" in BIN, 48_080 => timeout::run, help;
    "top" in BIN, 130_760 => top::run;
}
