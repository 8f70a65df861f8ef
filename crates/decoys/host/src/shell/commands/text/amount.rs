//! How much `head` and `tail` show.

use crate::shell::commands::complaint::typed;
use crate::shell::commands::options::Options;
use crate::shell::proc::{Proc, Stop};

/// So many lines or bytes.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    pub(super) count: u64,
    pub(super) bytes: bool,
    /// With the sign that turns the meaning: `head -n -N` is all but so many, `tail -n +N` from there.
    pub(super) other_way: bool,
}

impl Amount {
    /// As the options `-n` and `-c` say, the last one wins; `sign` turns the meaning.
    pub(super) async fn of(proc: &Proc, options: &Options, sign: u8) -> Result<Self, Stop> {
        let mut amount = Self { count: 10, bytes: false, other_way: false };
        for (letter, value) in options.iter() {
            if letter != b'n' && letter != b'c' {
                continue;
            }
            let bytes = letter == b'c';
            let digits = match value.first() {
                Some(b'+' | b'-') => value.get(1..).unwrap_or_default(),
                _ => value,
            };
            let Some(count) = number(digits) else {
                let kind = if bytes { "bytes" } else { "lines" };
                let text = format!("invalid number of {kind}: ");
                proc.say_err([text.as_bytes(), &typed(digits)].concat()).await;
                return Err(Stop::Status(1));
            };
            amount = Self { count, bytes, other_way: value.first() == Some(&sign) };
        }
        Ok(amount)
    }
}

/// The arguments with `-5` spelled as `-n 5`, which may stand first only.
pub(in crate::shell::commands) fn spelled(arguments: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut out = Vec::with_capacity(arguments.len());
    for (at, argument) in arguments.into_iter().enumerate() {
        match argument.strip_prefix(b"-") {
            Some(digits) if at == 0 && digits.first().is_some_and(u8::is_ascii_digit) => {
                let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
                let (count, letters) = digits.split_at_checked(length).unwrap_or((digits, b""));
                out.push([b"-n", count].concat());
                if !letters.is_empty() {
                    out.push([b"-", letters].concat());
                }
            }
            _ => out.push(argument),
        }
    }
    out
}

/// A number with an optional unit: `5`, `2K`, `3MB`.
pub(in crate::shell::commands) fn number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, unit) = text.split_at_checked(length)?;
    let factor = match unit {
        "" => 1,
        "b" => 512,
        "kB" | "KB" => 1000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "m" | "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
