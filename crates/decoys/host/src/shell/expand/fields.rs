//! Fields that a word becomes, split at `$IFS`.

use crate::shell::pattern;

/// Most fields one command line expands to.
pub(super) const MAX_FIELDS: usize = 20_000;

/// A field being built, as a pattern: quoted text is escaped.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) done: Vec<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl Fields {
    pub(super) fn push(&mut self, text: &[u8], quoted: bool) {
        let current = self.current.get_or_insert_default();
        if quoted {
            current.extend(pattern::escape(text));
        } else {
            current.extend_from_slice(text);
        }
    }

    pub(super) fn end(&mut self) {
        if self.done.len() < MAX_FIELDS {
            self.done.extend(self.current.take());
        } else {
            self.current = None;
        }
    }

    /// Adds the result of an unquoted expansion, split at `ifs`.
    pub(super) fn split(&mut self, text: &[u8], ifs: &[u8]) {
        let blank = |b: &u8| ifs.contains(b) && b.is_ascii_whitespace();
        let mut rest = text;
        if rest.first().is_some_and(blank) {
            self.end();
        }
        while !rest.is_empty() {
            let skip = rest.iter().take_while(|b| blank(b)).count();
            rest = rest.get(skip..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let length = rest.iter().take_while(|b| !ifs.contains(b)).count();
            let (field, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let current = self.current.get_or_insert_default();
            for &byte in field {
                if byte == b'\\' {
                    current.push(b'\\');
                }
                current.push(byte);
            }
            if !tail.is_empty() {
                self.end();
            }
            let skip = tail.iter().take_while(|b| blank(b)).count();
            rest = tail.get(skip..).unwrap_or_default();
            if rest.first().is_some_and(|b| ifs.contains(b)) {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
}
