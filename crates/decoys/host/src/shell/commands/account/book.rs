//! The files that hold accounts, as tables.

use base_model::Timestamp;

use crate::crypt;
use crate::fs::{Creds, Device, Errno};
use crate::shell::proc::Proc;

/// Most of a file that is read.
const MAX_FILE: usize = 256 * 1024;
/// Most lines of a table.
const MAX_LINES: usize = 1000;

/// One of the files: lines of fields between colons.
pub(super) struct Table {
    path: &'static str,
    pub(super) lines: Vec<Vec<String>>,
}

impl Table {
    fn read(proc: &Proc, path: &'static str) -> Self {
        let bytes = proc.host.with(|machine| {
            let ino = machine.fs.find(&Creds::root(), b"/", path.as_bytes(), true);
            ino.map(|ino| machine.fs.read(ino, 0, MAX_FILE)).unwrap_or_default()
        });
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = |line: &str| line.split(':').map(str::to_owned).collect();
        Self { path, lines: text.lines().take(MAX_LINES).map(line).collect() }
    }

    /// The line that begins with `name`.
    pub(super) fn line(&mut self, name: &str) -> Option<&mut Vec<String>> {
        self.lines.iter_mut().find(|line| line.first().is_some_and(|first| first == name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.first().is_some_and(|first| first == name))
    }

    /// Sets field `at` of the line that begins with `name`.
    pub(super) fn set(&mut self, name: &str, at: usize, value: &str) {
        if let Some(field) = self.line(name).and_then(|line| line.get_mut(at)) {
            value.clone_into(field);
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.lines.retain(|line| line.first().is_none_or(|first| first != name));
    }

    pub(super) fn add(&mut self, fields: &[&str]) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(fields.iter().map(|field| (*field).to_owned()).collect());
        }
    }

    fn write(&self, proc: &Proc, now: Timestamp) -> Result<(), Errno> {
        let text: String = self.lines.iter().map(|line| format!("{}\n", line.join(":"))).collect();
        proc.host.with(|machine| {
            let ino = machine.fs.find(&Creds::root(), b"/", self.path.as_bytes(), true)?;
            machine.fs.truncate(ino, 0, now)?;
            machine.fs.write(ino, 0, text.as_bytes(), now)
        })
    }
}

/// All of the files.
pub(super) struct Book {
    pub(super) passwd: Table,
    pub(super) group: Table,
    pub(super) shadow: Table,
}

impl Book {
    pub(super) fn read(proc: &Proc) -> Self {
        Self {
            passwd: Table::read(proc, "/etc/passwd"),
            group: Table::read(proc, "/etc/group"),
            shadow: Table::read(proc, "/etc/shadow"),
        }
    }

    pub(super) fn write(&self, proc: &Proc) -> Result<(), Errno> {
        let now = proc.io.now();
        self.passwd.write(proc, now)?;
        self.group.write(proc, now)?;
        self.shadow.write(proc, now)
    }

    /// Gives `user` a password, or `None` of any.
    pub(super) fn set_password(&mut self, proc: &Proc, user: &str, password: &[u8]) {
        let entropy = proc.host.with(|machine| machine.read_device(Device::Random, 16));
        let salt = crypt::salt(entropy.first_chunk::<16>().unwrap_or(&[7; 16]));
        self.set_hash(proc, user, &crypt::sha512(password, &salt));
    }

    /// Gives `user` this hash.
    pub(super) fn set_hash(&mut self, proc: &Proc, user: &str, hash: &str) {
        let day = proc.io.now().seconds().div_euclid(86_400).to_string();
        if !self.shadow.has(user) {
            self.shadow.add(&[user, "!", &day, "0", "99999", "7", "", "", ""]);
        }
        self.shadow.set(user, 1, hash);
        self.shadow.set(user, 2, &day);
    }

    /// The first free number from 1000 among the ids of `table`.
    pub(super) fn free_id(table: &Table, at: usize, system: bool) -> u32 {
        let taken = |id: u32| {
            let id = id.to_string();
            table.lines.iter().any(|line| line.get(at) == Some(&id))
        };
        if system {
            (100..1000).rev().find(|id| !taken(*id)).unwrap_or(999)
        } else {
            (1000..60_000).find(|id| !taken(*id)).unwrap_or(60_000)
        }
    }
}
