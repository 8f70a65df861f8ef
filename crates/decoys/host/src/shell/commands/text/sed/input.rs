//! Lines that come in, and how `l` shows one.

use std::collections::VecDeque;

use crate::shell::commands::input::Lines;
use crate::shell::proc::Proc;

/// The lines of some files, with a look ahead at whether there are more.
pub(super) struct Input {
    sources: VecDeque<Lines>,
    lines: VecDeque<Vec<u8>>,
}

impl Input {
    pub(super) const fn of(sources: VecDeque<Lines>) -> Self {
        Self { sources, lines: VecDeque::new() }
    }

    async fn fill(&mut self, proc: &Proc, end: u8) {
        while self.lines.is_empty() {
            let Some(source) = self.sources.front_mut() else { return };
            let block = source.block(proc).await;
            if block.is_empty() {
                self.sources.pop_front();
            }
            self.lines.extend(block.split_inclusive(|&b| b == end).map(<[u8]>::to_vec));
        }
    }

    pub(super) async fn next(&mut self, proc: &Proc, end: u8) -> Option<Vec<u8>> {
        self.fill(proc, end).await;
        self.lines.pop_front()
    }

    pub(super) async fn is_last(&mut self, proc: &Proc, end: u8) -> bool {
        self.fill(proc, end).await;
        self.lines.is_empty()
    }
}

/// As `l` shows a line: unambiguous, in lines of 69 characters.
pub(super) fn list_line(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut column = 0;
    for &byte in text {
        let shown = match byte {
            b'\\' => "\\\\".to_owned(),
            7 => "\\a".to_owned(),
            8 => "\\b".to_owned(),
            12 => "\\f".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            11 => "\\v".to_owned(),
            0x20..=0x7e => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        };
        if column + shown.len() > 69 {
            out.extend_from_slice(b"\\\n");
            column = 0;
        }
        column += shown.len();
        out.extend(shown.into_bytes());
    }
    out.extend_from_slice(b"$\n");
    out
}
