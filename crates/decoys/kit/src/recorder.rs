//! Renders a terminal session into recording lines (`spec/behave.md` §6).

use std::time::Duration;

use base_model::{SessionId, Timestamp};
use serde_json::{Map, Value, json};

use crate::context::RecordingPiece;

/// Payload kept per session; past it comes the truncation sentinel.
const MAX_PAYLOAD: u64 = 10 * 1024 * 1024;
/// Longest payload of one line, before escaping.
const MAX_EVENT: usize = 975;
/// Longest TERM kept.
const MAX_TERM: usize = 63;
/// Lines are handed over once this many bytes are waiting.
const FLUSH_AT: usize = 32 * 1024;

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the attacker; `echo` tells whether the terminal was echoing.
    Input {
        /// False while a password is asked.
        echo: bool,
    },
    /// To the attacker.
    Output,
}

/// What is known of the client's terminal when the recording starts.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    /// Columns and rows.
    pub size: (u32, u32),
    /// Terminal type as sent.
    pub term: Vec<u8>,
    /// Environment the client sent; only `LANG` and `LC_*` are kept.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// Terminal modes the client sent.
    pub modes: Vec<(u8, u32)>,
    /// Client identification string.
    pub client: Vec<u8>,
    /// How the user got in.
    pub auth_method: String,
    /// Whether agent forwarding was asked for.
    pub agent: bool,
    /// Whether X11 forwarding was asked for.
    pub x11: bool,
}

/// One session's recording in progress.
#[derive(Debug)]
pub struct Recorder {
    session: SessionId,
    started: Timestamp,
    /// Lines not handed over yet, and how many bytes were.
    pending: String,
    offset: u64,
    payload: u64,
    truncated: bool,
    /// An unfinished UTF-8 character of each direction, held so that it is not split.
    held: [Vec<u8>; 2],
}

impl Recorder {
    /// Starts with the header line.
    #[must_use]
    pub fn start(session: SessionId, started: Timestamp, terminal: &Terminal) -> Self {
        let mut recorder = Self {
            session,
            started,
            pending: String::new(),
            offset: 0,
            payload: 0,
            truncated: false,
            held: [Vec::new(), Vec::new()],
        };
        recorder.line(&json!({
            "sid": session.to_string(),
            "hdr": header(started, terminal),
        }));
        recorder
    }

    /// Bytes passed in `direction` at `now`.
    pub fn bytes(&mut self, now: Timestamp, direction: Direction, bytes: &[u8]) {
        let side = usize::from(direction == Direction::Output);
        let mut all = self.held.get_mut(side).map(std::mem::take).unwrap_or_default();
        all.extend_from_slice(bytes);
        let held = all.split_off(all.len() - unfinished_character(&all));
        if let Some(slot) = self.held.get_mut(side) {
            *slot = held;
        }
        self.payload_lines(now, direction, &all);
    }

    /// The terminal was resized at `now`.
    pub fn resize(&mut self, now: Timestamp, columns: u32, rows: u32) {
        self.event(now, "r", format!("{columns}x{rows}"), true);
    }

    /// Lines waiting to be handed over, if there are `enough` of them.
    pub fn take_if_large(&mut self) -> Option<RecordingPiece> {
        if self.pending.len() >= FLUSH_AT { self.take() } else { None }
    }

    /// Lines waiting to be handed over, if any.
    pub fn take(&mut self) -> Option<RecordingPiece> {
        if self.pending.is_empty() {
            return None;
        }
        let lines = std::mem::take(&mut self.pending);
        let piece = RecordingPiece {
            session: self.session,
            started: self.started,
            offset: self.offset,
            lines,
        };
        self.offset += piece.lines.len() as u64;
        Some(piece)
    }

    /// Ends the recording at `now`: the last lines, and what `session_recorded` says of it.
    pub fn finish(&mut self, now: Timestamp) -> (Option<RecordingPiece>, Duration, u64, bool) {
        for (side, direction) in
            [Direction::Input { echo: true }, Direction::Output].into_iter().enumerate()
        {
            let rest = self.held.get_mut(side).map(std::mem::take).unwrap_or_default();
            self.payload_lines(now, direction, &rest);
        }
        (self.take(), now.since(self.started), self.payload, self.truncated)
    }

    fn payload_lines(&mut self, now: Timestamp, direction: Direction, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.truncated {
            let mut end = bytes.len().min(MAX_EVENT);
            if end < bytes.len() {
                end -= unfinished_character(bytes.get(..end).unwrap_or_default());
            }
            let (piece, rest) = bytes.split_at(end);
            bytes = rest;
            if self.payload + piece.len() as u64 > MAX_PAYLOAD {
                self.truncated = true;
                self.line(&json!({"sid": self.session.to_string(), "trunc": true}));
                return;
            }
            self.payload += piece.len() as u64;
            let (channel, echo) = match direction {
                Direction::Input { echo } => ("i", echo),
                Direction::Output => ("o", true),
            };
            self.event(now, channel, text(piece), echo);
        }
    }

    fn event(&mut self, now: Timestamp, channel: &str, data: String, echo: bool) {
        if self.truncated {
            return;
        }
        let micros = now.since(self.started).as_micros();
        // Six decimals, as text: a float would print fewer.
        let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let data = escape(&data);
        let echo = if echo { "" } else { ",\"e\":0" };
        let line = format!(
            "{{\"sid\":\"{}\",\"t\":{seconds},\"ch\":\"{channel}\",\"d\":{data}{echo}}}\n",
            self.session
        );
        self.pending.push_str(&line);
    }

    fn line(&mut self, value: &Value) {
        self.pending.push_str(&value.to_string());
        self.pending.push('\n');
    }
}

fn header(started: Timestamp, terminal: &Terminal) -> Value {
    let term = terminal.term.get(..MAX_TERM).unwrap_or(&terminal.term);
    let term = if term.is_empty() { "xterm-256color".to_owned() } else { text(term) };
    let mut env = Map::new();
    env.insert("SHELL".into(), "/bin/bash".into());
    env.insert("TERM".into(), term.into());
    for (name, value) in &terminal.env {
        if name == b"LANG" || name.starts_with(b"LC_") {
            env.insert(text(name), text(value).into());
        }
    }
    let modes: Map<String, Value> =
        terminal.modes.iter().map(|(op, value)| (op.to_string(), (*value).into())).collect();
    json!({
        "version": 2,
        "width": terminal.size.0,
        "height": terminal.size.1,
        "timestamp": started.seconds(),
        "env": env,
        "enc": "latin1-fallback",
        "client": text(&terminal.client),
        "auth_method": terminal.auth_method,
        "pty_modes": modes,
        "agent_forwarding": terminal.agent,
        "x11_forwarding": terminal.x11,
    })
}

/// Valid UTF-8 as it is; each other byte as the character of the same number (Latin-1), so that
/// the line is always valid and no byte is lost.
fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
    }
    out
}

/// A JSON string; DEL is escaped too, which serde leaves bare.
fn escape(text: &str) -> String {
    Value::String(text.to_owned()).to_string().replace('\u{7f}', "\\u007f")
}

/// How many bytes at the end begin a UTF-8 character that is not complete.
fn unfinished_character(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let Some(&byte) = bytes.get(bytes.len() - back) else { return 0 };
        let length = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder() -> Recorder {
        let started = Timestamp::from_micros(1_700_000_000_000_000);
        let terminal = Terminal { size: (80, 24), ..Terminal::default() };
        Recorder::start(SessionId::from_entropy([1; 16]), started, &terminal)
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + micros)
    }

    #[test]
    fn lines_follow_the_format() {
        let mut recorder = recorder();
        recorder.bytes(at(1_500_000), Direction::Input { echo: false }, b"a\x7f\"\x1b");
        recorder.resize(at(2_000_001), 120, 40);
        let piece = recorder.take().unwrap();
        let lines: Vec<_> = piece.lines.lines().collect();
        assert!(lines[0].contains("\"hdr\":{\"version\":2,\"width\":80,\"height\":24"));
        let sid = SessionId::from_entropy([1; 16]);
        assert_eq!(
            lines[1],
            format!(r#"{{"sid":"{sid}","t":1.500000,"ch":"i","d":"a\u007f\"\u001b","e":0}}"#)
        );
        assert_eq!(lines[2], format!(r#"{{"sid":"{sid}","t":2.000001,"ch":"r","d":"120x40"}}"#));
    }

    #[test]
    fn offsets_join_up() {
        let mut recorder = recorder();
        let first = recorder.take().unwrap();
        recorder.bytes(at(1), Direction::Output, b"x");
        let second = recorder.take().unwrap();
        assert_eq!((first.offset, second.offset), (0, first.lines.len() as u64));
        assert_eq!(recorder.take(), None);
    }

    #[test]
    fn a_character_cut_by_the_network_stays_whole() {
        let mut recorder = recorder();
        drop(recorder.take());
        let heart = "❤".as_bytes();
        recorder.bytes(at(1), Direction::Output, &heart[..2]);
        assert_eq!(recorder.take(), None);
        recorder.bytes(at(2), Direction::Output, &heart[2..]);
        assert!(recorder.take().unwrap().lines.contains("\"d\":\"❤\""));
    }

    #[test]
    fn invalid_bytes_map_to_latin1() {
        let mut recorder = recorder();
        drop(recorder.take());
        recorder.bytes(at(1), Direction::Output, b"\xfftail");
        assert!(recorder.take().unwrap().lines.contains("\"d\":\"ÿtail\""));
    }

    #[test]
    fn the_cap_leaves_one_sentinel_and_stops() {
        let mut recorder = recorder();
        let block = vec![b'x'; 1024 * 1024];
        for n in 0..12 {
            recorder.bytes(at(n), Direction::Output, &block);
        }
        let (piece, _, bytes, truncated) = recorder.finish(at(20));
        let lines = piece.unwrap().lines;
        assert!(truncated && bytes <= MAX_PAYLOAD);
        assert_eq!(lines.matches("\"trunc\":true").count(), 1);
        assert!(lines.ends_with("\"trunc\":true}\n"));
    }
}
