//! `login`: asks for a name and a password on the terminal.

/// Longest name or password taken.
const MAX_LINE: usize = 1024;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Name,
    /// The password of the name.
    Password(Vec<u8>),
}

/// What comes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes to show.
    Show(Vec<u8>),
    /// A name and a password are there.
    Try(Vec<u8>, Vec<u8>),
    /// The client gave up.
    Leave,
}

/// A login in progress.
#[derive(Debug)]
pub(super) struct Login {
    host: String,
    asked: Asked,
    line: Vec<u8>,
}

impl Login {
    /// With what it shows first. A name that the client brought along is not asked for.
    pub(super) fn begin(host: &str, name: Option<Vec<u8>>) -> (Self, Vec<u8>) {
        let mut login = Self { host: host.to_owned(), asked: Asked::Name, line: Vec::new() };
        let shown = match name {
            Some(name) => {
                login.asked = Asked::Password(name);
                b"Password: ".to_vec()
            }
            None => login.prompt(),
        };
        (login, shown)
    }

    fn prompt(&self) -> Vec<u8> {
        format!("{} login: ", self.host).into_bytes()
    }

    /// After a refusal.
    pub(super) fn again(&mut self) -> Vec<u8> {
        self.asked = Asked::Name;
        [b"\r\nLogin incorrect\r\n".to_vec(), self.prompt()].concat()
    }

    /// A key was pressed.
    pub(super) fn key(&mut self, byte: u8) -> Step {
        let echo = self.asked == Asked::Name;
        match byte {
            b'\r' | b'\n' => self.entered(),
            0x03 => Step::Leave,
            0x04 if self.line.is_empty() => Step::Leave,
            0x08 | 0x7f => {
                let rubbed = self.line.pop().is_some();
                Step::Show(if rubbed && echo { b"\x08 \x08".to_vec() } else { Vec::new() })
            }
            0x15 => {
                let count = std::mem::take(&mut self.line).len();
                Step::Show(if echo { b"\x08 \x08".repeat(count) } else { Vec::new() })
            }
            byte if self.line.len() < MAX_LINE => {
                self.line.push(byte);
                Step::Show(match (echo, byte) {
                    (false, _) => Vec::new(),
                    // The terminal shows control characters as `^X`.
                    (true, 0..0x20) => vec![b'^', byte + 0x40],
                    (true, byte) => vec![byte],
                })
            }
            _ => Step::Show(b"\x07".to_vec()),
        }
    }

    fn entered(&mut self) -> Step {
        let line = std::mem::take(&mut self.line);
        match std::mem::replace(&mut self.asked, Asked::Name) {
            Asked::Name if line.is_empty() => {
                Step::Show([b"\r\n".to_vec(), self.prompt()].concat())
            }
            Asked::Name => {
                self.asked = Asked::Password(line);
                Step::Show(b"\r\nPassword: ".to_vec())
            }
            Asked::Password(name) => Step::Try(name, line),
        }
    }
}
