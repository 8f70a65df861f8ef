//! Telnet on the wire (RFC 854, RFC 855): commands out of the stream, and bytes into it.

pub(super) const IAC: u8 = 255;
pub(super) const DONT: u8 = 254;
pub(super) const DO: u8 = 253;
pub(super) const WONT: u8 = 252;
pub(super) const WILL: u8 = 251;
pub(super) const SB: u8 = 250;
pub(super) const SE: u8 = 240;

/// Longest sub-negotiation kept; the rest of a longer one is dropped.
const MAX_SUB: usize = 2048;

/// Something a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Data(u8),
    /// `WILL`, `WONT`, `DO` or `DONT` and the option.
    Option(u8, u8),
    /// The option and what follows it.
    Sub(u8, Vec<u8>),
    /// Another command.
    Command(u8),
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Data,
    Iac,
    Option(u8),
    Sub,
    SubIac,
}

/// Takes commands out of the stream.
#[derive(Debug, Default)]
pub(super) struct Parser {
    state: State,
    sub: Vec<u8>,
}

impl Parser {
    /// Takes one byte.
    pub(super) fn take(&mut self, byte: u8) -> Option<Event> {
        let (state, event) = match (std::mem::take(&mut self.state), byte) {
            (State::Data, IAC) => (State::Iac, None),
            (State::Data, byte) => (State::Data, Some(Event::Data(byte))),
            (State::Iac, IAC) => (State::Data, Some(Event::Data(IAC))),
            (State::Iac, SB) => {
                self.sub.clear();
                (State::Sub, None)
            }
            (State::Iac, verb @ WILL..=DONT) => (State::Option(verb), None),
            (State::Iac, command) => (State::Data, Some(Event::Command(command))),
            (State::Option(verb), option) => (State::Data, Some(Event::Option(verb, option))),
            (State::Sub, IAC) => (State::SubIac, None),
            (State::Sub, byte) => {
                self.keep(byte);
                (State::Sub, None)
            }
            (State::SubIac, SE) => {
                let sub = std::mem::take(&mut self.sub);
                let event =
                    sub.split_first().map(|(option, rest)| Event::Sub(*option, rest.into()));
                (State::Data, event)
            }
            (State::SubIac, byte) => {
                self.keep(byte);
                (State::Sub, None)
            }
        };
        self.state = state;
        event
    }

    fn keep(&mut self, byte: u8) {
        if self.sub.len() < MAX_SUB {
            self.sub.push(byte);
        }
    }
}

/// `bytes` of a terminal as they are sent: `IAC` doubled, and a lone `CR` with a `NUL` after it.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().peekable();
    while let Some(&byte) = rest.next() {
        out.push(byte);
        match byte {
            IAC => out.push(IAC),
            b'\r' if rest.peek() != Some(&&b'\n') => out.push(0),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_out_and_doubled_bytes_are_data() {
        let mut parser = Parser::default();
        let input = [b'a', IAC, IAC, IAC, DO, 1, IAC, SB, 24, 0, b'x', IAC, IAC, IAC, SE, IAC, 244];
        let events: Vec<_> = input.into_iter().filter_map(|byte| parser.take(byte)).collect();
        let expected = [
            Event::Data(b'a'),
            Event::Data(IAC),
            Event::Option(DO, 1),
            Event::Sub(24, vec![0, b'x', IAC]),
            Event::Command(244),
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn a_sub_negotiation_without_end_is_bounded() {
        let mut parser = Parser::default();
        for byte in [IAC, SB].into_iter().chain(std::iter::repeat_n(7, 1_000_000)) {
            assert_eq!(parser.take(byte), None);
        }
        assert!(parser.sub.len() <= MAX_SUB);
    }

    #[test]
    fn output_survives_the_way() {
        assert_eq!(encode(b"a\r\nb\rc\xff"), b"a\r\nb\r\0c\xff\xff");
    }
}
