//! Bytes in other clothes: sums, base64, dumps.

mod base64;
mod hexdump;
mod od;
mod strings;
mod sum;
mod xxd;

use super::BIN;

programs! {
    "base64" in BIN, 43_920 => base64::run, help;
    "hd" in BIN, 51_592 => hexdump::run;
    "hexdump" in BIN, 51_592 => hexdump::run;
    "md5sum" in BIN, 51_888 => sum::md5, help;
    "od" in BIN, 72_656 => od::run, help;
    "sha1sum" in BIN, 51_888 => sum::sha1, help;
    "sha224sum" in BIN, 55_984 => sum::sha224, help;
    "sha256sum" in BIN, 55_984 => sum::sha256, help;
    "sha384sum" in BIN, 60_080 => sum::sha384, help;
    "sha512sum" in BIN, 60_080 => sum::sha512, help;
    "strings" in BIN, 31_184 => strings::run;
    "xxd" in BIN, 18_744 => xxd::run;
}
