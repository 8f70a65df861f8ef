//! Opening, reading, writing, closing files.

use super::code::{Answer, Code, DATA};
use super::server::{Handle, Server, number};
use super::wire::{Reader, Writer};
use crate::fs::{Access, Errno};
use crate::shell::fd::content;
use crate::shell::io::Act;

/// Longest read answered, as OpenSSH's default buffer.
pub(super) const MAX_READ: u32 = 255 * 1024;

impl Server<'_> {
    pub(super) fn open(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
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

    pub(super) fn close(&mut self, reader: &mut Reader<'_>) -> Result<(), Code> {
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

    pub(super) fn read(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
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

    pub(super) fn write(&mut self, reader: &mut Reader<'_>) -> Result<(), Code> {
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
}
