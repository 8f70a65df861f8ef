//! Messages of the client.

use crate::inbox::Inbox;

/// Shortest and longest packet before a session is begun.
const START: std::ops::RangeInclusive<usize> = 8..=10_000;

/// What stands for a version in a request for encryption.
pub(super) const TLS_REQUEST: u32 = 80_877_103;
pub(super) const GSS_REQUEST: u32 = 80_877_104;

/// What came of looking for a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    Done(T),
    Need,
    /// A length that is none.
    Bad,
}

/// The packet that begins a session, or asks for something before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Tls,
    Gss,
    Cancel,
    Session { version: u32, parameters: Vec<(Vec<u8>, Vec<u8>)>, ended: bool },
}

/// Takes the packet that begins a session out of `input`.
pub(super) fn start(input: &mut Inbox) -> Parsed<Start> {
    let Some(length) = input.rest().first_chunk::<4>() else { return Parsed::Need };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if !START.contains(&length) {
        return Parsed::Bad;
    }
    let Some(packet) = input.rest().get(4..length) else { return Parsed::Need };
    let packet = packet.to_vec();
    input.skip(length);
    let mut reader = Reader(&packet);
    let version = reader.int().unwrap_or(0);
    Parsed::Done(match version {
        TLS_REQUEST => Start::Tls,
        GSS_REQUEST => Start::Gss,
        80_877_102 => Start::Cancel,
        version => {
            let mut parameters = Vec::new();
            let mut ended = false;
            while parameters.len() < 64 {
                match reader.text() {
                    Some(b"") => {
                        ended = reader.0.is_empty();
                        break;
                    }
                    Some(name) => match reader.text() {
                        Some(value) => parameters.push((name.to_vec(), value.to_vec())),
                        None => break,
                    },
                    None => break,
                }
            }
            Start::Session { version, parameters, ended }
        }
    })
}

/// Takes the next message out of `input`: its kind and content. `most` is the longest that is taken.
pub(super) fn message(input: &mut Inbox, most: usize) -> Parsed<(u8, Vec<u8>)> {
    let waiting = input.rest();
    let Some([kind, a, b, c, d]) = waiting.first_chunk::<5>().copied() else { return Parsed::Need };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if !(4..=most).contains(&length) {
        return Parsed::Bad;
    }
    let Some(content) = waiting.get(5..=length) else { return Parsed::Need };
    let content = content.to_vec();
    input.skip(1 + length);
    Parsed::Done((kind, content))
}

/// Reads through a message; past its end everything is none.
#[derive(Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    pub(super) fn int(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Bytes up to a NUL.
    pub(super) fn text(&mut self) -> Option<&'b [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.take(end)?;
        self.byte();
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_packets_are_told_apart() {
        assert_eq!(start(&mut Inbox::of(b"\0\0\0\x08\x04\xd2\x16\x2f")), Parsed::Done(Start::Tls));
        assert_eq!(start(&mut Inbox::of(b"\0\0\0\x07\0\0\0\0")), Parsed::Bad);
        assert_eq!(start(&mut Inbox::of(b"\xff\xff\xff\xff")), Parsed::Bad);
        let mut input = Inbox::of(b"\0\0\0\x13\0\x03\0\0user\0root\0\0rest");
        let parameters = vec![(b"user".to_vec(), b"root".to_vec())];
        let expected = Start::Session { version: 0x3_0000, parameters, ended: true };
        assert_eq!(start(&mut input), Parsed::Done(expected));
        assert_eq!(input.rest(), b"rest");
    }

    #[test]
    fn messages_are_taken_whole() {
        let mut input = Inbox::of(b"Q\0\0\0\x06a\0Z");
        assert_eq!(message(&mut input, 6), Parsed::Done((b'Q', b"a\0".to_vec())));
        assert_eq!(message(&mut input, 6), Parsed::Need);
        assert_eq!(message(&mut Inbox::of(b"Q\0\0\0\x03"), 6), Parsed::Bad);
        assert_eq!(message(&mut Inbox::of(b"Q\x7f\0\0\0"), 6), Parsed::Bad);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end_or_not_at_all(bytes: Vec<u8>) {
            let mut input = Inbox::of(&bytes);
            drop(start(&mut input));
            while let Parsed::Done(_) = message(&mut input, 300) {}
            assert!(bytes.ends_with(input.rest()));
        }
    }
}
