//! Messages in the form of the core utilities.

use crate::fs::Errno;
use crate::shell::proc::{Proc, Stop};

/// Where to find help.
pub(super) fn hint(name: &str) -> String {
    format!("Try '{name} --help' for more information.\n")
}

impl Proc {
    /// `name: what 'path': why` on standard error; `what` may be empty.
    pub(super) async fn fault(&self, what: &str, path: &[u8], why: Errno) {
        let gap = if what.is_empty() { "" } else { " " };
        let head = format!("{}: {what}{gap}", self.name());
        let tail = format!(": {}\n", why.text());
        self.err([head.as_bytes(), &quoted(path), tail.as_bytes()].concat()).await;
    }

    /// `name: what ‘operand’` and the hint at `--help`; ends with status 1.
    pub(super) async fn misused(&self, what: &str, operand: &[u8]) -> Stop {
        self.misused_with(what, operand, 1).await
    }

    /// As [`Proc::misused`], ending with `status`.
    pub(super) async fn misused_with(&self, what: &str, operand: &[u8], status: u8) -> Stop {
        let name = self.name();
        let head = format!("{name}: {what} ");
        let tail = format!("\n{}", hint(&name));
        self.err([head.as_bytes(), &typed(operand), tail.as_bytes()].concat()).await;
        Stop::Status(status)
    }

    /// `name: what 'operand'` and the hint at `--help`; ends with status 1.
    pub(super) async fn misused_quoted(&self, what: &str, operand: &[u8]) -> Stop {
        let name = self.name();
        let head = format!("{name}: {what} ");
        let tail = format!("\n{}", hint(&name));
        self.err([head.as_bytes(), &quoted(operand), tail.as_bytes()].concat()).await;
        Stop::Status(1)
    }

    /// `name: message` and the hint at `--help`; ends with status 1.
    pub(super) async fn unusable(&self, message: &str) -> Stop {
        let name = self.name();
        self.err(format!("{name}: {message}\n{}", hint(&name))).await;
        Stop::Status(1)
    }

    /// `name: message` on standard error.
    pub(super) async fn say_err(&self, message: impl AsRef<[u8]>) {
        let head = format!("{}: ", self.name());
        self.err([head.as_bytes(), message.as_ref(), b"\n"].concat()).await;
    }

    /// `name: what ‘operand’` on standard error.
    pub(super) async fn wrong(&self, what: &str, operand: &[u8]) {
        self.say_err([what.as_bytes(), b" ", &typed(operand)].concat()).await;
    }

    /// `missing operand`, as the core utilities tell it.
    pub(super) async fn missing_operand(&self) -> Stop {
        self.unusable("missing operand").await
    }
}

/// A name as the core utilities quote it in messages about files: `'name'`, spelled for the shell.
pub(super) fn quoted(name: &[u8]) -> Vec<u8> {
    let odd = name.iter().any(|b| *b < 0x20 || *b == 0x7f)
        || name.utf8_chunks().any(|chunk| !chunk.invalid().is_empty());
    if name.contains(&b'\'') && !odd && !name.iter().any(|b| b"\"$`\\!".contains(b)) {
        return [b"\"", name, b"\""].concat();
    }
    let mut out = b"'".to_vec();
    for &byte in name {
        match byte {
            b'\n' => out.extend_from_slice(b"'$'\\n''"),
            b'\t' => out.extend_from_slice(b"'$'\\t''"),
            b'\r' => out.extend_from_slice(b"'$'\\r''"),
            b'\'' => out.extend_from_slice(b"'\\''"),
            0x00..=0x1f | 0x7f.. if byte < 0x20 || odd => {
                out.extend(format!("'$'\\{byte:03o}''").into_bytes());
            }
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    out
}

/// A name that is quoted only where the shell would need it.
pub(in crate::shell) fn bare(name: &[u8]) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_./:,+@%^~=#".contains(b) || *b >= 0x80;
    let head = !name.starts_with(b"~") && !name.starts_with(b"#");
    let valid = name.utf8_chunks().all(|chunk| chunk.invalid().is_empty());
    if head && valid && !name.is_empty() && name.iter().all(plain) {
        name.to_vec()
    } else {
        quoted(name)
    }
}

/// A word as the core utilities quote it in other messages: `‘word’`.
pub(super) fn typed(word: &[u8]) -> Vec<u8> {
    ["‘".as_bytes(), word, "’".as_bytes()].concat()
}
