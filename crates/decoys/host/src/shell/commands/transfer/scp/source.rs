//! Gives what the client asks for.

use super::{PIECE, line};
use crate::fs::{Kind, base_name};
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc, Stop};

/// Most files of one copy.
const MAX_FILES: usize = 10_000;

/// Gives what the client asks for.
pub(super) struct Source<'p> {
    proc: &'p mut Proc,
    recursive: bool,
    keep: bool,
    failed: bool,
    files: usize,
}

/// One thing to send.
enum Step {
    Node(Vec<u8>),
    Leave,
}

impl<'p> Source<'p> {
    pub(super) fn new(proc: &'p mut Proc, recursive: bool, keep: bool) -> Self {
        Self { proc, recursive, keep, failed: false, files: 0 }
    }

    pub(in crate::shell::commands) async fn run(mut self, paths: Vec<Vec<u8>>) -> Outcome {
        if !self.answered().await {
            return Ok(1);
        }
        let mut todo: Vec<Step> = paths.into_iter().rev().map(Step::Node).collect();
        while let Some(step) = todo.pop() {
            self.files += 1;
            if self.files > MAX_FILES {
                break;
            }
            match step {
                Step::Leave => {
                    self.proc.out(b"E\n").await?;
                    if !self.answered().await {
                        return Ok(1);
                    }
                }
                Step::Node(path) => {
                    let Some(below) = self.node(&path).await? else { return Ok(1) };
                    if let Some(names) = below {
                        todo.push(Step::Leave);
                        let join = |name: Vec<u8>| [&path[..], b"/", &name].concat();
                        todo.extend(names.into_iter().rev().map(join).map(Step::Node));
                    }
                }
            }
        }
        Ok(u8::from(self.failed))
    }

    /// Sends a node. `None` when the client is gone; names when it was a directory.
    async fn node(&mut self, path: &[u8]) -> Result<Option<Option<Vec<Vec<u8>>>>, Stop> {
        let proc = &*self.proc;
        let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, true));
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => {
                self.tell(path, errno.text()).await?;
                return Ok(Some(None));
            }
        };
        let directory = stat.node.is_dir();
        if directory && !self.recursive {
            self.tell(path, "not a regular file").await?;
            return Ok(Some(None));
        }
        let opened = if directory {
            proc.host.with(|m| m.fs.list(&proc.user.creds, stat.ino)).map(Some)
        } else {
            proc.open(path).map(|_| None)
        };
        let names = match opened {
            Ok(names) => names,
            Err(errno) => {
                self.tell(path, errno.text()).await?;
                return Ok(Some(None));
            }
        };
        if matches!(stat.node.kind, Kind::Device(_)) {
            self.tell(path, "not a regular file").await?;
            return Ok(Some(None));
        }
        if self.keep {
            let times =
                format!("T{} 0 {} 0\n", stat.node.mtime.seconds(), stat.node.atime.seconds());
            self.proc.out(times).await?;
            if !self.answered().await {
                return Ok(None);
            }
        }
        let letter = if directory { 'D' } else { 'C' };
        let size = if directory { 0 } else { stat.node.size() };
        let head = format!("{letter}{:04o} {size} ", stat.node.mode & 0o7777);
        self.proc.out([head.as_bytes(), base_name(path), b"\n"].concat()).await?;
        if !self.answered().await {
            return Ok(None);
        }
        if let Some(names) = names {
            return Ok(Some(Some(names.into_iter().map(|(name, _)| name).collect())));
        }
        let mut offset = 0;
        while offset < size {
            let piece = self.proc.host.read(stat.ino, offset, PIECE, self.proc.io.now());
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
            self.proc.out(piece).await?;
        }
        self.proc.io.act(Act::Transfer {
            protocol: "scp",
            upload: false,
            path: self.proc.absolute(path),
            size: offset,
            content: None,
        });
        self.proc.out(b"\0").await?;
        Ok(if self.answered().await { Some(None) } else { None })
    }

    /// Reads the client's answer; false when it ends the copy.
    async fn answered(&mut self) -> bool {
        match self.proc.read(1).await.first() {
            Some(0) => true,
            Some(1) => {
                self.failed = true;
                line(self.proc).await.is_some()
            }
            _ => false,
        }
    }

    async fn tell(&mut self, path: &[u8], why: &str) -> Result<(), Stop> {
        self.failed = true;
        self.proc.out([&b"\x01scp: "[..], path, b": ", why.as_bytes(), b"\n"].concat()).await
    }
}
