//! Result codes and the packets of an answer.

use super::wire::Writer;
use crate::fs::Errno;

pub(super) const STATUS: u8 = 101;
pub(super) const HANDLE: u8 = 102;
pub(super) const DATA: u8 = 103;
pub(super) const NAME: u8 = 104;
pub(super) const ATTRS: u8 = 105;
pub(super) const EXTENDED_REPLY: u8 = 201;

/// Result codes with OpenSSH's texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Ok,
    Eof,
    NoFile,
    Denied,
    Failure,
    BadMessage,
    Unsupported,
}

impl Code {
    pub(super) const fn wire(self) -> (u32, &'static str) {
        match self {
            Self::Ok => (0, "Success"),
            Self::Eof => (1, "End of file"),
            Self::NoFile => (2, "No such file"),
            Self::Denied => (3, "Permission denied"),
            Self::Failure => (4, "Failure"),
            Self::BadMessage => (5, "Bad message"),
            Self::Unsupported => (8, "Operation unsupported"),
        }
    }
}

impl From<Errno> for Code {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NoEntry | Errno::BadDescriptor | Errno::Loop | Errno::NotDirectory => {
                Self::NoFile
            }
            Errno::Access | Errno::NotPermitted | Errno::ReadOnly => Self::Denied,
            Errno::NameTooLong | Errno::Invalid => Self::BadMessage,
            _ => Self::Failure,
        }
    }
}

/// An answer, or the code that says why there is none.
pub(super) type Answer = Result<Vec<u8>, Code>;

/// A status packet.
pub(super) fn status(id: u32, code: Code) -> Vec<u8> {
    let (number, text) = code.wire();
    Writer::answer(STATUS, id).u32(number).string(text.as_bytes()).string(b"").done()
}

/// A packet that names one path.
pub(super) fn name(id: u32, path: &[u8]) -> Vec<u8> {
    Writer::answer(NAME, id).u32(1).string(path).string(path).u32(0).done()
}
