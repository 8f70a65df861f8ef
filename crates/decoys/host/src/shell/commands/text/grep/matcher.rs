//! Several patterns as one.

use crate::shell::commands::options::Options;
use crate::shell::regex::{Fault, Regex, Span};

/// Most patterns of one search.
const MAX_PATTERNS: usize = 512;

/// What lines are searched for.
pub(super) struct Matcher {
    patterns: Vec<Regex>,
    word: bool,
}

impl Matcher {
    /// `kind` is `E`, `F` or `G`.
    pub(super) fn new(patterns: &[Vec<u8>], kind: u8, options: &Options) -> Result<Self, Fault> {
        let fold = options.has(b'i') || options.has(b'y');
        let extended = kind == b'E';
        let compile = |pattern: &Vec<u8>| {
            let mut source = if kind == b'F' { Regex::literal(pattern) } else { pattern.clone() };
            if options.has(b'x') {
                let (open, close) = if extended { ("^(", ")$") } else { ("^\\(", "\\)$") };
                source = [open.as_bytes(), &source, close.as_bytes()].concat();
            }
            Regex::new(&source, extended, fold)
        };
        let patterns = patterns.iter().take(MAX_PATTERNS).map(compile).collect::<Result<_, _>>()?;
        Ok(Self { patterns, word: options.has(b'w') })
    }

    pub(super) fn is_match(&self, line: &[u8]) -> bool {
        if self.word {
            return self.find_at(line, 0).is_some();
        }
        self.patterns.iter().any(|pattern| pattern.is_match(line))
    }

    /// The leftmost, longest match from `from`.
    pub(super) fn find_at(&self, line: &[u8], from: usize) -> Option<Span> {
        let best = |a: Span, b: Span| if (a.0, !a.1) <= (b.0, !b.1) { a } else { b };
        self.patterns.iter().filter_map(|pattern| self.one_at(pattern, line, from)).reduce(best)
    }

    fn one_at(&self, pattern: &Regex, line: &[u8], from: usize) -> Option<Span> {
        let mut at = from;
        // Each turn looks further right; lines are bounded.
        while at <= line.len() {
            let (start, end) = pattern.find_at(line, at)?;
            if !self.word || is_word(line, start, end) {
                return Some((start, end));
            }
            at = start + 1;
        }
        None
    }
}

fn is_word(line: &[u8], from: usize, to: usize) -> bool {
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    !part(from.checked_sub(1).and_then(|at| line.get(at))) && !part(line.get(to))
}
