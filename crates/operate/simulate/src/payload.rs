//! What attackers leave behind: files that look like malware to those who sort by magic number and
//! hold nothing that could run.

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

const SAYS: &str = "DECNET simulation payload. This file is harmless: it holds no code and stands in \
                    for what an attacker would have left here.\n";
/// Header of a 64-bit little-endian ELF executable for x86-64 (System V ABI) with no segment, no
/// section and entry point zero: no kernel starts it.
const ELF_HEADER: [u8; 64] = {
    let mut header = [0; 64];
    let start: [u8; 24] =
        [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0];
    let mut at = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while at < start.len() {
        header[at] = start[at];
        at += 1;
    }
    // e_ehsize, e_phentsize, e_shentsize.
    header[52] = 64;
    header[54] = 56;
    header[58] = 64;
    header
};

/// A file to leave, by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// Its name, without folder.
    pub name: String,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

impl Payload {
    /// A stub with the magic number of an ELF executable; `variant` makes digests differ.
    #[must_use]
    pub fn elf(name: &str, variant: u64) -> Self {
        let mut bytes = ELF_HEADER.to_vec();
        bytes.extend_from_slice(SAYS.as_bytes());
        bytes.extend_from_slice(format!("variant {variant:016x}\n").as_bytes());
        // As large as small droppers are.
        let filler = b"harmless padding\n".iter().copied().cycle().take(24 * 1024);
        bytes.extend(filler);
        Self { name: name.to_owned(), bytes }
    }

    /// A shell script of which every line is a comment.
    #[must_use]
    pub fn script(name: &str, variant: u64) -> Self {
        let text = format!("#!/bin/sh\n# {SAYS}# variant {variant:016x}\n");
        Self { name: name.to_owned(), bytes: text.into_bytes() }
    }

    /// A file with `text` that says what it is.
    #[must_use]
    pub fn text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), bytes: format!("{text}\n{SAYS}").into_bytes() }
    }

    /// Its SHA-256 in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({}, {} bytes)", self.name, self.bytes.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'p> {
            name: &'p str,
            size: usize,
            sha256: String,
        }
        let shape = Shape { name: &self.name, size: self.bytes.len(), sha256: self.sha256() };
        shape.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_says_that_it_is_harmless() {
        let all =
            [Payload::elf("a", 1), Payload::script("b", 1), Payload::text("c", "{\"pools\": []}")];
        for payload in all {
            let text = String::from_utf8_lossy(&payload.bytes).into_owned();
            assert!(text.contains("This file is harmless"), "{payload:?}");
        }
    }

    #[test]
    fn a_script_does_nothing() {
        let script = Payload::script("x.sh", 9);
        let text = String::from_utf8(script.bytes).unwrap();
        assert!(text.lines().all(|line| line.starts_with('#')));
    }

    #[test]
    fn the_stub_has_the_magic_and_nothing_to_load() {
        let stub = Payload::elf("kworker", 1);
        assert_eq!(&stub.bytes[..4], b"\x7fELF");
        assert_eq!(stub.bytes[24..32], [0; 8], "no entry point");
        assert_eq!(stub.bytes[56..58], [0; 2], "no segment");
        assert_ne!(stub.sha256(), Payload::elf("kworker", 2).sha256());
    }
}
