//! The requests.

use std::collections::BTreeMap;

use super::wire::{Attributes, Reader, Writer};
use crate::clock;
use crate::fs::{Access, Errno, Ino, Kind, Stat};
use crate::shell::commands::ls::mode_text;
use crate::shell::fd::content;
use crate::shell::io::Act;
use crate::shell::proc::Proc;

/// Open handles of one client.
const MAX_HANDLES: usize = 64;
/// Longest read answered, as OpenSSH's default buffer.
const MAX_READ: u32 = 255 * 1024;
/// Entries of one directory answer.
const NAMES: usize = 100;

const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

/// Result codes with OpenSSH's texts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    Ok,
    Eof,
    NoFile,
    Denied,
    Failure,
    BadMessage,
    Unsupported,
}

impl Code {
    const fn wire(self) -> (u32, &'static str) {
        match self {
            Self::Ok => (0, "Success"),
            Self::Eof => (1, "End of file"),
            Self::NoFile => (2, "No such file"),
            Self::Denied => (3, "Permission denied"),
            Self::Failure => (4, "Failure"),
            Self::BadMessage => (5, "Bad message"),
            Self::Unsupported => (8, "Operation unsupported"),
        }
    }
}

impl From<Errno> for Code {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NoEntry | Errno::BadDescriptor | Errno::Loop | Errno::NotDirectory => {
                Self::NoFile
            }
            Errno::Access | Errno::NotPermitted | Errno::ReadOnly => Self::Denied,
            Errno::NameTooLong | Errno::Invalid => Self::BadMessage,
            _ => Self::Failure,
        }
    }
}

enum Handle {
    File { ino: Ino, path: Vec<u8>, read: bool, write: bool, append: bool, written: bool, got: u64 },
    Directory { ino: Ino, entries: Vec<(Vec<u8>, Stat)> },
}

pub(super) struct Server<'p> {
    proc: &'p mut Proc,
    handles: BTreeMap<u32, Handle>,
    started: bool,
}

type Answer = Result<Vec<u8>, Code>;

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
        let newer = self.proc.host.distro().slug == "debian";
        for (name, version, recent) in [
            ("posix-rename@openssh.com", "1", false),
            ("statvfs@openssh.com", "2", false),
            ("fstatvfs@openssh.com", "2", false),
            ("hardlink@openssh.com", "1", false),
            ("fsync@openssh.com", "1", false),
            ("lsetstat@openssh.com", "1", false),
            ("limits@openssh.com", "1", false),
            ("expand-path@openssh.com", "1", false),
            ("copy-data", "1", true),
            ("home-directory", "1", true),
            ("users-groups-by-id@openssh.com", "1", true),
        ] {
            if newer || !recent {
                out = out.string(name.as_bytes()).string(version.as_bytes());
            }
        }
        out.done()
    }

    fn find(&self, path: &[u8], follow: bool) -> Result<Stat, Code> {
        let path = if path.is_empty() { b"." } else { path };
        let proc = &*self.proc;
        Ok(proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, follow))?)
    }

    fn handle(&mut self, reader: &mut Reader<'_>) -> Result<&mut Handle, Code> {
        let number = number(reader)?;
        self.handles.get_mut(&number).ok_or(Code::Failure)
    }

    fn keep(&mut self, id: u32, handle: Handle) -> Answer {
        if self.handles.len() >= MAX_HANDLES {
            return Err(Code::Failure);
        }
        let number = (0..).find(|n| !self.handles.contains_key(n)).unwrap_or(u32::MAX);
        self.handles.insert(number, handle);
        Ok(Writer::answer(HANDLE, id).string(&number.to_be_bytes()).done())
    }

    fn open(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let path = reader.string().ok_or(Code::BadMessage)?.to_vec();
        let flags = reader.u32().ok_or(Code::BadMessage)?;
        let attributes = reader.attributes().ok_or(Code::BadMessage)?;
        let (read, write, append) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
        let (create, truncate, exclusive) = (flags & 8 != 0, flags & 16 != 0, flags & 32 != 0);
        let proc = &*self.proc;
        let now = proc.io.now();
        let mode =
            u16::try_from(attributes.mode.unwrap_or(0o666) & 0o7777).unwrap_or(0o666) & !proc.umask;
        let ino = proc.host.with(|machine| {
            let creds = &proc.user.creds;
            let found = machine.fs.find(creds, &proc.cwd, &path, true);
            if found.is_ok() && create && exclusive {
                return Err(Code::Failure);
            }
            let ino = match found {
                Ok(ino) => ino,
                Err(Errno::NoEntry) if create && write => {
                    machine.fs.create(creds, &proc.cwd, &path, mode, now)?
                }
                Err(errno) => return Err(errno.into()),
            };
            let node = machine.fs.node(ino).ok_or(Code::NoFile)?;
            if node.is_dir() {
                return Err(Code::Failure);
            }
            let refused = (read && !creds.may(node, Access::Read))
                || (write && !creds.may(node, Access::Write));
            if refused {
                return Err(Code::Denied);
            }
            if write && truncate && node.is_file() {
                machine.fs.truncate(ino, 0, now)?;
            }
            Ok(ino)
        })?;
        let path = proc.absolute(&path);
        self.keep(id, Handle::File { ino, path, read, write, append, written: false, got: 0 })
    }

    fn close(&mut self, reader: &mut Reader<'_>) -> Result<(), Code> {
        let number = number(reader)?;
        let handle = self.handles.remove(&number).ok_or(Code::Failure)?;
        self.closed(handle);
        Ok(())
    }

    /// Closes what the client left open.
    pub(super) fn close_all(&mut self) {
        for (_, handle) in std::mem::take(&mut self.handles) {
            self.closed(handle);
        }
    }

    fn closed(&self, handle: Handle) {
        let Handle::File { ino, path, written, got, .. } = handle else { return };
        if written {
            self.proc.tell_written(&path, "sftp-server");
            let bytes = self.proc.host.with(|machine| content(machine, ino));
            let size = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
            self.proc.io.act(Act::Transfer {
                protocol: "sftp",
                upload: true,
                path,
                size,
                content: bytes,
            });
        } else if got > 0 {
            self.proc.io.act(Act::Transfer {
                protocol: "sftp",
                upload: false,
                path,
                size: got,
                content: None,
            });
        }
    }

    fn read(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let number = number(reader)?;
        let offset = reader.u64().ok_or(Code::BadMessage)?;
        let length = reader.u32().ok_or(Code::BadMessage)?.min(MAX_READ);
        let now = self.proc.io.now();
        let Some(Handle::File { ino, read: true, got, .. }) = self.handles.get_mut(&number) else {
            return Err(Code::Failure);
        };
        let bytes = self.proc.host.read(*ino, offset, usize::try_from(length).unwrap_or(0), now);
        if bytes.is_empty() {
            return Err(Code::Eof);
        }
        *got += bytes.len() as u64;
        Ok(Writer::answer(DATA, id).string(&bytes).done())
    }

    fn write(&mut self, reader: &mut Reader<'_>) -> Result<(), Code> {
        let number = number(reader)?;
        let offset = reader.u64().ok_or(Code::BadMessage)?;
        let bytes = reader.string().ok_or(Code::BadMessage)?;
        let now = self.proc.io.now();
        let Some(Handle::File { ino, write: true, append, written, .. }) =
            self.handles.get_mut(&number)
        else {
            return Err(Code::Failure);
        };
        self.proc.host.with(|machine| {
            let end = machine.fs.node(*ino).map_or(0, crate::fs::Node::size);
            machine.fs.write(*ino, if *append { end } else { offset }, bytes, now)
        })?;
        *written = true;
        Ok(())
    }

    fn stat(&self, id: u32, reader: &mut Reader<'_>, follow: bool) -> Answer {
        let stat = self.find(reader.string().ok_or(Code::BadMessage)?, follow)?;
        Ok(Writer::answer(ATTRS, id).attributes(&stat).done())
    }

    fn handle_stat(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let ino = match self.handle(reader)? {
            Handle::File { ino, .. } | Handle::Directory { ino, .. } => *ino,
        };
        let stat = self.proc.host.with(|m| m.fs.stat_ino(ino)).ok_or(Code::Failure)?;
        Ok(Writer::answer(ATTRS, id).attributes(&stat).done())
    }

    fn set_stat(&self, reader: &mut Reader<'_>, follow: bool) -> Result<(), Code> {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let attributes = reader.attributes().ok_or(Code::BadMessage)?;
        let stat = self.find(path, follow)?;
        self.apply(stat.ino, &attributes)
    }

    fn set_handle_stat(&mut self, reader: &mut Reader<'_>) -> Result<(), Code> {
        let ino = match self.handle(reader)? {
            Handle::File { ino, .. } | Handle::Directory { ino, .. } => *ino,
        };
        let attributes = reader.attributes().ok_or(Code::BadMessage)?;
        self.apply(ino, &attributes)
    }

    fn apply(&self, ino: Ino, attributes: &Attributes) -> Result<(), Code> {
        let proc = &*self.proc;
        let creds = &proc.user.creds;
        let now = proc.io.now();
        proc.host.with(|machine| {
            if let Some(size) = attributes.size {
                let node = machine.fs.node(ino).ok_or(Code::NoFile)?;
                if !creds.may(node, Access::Write) {
                    return Err(Code::Denied);
                }
                machine.fs.truncate(ino, size, now)?;
            }
            if let Some((uid, gid)) = attributes.owner {
                machine.fs.chown(creds, ino, Some(uid), Some(gid), now)?;
            }
            if let Some(mode) = attributes.mode {
                let mode = u16::try_from(mode & 0o7777).unwrap_or(0);
                machine.fs.chmod(creds, ino, mode, now)?;
            }
            if let Some((atime, mtime)) = attributes.times {
                machine.fs.set_times(creds, ino, atime, mtime, now)?;
            }
            Ok(())
        })
    }

    fn open_directory(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let path = reader.string().ok_or(Code::BadMessage)?.to_vec();
        let stat = self.find(&path, true)?;
        let proc = &*self.proc;
        let mut entries = proc.host.with(|machine| {
            let list = machine.fs.list(&proc.user.creds, stat.ino)?;
            let stat_of = |(name, ino)| machine.fs.stat_ino(ino).map(|stat| (name, stat));
            Ok::<Vec<_>, Errno>(list.into_iter().filter_map(stat_of).collect())
        })?;
        entries.insert(0, (b".".to_vec(), stat.clone()));
        if let Ok(parent) = self.find(&crate::fs::join(&self.proc.absolute(&path), b".."), true) {
            entries.insert(1, (b"..".to_vec(), parent));
        }
        entries.reverse();
        self.keep(id, Handle::Directory { ino: stat.ino, entries })
    }

    fn read_directory(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let now = self.proc.io.now();
        let host = self.proc.host.clone();
        let Handle::Directory { entries, .. } = self.handle(reader)? else {
            return Err(Code::Failure);
        };
        if entries.is_empty() {
            return Err(Code::Eof);
        }
        let from = entries.len().saturating_sub(NAMES);
        let mut batch = entries.split_off(from);
        batch.reverse();
        let mut out = Writer::answer(NAME, id).u32(u32::try_from(batch.len()).unwrap_or(0));
        for (name, stat) in &batch {
            let node = &stat.node;
            let (user, group) = host.with(|machine| {
                let accounts = machine.accounts();
                let user = accounts
                    .by_uid(node.uid)
                    .map_or_else(|| node.uid.to_string(), |a| a.name.clone());
                let group = accounts
                    .group_name(node.gid)
                    .map_or_else(|| node.gid.to_string(), str::to_owned);
                (user, group)
            });
            let mut long = format!(
                "{} {:>4} {user:<8} {group:<8} {:>8} {} ",
                mode_text(node),
                stat.nlink,
                node.size(),
                clock::listing(node.mtime, now),
            )
            .into_bytes();
            long.extend_from_slice(name);
            out = out.string(name).string(&long).attributes(stat);
        }
        Ok(out.done())
    }

    fn remove(&self, reader: &mut Reader<'_>, directory: bool) -> Result<(), Code> {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        Ok(proc.host.with(|m| m.fs.remove(&proc.user.creds, &proc.cwd, path, directory, now))?)
    }

    fn make_directory(&self, reader: &mut Reader<'_>) -> Result<(), Code> {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let attributes = reader.attributes().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        let mode =
            u16::try_from(attributes.mode.unwrap_or(0o777) & 0o7777).unwrap_or(0o777) & !proc.umask;
        proc.host.with(|m| m.fs.make_dir(&proc.user.creds, &proc.cwd, path, mode, now))?;
        Ok(())
    }

    fn real_path(&self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let path = if path.is_empty() { b"." } else { path };
        let proc = &*self.proc;
        let creds = &proc.user.creds;
        let real =
            proc.host.with(|machine| match machine.fs.real_path(creds, &proc.cwd, path) {
                // As OpenSSH's: the last part need not exist.
                Err(Errno::NoEntry) => {
                    let full = proc.absolute(path);
                    let parent = crate::fs::parent_of(&full);
                    machine
                        .fs
                        .real_path(creds, b"/", parent)
                        .map(|parent| crate::fs::join(&parent, crate::fs::base_name(&full)))
                }
                other => other,
            })?;
        Ok(name(id, &real))
    }

    fn rename(&self, reader: &mut Reader<'_>, replace: bool) -> Result<(), Code> {
        let from = reader.string().ok_or(Code::BadMessage)?;
        let to = reader.string().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        let creds = &proc.user.creds;
        proc.host.with(|machine| {
            if !replace && machine.fs.find(creds, &proc.cwd, to, false).is_ok() {
                return Err(Code::Failure);
            }
            Ok(machine.fs.rename(creds, &proc.cwd, from, to, now)?)
        })?;
        proc.tell_written(to, "sftp-server");
        Ok(())
    }

    fn read_link(&self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let stat = self.find(reader.string().ok_or(Code::BadMessage)?, false)?;
        match stat.node.kind {
            Kind::Symlink(target) => Ok(name(id, &target)),
            _ => Err(Code::BadMessage),
        }
    }

    fn link(&self, reader: &mut Reader<'_>) -> Result<(), Code> {
        // OpenSSH's order: first the target, against the draft.
        let target = reader.string().ok_or(Code::BadMessage)?;
        let path = reader.string().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        proc.host.with(|m| m.fs.make_link(&proc.user.creds, &proc.cwd, target, path, now))?;
        Ok(())
    }

    fn extended(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        match reader.string().ok_or(Code::BadMessage)? {
            b"posix-rename@openssh.com" => self.rename(reader, true).map(|()| status(id, Code::Ok)),
            b"lsetstat@openssh.com" => self.set_stat(reader, false).map(|()| status(id, Code::Ok)),
            b"fsync@openssh.com" => self.handle(reader).map(|_| status(id, Code::Ok)),
            // One node has one name on this file system.
            b"hardlink@openssh.com" => Err(Code::Denied),
            b"limits@openssh.com" => Ok(Writer::answer(EXTENDED_REPLY, id)
                .u64(256 * 1024)
                .u64(u64::from(MAX_READ))
                .u64(u64::from(MAX_READ))
                .u64(1019)
                .done()),
            b"statvfs@openssh.com" => {
                self.find(reader.string().ok_or(Code::BadMessage)?, true)?;
                Ok(self.file_system(id))
            }
            b"fstatvfs@openssh.com" => {
                self.handle(reader)?;
                Ok(self.file_system(id))
            }
            b"expand-path@openssh.com" => {
                let path = reader.string().ok_or(Code::BadMessage)?;
                let home = self.proc.user.home.clone();
                let full = match path.strip_prefix(b"~") {
                    Some(rest) if rest.is_empty() || rest.starts_with(b"/") => {
                        [&home[..], rest].concat()
                    }
                    _ => self.proc.absolute(path),
                };
                Ok(name(id, &crate::fs::absolute(b"/", &full)))
            }
            b"home-directory" => {
                let user = reader.string().ok_or(Code::BadMessage)?;
                let user = if user.is_empty() {
                    self.proc.user.name.clone().into_bytes()
                } else {
                    user.to_vec()
                };
                let account = self.proc.host.account(&user).ok_or(Code::NoFile)?;
                Ok(name(id, account.home.as_bytes()))
            }
            b"users-groups-by-id@openssh.com" => self.names_by_id(id, reader),
            _ => Err(Code::Unsupported),
        }
    }

    fn names_by_id(&self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let mut uids = Reader(reader.string().ok_or(Code::BadMessage)?);
        let mut gids = Reader(reader.string().ok_or(Code::BadMessage)?);
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        let push = |list: &mut Vec<u8>, name: &str| {
            list.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
            list.extend_from_slice(name.as_bytes());
        };
        self.proc.host.with(|machine| {
            let accounts = machine.accounts();
            while let Some(uid) = uids.u32() {
                push(&mut users, accounts.by_uid(uid).map_or("", |account| &account.name));
            }
            while let Some(gid) = gids.u32() {
                push(&mut groups, accounts.group_name(gid).unwrap_or(""));
            }
        });
        Ok(Writer::answer(EXTENDED_REPLY, id).string(&users).string(&groups).done())
    }

    fn file_system(&self, id: u32) -> Vec<u8> {
        let (total, used) = self.proc.host.with(|m| (m.facts().disk_kb, m.disk_used_kb()));
        let (blocks, free) = (total / 4, (total - used) / 4);
        Writer::answer(EXTENDED_REPLY, id)
            .u64(4096)
            .u64(4096)
            .u64(blocks)
            .u64(free)
            .u64(free - blocks / 20)
            .u64(blocks / 4)
            .u64(blocks / 4 - 41_223)
            .u64(blocks / 4 - 41_223)
            .u64(0x801)
            .u64(0)
            .u64(255)
            .done()
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u32, Code> {
    let text = reader.string().ok_or(Code::BadMessage)?;
    text.first_chunk::<4>()
        .filter(|_| text.len() == 4)
        .map(|n| u32::from_be_bytes(*n))
        .ok_or(Code::Failure)
}

fn status(id: u32, code: Code) -> Vec<u8> {
    let (number, text) = code.wire();
    Writer::answer(STATUS, id).u32(number).string(text.as_bytes()).string(b"").done()
}

fn name(id: u32, path: &[u8]) -> Vec<u8> {
    Writer::answer(NAME, id).u32(1).string(path).string(path).u32(0).done()
}
