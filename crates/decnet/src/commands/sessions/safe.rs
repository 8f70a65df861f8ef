//! Output of attackers' sessions for an operator's terminal: colours, movements and erasures pass,
//! and nothing that asks, sets or changes what outlives the replay.

use std::fmt::Write as _;

use super::vt::{Piece, Terminal};
use crate::commands::inert::is_harmful;

/// Most digits of a number that passes.
const DIGITS: usize = 4;
/// How often one character may be repeated by a sequence.
const REPEATS: usize = 256;

/// The filter. Its states are what the end of the replay must undo.
#[derive(Clone, Debug, Default)]
pub(crate) struct Safe {
    terminal: Terminal,
    other_screen: bool,
    hidden_cursor: bool,
    region: bool,
}

impl Safe {
    /// What of `text` may reach a terminal.
    pub(crate) fn pass(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if let Some(piece) = self.terminal.take(c) {
                self.piece(piece, &mut out);
            }
        }
        out
    }

    /// What puts the terminal back as it was.
    pub(crate) fn ending(&self) -> String {
        let mut out = String::new();
        if self.other_screen {
            out.push_str("\u{1b}[?1049l");
        }
        if self.region {
            // Setting the region moves the cursor.
            out.push_str("\u{1b}7\u{1b}[r\u{1b}8");
        }
        out.push_str("\u{1b}[0m");
        if self.hidden_cursor {
            out.push_str("\u{1b}[?25h");
        }
        out
    }

    fn piece(&mut self, piece: Piece, out: &mut String) {
        match piece {
            Piece::Shown(c) => out.push(if is_harmful(c) { '\u{fffd}' } else { c }),
            Piece::Control(c @ ('\n' | '\r' | '\t' | '\u{8}')) => out.push(c),
            Piece::Control('\u{b}' | '\u{c}') => out.push('\n'),
            // Bells, character sets and ENQ, which terminals answer.
            Piece::Control(_) => {}
            // Keep and restore the cursor; down, next line, up.
            Piece::Escape(c @ ('7' | '8' | 'D' | 'E' | 'M')) => {
                let _ = write!(out, "\u{1b}{c}");
            }
            Piece::Escape(_) => {}
            Piece::Sequence { private: None, parameters, last } => {
                if is_fine(&parameters, last) {
                    self.region |= last == 'r';
                    let _ = write!(out, "\u{1b}[{parameters}{last}");
                }
            }
            Piece::Sequence { private: Some('?'), parameters, last: last @ ('h' | 'l') } => {
                self.mode(&parameters, last, out);
            }
            Piece::Sequence { .. } => {}
        }
    }

    /// The two modes that programs need to be looked at.
    fn mode(&mut self, parameters: &str, last: char, out: &mut String) {
        let mode = match parameters {
            "25" => {
                self.hidden_cursor = last == 'l';
                "25"
            }
            "47" | "1047" | "1049" => {
                self.other_screen = last == 'h';
                "1049"
            }
            _ => return,
        };
        let _ = write!(out, "\u{1b}[?{mode}{last}");
    }
}

/// Whether a sequence only moves, erases or colours.
fn is_fine(parameters: &str, last: char) -> bool {
    let numbers: Vec<&str> = parameters.split([';', ':']).collect();
    if numbers.iter().any(|number| number.len() > DIGITS) {
        return false;
    }
    match last {
        'm' => true,
        'A'..='G' | 'I' | 'L' | 'M' | 'P' | 'S' | 'T' | 'X' | 'Z' | '@' | '`' | 'a' | 'd' | 'e' => {
            numbers.len() == 1
        }
        'H' | 'f' | 'r' => numbers.len() <= 2 && !parameters.contains(':'),
        // Not 3, which erases what the operator saw before.
        'J' | 'K' => matches!(parameters, "" | "0" | "1" | "2"),
        'b' => parameters.is_empty() || parameters.parse().is_ok_and(|n: usize| n <= REPEATS),
        's' | 'u' => parameters.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pass(text: &str) -> String {
        Safe::default().pass(text)
    }

    /// Whether `text` holds nothing but what is allowed, read by other rules than the filter's.
    fn is_harmless(text: &str) -> bool {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            if c != '\u{1b}' {
                if is_harmful(c) && !"\n\r\t\u{8}".contains(c) {
                    return false;
                }
                continue;
            }
            if let Some(after) = ["7", "8", "D", "E", "M", "[?25h", "[?25l", "[?1049h", "[?1049l"]
                .iter()
                .find_map(|fine| rest.strip_prefix(fine))
            {
                rest = after;
                continue;
            }
            let Some(after) = rest.strip_prefix('[') else { return false };
            let end = after.find(|c: char| !"0123456789;:".contains(c));
            let Some(last) = end.and_then(|end| after[end..].chars().next()) else { return false };
            if !"ABCDEFGHIJKLMPSTXZ@`abdefmrsu".contains(last) || after.starts_with("3J") {
                return false;
            }
            rest = &after[end.unwrap() + 1..];
        }
        true
    }

    #[test]
    fn what_programs_draw_with_passes() {
        for fine in [
            "plain\r\n\ttext\u{8}",
            "\u{1b}[1;38;5;196mred\u{1b}[38:2:1:2:3m\u{1b}[m",
            "\u{1b}[2J\u{1b}[H\u{1b}[10;20H\u{1b}[K\u{1b}[3A\u{1b}7\u{1b}8\u{1b}[1;24r",
            "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?25h\u{1b}[?1049l",
        ] {
            assert_eq!(pass(fine), fine);
        }
    }

    #[test]
    fn what_asks_sets_or_outlives_does_not() {
        for hostile in [
            "\u{1b}]0;title\u{7}",
            "\u{1b}]52;c;cm0gLXJmIH4=\u{7}",
            "\u{1b}]8;;http://x\u{1b}\\",
            "\u{1b}]4;1;rgb:00/00/00\u{1b}\\",
            "\u{1b}]1337;File=:x\u{7}",
            "\u{1b}P+q544e\u{1b}\\",
            "\u{1b}_Gx\u{1b}\\",
            "\u{9d}0;title\u{9c}",
            "\u{1b}[6n",
            "\u{1b}[c",
            "\u{1b}[>c",
            "\u{1b}[5i",
            "\u{1b}[8;1;1t",
            "\u{1b}[21t",
            "\u{1b}[?1000h",
            "\u{1b}[?2004h",
            "\u{1b}[?1;25h",
            "\u{1b}[4h",
            "\u{1b}[3J",
            "\u{1b}[1;2s",
            "\u{1b}[>4;2m",
            "\u{1b}[!p",
            "\u{1b}[1 q",
            "\u{1b}[99999b",
            "\u{1b}[99999A",
            "\u{1b}c",
            "\u{1b}=",
            "\u{1b}(0",
            "\u{1b}#8",
            "\u{5}\u{7}\u{e}\u{f}\0",
        ] {
            assert_eq!(pass(hostile), "", "{hostile:?}");
        }
        assert_eq!(pass("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn the_end_undoes_what_was_done() {
        let mut safe = Safe::default();
        assert_eq!(safe.ending(), "\u{1b}[0m");
        safe.pass("\u{1b}[?47h\u{1b}[?25l\u{1b}[2;5r");
        let ending = safe.ending();
        for undone in ["\u{1b}[?1049l", "\u{1b}[?25h", "\u{1b}[r"] {
            assert!(ending.contains(undone), "{ending:?}");
        }
        assert!(is_harmless(&ending));
        safe.pass("\u{1b}[?1049l\u{1b}[?25h");
        assert!(!safe.ending().contains('?'));
    }

    fn hostile() -> impl Strategy<Value = String> {
        let bit = prop_oneof![
            any::<char>().prop_map(String::from),
            "[0-9;:?<=>!$ ]{0,6}",
            "[@-~]",
            Just("\u{1b}[".to_owned()),
            Just("\u{1b}]".to_owned()),
            Just("\u{1b}".to_owned()),
            Just("\u{9b}".to_owned()),
            Just("\u{7}".to_owned()),
            Just("\u{1b}\\".to_owned()),
        ];
        proptest::collection::vec(bit, 0..60).prop_map(|bits| bits.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn whatever_comes_in_only_harmless_goes_out(text in hostile()) {
            let mut safe = Safe::default();
            let passed = safe.pass(&text);
            prop_assert!(is_harmless(&passed), "{passed:?}");
            prop_assert!(is_harmless(&safe.ending()));
            // Also when read after what was cut off before it.
            prop_assert_eq!(pass(&passed), passed.clone());
        }

        #[test]
        fn it_is_the_same_in_pieces(text in hostile(), at in any::<prop::sample::Index>()) {
            let cuts: Vec<usize> = text.char_indices().map(|(n, _)| n).chain([text.len()]).collect();
            let (head, tail) = text.split_at(*at.get(&cuts));
            let mut safe = Safe::default();
            let pieces = safe.pass(head) + &safe.pass(tail);
            prop_assert_eq!(pieces, pass(&text));
        }
    }
}
