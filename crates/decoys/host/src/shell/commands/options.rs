//! Command line options, as `getopt_long(3)` reads them.

use crate::shell::proc::{Proc, Stop};

/// Parsed options and what is left.
#[derive(Debug, Default)]
pub(super) struct Options {
    flags: Vec<(u8, Vec<u8>)>,
    /// Arguments that are no options.
    pub(super) rest: Vec<Vec<u8>>,
}

impl Options {
    /// Whether `letter` was given.
    pub(super) fn has(&self, letter: u8) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == letter)
    }

    /// The last value of `letter`.
    pub(super) fn value(&self, letter: u8) -> Option<&[u8]> {
        self.flags.iter().rev().find(|(flag, _)| *flag == letter).map(|(_, value)| value.as_slice())
    }

    /// The last given letter among `letters`.
    pub(super) fn last_of(&self, letters: &[u8]) -> Option<u8> {
        self.flags.iter().rev().map(|(flag, _)| *flag).find(|flag| letters.contains(flag))
    }
}

/// What a program accepts: `short` as for `getopt` (a colon after a letter with a value), long
/// names with the letter they stand for.
pub(super) struct Accepts {
    pub(super) short: &'static str,
    pub(super) long: &'static [(&'static str, u8)],
    /// Status after a wrong option.
    pub(super) status: u8,
}

/// Reads the options of `proc`; a wrong one has been told.
pub(super) async fn read(proc: &Proc, accepts: &Accepts) -> Result<Options, Stop> {
    let mut options = Options::default();
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        if argument == b"--" {
            options.rest.extend(arguments);
            break;
        }
        if let Some(long) = argument.strip_prefix(b"--") {
            let (name, value) = match long.iter().position(|&b| b == b'=') {
                Some(at) => {
                    (long.get(..at).unwrap_or_default(), long.get(at + 1..).map(<[u8]>::to_vec))
                }
                None => (long, None),
            };
            let known = accepts.long.iter().find(|(known, _)| known.as_bytes() == name);
            let Some((_, letter)) = known else {
                let shown = String::from_utf8_lossy(&argument).into_owned();
                return Err(
                    wrong(proc, &format!("unrecognized option '{shown}'"), accepts.status).await
                );
            };
            let value = match value {
                Some(value) => value,
                None if takes_value(accepts.short, *letter) => arguments.next().unwrap_or_default(),
                None => Vec::new(),
            };
            options.flags.push((*letter, value));
        } else if argument.len() > 1 && argument.starts_with(b"-") {
            let mut letters = argument.iter().skip(1);
            while let Some(&letter) = letters.next() {
                if letter == b':' || !accepts.short.as_bytes().contains(&letter) {
                    let shown = char::from(letter);
                    return Err(wrong(
                        proc,
                        &format!("invalid option -- '{shown}'"),
                        accepts.status,
                    )
                    .await);
                }
                if takes_value(accepts.short, letter) {
                    let attached: Vec<u8> = letters.by_ref().copied().collect();
                    let value = if attached.is_empty() { arguments.next() } else { Some(attached) };
                    let Some(value) = value else {
                        let shown = char::from(letter);
                        let message = format!("option requires an argument -- '{shown}'");
                        return Err(wrong(proc, &message, accepts.status).await);
                    };
                    options.flags.push((letter, value));
                } else {
                    options.flags.push((letter, Vec::new()));
                }
            }
        } else {
            options.rest.push(argument);
        }
    }
    Ok(options)
}

fn takes_value(short: &str, letter: u8) -> bool {
    short.as_bytes().windows(2).any(|pair| pair == [letter, b':'])
}

async fn wrong(proc: &Proc, message: &str, status: u8) -> Stop {
    let name = proc.name();
    proc.err(format!("{name}: {message}\nTry '{name} --help' for more information.\n")).await;
    Stop::Status(status)
}

/// `missing operand`, as the core utilities tell it.
pub(super) async fn missing_operand(proc: &Proc) -> Stop {
    let name = proc.name();
    proc.err(format!("{name}: missing operand\nTry '{name} --help' for more information.\n")).await;
    Stop::Status(1)
}

/// A name as the core utilities quote it in messages.
pub(super) fn quoted(name: &[u8]) -> Vec<u8> {
    let mut out = b"'".to_vec();
    for &byte in name {
        match byte {
            b'\n' => out.extend_from_slice(b"'$'\\n''"),
            0x00..=0x1f | 0x7f..
                if name.utf8_chunks().any(|c| !c.invalid().is_empty()) || byte < 0x20 =>
            {
                out.extend(format!("'$'\\{byte:03o}''").into_bytes());
            }
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    out
}
