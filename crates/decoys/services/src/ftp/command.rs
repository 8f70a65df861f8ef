//! Command lines (RFC 959 §5.3), with telnet's commands taken out.

use std::net::{IpAddr, Ipv4Addr};

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// In upper case.
    pub(super) verb: String,
    /// Everything after the first blank.
    pub(super) argument: Vec<u8>,
    /// As sent.
    pub(super) line: Vec<u8>,
}

/// Reads `line`, which has no line end.
pub(super) fn read(line: &[u8]) -> Command {
    let line = without_telnet(line);
    let end = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let verb = String::from_utf8_lossy(line.get(..end).unwrap_or(&line)).to_ascii_uppercase();
    let argument = line.get(end + 1..).unwrap_or_default().to_vec();
    Command { verb, argument, line }
}

/// `IAC` and the byte after it are for the terminal, not for the server.
fn without_telnet(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        if byte == 0xff {
            bytes.next();
        } else {
            out.push(byte);
        }
    }
    out
}

/// `h1,h2,h3,h4,p1,p2`.
pub(super) fn port(argument: &[u8]) -> Option<(IpAddr, u16)> {
    let text = std::str::from_utf8(argument).ok()?;
    let numbers: Result<Vec<u8>, _> = text.trim().split(',').map(str::parse).collect();
    match numbers.ok()?.as_slice() {
        [a, b, c, d, high, low] => {
            Some((Ipv4Addr::new(*a, *b, *c, *d).into(), u16::from_be_bytes([*high, *low])))
        }
        _ => None,
    }
}

/// `|1|address|port|` (RFC 2428 §2).
pub(super) fn extended_port(argument: &[u8]) -> Option<(IpAddr, u16)> {
    let text = std::str::from_utf8(argument).ok()?.trim();
    let mark = text.chars().next()?;
    let parts: Vec<&str> = text.split(mark).collect();
    match parts.as_slice() {
        [_, "1" | "2", address, port, ..] => Some((address.parse().ok()?, port.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_of_a_terminal_do_not_hide_the_command() {
        let command = read(b"\xff\xf4\xff\xf2abor");
        assert_eq!((command.verb.as_str(), command.argument.as_slice()), ("ABOR", &b""[..]));
        assert_eq!(read(b"retr a b ").argument, b"a b ");
    }

    #[test]
    fn addresses_are_read_in_both_forms() {
        assert_eq!(port(b"10,0,0,1,4,1"), Some(([10, 0, 0, 1].into(), 1025)));
        assert_eq!(extended_port(b"|1|10.0.0.1|1025|"), Some(([10, 0, 0, 1].into(), 1025)));
        assert_eq!(extended_port(b"|2|::1|80|").map(|(_, port)| port), Some(80));
        for bad in [&b"1,2,3,4,5"[..], b"1,2,3,4,5,256", b"x", b""] {
            assert_eq!((port(bad), extended_port(bad)), (None, None));
        }
    }
}
