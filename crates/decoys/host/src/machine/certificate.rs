//! The certificate that the package `ssl-cert` made, where Debian keeps it.

use base_model::Timestamp;

use super::Machine;
use crate::fs::{Creds, Errno};

const FOLDER: &[u8] = b"/etc/ssl/certs";
const CERTIFICATE: &[u8] = b"/etc/ssl/certs/ssl-cert-snakeoil.pem";
const KEY: &[u8] = b"/etc/ssl/private/ssl-cert-snakeoil.key";

impl Machine {
    /// Puts certificate and key, as PEM text, where they have been since the machine was installed.
    /// What is there already stays.
    ///
    /// # Errors
    /// When the folders are gone or the disk is full.
    pub fn put_certificate(&mut self, certificate: &[u8], key: &[u8]) -> Result<(), Errno> {
        let at = Timestamp::from_micros(self.facts.installed.saturating_mul(1_000_000));
        self.put(FOLDER, None, 0o755, at)?;
        self.put(CERTIFICATE, Some(certificate), 0o644, at)?;
        self.put(KEY, Some(key), 0o640, at)
    }

    fn put(
        &mut self,
        path: &[u8],
        content: Option<&[u8]>,
        mode: u16,
        at: Timestamp,
    ) -> Result<(), Errno> {
        let root = Creds::root();
        if self.fs.find(&root, b"/", path, true).is_ok() {
            return Ok(());
        }
        let Some(content) = content else {
            return self.fs.make_dir(&root, b"/", path, mode, at).map(drop);
        };
        let ino = self.fs.create(&root, b"/", path, mode, at)?;
        self.fs.write(ino, 0, content, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_readable_and_the_key_is_not() {
        let host = crate::testing::host(1, "debian");
        host.with(|machine| {
            machine.put_certificate(b"CERT", b"KEY").unwrap();
            let installed = machine.facts.installed;
            let somebody = Creds { uid: 1000, gid: 1000, groups: Vec::new() };
            let stat = machine.fs.stat(&somebody, b"/", CERTIFICATE, true).unwrap();
            assert_eq!(machine.fs.read(stat.ino, 0, 9), b"CERT");
            assert_eq!(stat.node.mtime.seconds(), installed);
            assert!(machine.fs.stat(&somebody, b"/", KEY, true).is_err());
            machine.put_certificate(b"OTHER", b"OTHER").unwrap();
            assert_eq!(machine.fs.read(stat.ino, 0, 9), b"CERT");
        });
    }
}
