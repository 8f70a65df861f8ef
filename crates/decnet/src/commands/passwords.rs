//! Passwords from a person, or from a pipe; never from the command line, which others can see.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::refusal::{Exit, Refusal};

/// Longest line that is read.
const LONGEST: u64 = 4096;

/// A new password, which will do.
///
/// # Errors
/// When there is none, or it will not do.
pub(super) fn new(from_stdin: bool) -> anyhow::Result<String> {
    let password = if from_stdin { piped()? } else { prompted()? };
    api::password_rules(&password).map_err(|rule| {
        Refusal::new(Exit::Usage, format!("the password {rule}"), "choose another")
    })?;
    Ok(password)
}

fn piped() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn prompted() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let hint = "give it on standard input, with --password-stdin";
        return Err(Refusal::new(Exit::Usage, "there is no terminal to ask on", hint).into());
    }
    let (first, second) = (asked("New password: ")?, asked("Once more: ")?);
    if first != second {
        let what = "the two are not the same";
        return Err(Refusal::new(Exit::Usage, what, "nothing was changed; try again").into());
    }
    Ok(first)
}

/// The terminal as it was, put back when dropped.
struct Before(Termios);

impl Drop for Before {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[expect(clippy::print_stderr, reason = "this is a question to the user")]
fn asked(question: &str) -> anyhow::Result<String> {
    let before = tcgetattr(std::io::stdin())?;
    let mut quiet = before.clone();
    // Keys come one by one, Ctrl-C among them: a signal would end this with the echo still off.
    quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    let _before = Before(before);
    tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
    eprint!("{question}");
    std::io::stderr().flush()?;
    let line = keys(std::io::stdin().lock().bytes());
    eprintln!();
    line
}

fn keys(keys: impl Iterator<Item = std::io::Result<u8>>) -> anyhow::Result<String> {
    let mut line = Vec::new();
    for key in keys.take(usize::try_from(LONGEST)?) {
        match key? {
            b'\n' | b'\r' | 4 => break,
            3 => {
                let hint = "nothing was changed";
                return Err(Refusal::new(Exit::Interrupted, "interrupted", hint).into());
            }
            8 | 127 => {
                // A whole character, which may be several bytes.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            21 => line.clear(),
            key => line.push(key),
        }
    }
    let refuse = |_| Refusal::new(Exit::Usage, "the password is not UTF-8", "choose another");
    Ok(String::from_utf8(line).map_err(refuse)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &[u8]) -> Result<String, String> {
        keys(text.iter().map(|byte| Ok(*byte))).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_become_a_line_and_mistakes_can_be_taken_back() {
        assert_eq!(typed("abc\nrest".as_bytes()).unwrap(), "abc");
        assert_eq!(typed("aé\u{7f}b\u{7f}\u{7f}\u{7f}c\r".as_bytes()).unwrap(), "c");
        assert_eq!(typed(b"wrong\x15right").unwrap(), "right");
        assert_eq!(typed(b"ab\x03").unwrap_err(), "interrupted");
        assert_eq!(typed(b"\xff\n").unwrap_err(), "the password is not UTF-8");
    }
}
