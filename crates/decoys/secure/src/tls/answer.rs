//! What our own `ServerHello` looks like from outside: JA3S.

use super::hello::{decimals, md5};
use super::reader::{First, Reader, first_message};

const SERVER_HELLO: u8 = 2;
/// Longest hello of ours.
const MOST: usize = 1024;

/// The parts of a `ServerHello` that fingerprints are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Version of the old field.
    pub version: u16,
    /// Cipher suite.
    pub cipher: u16,
    /// Extensions in the order sent.
    pub extensions: Vec<u16>,
    /// The protocol chosen, where it is said here.
    pub alpn: Vec<u8>,
}

impl Answer {
    /// Reads the hello at the beginning of what a server sent.
    #[must_use]
    pub fn read(stream: &[u8]) -> Option<Self> {
        let First::Whole(SERVER_HELLO, body) = first_message(stream, MOST) else { return None };
        let mut reader = Reader(&body);
        let version = reader.short()?;
        reader.take(32)?;
        reader.short_vector()?;
        let cipher = reader.short()?;
        reader.byte()?;
        let mut answer = Self { version, cipher, extensions: Vec::new(), alpn: Vec::new() };
        let mut extensions = Reader(reader.vector().unwrap_or_default());
        while let Some(kind) = extensions.short() {
            let data = extensions.vector()?;
            if kind == 16 {
                let mut names = Reader(data);
                names.short();
                answer.alpn = names.short_vector().unwrap_or_default().to_vec();
            }
            answer.extensions.push(kind);
        }
        Some(answer)
    }

    /// JA3S: hexadecimal MD5 of version, cipher and extensions.
    #[must_use]
    pub fn ja3s(&self) -> String {
        md5(&format!("{},{},{}", self.version, self.cipher, decimals(&self.extensions)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ja3s_is_the_public_one() {
        let answer = Answer { version: 771, cipher: 47, extensions: Vec::new(), alpn: Vec::new() };
        assert_eq!(answer.ja3s(), "5397c414a9ebeaff1bf18b70ca22eaa0");
    }
}
