//! Redirections.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use base_shell::ast::{IoFileRedirectKind, IoFileRedirectTarget, IoRedirect};
use base_shell::text::decode;

use super::{Dialect, Interp};
use crate::fs::{Access, Device, Errno, Kind};
use crate::shell::fd::{Fd, OpenFile};
use crate::shell::io::Stream;

/// Most descriptors of a process.
const MAX_FDS: usize = 256;

/// How a file is opened.
#[derive(Clone, Copy)]
pub(crate) enum Opening {
    Read,
    Write,
    Append,
    ReadWrite,
}

impl Interp {
    /// Applies redirections in order. A failure has been told.
    pub(crate) async fn redirect(&mut self, redirects: &[IoRedirect]) -> Result<(), ()> {
        for redirect in redirects {
            self.redirect_one(redirect).await?;
        }
        Ok(())
    }

    async fn redirect_one(&mut self, redirect: &IoRedirect) -> Result<(), ()> {
        match redirect {
            IoRedirect::File(number, kind, target) => {
                self.redirect_file(*number, kind, target).await
            }
            IoRedirect::HereDocument(number, here) => {
                let body = if here.requires_expansion {
                    self.expand_here(&here.doc.value).await.map_err(|_| ())?
                } else {
                    decode(&here.doc.value)
                };
                self.set(number.unwrap_or(0), text(body))
            }
            IoRedirect::HereString(number, word) => {
                let mut body = self.expand_string(&word.value).await.map_err(|_| ())?;
                body.push(b'\n');
                self.set(number.unwrap_or(0), text(body))
            }
            IoRedirect::OutputAndError(word, append) => {
                let path = self.target(&word.value).await?;
                let opening = if *append { Opening::Append } else { Opening::Write };
                let fd = self.open_told(&path, opening).await?;
                self.set(1, fd.clone())?;
                self.set(2, fd)
            }
        }
    }

    async fn redirect_file(
        &mut self,
        number: Option<i32>,
        kind: &IoFileRedirectKind,
        target: &IoFileRedirectTarget,
    ) -> Result<(), ()> {
        let (default, opening) = match kind {
            IoFileRedirectKind::Read => (0, Opening::Read),
            IoFileRedirectKind::Write | IoFileRedirectKind::Clobber => (1, Opening::Write),
            IoFileRedirectKind::Append => (1, Opening::Append),
            IoFileRedirectKind::ReadAndWrite => (0, Opening::ReadWrite),
            IoFileRedirectKind::DuplicateInput => (0, Opening::Read),
            IoFileRedirectKind::DuplicateOutput => (1, Opening::Write),
        };
        let number_or = number.unwrap_or(default);
        match target {
            IoFileRedirectTarget::Filename(word) => {
                let path = self.target(&word.value).await?;
                let fd = self.open_told(&path, opening).await?;
                self.set(number_or, fd)
            }
            IoFileRedirectTarget::Fd(from) => self.duplicate(*from, number_or).await,
            IoFileRedirectTarget::Duplicate(word) => {
                let text = self.target(&word.value).await?;
                match std::str::from_utf8(&text).ok().map(|text| (text, text.parse::<i32>())) {
                    Some(("-", _)) => {
                        self.proc.fds.remove(&number_or);
                        Ok(())
                    }
                    Some((_, Ok(from))) => self.duplicate(from, number_or).await,
                    // `>& file` is `&> file`.
                    _ if number.is_none()
                        && matches!(kind, IoFileRedirectKind::DuplicateOutput) =>
                    {
                        let fd = self.open_told(&text, Opening::Write).await?;
                        self.set(1, fd.clone())?;
                        self.set(2, fd)
                    }
                    _ => {
                        self.complain([&text[..], b": ambiguous redirect"].concat()).await;
                        Err(())
                    }
                }
            }
            IoFileRedirectTarget::ProcessSubstitution(..) => {
                self.complain("/dev/fd/63: No such file or directory").await;
                Err(())
            }
        }
    }

    async fn target(&mut self, word: &str) -> Result<Vec<u8>, ()> {
        let mut fields = self.expand_word(word).await.map_err(|_| ())?;
        match (fields.pop(), fields.is_empty()) {
            (Some(field), true) => Ok(field),
            _ => {
                self.complain([&decode(word)[..], b": ambiguous redirect"].concat()).await;
                Err(())
            }
        }
    }

    async fn duplicate(&mut self, from: i32, to: i32) -> Result<(), ()> {
        match self.proc.fds.get(&from).cloned() {
            Some(fd) => self.set(to, fd),
            None => {
                self.complain(format!("{from}: Bad file descriptor")).await;
                Err(())
            }
        }
    }

    fn set(&mut self, number: i32, fd: Fd) -> Result<(), ()> {
        if number < 0 || self.proc.fds.len() >= MAX_FDS {
            return Err(());
        }
        self.proc.fds.insert(number, fd);
        Ok(())
    }

    async fn open_told(&mut self, path: &[u8], opening: Opening) -> Result<Fd, ()> {
        match self.open_file(path, opening) {
            Ok(fd) => Ok(fd),
            Err(errno) => {
                let message = match (self.dialect, opening) {
                    (Dialect::Dash, Opening::Read) => {
                        let why =
                            if errno == Errno::NoEntry { "No such file" } else { errno.text() };
                        [&b"cannot open "[..], path, b": ", why.as_bytes()].concat()
                    }
                    (Dialect::Dash, _) => {
                        let why = if errno == Errno::NoEntry {
                            "Directory nonexistent"
                        } else {
                            errno.text()
                        };
                        [&b"cannot create "[..], path, b": ", why.as_bytes()].concat()
                    }
                    _ => [path, b": ", errno.text().as_bytes()].concat(),
                };
                self.complain(message).await;
                Err(())
            }
        }
    }

    /// Opens `path`.
    pub(crate) fn open_file(&self, path: &[u8], opening: Opening) -> Result<Fd, Errno> {
        match path {
            b"/dev/stdin" | b"/dev/fd/0" => return self.proc.fd(0).ok_or(Errno::NoEntry),
            b"/dev/stdout" | b"/dev/fd/1" => return self.proc.fd(1).ok_or(Errno::NoEntry),
            b"/dev/stderr" | b"/dev/fd/2" => return self.proc.fd(2).ok_or(Errno::NoEntry),
            _ => {}
        }
        let proc = &self.proc;
        let now = proc.io.now();
        let creds = &proc.user.creds;
        let (ino, device) = proc.host.with(|machine| {
            let ino = match opening {
                Opening::Read => {
                    let ino = machine.fs.find(creds, &proc.cwd, path, true)?;
                    let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
                    if !creds.may(node, Access::Read) {
                        return Err(Errno::Access);
                    }
                    ino
                }
                Opening::Write | Opening::Append | Opening::ReadWrite => {
                    let mode = 0o666 & !proc.umask;
                    machine.fs.create(creds, &proc.cwd, path, mode, now)?
                }
            };
            let device = match machine.fs.node(ino).map(|node| &node.kind) {
                Some(Kind::Device(device)) => Some(*device),
                _ => None,
            };
            if matches!(opening, Opening::Write) && device.is_none() {
                machine.fs.truncate(ino, 0, now)?;
            }
            Ok((ino, device))
        })?;
        Ok(match device {
            Some(Device::Tty) if proc.io.is_tty() => Fd::Session(Stream::Out),
            Some(Device::Tty) => return Err(Errno::NoEntry),
            Some(device) => Fd::Device(device),
            None => Fd::File(Arc::new(OpenFile {
                host: proc.host.clone(),
                io: proc.io.clone(),
                ino,
                path: proc.absolute(path),
                append: matches!(opening, Opening::Append),
                readable: matches!(opening, Opening::Read | Opening::ReadWrite),
                writable: !matches!(opening, Opening::Read),
                user: proc.user.name.clone(),
                uid: creds.uid,
                writer: Mutex::new("bash".to_owned()),
                offset: Mutex::new(0),
                written: Mutex::new(false),
            })),
        })
    }
}

fn text(body: Vec<u8>) -> Fd {
    Fd::Text(Arc::new(Mutex::new(VecDeque::from(body))))
}
