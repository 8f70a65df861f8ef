//! What is listed, in which order.

use crate::fs::Stat;
use crate::shell::proc::Proc;

/// What is to be shown, and how.
pub(super) struct Flags {
    pub(super) all: bool,
    pub(super) almost: bool,
    pub(super) long: bool,
    pub(super) human: bool,
    pub(super) reverse: bool,
    pub(super) by_time: bool,
    pub(super) by_size: bool,
    pub(super) classify: bool,
    pub(super) inode: bool,
    pub(super) numeric: bool,
    pub(super) columns: bool,
}

/// Names with what they name.
pub(super) type Listing = Vec<(Vec<u8>, Stat)>;

/// The entries of the directory `path`.
pub(super) fn entries(
    proc: &Proc,
    path: &[u8],
    flags: &Flags,
) -> Result<Listing, crate::fs::Errno> {
    let creds = &proc.user.creds;
    let mut list = proc.host.with(|machine| {
        let ino = machine.fs.find(creds, &proc.cwd, path, true)?;
        let mut out: Listing = Vec::new();
        for (name, child) in machine.fs.list(creds, ino)? {
            let hidden = name.first() == Some(&b'.');
            if (flags.all || flags.almost || !hidden)
                && let Some(stat) = machine.fs.stat_ino(child)
            {
                out.push((name, stat));
            }
        }
        if flags.all {
            for name in [&b"."[..], b".."] {
                let full = crate::fs::join(&crate::fs::join(&proc.cwd, path), name);
                if let Ok(stat) = machine.fs.stat(creds, b"/", &full, true) {
                    out.push((name.to_vec(), stat));
                }
            }
        }
        Ok::<_, crate::fs::Errno>(out)
    })?;
    sort(&mut list, flags);
    Ok(list)
}

/// Sorts as the flags say.
pub(super) fn sort(list: &mut Listing, flags: &Flags) {
    // As in a UTF-8 locale: leading dots and case do not count, bytes break ties.
    list.sort_by_cached_key(|(name, _)| {
        let folded: Vec<u8> = name
            .iter()
            .filter(|b| b.is_ascii_alphanumeric() || **b >= 0x80)
            .map(u8::to_ascii_lowercase)
            .collect();
        (folded, name.clone())
    });
    if flags.by_time {
        list.sort_by_key(|(_, stat)| std::cmp::Reverse(stat.node.mtime));
    } else if flags.by_size {
        list.sort_by_key(|(_, stat)| std::cmp::Reverse(stat.node.size()));
    }
    if flags.reverse {
        list.reverse();
    }
}
