//! OpenSSH's extensions.

use super::code::{Answer, Code, EXTENDED_REPLY, name, status};
use super::file::MAX_READ;
use super::server::Server;
use super::wire::{Reader, Writer};

impl Server<'_> {
    pub(super) fn extended(&mut self, id: u32, reader: &mut Reader<'_>) -> Answer {
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
