//! The text of a message on its way in: lines until the lonely dot (RFC 5321 §4.1.1.4).

/// Longest line looked at as one; a longer one goes on as the next piece.
const PIECE: usize = 8 * 1024;

/// What became of a piece of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// All of it was text.
    Goes,
    /// The text ended after this many bytes of it.
    Ended(usize),
}

/// A message as it is collected, with the dots undone.
#[derive(Debug, Default)]
pub(super) struct Data {
    /// The message so far, at most the limit it was made with.
    bytes: Vec<u8>,
    line: Vec<u8>,
    /// The present piece goes on a line that was too long to be held.
    within: bool,
    limit: usize,
    /// Bytes there would be without a limit.
    total: u64,
}

impl Data {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Takes `input` up to the end of the text.
    pub(super) fn take(&mut self, input: &[u8]) -> Step {
        for (at, &byte) in input.iter().enumerate() {
            self.line.push(byte);
            if byte == b'\n' {
                if !self.within && matches!(self.line.as_slice(), b".\r\n" | b".\n") {
                    self.line.clear();
                    return Step::Ended(at + 1);
                }
                self.flush();
                self.within = false;
            } else if self.line.len() >= PIECE {
                self.flush();
                self.within = true;
            }
        }
        Step::Goes
    }

    /// Adds `bytes` as they are (`BDAT`).
    pub(super) fn chunk(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.limit.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
    }

    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = if self.within { &line[..] } else { line.strip_prefix(b".").unwrap_or(&line) };
        self.chunk(text);
        self.line = line;
        self.line.clear();
    }

    /// Bytes the client sent of it.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// The message.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(input: &[u8]) -> (Vec<u8>, Step) {
        let mut data = Data::new(1 << 20);
        let mut last = Step::Goes;
        for (at, byte) in input.iter().enumerate() {
            last = match data.take(&[*byte]) {
                Step::Ended(used) => Step::Ended(at + used),
                Step::Goes => Step::Goes,
            };
            if last != Step::Goes {
                break;
            }
        }
        let mut whole = Data::new(1 << 20);
        let at_once = whole.take(input);
        assert_eq!((whole.into_bytes(), at_once), (data.bytes.clone(), last));
        (data.into_bytes(), last)
    }

    #[test]
    fn dots_are_undone_and_only_a_lonely_one_ends() {
        let (bytes, step) = message(b"a\r\n..b\r\n...\r\nc.\r\n.\r\nQUIT");
        assert_eq!((bytes.as_slice(), step), (&b"a\r\n.b\r\n..\r\nc.\r\n"[..], Step::Ended(20)));
        assert_eq!(message(b".\r\n"), (Vec::new(), Step::Ended(3)));
        assert_eq!(message(b"x\n.\n").1, Step::Ended(4));
    }

    #[test]
    fn a_dot_within_a_long_line_ends_nothing() {
        let mut input = vec![b'x'; PIECE];
        input.extend(b".\r\n.\r\n");
        let (bytes, step) = message(&input);
        assert_eq!(bytes.len(), PIECE + 3);
        assert_eq!(step, Step::Ended(input.len()));
    }

    #[test]
    fn what_exceeds_the_limit_is_counted_and_dropped() {
        let mut data = Data::new(4);
        assert_eq!(data.take(b"123456\r\n.\r\n"), Step::Ended(11));
        assert_eq!(data.total(), 8);
        assert_eq!(data.into_bytes(), b"1234");
    }
}
