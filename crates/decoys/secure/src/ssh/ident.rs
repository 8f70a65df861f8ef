//! The exchange of identification strings (RFC 4253 §4.2), as OpenSSH's server does it: its answers
//! to what is not SSH are a fingerprint.

/// OpenSSH's `SSH_MAX_BANNER_LEN`.
const MAX_LINE: usize = 8192;

/// The client's line as far as it came.
#[derive(Debug, Default)]
pub(super) struct Ident {
    line: Vec<u8>,
    /// A carriage return was read: only the end of the line may follow.
    ending: bool,
}

/// What the client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// SSH-2: its identification string without line end.
    Ssh(Vec<u8>),
    /// Something else, that gets this line as answer.
    Other(Vec<u8>, &'static [u8]),
}

impl Ident {
    /// Whether what came so far can hardly be anything but SSH-2. Until then, bytes must be read
    /// one by one: what follows a line that is not SSH has to stay unread, so that the connection
    /// ends with the same reset as OpenSSH's.
    pub(super) fn is_promising(&self) -> bool {
        self.line.starts_with(b"SSH-2.0-") || self.line.starts_with(b"SSH-1.99-")
    }

    /// Takes bytes; returns what the client is once that is known, with how many were taken.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<(Client, usize)> {
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'\r' => self.ending = true,
                b'\n' => return Some((self.client(), at + 1)),
                0 => return Some((self.invalid(), at + 1)),
                _ if self.ending || self.line.len() >= MAX_LINE => {
                    return Some((self.invalid(), at + 1));
                }
                _ => self.line.push(byte),
            }
        }
        None
    }

    /// What came before the client went.
    pub(super) fn into_line(self) -> Vec<u8> {
        self.line
    }

    fn client(&mut self) -> Client {
        match version(&self.line) {
            Some((b"2", _) | (b"1", b"99")) => Client::Ssh(std::mem::take(&mut self.line)),
            Some(_) => self.other(b"Protocol major versions differ.\r\n"),
            None => self.invalid(),
        }
    }

    fn invalid(&mut self) -> Client {
        self.other(b"Invalid SSH identification string.\r\n")
    }

    fn other(&mut self, answer: &'static [u8]) -> Client {
        Client::Other(std::mem::take(&mut self.line), answer)
    }
}

/// Major and minor version, if there is software behind them.
fn version(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"SSH-")?;
    let (major, rest) = digits(rest)?;
    let (minor, rest) = digits(rest.strip_prefix(b".")?)?;
    let software = rest.strip_prefix(b"-")?;
    (!software.is_empty()).then_some((major, minor))
}

fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(count).filter(|_| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(bytes: &[u8]) -> Option<(Client, usize)> {
        Ident::default().take(bytes)
    }

    #[test]
    fn lines_are_judged_as_by_debian_12s_sshd() {
        for line in ["SSH-2.0-x\r\n", "SSH-2.0-x\n", "SSH-1.99-x\r\n", "SSH-2.9-x y\r\n"] {
            let (client, taken) = meet(line.as_bytes()).unwrap();
            assert_eq!(client, Client::Ssh(line.trim_end().as_bytes().to_vec()));
            assert_eq!(taken, line.len());
        }
        let long = format!("SSH-2.0-{}\r\n", "a".repeat(8180));
        assert!(matches!(meet(long.as_bytes()), Some((Client::Ssh(_), _))));
        for line in ["\r\n", "GET / HTTP/1.0\r\n", "SSH-2.0\r\n", "SSH-2.0-\r\n", "SSH-a.b-c\r\n"] {
            let (client, _) = meet(line.as_bytes()).unwrap();
            let answer = b"Invalid SSH identification string.\r\n";
            assert_eq!(client, Client::Other(line.trim_end().as_bytes().to_vec(), answer));
        }
        for line in ["SSH-1.5-x\r\n", "SSH-3.0-x\r\n"] {
            let (client, _) = meet(line.as_bytes()).unwrap();
            let answer = b"Protocol major versions differ.\r\n";
            assert_eq!(client, Client::Other(line.trim_end().as_bytes().to_vec(), answer));
        }
        for (line, taken) in [("SSH-2.0-a\0b\r\n", 10), ("SSH-2.0-a\rb\n", 11)] {
            let (client, at) = meet(line.as_bytes()).unwrap();
            assert!(matches!(client, Client::Other(..)));
            assert_eq!(at, taken);
        }
        let endless = vec![b'A'; 9000];
        assert_eq!(meet(&endless).unwrap().1, MAX_LINE + 1);
    }

    #[test]
    fn pieces_make_a_line_and_what_follows_is_left() {
        let mut ident = Ident::default();
        assert_eq!(ident.take(b"SSH-2."), None);
        assert!(!ident.is_promising());
        assert_eq!(ident.take(b"0-"), None);
        assert!(ident.is_promising());
        assert_eq!(ident.take(b"x\r"), None);
        let (client, taken) = ident.take(b"\nrest").unwrap();
        assert_eq!((client, taken), (Client::Ssh(b"SSH-2.0-x".to_vec()), 1));
    }
}
