//! Takes what the client sends.

use base_model::Timestamp;

use super::{PIECE, line};
use crate::fs::{Errno, Ino, Stat};
use crate::shell::fd::content;
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc, Stop};

/// Directories inside directories.
const MAX_DEPTH: usize = 64;

/// Takes what the client sends.
pub(super) struct Sink<'p> {
    proc: &'p mut Proc,
    keep: bool,
    failed: bool,
}

impl<'p> Sink<'p> {
    pub(super) fn new(proc: &'p mut Proc, keep: bool) -> Self {
        Self { proc, keep, failed: false }
    }

    pub(in crate::shell::commands) async fn run(
        mut self,
        target: &[u8],
        must_be_dir: bool,
    ) -> Outcome {
        if must_be_dir && !self.is_dir(target) {
            let missing = self.stat(target).is_err();
            let why = if missing { Errno::NoEntry } else { Errno::NotDirectory };
            self.tell(target, why.text()).await?;
            return Ok(1);
        }
        let mut stack: Vec<Vec<u8>> = vec![target.to_vec()];
        let mut times: Option<(Timestamp, Timestamp)> = None;
        self.proc.out(b"\0").await?;
        loop {
            let Some(command) = line(self.proc).await else { break };
            let Some((&kind, rest)) = command.split_first() else {
                return self.lost("unexpected <newline>").await;
            };
            match kind {
                1 | 2 => {
                    self.failed = true;
                    if kind == 2 {
                        break;
                    }
                }
                b'T' => match parse_times(rest) {
                    Some(parsed) => {
                        times = Some(parsed).filter(|_| self.keep);
                        self.proc.out(b"\0").await?;
                    }
                    None => return self.lost("mtime.sec not delimited").await,
                },
                b'E' => {
                    if stack.len() < 2 {
                        return self.lost("unexpected end of directory").await;
                    }
                    stack.pop();
                    self.proc.out(b"\0").await?;
                }
                b'C' | b'D' => {
                    let Some((mode, size, name)) = parse_entry(rest) else {
                        return self.lost("bad mode").await;
                    };
                    if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
                        let shown = String::from_utf8_lossy(&name).into_owned();
                        return self.lost(&format!("error: unexpected filename: {shown}")).await;
                    }
                    let here = stack.last().cloned().unwrap_or_default();
                    let path = if self.is_dir(&here) || stack.len() > 1 {
                        [here.strip_suffix(b"/").unwrap_or(&here), b"/", &name].concat()
                    } else {
                        here
                    };
                    if kind == b'C' {
                        self.file(&path, mode, size, times.take()).await?;
                    } else {
                        if stack.len() >= MAX_DEPTH {
                            return self.lost("too many levels of directories").await;
                        }
                        if let Err(errno) = self.directory(&path, mode) {
                            self.tell(&path, errno.text()).await?;
                            return Ok(1);
                        }
                        times = None;
                        stack.push(path);
                        self.proc.out(b"\0").await?;
                    }
                }
                _ => return self.lost("protocol error: expected control record").await,
            }
        }
        Ok(u8::from(self.failed))
    }

    async fn file(
        &mut self,
        path: &[u8],
        mode: u16,
        size: u64,
        times: Option<(Timestamp, Timestamp)>,
    ) -> Result<(), Stop> {
        let proc = &*self.proc;
        let creds = proc.user.creds.clone();
        let now = proc.io.now();
        let opened = proc.host.with(|machine| {
            let ino = machine.fs.create(&creds, &proc.cwd, path, mode & !proc.umask, now)?;
            machine.fs.truncate(ino, 0, now)?;
            Ok::<Ino, Errno>(ino)
        });
        let ino = match opened {
            Ok(ino) => ino,
            Err(errno) => return self.tell(path, errno.text()).await,
        };
        proc.out(b"\0").await?;
        let mut offset = 0_u64;
        let mut broken = None;
        while offset < size {
            let want = usize::try_from((size - offset).min(PIECE as u64)).unwrap_or(PIECE);
            let piece = self.proc.read(want).await;
            if piece.is_empty() {
                // The client went away in the middle: what came is kept.
                break;
            }
            if broken.is_none() {
                let now = self.proc.io.now();
                let written = self.proc.host.with(|m| m.fs.write(ino, offset, &piece, now));
                broken = written.err();
            }
            offset += piece.len() as u64;
        }
        let complete = offset == size;
        let proc = &*self.proc;
        let now = proc.io.now();
        proc.host.with(|machine| {
            if let Some((mtime, atime)) = times {
                // The file was just made by the same user.
                let _ = machine.fs.set_times(&creds, ino, atime, mtime, now);
                let _ = machine.fs.chmod(&creds, ino, mode, now);
            }
        });
        proc.tell_written(path, "scp");
        let bytes = proc.host.with(|machine| content(machine, ino));
        proc.io.act(Act::Transfer {
            protocol: "scp",
            upload: true,
            path: proc.absolute(path),
            size: offset,
            content: bytes,
        });
        if !complete {
            self.failed = true;
            return Err(Stop::Status(1));
        }
        // The byte after the data says whether the client read all of it.
        let end = self.proc.read(1).await;
        if end.first() != Some(&0) {
            self.failed = true;
        }
        match broken {
            Some(errno) => self.tell(path, errno.text()).await,
            None => self.proc.out(b"\0").await,
        }
    }

    fn directory(&self, path: &[u8], mode: u16) -> Result<(), Errno> {
        if self.is_dir(path) {
            return Ok(());
        }
        let proc = &*self.proc;
        let now = proc.io.now();
        let mode = mode & !proc.umask;
        proc.host.with(|m| m.fs.make_dir(&proc.user.creds, &proc.cwd, path, mode, now)).map(|_| ())
    }

    fn stat(&self, path: &[u8]) -> Result<Stat, Errno> {
        let proc = &*self.proc;
        proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, true))
    }

    fn is_dir(&self, path: &[u8]) -> bool {
        self.stat(path).is_ok_and(|stat| stat.node.is_dir())
    }

    /// An error about `path`, sent to the client; the copy goes on.
    async fn tell(&mut self, path: &[u8], why: &str) -> Result<(), Stop> {
        self.failed = true;
        self.proc.out([&b"\x01scp: "[..], path, b": ", why.as_bytes(), b"\n"].concat()).await
    }

    /// The client does not speak the protocol.
    async fn lost(&self, why: &str) -> Outcome {
        self.proc.out(format!("\x01scp: {why}\n")).await?;
        Ok(1)
    }
}

fn parse_times(text: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.split(' ');
    let mtime = parts.next()?.parse::<i64>().ok()?;
    parts.next()?;
    let atime = parts.next()?.parse::<i64>().ok()?;
    let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    Some((at(mtime), at(atime)))
}

/// `0644 123 name`.
fn parse_entry(text: &[u8]) -> Option<(u16, u64, Vec<u8>)> {
    let mut parts = text.splitn(3, |&b| b == b' ');
    let mode = std::str::from_utf8(parts.next()?).ok()?;
    let mode = u16::from_str_radix(mode, 8).ok()? & 0o7777;
    let size = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    Some((mode, size, parts.next()?.to_vec()))
}
