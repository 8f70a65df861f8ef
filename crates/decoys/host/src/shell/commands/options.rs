//! Command line options, as `getopt_long(3)` reads them, with its messages.

use super::{complaint, help};
use crate::shell::proc::{Proc, Stop};

/// Parsed options and what is left.
#[derive(Debug, Default)]
pub(in crate::shell) struct Options {
    flags: Vec<(u8, Vec<u8>)>,
    /// Arguments that are no options.
    pub(in crate::shell) rest: Vec<Vec<u8>>,
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

    /// Every value of `letter`, in order.
    pub(super) fn values(&self, letter: u8) -> impl Iterator<Item = &[u8]> {
        self.flags
            .iter()
            .filter(move |(flag, _)| *flag == letter)
            .map(|(_, value)| value.as_slice())
    }

    /// Every option with its value, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.flags.iter().map(|(flag, value)| (*flag, value.as_slice()))
    }

    /// The last given letter among `letters`.
    pub(super) fn last_of(&self, letters: &[u8]) -> Option<u8> {
        self.flags.iter().rev().map(|(flag, _)| *flag).find(|flag| letters.contains(flag))
    }
}

/// What a program accepts.
#[derive(Clone, Copy)]
pub(super) struct Accepts {
    /// As for `getopt`: a colon after a letter with a value, two where the value is optional; `+` at
    /// the start when options end at the first other argument.
    short: &'static str,
    /// Long names, each with the letter it stands for, which need not be in `short`. `name=` takes a
    /// value, `name?` may have one.
    long: &'static [(&'static str, u8)],
    status: u8,
    usage: &'static str,
}

impl Accepts {
    pub(super) const fn new(short: &'static str, long: &'static [(&'static str, u8)]) -> Self {
        Self { short, long, status: 1, usage: "" }
    }

    /// Status after a wrong option, where it is not 1.
    pub(super) const fn status(self, status: u8) -> Self {
        Self { status, ..self }
    }

    /// Text between the message about a wrong option and the hint at `--help`.
    pub(super) const fn usage(self, usage: &'static str) -> Self {
        Self { usage, ..self }
    }

    fn takes(&self, letter: u8) -> Takes {
        let mut rest = self.short.bytes().skip_while(|b| *b != letter).skip(1);
        match (rest.next(), rest.next()) {
            (Some(b':'), Some(b':')) => Takes::Maybe,
            (Some(b':'), _) => Takes::Value,
            _ => Takes::Nothing,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Maybe,
}

/// Reads the options of `proc`. A wrong one has been told; `--help` and `--version` have been
/// answered, where the program has such texts.
pub(super) async fn read(proc: &Proc, accepts: &Accepts) -> Result<Options, Stop> {
    read_from(proc, accepts, proc.arguments()).await
}

/// As [`read`], of `arguments`.
pub(super) async fn read_from(
    proc: &Proc,
    accepts: &Accepts,
    arguments: Vec<Vec<u8>>,
) -> Result<Options, Stop> {
    let mut options = Options::default();
    let first_ends = accepts.short.starts_with('+');
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == b"--" {
            options.rest.extend(arguments);
            break;
        }
        let read = if let Some(long) = argument.strip_prefix(b"--") {
            long_option(proc, accepts, long, &mut arguments, &mut options)?
        } else if let Some(letters) = argument.strip_prefix(b"-").filter(|l| !l.is_empty()) {
            letters_of(accepts, letters, &mut arguments, &mut options)
        } else {
            options.rest.push(argument);
            if first_ends {
                options.rest.extend(arguments);
                break;
            }
            continue;
        };
        match read {
            Ok(()) => {}
            Err(Fault::Wrong(message)) => return Err(wrong(proc, accepts, &message).await),
            Err(Fault::Answered(text)) => {
                proc.out(text).await?;
                return Err(Stop::Status(0));
            }
        }
    }
    Ok(options)
}

/// Why reading stops.
enum Fault {
    Wrong(String),
    /// The option was a question; this is the answer.
    Answered(String),
}

type Rest = std::vec::IntoIter<Vec<u8>>;

fn letters_of(
    accepts: &Accepts,
    letters: &[u8],
    arguments: &mut Rest,
    options: &mut Options,
) -> Result<(), Fault> {
    let mut letters = letters.iter();
    while let Some(&letter) = letters.next() {
        let known = accepts.short.as_bytes().contains(&letter);
        if !known || !letter.is_ascii_graphic() || letter == b':' || letter == b'+' {
            let shown = char::from(letter);
            return Err(Fault::Wrong(format!("invalid option -- '{shown}'")));
        }
        let attached = letters.as_slice();
        let value = match accepts.takes(letter) {
            Takes::Nothing => {
                options.flags.push((letter, Vec::new()));
                continue;
            }
            Takes::Value if attached.is_empty() => arguments.next().ok_or_else(|| {
                let shown = char::from(letter);
                Fault::Wrong(format!("option requires an argument -- '{shown}'"))
            })?,
            Takes::Value | Takes::Maybe => attached.to_vec(),
        };
        options.flags.push((letter, value));
        break;
    }
    Ok(())
}

fn long_option(
    proc: &Proc,
    accepts: &Accepts,
    long: &[u8],
    arguments: &mut Rest,
    options: &mut Options,
) -> Result<Result<(), Fault>, Stop> {
    let (name, value) = match long.iter().position(|&b| b == b'=') {
        Some(at) => (long.get(..at).unwrap_or_default(), long.get(at + 1..).map(<[u8]>::to_vec)),
        None => (long, None),
    };
    let name = String::from_utf8_lossy(name).into_owned();
    Ok(match known(accepts, &name) {
        Known::One(spelled, letter) => take(spelled, value, arguments).map(|value| {
            options.flags.push((letter, value));
        }),
        Known::Several(names) => {
            let list: String = names.iter().map(|name| format!(" '--{name}'")).collect();
            let message = format!("option '--{name}' is ambiguous; possibilities:{list}");
            Err(Fault::Wrong(message))
        }
        Known::None => match help::answer(proc, &name) {
            Some(text) => Err(Fault::Answered(text)),
            None => {
                let shown = String::from_utf8_lossy(long);
                let shown = shown.split('=').next().unwrap_or_default();
                Err(Fault::Wrong(format!("unrecognized option '--{shown}'")))
            }
        },
    })
}

/// The value of the long option `spelled`.
fn take(
    spelled: &'static str,
    value: Option<Vec<u8>>,
    arguments: &mut Rest,
) -> Result<Vec<u8>, Fault> {
    let name = plain(spelled);
    match (spelled.as_bytes().last(), value) {
        (Some(b'='), Some(value)) | (Some(b'?'), Some(value)) => Ok(value),
        (Some(b'='), None) => arguments
            .next()
            .ok_or_else(|| Fault::Wrong(format!("option '--{name}' requires an argument"))),
        (Some(b'?'), None) | (_, None) => Ok(Vec::new()),
        (_, Some(_)) => Err(Fault::Wrong(format!("option '--{name}' doesn't allow an argument"))),
    }
}

/// The long option that a name stands for.
enum Known {
    One(&'static str, u8),
    Several(Vec<&'static str>),
    None,
}

/// A long option may be cut short while it is the only one that begins so.
fn known(accepts: &Accepts, name: &str) -> Known {
    let whole = accepts.long.iter().find(|(known, _)| plain(known) == name);
    if let Some((spelled, letter)) = whole {
        return Known::One(spelled, *letter);
    }
    let mut begin = accepts.long.iter().filter(|(known, _)| plain(known).starts_with(name));
    let Some((spelled, letter)) = begin.clone().next().filter(|_| !name.is_empty()) else {
        return Known::None;
    };
    if begin.all(|(_, other)| other == letter) {
        return Known::One(spelled, *letter);
    }
    let begin = accepts.long.iter().map(|(known, _)| plain(known));
    Known::Several(begin.filter(|known| known.starts_with(name)).collect())
}

fn plain(spelled: &'static str) -> &'static str {
    spelled.trim_end_matches(['=', '?'])
}

async fn wrong(proc: &Proc, accepts: &Accepts, message: &str) -> Stop {
    let name = proc.name();
    let usage = accepts.usage;
    proc.err(format!("{name}: {message}\n{usage}{}", complaint::hint(&name))).await;
    Stop::Status(accepts.status)
}

#[cfg(test)]
mod tests {
    use crate::shell::commands::harness::Shell;

    #[test]
    fn options_are_read_and_refused_as_getopt_does() {
        let mut shell = Shell::new();
        for (line, err) in [
            ("ls -lj", "ls: invalid option -- 'j'\nTry 'ls --help' for more information.\n"),
            (
                "ls --bogus=1",
                "ls: unrecognized option '--bogus'\nTry 'ls --help' for more information.\n",
            ),
            (
                "ls --re",
                "ls: option '--re' is ambiguous; possibilities: '--reverse' '--recursive'\n\
                 Try 'ls --help' for more information.\n",
            ),
            (
                "ls --all=3",
                "ls: option '--all' doesn't allow an argument\n\
                 Try 'ls --help' for more information.\n",
            ),
            (
                "cut -d",
                "cut: option requires an argument -- 'd'\n\
                 Try 'cut --help' for more information.\n",
            ),
            (
                "grep -y -Q x",
                "grep: invalid option -- 'Q'\nUsage: grep [OPTION]... PATTERNS [FILE]...\n\
                 Try 'grep --help' for more information.\n",
            ),
        ] {
            let done = shell.run(line);
            assert_eq!(done.err, err, "{line}");
            assert_ne!(done.status, 0, "{line}");
        }
        assert_eq!(shell.run("ls --direct -- /etc").out, "/etc\n");
    }

    #[test]
    fn help_and_version_are_those_of_the_distribution() {
        let mut shell = Shell::new();
        let help = shell.run("cat --help");
        assert!(help.out.starts_with("Usage: cat [OPTION]... [FILE]...\n"));
        assert_eq!((help.err.as_str(), help.status), ("", 0));
        shell.prints("ls --version | head -1", "ls (GNU coreutils) 9.1\n");
        shell.prints("grep --vers | head -1", "grep (GNU grep) 3.8\n");
    }
}
