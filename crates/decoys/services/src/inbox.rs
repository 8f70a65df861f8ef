//! What a client sent and nobody has read yet.

/// Read bytes are let go when they are this many.
const SLACK: usize = 64 * 1024;

/// Bytes in the order they came; taking from the front costs no move of the rest.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    at: usize,
}

impl Inbox {
    /// One that `bytes` wait in.
    #[cfg(test)]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), at: 0 }
    }

    /// Adds what came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// All that waits.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// At most `count` bytes of what waits, to be shown.
    pub(crate) fn sample(&self, count: usize) -> &[u8] {
        self.rest().get(..count).unwrap_or(self.rest())
    }

    /// Lets go of the first `count` bytes.
    pub(crate) fn skip(&mut self, count: usize) {
        self.at = self.bytes.len().min(self.at.saturating_add(count));
        if self.at == self.bytes.len() {
            self.clear();
        } else if self.at > SLACK {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
    }

    /// Lets go of everything, memory included.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_gone_and_the_rest_stays_in_order() {
        let mut inbox = Inbox::default();
        for number in 0..100_000_u32 {
            inbox.push(&number.to_be_bytes());
        }
        for number in 0..100_000_u32 {
            assert_eq!(inbox.sample(4), number.to_be_bytes());
            inbox.skip(4);
        }
        assert!(inbox.rest().is_empty());
        inbox.skip(9);
        inbox.push(b"x");
        assert_eq!(inbox.rest(), b"x");
    }
}
