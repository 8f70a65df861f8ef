//! Files that came in or went out.

use super::{Fact, Kind};
use crate::{Fields, Sha256Digest, Timestamp};

/// A file's content was kept as a blob.
pub const FILE_CAPTURED: Kind = Kind::warning("file_captured");
/// A file was sent to the decky.
pub const FILE_UPLOAD: Kind = Kind::warning("file_upload");
/// A file was fetched from the decky.
pub const FILE_DOWNLOAD: Kind = Kind::info("file_download");

/// A file was written whose content was not kept.
pub const FILE_SKIPPED: Kind = Kind::warning("file_skipped");

/// What [`file_captured`] records.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// Digest of the content; names the blob.
    pub sha256: Sha256Digest,
    /// Bytes.
    pub size: u64,
    /// Path on the decky, as the attacker wrote it.
    pub path: &'a [u8],
    /// Login name of the writer.
    pub user: &'a str,
    /// Numeric user id of the writer.
    pub uid: u32,
    /// What wrote it: `scp`, `sftp`, a command name.
    pub writer: &'a str,
    /// Modification time given by the client, else the time of writing.
    pub mtime: Timestamp,
}

/// The content of a written file, kept as blob `sha256`.
#[must_use]
pub fn file_captured(at: Timestamp, file: &Captured<'_>) -> Fact {
    let fields = Fields::new()
        .with("stored_as", stored_as(at, file.sha256, file.path))
        .with("sha256", file.sha256.to_string())
        .with("size", file.size)
        .bytes("orig_path", file.path)
        .with("ssh_user", file.user)
        .with("attribution", "session")
        .with("writer_comm", file.writer)
        .with("writer_uid", file.uid)
        .with("mtime", file.mtime.rfc3339(0));
    Fact::new(&FILE_CAPTURED, fields).naming(file.sha256)
}

/// `<UTC second>_<first 12 of sha256>_<base name>`, every byte outside `[A-Za-z0-9._-]` as `_`
/// (`spec/services.md` §32); at most 255 bytes of base name.
fn stored_as(at: Timestamp, sha256: Sha256Digest, path: &[u8]) -> String {
    let base = path.rsplit(|&b| b == b'/').find(|part| !part.is_empty()).unwrap_or(b"file");
    let clean: String = base
        .iter()
        .take(255)
        .map(|&b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(b),
            _ => '_',
        })
        .collect();
    let digest = sha256.to_string();
    format!("{}_{}_{clean}", at.rfc3339(0), digest.get(..12).unwrap_or_default())
}

/// The file at `path` was written but its content not kept, because of `reason` (`oversize`).
#[must_use]
pub fn file_skipped(path: &[u8], size: u64, reason: &str) -> Fact {
    let fields = Fields::new().bytes("path", path).with("size", size).with("reason", reason);
    Fact::new(&FILE_SKIPPED, fields)
}

/// `path` arrived over `protocol` (`scp`, `sftp`, …).
#[must_use]
pub fn file_upload(protocol: &str, path: &[u8], size: u64, sha256: Sha256Digest) -> Fact {
    let fields = Fields::new()
        .with("protocol", protocol)
        .bytes("path", path)
        .with("size", size)
        .with("sha256", sha256.to_string());
    Fact::new(&FILE_UPLOAD, fields)
}

/// `path` was read over `protocol`.
#[must_use]
pub fn file_download(protocol: &str, path: &[u8], size: u64) -> Fact {
    let fields = Fields::new().with("protocol", protocol).bytes("path", path).with("size", size);
    Fact::new(&FILE_DOWNLOAD, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_fetchable_ones() {
        let digest = Sha256Digest::of(b"");
        let name = stored_as(Timestamp::from_micros(0), digest, b"/tmp/../\xff x;rm -rf.sh");
        assert_eq!(name, "1970-01-01T00:00:00Z_e3b0c44298fc___x_rm_-rf.sh");
        assert!(stored_as(Timestamp::from_micros(0), digest, b"///").ends_with("_file"));
    }
}
