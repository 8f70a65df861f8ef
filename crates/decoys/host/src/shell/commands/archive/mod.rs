//! Archives and compressed files.

mod gzip;
mod tar;

use super::BIN;

programs! {
    "gunzip" in BIN, 2_346 => gzip::run;
    "gzip" in BIN, 98_136 => gzip::run, help;
    "tar" in BIN, 531_928 => tar::run, help;
    "zcat" in BIN, 1_984 => gzip::run;
}
