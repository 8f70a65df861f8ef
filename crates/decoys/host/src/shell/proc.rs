//! A running program, as the commands see it.

use std::collections::BTreeMap;

use super::fd::{Fd, Fds, WriteError};
use super::io::{Shared, Written};
use super::limits;
use crate::HostHandle;
use crate::fs::{Creds, Errno, Ino, absolute};
use crate::processes::Process;

/// Who runs a program.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) creds: Creds,
    pub(crate) home: Vec<u8>,
}

/// A program with its arguments, environment and open files.
#[derive(Clone)]
pub(crate) struct Proc {
    pub(crate) host: HostHandle,
    pub(crate) io: Shared,
    pub(crate) user: User,
    pub(crate) cwd: Vec<u8>,
    pub(crate) env: BTreeMap<String, Vec<u8>>,
    pub(crate) fds: Fds,
    /// Name first.
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) pid: u32,
    /// Its parent.
    pub(crate) parent: u32,
    /// The login shell's process.
    pub(crate) session_pid: u32,
    pub(crate) depth: usize,
    pub(crate) umask: u16,
}

/// Why a program stops early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nobody reads its output.
    Pipe,
    /// With this status.
    Status(u8),
}

/// How a program ends.
pub(crate) type Outcome = Result<u8, Stop>;

impl Proc {
    /// The name it was called by.
    pub(crate) fn name(&self) -> String {
        let name = self.args.first().map_or(&b""[..], |name| crate::fs::base_name(name));
        String::from_utf8_lossy(name).into_owned()
    }

    /// Arguments after the name.
    pub(crate) fn arguments(&self) -> Vec<Vec<u8>> {
        self.args.iter().skip(1).cloned().collect()
    }

    pub(crate) fn absolute(&self, path: &[u8]) -> Vec<u8> {
        absolute(&self.cwd, path)
    }

    /// Writes to standard output.
    pub(crate) async fn out(&self, bytes: impl AsRef<[u8]>) -> Result<(), Stop> {
        self.io.tick().await;
        let Some(fd) = self.fds.get(&1).cloned() else { return Err(Stop::Status(1)) };
        match fd.write(&self.io, bytes.as_ref()).await {
            Ok(()) => Ok(()),
            Err(WriteError::Broken) => Err(Stop::Pipe),
            Err(WriteError::Errno(errno)) => {
                self.err(format!("{}: write error: {}\n", self.name(), errno.text())).await;
                Err(Stop::Status(1))
            }
        }
    }

    /// Writes to standard error; what goes wrong with that is lost.
    pub(crate) async fn err(&self, bytes: impl AsRef<[u8]>) {
        if let Some(fd) = self.fds.get(&2).cloned() {
            let _ = fd.write(&self.io, bytes.as_ref()).await;
        }
    }

    /// `name: what: why` on standard error.
    pub(crate) async fn complain(&self, what: &[u8], why: &str) {
        let mut line = format!("{}: ", self.name()).into_bytes();
        line.extend(super::commands::bare(what));
        line.extend_from_slice(format!(": {why}\n").as_bytes());
        self.err(line).await;
    }

    /// Reads from standard input; empty at its end.
    pub(crate) async fn read(&self, max: usize) -> Vec<u8> {
        self.io.tick().await;
        match self.fds.get(&0).cloned() {
            Some(fd) => fd.read(&self.io, &self.host, max).await,
            None => Vec::new(),
        }
    }

    /// The inode of a readable file that is no directory.
    pub(crate) fn open(&self, path: &[u8]) -> Result<Ino, Errno> {
        self.host.with(|machine| {
            let ino = machine.fs.find(&self.user.creds, &self.cwd, path, true)?;
            let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
            if node.is_dir() {
                return Err(Errno::IsDirectory);
            }
            if !self.user.creds.may(node, crate::fs::Access::Read) {
                return Err(Errno::Access);
            }
            Ok(ino)
        })
    }

    /// A source of bytes: a file, or standard input for `-`.
    pub(crate) fn source(&self, path: &[u8]) -> Result<Source, Errno> {
        if path == b"-" {
            return Ok(Source { ino: None, offset: 0 });
        }
        match path {
            b"/dev/stdin" | b"/proc/self/fd/0" | b"/dev/fd/0" => {
                Ok(Source { ino: None, offset: 0 })
            }
            _ => Ok(Source { ino: Some(self.open(path)?), offset: 0 }),
        }
    }

    /// The whole content of `path` (or standard input for `-`), up to a bound.
    pub(crate) async fn slurp(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let mut source = self.source(path)?;
        let mut out = Vec::new();
        loop {
            let piece = source.next(self).await;
            if piece.is_empty() || out.len() > limits::SLURP {
                return Ok(out);
            }
            out.extend(piece);
        }
    }

    /// Tells that the file at `path` got its content by `writer`.
    pub(crate) fn tell_written(&self, path: &[u8], writer: &str) {
        let path = self.absolute(path);
        if !super::fd::is_captured(&path) {
            return;
        }
        let content = self.host.with(|machine| {
            let ino = machine.fs.find(&Creds::root(), b"/", &path, true).ok()?;
            super::fd::content(machine, ino)
        });
        if let Some(content) = content {
            self.io.written(Written {
                path,
                content,
                user: self.user.name.clone(),
                uid: self.user.creds.uid,
                writer: writer.to_owned(),
            });
        }
    }

    /// Terminal width, 80 without one.
    pub(crate) fn columns(&self) -> usize {
        let columns = self.io.lock().tty.map_or(80, |(columns, _)| columns);
        usize::try_from(columns).ok().filter(|c| (10..=1000).contains(c)).unwrap_or(80)
    }

    /// Whether standard output is the terminal.
    pub(crate) fn out_is_tty(&self) -> bool {
        self.fds.get(&1).is_some_and(|fd| fd.is_tty(&self.io))
    }

    /// Whether standard input is the terminal.
    pub(crate) fn in_is_tty(&self) -> bool {
        self.fds.get(&0).is_some_and(|fd| fd.is_tty(&self.io))
    }

    /// Whether its standard input is what the client sends.
    pub(crate) fn in_is_client(&self) -> bool {
        self.fds.get(&0).is_some_and(|fd| matches!(fd, Fd::Input))
    }

    /// Its terminal without `/dev/`, or `?`.
    pub(crate) fn tty(&self) -> String {
        let session = self.host.with(|m| m.sessions().find(|s| s.pid == self.session_pid).cloned());
        session.and_then(|session| session.tty).unwrap_or_else(|| "?".to_owned())
    }

    /// Its line of the process table.
    pub(crate) fn as_process(&self) -> Process {
        let command = String::from_utf8_lossy(&self.args.join(&b' ')).into_owned();
        // Sizes follow from the name, so that a program looks alike whenever it runs.
        let weight = command.bytes().take(8).fold(7_u64, |n, b| n * 31 + u64::from(b));
        let tty = self.tty();
        Process {
            pid: self.pid,
            ppid: self.parent,
            user: self.user.name.clone(),
            state: match (self.name().as_str(), tty.as_str()) {
                ("ps" | "top", "?") => "R",
                ("ps" | "top", _) => "R+",
                (_, "?") => "S",
                _ => "S+",
            },
            tty,
            started: self.io.now().seconds(),
            cpu_seconds: 0,
            vsz: 5_400 + weight % 6_000,
            rss: 900 + weight % 3_700,
            command,
        }
    }

    pub(crate) fn fd(&self, number: i32) -> Option<Fd> {
        self.fds.get(&number).cloned()
    }
}

/// A file or standard input being read piece by piece.
pub(crate) struct Source {
    ino: Option<Ino>,
    offset: u64,
}

impl Source {
    /// Whether it is a file rather than standard input.
    pub(crate) const fn is_file(&self) -> bool {
        self.ino.is_some()
    }

    /// Whether its size can be known: a file, also as standard input.
    pub(crate) fn is_regular(&self, proc: &Proc) -> bool {
        self.is_file() || matches!(proc.fds.get(&0), Some(Fd::File(_)))
    }

    /// The last `bytes` read are to be read again, where standard input is a file.
    pub(crate) fn give_back(&mut self, proc: &Proc, bytes: usize) {
        match (self.ino, proc.fds.get(&0)) {
            (Some(_), _) => self.offset = self.offset.saturating_sub(bytes as u64),
            (None, Some(Fd::File(file))) => file.give_back(bytes),
            (None, _) => {}
        }
    }

    /// The next piece; empty at the end.
    pub(crate) async fn next(&mut self, proc: &Proc) -> Vec<u8> {
        let Some(ino) = self.ino else { return proc.read(64 * 1024).await };
        proc.io.tick().await;
        let bytes = proc.host.read(ino, self.offset, 64 * 1024, proc.io.now());
        self.offset += bytes.len() as u64;
        bytes
    }
}
