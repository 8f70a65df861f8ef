//! What a session showed, as plain text.

use super::vt::{Piece, Terminal};
use crate::commands::inert::is_harmful;

/// Text without anything that a terminal would act on but line ends and tabs.
#[derive(Debug, Default)]
pub(super) struct Plain {
    terminal: Terminal,
    line: String,
}

impl Plain {
    /// Whole lines of what `text` adds.
    pub(super) fn pass(&mut self, text: &str) -> String {
        let mut lines = String::new();
        for piece in text.chars().filter_map(|c| self.terminal.take(c)) {
            match piece {
                Piece::Shown(c) => self.line.push(if is_harmful(c) { '\u{fffd}' } else { c }),
                Piece::Control('\t') => self.line.push('\t'),
                // What was typed wrong was taken back.
                Piece::Control('\u{8}') => drop(self.line.pop()),
                Piece::Control('\n' | '\u{b}' | '\u{c}') => {
                    lines.push_str(self.line.trim_end_matches(' '));
                    lines.push('\n');
                    self.line.clear();
                }
                _ => {}
            }
        }
        lines
    }

    /// The line that was not ended.
    pub(super) fn rest(self) -> String {
        if self.line.is_empty() { String::new() } else { self.line + "\n" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_reads_as_it_was_shown() {
        let mut plain = Plain::default();
        let shown =
            plain.pass("\u{1b}]0;t\u{7}\u{1b}[32m$\u{1b}[0m lz\u{8}s\r\na  b\tc  \r\n\u{202e}");
        assert_eq!(shown, "$ ls\na  b\tc\n");
        assert_eq!(plain.rest(), "\u{fffd}\n");
    }
}
