//! The accounts follow the files that hold them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::Machine;
use crate::fs::Creds;

/// Where accounts are kept.
const FILES: [&str; 3] = ["/etc/passwd", "/etc/group", "/etc/shadow"];
/// Most of a file that is read.
const MAX_FILE: usize = 256 * 1024;

impl Machine {
    /// Looks whether somebody changed the files of accounts, and reads them again then.
    pub(crate) fn follow_accounts(&mut self) {
        let revision = self.fs.revision();
        if revision != self.accounts_seen.0 {
            if self.account_files() == self.accounts_seen.1 {
                self.accounts_seen.0 = revision;
            } else {
                self.read_accounts();
            }
        }
    }

    /// What the files hold, as a number each.
    pub(super) fn account_files(&self) -> [u64; 3] {
        FILES.map(|path| {
            let mut hasher = DefaultHasher::new();
            self.account_file(path).hash(&mut hasher);
            hasher.finish()
        })
    }

    fn account_file(&self, path: &str) -> Vec<u8> {
        let ino = self.fs.find(&Creds::root(), b"/", path.as_bytes(), true);
        ino.map(|ino| self.fs.read(ino, 0, MAX_FILE)).unwrap_or_default()
    }

    pub(super) fn read_accounts(&mut self) {
        let [passwd, group, shadow] =
            FILES.map(|path| String::from_utf8_lossy(&self.account_file(path)).into_owned());
        self.accounts = self.original.as_in(&passwd, &group, &shadow);
        self.accounts_seen = (self.fs.revision(), self.account_files());
    }
}
