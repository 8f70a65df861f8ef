//! Text: showing, searching, cutting, making it.

pub(super) mod amount;
mod awk;
mod cat;
mod cut;
pub(super) mod echo;
mod grep;
mod head;
mod lines;
pub(super) mod printf;
mod sed;
mod seq;
mod sort;
mod tail;
mod tee;
mod tr;
mod uniq;
mod wc;
mod xargs;
mod yes;

use super::BIN;

/// A number with six digits that count, as `printf %g` spells it.
pub(super) fn general(number: f64) -> String {
    awk::general(number)
}

programs! {
    "cat" in BIN, 44_016 => cat::run, help;
    "cut" in BIN, 48_112 => cut::run, help;
    "echo" in BIN, 43_856 => echo::run;
    "egrep" in BIN, 41 => grep::run;
    "fgrep" in BIN, 41 => grep::run;
    "fold" in BIN, 43_856 => lines::fold, help;
    "grep" in BIN, 203_152 => grep::run, help;
    "head" in BIN, 48_080 => head::run, help;
    "mawk" in BIN, 162_504 => awk::run;
    "nl" in BIN, 43_984 => lines::nl, help;
    "paste" in BIN, 43_920 => lines::paste, help;
    "printf" in BIN, 64_432 => printf::run;
    "rev" in BIN, 14_648 => lines::rev;
    "sed" in BIN, 126_424 => sed::run, help;
    "seq" in BIN, 60_336 => seq::run, help;
    "sort" in BIN, 118_456 => sort::run, help;
    "tac" in BIN, 43_856 => cat::backwards, help;
    "tail" in BIN, 76_944 => tail::run, help;
    "tee" in BIN, 43_984 => tee::run, help;
    "tr" in BIN, 56_208 => tr::run, help;
    "uniq" in BIN, 48_080 => uniq::run, help;
    "wc" in BIN, 52_280 => wc::run, help;
    "xargs" in BIN, 72_080 => xargs::run, help;
    "yes" in BIN, 39_760 => yes::run, help;
}
