//! Attributes and names: stat, set, remove, make, move, link.

use super::code::{ATTRS, Answer, Code, name};
use super::server::{Handle, Server};
use super::wire::{Attributes, Reader, Writer};
use crate::fs::{Access, Errno, Ino, Kind, Stat};

impl Server<'_> {
    pub(super) fn find(&self, path: &[u8], follow: bool) -> Result<Stat, Code> {
        let path = if path.is_empty() { b"." } else { path };
        let proc = &*self.proc;
        Ok(proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, follow))?)
    }

    pub(super) fn stat(&self, id: u32, reader: &mut Reader<'_>, follow: bool) -> Answer {
        let stat = self.find(reader.string().ok_or(Code::BadMessage)?, follow)?;
        Ok(Writer::answer(ATTRS, id).attributes(&stat).done())
    }

    pub(super) fn handle_stat(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let ino = match self.handle(reader)? {
            Handle::File { ino, .. } | Handle::Directory { ino, .. } => *ino,
        };
        let stat = self.proc.host.with(|m| m.fs.stat_ino(ino)).ok_or(Code::Failure)?;
        Ok(Writer::answer(ATTRS, id).attributes(&stat).done())
    }

    pub(super) fn set_stat(&self, reader: &mut Reader<'_>, follow: bool) -> Result<(), Code> {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let attributes = reader.attributes().ok_or(Code::BadMessage)?;
        let stat = self.find(path, follow)?;
        self.apply(stat.ino, &attributes)
    }

    pub(super) fn set_handle_stat(&mut self, reader: &mut Reader<'_>) -> Result<(), Code> {
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

    pub(super) fn remove(&self, reader: &mut Reader<'_>, directory: bool) -> Result<(), Code> {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        Ok(proc.host.with(|m| m.fs.remove(&proc.user.creds, &proc.cwd, path, directory, now))?)
    }

    pub(super) fn make_directory(&self, reader: &mut Reader<'_>) -> Result<(), Code> {
        let path = reader.string().ok_or(Code::BadMessage)?;
        let attributes = reader.attributes().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        let mode =
            u16::try_from(attributes.mode.unwrap_or(0o777) & 0o7777).unwrap_or(0o777) & !proc.umask;
        proc.host.with(|m| m.fs.make_dir(&proc.user.creds, &proc.cwd, path, mode, now))?;
        Ok(())
    }

    pub(super) fn real_path(&self, id: u32, reader: &mut Reader<'_>) -> Answer {
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

    pub(super) fn rename(&self, reader: &mut Reader<'_>, replace: bool) -> Result<(), Code> {
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

    pub(super) fn read_link(&self, id: u32, reader: &mut Reader<'_>) -> Answer {
        let stat = self.find(reader.string().ok_or(Code::BadMessage)?, false)?;
        match stat.node.kind {
            Kind::Symlink(target) => Ok(name(id, &target)),
            _ => Err(Code::BadMessage),
        }
    }

    pub(super) fn link(&self, reader: &mut Reader<'_>) -> Result<(), Code> {
        // OpenSSH's order: first the target, against the draft.
        let target = reader.string().ok_or(Code::BadMessage)?;
        let path = reader.string().ok_or(Code::BadMessage)?;
        let proc = &*self.proc;
        let now = proc.io.now();
        proc.host.with(|m| m.fs.make_link(&proc.user.creds, &proc.cwd, target, path, now))?;
        Ok(())
    }
}
