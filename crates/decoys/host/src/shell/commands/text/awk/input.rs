//! Records of files, pipes and commands.

use std::collections::VecDeque;

use crate::shell::proc::{Proc, Source};

/// Longest record.
const MAX_RECORD: usize = 1024 * 1024;

/// Something records are read from.
pub(super) enum Reader {
    Source(Source),
    /// The output of a command.
    Text,
}

/// Records being read.
pub(super) struct Records {
    reader: Reader,
    pending: VecDeque<u8>,
    ended: bool,
}

impl Records {
    pub(super) fn of(source: Source) -> Self {
        Self { reader: Reader::Source(source), pending: VecDeque::new(), ended: false }
    }

    pub(super) fn text(text: Vec<u8>) -> Self {
        Self { reader: Reader::Text, pending: text.into(), ended: true }
    }

    /// The next record, without what ends it: a byte, or blank lines when there is none.
    pub(super) async fn next(&mut self, proc: &Proc, end: Option<u8>) -> Option<Vec<u8>> {
        let mut seen = 0;
        loop {
            if end.is_none() {
                while seen == 0 && self.pending.front() == Some(&b'\n') {
                    self.pending.pop_front();
                }
            }
            let found = match end {
                Some(end) => {
                    self.pending.iter().skip(seen).position(|b| *b == end).map(|at| (seen + at, 1))
                }
                None => {
                    let (head, _) = self.pending.as_slices();
                    let whole = head.len() == self.pending.len();
                    let text = if whole { head } else { self.pending.make_contiguous() };
                    text.windows(2).position(|w| w == b"\n\n").map(|at| (at, 2))
                }
            };
            if let Some((length, gap)) = found {
                let record = self.pending.drain(..length).collect();
                self.pending.drain(..gap);
                return Some(record);
            }
            if self.ended || self.pending.len() > MAX_RECORD {
                if self.pending.is_empty() {
                    return None;
                }
                let mut record: Vec<u8> = self.pending.drain(..).collect();
                if end.is_none() && record.last() == Some(&b'\n') {
                    record.pop();
                }
                return Some(record);
            }
            seen = self.pending.len();
            let Reader::Source(source) = &mut self.reader else {
                self.ended = true;
                continue;
            };
            let piece = source.next(proc).await;
            proc.io.spend(piece.len() / 1024);
            self.ended = piece.is_empty();
            self.pending.extend(piece);
        }
    }
}
