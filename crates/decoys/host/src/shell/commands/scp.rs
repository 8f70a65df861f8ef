//! `scp` as the far side runs it: `-t` takes files, `-f` gives them (the protocol of rcp).

use base_model::Timestamp;

use crate::fs::{Errno, Ino, Kind, Stat, base_name};
use crate::shell::fd::content;
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc, Stop};

/// Directories inside directories.
const MAX_DEPTH: usize = 64;
/// Longest control line.
const MAX_LINE: usize = 4096 + 64;
/// Most files of one copy.
const MAX_FILES: usize = 10_000;
const PIECE: usize = 64 * 1024;

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let mut letters = Vec::new();
    let mut paths = Vec::new();
    let mut only_paths = false;
    for argument in proc.arguments() {
        match argument.strip_prefix(b"-").filter(|rest| !only_paths && !rest.is_empty()) {
            Some(b"-") => only_paths = true,
            Some(rest) => letters.extend_from_slice(rest),
            None => paths.push(argument),
        }
    }
    proc.io.lock().transfer = true;
    if letters.contains(&b't') {
        let target = paths.pop().unwrap_or_else(|| b".".to_vec());
        return Sink { proc, keep: letters.contains(&b'p'), failed: false }
            .run(&target, letters.contains(&b'd'))
            .await;
    }
    if letters.contains(&b'f') {
        let (recursive, keep) = (letters.contains(&b'r'), letters.contains(&b'p'));
        return Source { proc, recursive, keep, failed: false, files: 0 }.run(paths).await;
    }
    if paths.len() < 2 {
        proc.err("usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]\n           [-P port] [-S program] [-X sftp_option] source ... target\n").await;
        return Ok(1);
    }
    let far = paths.iter().find(|path| path.contains(&b':'));
    let host = far.and_then(|path| path.split(|&b| b == b':').next()).unwrap_or_default().to_vec();
    let host = host.rsplit(|&b| b == b'@').next().unwrap_or_default().to_vec();
    proc.io.sleep(std::time::Duration::from_millis(2020)).await;
    proc.err(
        [
            &b"ssh: Could not resolve hostname "[..],
            &host,
            b": Temporary failure in name resolution\nscp: Connection closed\n",
        ]
        .concat(),
    )
    .await;
    Ok(255)
}

/// Reads up to and without the next line feed; `None` at the end of input.
async fn line(proc: &Proc) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let byte = *proc.read(1).await.first()?;
        if byte == b'\n' {
            return Some(out);
        }
        out.push(byte);
        if out.len() > MAX_LINE {
            return None;
        }
    }
}

/// Takes what the client sends.
struct Sink<'p> {
    proc: &'p mut Proc,
    keep: bool,
    failed: bool,
}

impl Sink<'_> {
    async fn run(mut self, target: &[u8], must_be_dir: bool) -> Outcome {
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

/// Gives what the client asks for.
struct Source<'p> {
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

impl Source<'_> {
    async fn run(mut self, paths: Vec<Vec<u8>>) -> Outcome {
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
