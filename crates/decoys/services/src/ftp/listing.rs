//! Lines of listings, as each server forms them.

use base_model::Timestamp;
use decoys_host::fs::{Ino, Kind, Node};
use decoys_host::persona::FtpServer;

use super::view::View;

/// Half a mean Gregorian year: older files show their year.
const HALF_YEAR: i64 = 31_556_952 / 2;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// An entry of a directory.
pub(super) type Entry = (Vec<u8>, Ino, Node);

/// The lines of `LIST`.
pub(super) fn long(server: FtpServer, view: &View, entries: &[Entry], now: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, ino, node) in entries {
        let links = view.host.with(|m| m.fs.stat_ino(*ino)).map_or(1, |stat| stat.nlink);
        let (owner, group) = names(server, view, node);
        let (mode, size) = (mode(node), node.size());
        let line = match server {
            FtpServer::Vsftpd => format!("{mode} {links:>4} {owner:<8} {group:<8} {size:>8} "),
            FtpServer::ProFtpd => format!("{mode} {links:>3} {owner:<8} {group:<8} {size:>6} "),
            FtpServer::PureFtpd => format!("{mode} {links:>4} {owner:<10} {group:<10} {size:>10} "),
        };
        out.extend(line.bytes());
        out.extend(date(server, node.mtime, now).bytes());
        out.push(b' ');
        out.extend_from_slice(name);
        if let Kind::Symlink(target) = &node.kind {
            out.extend_from_slice(b" -> ");
            out.extend_from_slice(target);
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn names(server: FtpServer, view: &View, node: &Node) -> (String, String) {
    if server == FtpServer::Vsftpd {
        return (node.uid.to_string(), node.gid.to_string());
    }
    view.host.with(|machine| {
        let accounts = machine.accounts();
        let owner = accounts.by_uid(node.uid).map(|account| account.name.clone());
        let group = accounts.group_name(node.gid).map(str::to_owned);
        (
            owner.unwrap_or_else(|| node.uid.to_string()),
            group.unwrap_or_else(|| node.gid.to_string()),
        )
    })
}

fn mode(node: &Node) -> String {
    let mut out = String::from(node.type_char());
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = node.mode >> shift;
        out.push(if bits & 4 == 0 { '-' } else { 'r' });
        out.push(if bits & 2 == 0 { '-' } else { 'w' });
        out.push(match (bits & 1 != 0, node.mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    out
}

fn date(server: FtpServer, at: Timestamp, now: Timestamp) -> String {
    let utc = at.to_utc();
    let month = MONTHS.get(usize::from(u8::from(utc.month())) - 1).unwrap_or(&"Jan");
    let day = match server {
        FtpServer::Vsftpd => format!("{:02}", utc.day()),
        FtpServer::ProFtpd | FtpServer::PureFtpd => format!("{:>2}", utc.day()),
    };
    let age = now.seconds() - at.seconds();
    if (0..HALF_YEAR).contains(&age) {
        format!("{month} {day} {:02}:{:02}", utc.hour(), utc.minute())
    } else {
        format!("{month} {day}  {}", utc.year())
    }
}

/// `YYYYMMDDHHMMSS` (RFC 3659 §2.3).
pub(super) fn stamp(at: Timestamp) -> String {
    let utc = at.to_utc();
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        utc.year(),
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

/// The facts of `MLSD` and `MLST`, with the blank that ends them (RFC 3659 §7).
pub(super) fn facts(server: FtpServer, view: &View, (name, ino, node): &Entry) -> String {
    let kind = match (&node.kind, name.as_slice()) {
        (Kind::Directory(_), b".") => "cdir",
        (Kind::Directory(_), b"..") => "pdir",
        (Kind::Directory(_), _) => "dir",
        (Kind::Symlink(_), _) if server == FtpServer::PureFtpd => "OS.unix=slink:",
        (Kind::Symlink(_), _) => "OS.unix=symlink",
        (Kind::File(_) | Kind::Device(_), _) => "file",
    };
    let (modify, size, mode) = (stamp(node.mtime), node.size(), node.mode & 0o7777);
    let (uid, gid, number) = (node.uid, node.gid, ino.0);
    if server == FtpServer::PureFtpd {
        let size_name = if node.is_dir() { "sizd" } else { "size" };
        return format!(
            "type={kind};{size_name}={size};modify={modify};UNIX.mode={mode:04o};UNIX.uid={uid};\
             UNIX.gid={gid};unique=fe00g{number:x}; "
        );
    }
    let may = |access| view.creds.may(node, access);
    let (read, write) = (may(decoys_host::fs::Access::Read), may(decoys_host::fs::Access::Write));
    let perm = match (node.is_dir(), read, write) {
        (true, true, true) => "flcdmpe",
        (true, true, false) => "fle",
        (true, false, true) => "fcdmpe",
        (true, false, false) => "fe",
        (false, true, true) => "adfrw",
        (false, true, false) => "adfr",
        (false, false, _) => "adf",
    };
    let size = if node.is_dir() { String::new() } else { format!("size={size};") };
    let (owner, group) = names(server, view, node);
    format!(
        "modify={modify};perm={perm};{size}type={kind};unique=FE00U{number:X};UNIX.group={gid};\
         UNIX.groupname={group};UNIX.mode={mode:04o};UNIX.owner={uid};UNIX.ownername={owner}; "
    )
}
