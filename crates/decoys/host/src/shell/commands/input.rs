//! Reading input line by line, as it comes.

use super::complaint::{bare, quoted};
use crate::fs::Errno;
use crate::shell::proc::{Proc, Source};

/// Longest line held together; a longer one comes in parts.
const MAX_LINE: usize = 1024 * 1024;

/// `files`, or standard input when there are none.
pub(super) fn or_input(mut files: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if files.is_empty() {
        files.push(b"-".to_vec());
    }
    files
}

/// How a program shows standard input where it names files.
pub(super) fn shown(file: &[u8]) -> &[u8] {
    if file == b"-" { b"standard input" } else { file }
}

/// The lines of one file.
pub(super) struct Lines {
    source: Source,
    pending: Vec<u8>,
    ended: bool,
    end: u8,
}

impl Lines {
    pub(super) const fn new(source: Source) -> Self {
        Self { source, pending: Vec::new(), ended: false, end: b'\n' }
    }

    /// Lines that end with a zero byte.
    pub(super) const fn zero(mut self, zero: bool) -> Self {
        self.end = if zero { 0 } else { b'\n' };
        self
    }

    /// The lines of `path`; a directory cannot be read, as on Linux, rather than not be opened.
    pub(super) fn of(proc: &Proc, path: &[u8]) -> Result<Self, Errno> {
        proc.source(path).map(Self::new)
    }

    /// The next lines, each with its end, which only the last of the file may lack. Empty at the end.
    pub(super) async fn block(&mut self, proc: &Proc) -> Vec<u8> {
        while !self.ended {
            let piece = self.source.next(proc).await;
            proc.io.spend(piece.len() / 2048);
            self.ended = piece.is_empty();
            let split = piece.iter().rposition(|&b| b == self.end).map_or(0, |at| at + 1);
            let (whole, rest) = piece.split_at_checked(split).unwrap_or((&piece, &[]));
            if whole.is_empty() {
                self.pending.extend_from_slice(rest);
                if self.pending.len() > MAX_LINE {
                    break;
                }
                continue;
            }
            let mut lines = std::mem::replace(&mut self.pending, rest.to_vec());
            lines.extend_from_slice(whole);
            return lines;
        }
        std::mem::take(&mut self.pending)
    }
}

/// `line` without its end.
pub(super) fn chomp(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

impl Proc {
    /// `name: verb: path: why`.
    pub(super) async fn complain_after(&self, verb: &str, path: &[u8], why: Errno) {
        let head = format!("{verb}: ");
        let tail = format!(": {}", why.text());
        self.say_err([head.as_bytes(), &bare(path), tail.as_bytes()].concat()).await;
    }

    /// Gives the file `path` this content, making it where it is not there.
    pub(super) fn replace_file(&self, path: &[u8], content: &[u8]) -> Result<(), Errno> {
        let now = self.io.now();
        let mode = 0o666 & !self.umask;
        self.host.with(|machine| {
            let ino = machine.fs.create(&self.user.creds, &self.cwd, path, mode, now)?;
            machine.fs.truncate(ino, 0, now)?;
            machine.fs.write(ino, 0, content, now)
        })?;
        self.tell_written(path, &self.name());
        Ok(())
    }

    /// `name: path: why`, as most filters tell of a file they cannot read.
    pub(super) async fn unreadable(&self, path: &[u8], why: Errno) {
        self.complain(path, why.text()).await;
    }

    /// The bytes of `path`; when they cannot be read that is told, and `status` becomes 1.
    pub(super) async fn opened(&self, path: &[u8], status: &mut u8) -> Option<Source> {
        match self.source(path) {
            Ok(source) => Some(source),
            Err(errno) => {
                self.unreadable(path, errno).await;
                *status = 1;
                None
            }
        }
    }

    /// As [`Proc::opened`], told as `head` and `tail` do.
    pub(super) async fn opened_to_read(&self, path: &[u8], status: &mut u8) -> Option<Source> {
        match self.source(path) {
            Ok(source) => Some(source),
            Err(errno) => {
                self.unopened(path, errno).await;
                *status = 1;
                None
            }
        }
    }

    /// `name: cannot open 'path' for reading: why`, or that reading it fails.
    async fn unopened(&self, path: &[u8], why: Errno) {
        let (verb, tail) = if why == Errno::IsDirectory {
            ("error reading", "")
        } else {
            ("cannot open", " for reading")
        };
        let head = format!("{verb} ");
        let tail = format!("{tail}: {}", why.text());
        self.say_err([head.as_bytes(), &quoted(path), tail.as_bytes()].concat()).await;
    }
}
