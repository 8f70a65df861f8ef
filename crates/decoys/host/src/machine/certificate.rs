//! Keys and certificates that were made when the machine was installed, where they are kept.

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

    /// Puts the SSH host keys, each with its type, private and public text, where `sshd` reads them.
    /// What is there already stays.
    ///
    /// # Errors
    /// When the folder is gone or the disk is full.
    pub fn put_host_keys(&mut self, keys: &[(&str, String, String)]) -> Result<(), Errno> {
        let at = Timestamp::from_micros(self.facts.installed.saturating_mul(1_000_000));
        let comment = format!(" root@{}\n", self.facts.hostname);
        for (kind, private, public) in keys {
            let path = format!("/etc/ssh/ssh_host_{kind}_key");
            self.put(path.as_bytes(), Some(private.as_bytes()), 0o600, at)?;
            let public = format!("{public}{comment}");
            self.put(format!("{path}.pub").as_bytes(), Some(public.as_bytes()), 0o644, at)?;
        }
        Ok(())
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
    fn host_keys_are_where_sshd_reads_them_and_stay() {
        let host = crate::testing::host(1, "debian");
        let read = |path: &[u8], creds: &Creds| {
            host.with(|machine| {
                let stat = machine.fs.stat(creds, b"/", path, true).unwrap();
                (machine.fs.read(stat.ino, 0, 99), stat.node.mode & 0o777)
            })
        };
        for (private, public) in [("ONE", "ssh-ed25519 AAAA"), ("TWO", "ssh-ed25519 BBBB")] {
            let keys = [("ed25519", private.to_owned(), public.to_owned())];
            host.with(|machine| machine.put_host_keys(&keys)).unwrap();
        }
        let root = Creds::root();
        assert_eq!(read(b"/etc/ssh/ssh_host_ed25519_key", &root), (b"ONE".to_vec(), 0o600));
        let (public, mode) = read(b"/etc/ssh/ssh_host_ed25519_key.pub", &root);
        assert!(public.starts_with(b"ssh-ed25519 AAAA root@") && mode == 0o644);
    }

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
