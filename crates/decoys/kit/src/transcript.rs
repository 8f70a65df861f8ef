//! Golden dialogues of stream services: what the client says in, the whole exchange out.
//!
//! ```text
//! # a comment
//! C: GET / HTTP/1.0\r\n
//! S: HTTP/1.1 200 OK\r\n
//! E: request {"method":"GET"}
//! T: 60
//! X: closed
//! ```
//! `C:` client bytes, `S:` server bytes, `E:` an event with its fields, `W:` a wait until all so far
//! is durable, `K:` content kept, `R:` bytes of recording lines, `T:` seconds that pass, `X: closed`
//! the server closed. On the data
//! connection `P:` is what happens to it (`connected`, `ended`, `failed`, `refused`), `<:` bytes of
//! the client, `>:` bytes of the server, `O:` what the server does to it (`listen`, `tls`,
//! `close`). `X: tls` the server began TLS; what follows is inside it, as is all of a dialogue whose
//! port begins with TLS.
//! `C:`, `T:`, `P:`, `<:` and comments are the script; the rest is what must come of it.

use base_model::{Peer, SessionId, Timestamp};
use chacha20::ChaCha12Rng;
use rand_core::SeedableRng;

use crate::context::{Context, Effect};
use crate::service::{Open, Opening, Service};
use crate::session::{Side, SideEvent, StreamReply, StreamSession};
use crate::settings::Settings;
use crate::tls::TlsFacts;

/// Where dialogues begin: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// The port that a data connection gets.
const DATA_PORT: u16 = 51_000;

/// A stream session driven by hand at a settable time.
pub struct Stage {
    session: Box<dyn StreamSession>,
    rng: ChaCha12Rng,
    now: Timestamp,
}

/// What came of one input.
pub type Acts = Vec<Effect<StreamReply>>;

impl Stage {
    /// Opens `service` on `host` with a fixed seed. `None` when it is not a stream service.
    #[must_use]
    pub fn open<H>(service: &Service<H>, host: H, settings: Settings) -> Option<(Self, Acts)> {
        let Open::Stream(open) = &service.open else { return None };
        let listen = service.spec.listens.first();
        let port = listen.map_or(1, |listen| listen.port);
        let peer = Peer { ip: [127, 0, 0, 9].into(), port: 40000 };
        let local = Peer { ip: [127, 0, 0, 1].into(), port };
        let session = SessionId::from_entropy([9; 16]);
        let session = open(Opening { host, settings, peer, local, session });
        let mut stage = Self { session, rng: ChaCha12Rng::from_seed([1; 32]), now: START };
        let mut acts = Acts::new();
        if listen.is_some_and(|listen| listen.tls) {
            acts.extend(stage.step(|session, cx| session.on_tls(cx, &facts())));
        }
        acts.extend(stage.step(|session, cx| session.on_open(cx)));
        Some((stage, acts))
    }

    /// The client sends `bytes`.
    pub fn bytes(&mut self, bytes: &[u8]) -> Acts {
        self.step(|session, cx| session.on_bytes(cx, bytes))
    }

    /// Time passes; timeouts fire at their instant.
    pub fn wait(&mut self, seconds: u64) -> Acts {
        let end = self.now + std::time::Duration::from_secs(seconds);
        let mut acts = Acts::new();
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            let moved = due > self.now;
            self.now = self.now.max(due);
            acts.extend(self.step(|session, cx| session.on_timeout(cx)));
            if !moved && self.session.poll_timeout() == Some(due) {
                break;
            }
        }
        self.now = end;
        acts
    }

    /// Something happens to the data connection.
    pub fn side(&mut self, event: SideEvent<'_>) -> Acts {
        self.step(|session, cx| session.on_side(cx, event))
    }

    /// The client goes away.
    pub fn close(&mut self) -> Acts {
        self.step(|session, cx| session.on_close(cx))
    }

    /// One step, and those that answer it as the runtime does: ports open and bytes go out at once.
    fn step(
        &mut self,
        step: impl FnOnce(&mut dyn StreamSession, &mut Context<'_, StreamReply>),
    ) -> Acts {
        let mut acts = self.act(step);
        let mut at = 0;
        while let Some(act) = acts.get(at) {
            let upgrades = matches!(act, Effect::Reply(StreamReply::StartTls));
            let answer = match act {
                Effect::Reply(StreamReply::Side(Side::Listen)) => {
                    Some(SideEvent::Listening(DATA_PORT))
                }
                Effect::Reply(StreamReply::Side(Side::Send(_))) => Some(SideEvent::Sent),
                Effect::Reply(StreamReply::Side(Side::StartTls)) => Some(SideEvent::Secured),
                _ => None,
            };
            if upgrades {
                acts.extend(self.act(|session, cx| session.on_tls(cx, &facts())));
            } else if let Some(answer) = answer {
                acts.extend(self.act(|session, cx| session.on_side(cx, answer)));
            }
            at += 1;
        }
        acts
    }

    fn act(
        &mut self,
        act: impl FnOnce(&mut dyn StreamSession, &mut Context<'_, StreamReply>),
    ) -> Acts {
        let mut acts = Acts::new();
        act(self.session.as_mut(), &mut Context::new(self.now, &mut self.rng, &mut acts));
        acts
    }
}

/// What the client of every dialogue agrees on.
fn facts() -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        ja4: "t13i3010h2_1d37bd780c83_882d495ac381".to_owned(),
        ..TlsFacts::default()
    }
}

/// Plays the script in `dialogue` and renders the whole exchange.
///
/// # Errors
/// A line that is not of the form above.
pub fn play<H>(service: &Service<H>, host: H, dialogue: &str) -> Result<String, String> {
    let (mut stage, acts) =
        Stage::open(service, host, Settings::default()).ok_or("not a stream service")?;
    let mut out = String::new();
    render(&acts, &mut out);
    for line in dialogue.lines() {
        let (tag, rest) = line.split_once(": ").unwrap_or((line, ""));
        match tag {
            "C" => {
                out.push_str(line);
                out.push('\n');
                render(&stage.bytes(&unescape(rest)?), &mut out);
            }
            "T" => {
                out.push_str(line);
                out.push('\n');
                let seconds = rest.parse().map_err(|_| format!("not seconds: {line}"))?;
                render(&stage.wait(seconds), &mut out);
            }
            "P" | "<" => {
                out.push_str(line);
                out.push('\n');
                let bytes = unescape(rest)?;
                let event = match (tag, rest) {
                    ("<", _) => SideEvent::Bytes(&bytes),
                    (_, "connected") => SideEvent::Connected,
                    (_, "ended") => SideEvent::Ended,
                    (_, "failed") => SideEvent::Failed,
                    (_, "refused") => SideEvent::Refused([127, 0, 0, 66].into()),
                    _ => return Err(format!("not what happens to a data connection: {line}")),
                };
                render(&stage.side(event), &mut out);
            }
            "S" | "E" | "W" | "K" | "R" | "X" | ">" | "O" => {}
            _ if line.starts_with('#') || line.is_empty() => {
                out.push_str(line);
                out.push('\n');
            }
            _ => return Err(format!("not a transcript line: {line}")),
        }
    }
    render(&stage.close(), &mut out);
    Ok(out)
}

/// The client's bytes of `dialogue`, one item per `C:` line.
#[must_use]
pub fn client_bytes(dialogue: &str) -> Vec<Vec<u8>> {
    let lines = dialogue.lines().filter_map(|line| line.strip_prefix("C: "));
    lines.filter_map(|line| unescape(line).ok()).collect()
}

fn render(acts: &Acts, out: &mut String) {
    for act in acts {
        match act {
            Effect::Emit(_, fact) => {
                let fields = serde_json::to_string(fact.fields()).unwrap_or_default();
                out.push_str(&format!("E: {} {fields}\n", fact.kind().name));
            }
            Effect::Keep(blob) => out.push_str(&format!("K: {}\n", blob.sha256)),
            Effect::Record(piece) => out.push_str(&format!("R: {}\n", piece.lines.len())),
            Effect::Commit => out.push_str("W: durable\n"),
            Effect::Reply(StreamReply::Close) => out.push_str("X: closed\n"),
            Effect::Reply(StreamReply::StartTls) => out.push_str("X: tls\n"),
            Effect::Reply(StreamReply::Side(Side::StartTls)) => out.push_str("O: tls\n"),
            Effect::Reply(StreamReply::Side(Side::Listen)) => out.push_str("O: listen\n"),
            Effect::Reply(StreamReply::Side(Side::Close)) => out.push_str("O: close\n"),
            Effect::Reply(StreamReply::Side(Side::Send(bytes))) => {
                for line in bytes.split_inclusive(|&b| b == b'\n') {
                    out.push_str(&format!(">: {}\n", line.escape_ascii()));
                }
            }
            Effect::Reply(StreamReply::Data(bytes)) => {
                for line in bytes.split_inclusive(|&b| b == b'\n') {
                    out.push_str(&format!("S: {}\n", line.escape_ascii()));
                }
            }
        }
    }
}

/// The inverse of `escape_ascii`.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'\\') => out.push(b'\\'),
            Some(b'"') => out.push(b'"'),
            Some(b'\'') => out.push(b'\''),
            Some(b'x') => {
                let digits = [bytes.next().unwrap_or(b'?'), bytes.next().unwrap_or(b'?')];
                let digits = std::str::from_utf8(&digits).unwrap_or("?");
                let byte = u8::from_str_radix(digits, 16);
                out.push(byte.map_err(|_| format!("bad \\x escape in {text}"))?);
            }
            _ => return Err(format!("bad escape in {text}")),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_round_trip() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&all.escape_ascii().to_string()), Ok(all));
        assert!(unescape("\\q").is_err());
    }
}
