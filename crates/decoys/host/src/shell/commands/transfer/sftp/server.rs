//! The requests: which packet is answered by what.

use std::collections::BTreeMap;

use super::code::{Answer, Code, HANDLE, status};
use super::wire::{Reader, Writer};
use crate::fs::{Ino, Stat};
use crate::shell::proc::Proc;

/// Open handles of one client.
const MAX_HANDLES: usize = 64;

/// Something a client has open.
pub(super) enum Handle {
    File { ino: Ino, path: Vec<u8>, read: bool, write: bool, append: bool, written: bool, got: u64 },
    Directory { ino: Ino, entries: Vec<(Vec<u8>, Stat)> },
}

/// The server side of one connection.
pub(super) struct Server<'p> {
    pub(super) proc: &'p mut Proc,
    pub(super) handles: BTreeMap<u32, Handle>,
    started: bool,
}

impl<'p> Server<'p> {
    pub(super) fn new(proc: &'p mut Proc) -> Self {
        Self { proc, handles: BTreeMap::new(), started: false }
    }

    pub(super) fn proc(&self) -> &Proc {
        self.proc
    }

    /// The answer to a packet; `None` when the client does not speak the protocol.
    pub(super) fn packet(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut reader = Reader(packet);
        let kind = reader.u8()?;
        if kind == 1 {
            reader.u32()?;
            self.started = true;
            return Some(self.version());
        }
        if !self.started {
            return None;
        }
        let id = reader.u32()?;
        let answer = match kind {
            3 => self.open(id, &mut reader),
            4 => self.close(&mut reader).map(|()| status(id, Code::Ok)),
            5 => self.read(id, &mut reader),
            6 => self.write(&mut reader).map(|()| status(id, Code::Ok)),
            7 | 17 => self.stat(id, &mut reader, kind == 17),
            8 => self.handle_stat(id, &mut reader),
            9 => self.set_stat(&mut reader, true).map(|()| status(id, Code::Ok)),
            10 => self.set_handle_stat(&mut reader).map(|()| status(id, Code::Ok)),
            11 => self.open_directory(id, &mut reader),
            12 => self.read_directory(id, &mut reader),
            13 => self.remove(&mut reader, false).map(|()| status(id, Code::Ok)),
            14 => self.make_directory(&mut reader).map(|()| status(id, Code::Ok)),
            15 => self.remove(&mut reader, true).map(|()| status(id, Code::Ok)),
            16 => self.real_path(id, &mut reader),
            18 => self.rename(&mut reader, false).map(|()| status(id, Code::Ok)),
            19 => self.read_link(id, &mut reader),
            20 => self.link(&mut reader).map(|()| status(id, Code::Ok)),
            200 => self.extended(id, &mut reader),
            _ => Err(Code::Unsupported),
        };
        Some(answer.unwrap_or_else(|code| status(id, code)))
    }

    fn version(&self) -> Vec<u8> {
        let mut out = Writer::plain(2).u32(3);
        let release = self.proc.host.with(|machine| machine.facts().release);
        // Each with the version of OpenSSH that brought it.
        for (name, version, (major, minor)) in [
            ("posix-rename@openssh.com", "1", (5, 0)),
            ("statvfs@openssh.com", "2", (5, 0)),
            ("fstatvfs@openssh.com", "2", (5, 0)),
            ("hardlink@openssh.com", "1", (5, 7)),
            ("fsync@openssh.com", "1", (6, 5)),
            ("lsetstat@openssh.com", "1", (8, 0)),
            ("limits@openssh.com", "1", (8, 5)),
            ("expand-path@openssh.com", "1", (8, 6)),
            ("copy-data", "1", (9, 0)),
            ("home-directory", "1", (9, 1)),
            ("users-groups-by-id@openssh.com", "1", (9, 1)),
        ] {
            if release.ssh_is(major, minor) {
                out = out.string(name.as_bytes()).string(version.as_bytes());
            }
        }
        out.done()
    }

    pub(super) fn handle(&mut self, reader: &mut Reader<'_>) -> Result<&mut Handle, Code> {
        let number = number(reader)?;
        self.handles.get_mut(&number).ok_or(Code::Failure)
    }

    pub(super) fn keep(&mut self, id: u32, handle: Handle) -> Answer {
        if self.handles.len() >= MAX_HANDLES {
            return Err(Code::Failure);
        }
        let number = (0..).find(|n| !self.handles.contains_key(n)).unwrap_or(u32::MAX);
        self.handles.insert(number, handle);
        Ok(Writer::answer(HANDLE, id).string(&number.to_be_bytes()).done())
    }
}

/// The number of a handle.
pub(super) fn number(reader: &mut Reader<'_>) -> Result<u32, Code> {
    let text = reader.string().ok_or(Code::BadMessage)?;
    text.first_chunk::<4>()
        .filter(|_| text.len() == 4)
        .map(|n| u32::from_be_bytes(*n))
        .ok_or(Code::Failure)
}
