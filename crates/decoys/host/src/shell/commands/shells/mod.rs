//! Shells, and the program that is many.

mod busybox;
mod sh;

use super::BIN;

programs! {
    "bash" in BIN, 1_265_648 => sh::run;
    "busybox" in BIN, 734_296 => busybox::run;
    "dash" in BIN, 125_640 => sh::run;
}
