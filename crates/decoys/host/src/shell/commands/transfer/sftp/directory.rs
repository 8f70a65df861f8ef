//! Listing directories.

use super::code::{Answer, Code, NAME};
use super::server::{Handle, Server};
use super::wire::{Reader, Writer};
use crate::clock;
use crate::fs::Errno;
use crate::shell::commands::files::mode::mode_text;

/// Entries of one directory answer.
const NAMES: usize = 100;

impl Server<'_> {
    pub(super) fn open_directory(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
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

    pub(super) fn read_directory(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
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
}
