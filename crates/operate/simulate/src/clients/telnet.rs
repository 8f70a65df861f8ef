//! Telnet as bots speak it: every option refused, logins typed at the prompts, lines at the shell's.

use std::time::Duration;

use super::wire::Wire;
use super::{Fault, Visitor};
use crate::plan::TelnetVisit;

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
/// How long a shell may think about one line.
const COMMAND: Duration = Duration::from_secs(15);
/// What is left of what was shown, to find prompts in.
const MOST_SHOWN: usize = 8192;

pub(super) async fn visit(visitor: &Visitor, visit: &TelnetVisit) -> Result<(), Fault> {
    let mut screen = Screen { wire: visitor.wire(&visit.door).await?, shown: Vec::new() };
    for login in &visit.logins {
        screen.until("a login prompt", |shown| shown.ends_with(b"login: ").then_some(())).await?;
        screen.enter(&login.username).await?;
        screen
            .until("a password prompt", |shown| shown.ends_with(b"assword: ").then_some(()))
            .await?;
        screen.enter(&login.password).await?;
        let accepted = screen.until("the answer to a login", verdict).await?;
        visitor.tried(&visit.door, login, accepted).await;
        if accepted {
            return work(visitor, &mut screen, &visit.lines).await;
        }
    }
    Ok(())
}

async fn work(visitor: &Visitor, screen: &mut Screen, lines: &[String]) -> Result<(), Fault> {
    for line in lines {
        screen.enter(line).await?;
        let until = screen.until("a prompt", |shown| is_prompt(shown).then_some(()));
        match tokio::time::timeout(COMMAND, until).await {
            // Some lines end the shell.
            Ok(Err(Fault::Ended(_))) => {
                visitor.commanded(line).await;
                return Ok(());
            }
            Ok(answered) => answered?,
            // A bot goes on without the prompt.
            Err(_) => {}
        }
        visitor.commanded(line).await;
    }
    screen.wire.finish().await
}

/// Whether a login was taken, once that is to be seen.
fn verdict(shown: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(shown).to_ascii_lowercase();
    if text.contains("incorrect") {
        return Some(false);
    }
    is_prompt(shown).then_some(true)
}

fn is_prompt(shown: &[u8]) -> bool {
    [&b"# "[..], b"$ ", b"> "].iter().any(|end| shown.ends_with(end))
}

/// What the server shows, options taken out and refused.
struct Screen {
    wire: Wire,
    shown: Vec<u8>,
}

/// A piece of what the server sends.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Shown(u8),
    /// What to answer, if anything.
    Option(Vec<u8>),
}

impl Screen {
    /// Types a line; what was shown before it is forgotten.
    async fn enter(&mut self, line: &str) -> Result<(), Fault> {
        self.shown.clear();
        self.wire.send(format!("{line}\r\n").as_bytes()).await
    }

    /// Reads until `found` finds something in what is shown.
    async fn until<T>(
        &mut self,
        what: &'static str,
        found: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        loop {
            let piece = self.wire.until(what, |held| Ok(piece(held))).await?;
            match piece {
                Piece::Option(answer) if answer.is_empty() => {}
                Piece::Option(answer) => self.wire.send(&answer).await?,
                Piece::Shown(byte) => {
                    if self.shown.len() >= MOST_SHOWN {
                        self.shown.drain(..MOST_SHOWN / 2);
                    }
                    self.shown.push(byte);
                    // Prompts end with a blank, refusals with a line.
                    if matches!(byte, b' ' | b'\n')
                        && let Some(found) = found(&self.shown)
                    {
                        return Ok(found);
                    }
                }
            }
        }
    }
}

/// The first piece of `held` and how long it is (RFC 854).
fn piece(held: &[u8]) -> Option<(Piece, usize)> {
    match *held {
        [] | [IAC] => None,
        [IAC, IAC, ..] => Some((Piece::Shown(IAC), 2)),
        [IAC, DO | DONT | WILL | WONT] => None,
        [IAC, DO, option, ..] => Some((Piece::Option(vec![IAC, WONT, option]), 3)),
        [IAC, WILL, option, ..] => Some((Piece::Option(vec![IAC, DONT, option]), 3)),
        [IAC, DONT | WONT, _, ..] => Some((Piece::Option(Vec::new()), 3)),
        [IAC, SB, ..] => {
            let end = held.windows(2).position(|two| two == [IAC, SE])?;
            Some((Piece::Option(Vec::new()), end + 2))
        }
        [IAC, _, ..] => Some((Piece::Option(Vec::new()), 2)),
        [byte, ..] => Some((Piece::Shown(byte), 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_refused_and_the_rest_is_shown() {
        assert_eq!(piece(&[IAC, DO, 24, 7]), Some((Piece::Option(vec![IAC, WONT, 24]), 3)));
        assert_eq!(piece(&[IAC, WILL, 1]), Some((Piece::Option(vec![IAC, DONT, 1]), 3)));
        assert_eq!(piece(&[IAC, SB, 24, 1, IAC, SE, 9]), Some((Piece::Option(Vec::new()), 6)));
        assert_eq!(piece(&[IAC, IAC, 1]), Some((Piece::Shown(IAC), 2)));
        for cut in [&[IAC][..], &[IAC, DO], &[IAC, SB, 24, 1]] {
            assert_eq!(piece(cut), None);
        }
    }

    #[test]
    fn a_login_is_judged_by_what_is_shown() {
        assert_eq!(verdict(b"\r\nLogin incorrect\r\n"), Some(false));
        assert_eq!(verdict(b"\r\nLast login: Mon\r\nroot@srv:~# "), Some(true));
        assert_eq!(verdict(b"\r\nLast login: "), None);
    }
}
