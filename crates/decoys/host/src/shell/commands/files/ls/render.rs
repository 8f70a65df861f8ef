//! How a listing looks: columns, or one line each.

use super::super::human;
use super::super::mode::mode_text;
use super::listing::{Flags, Listing, sort};
use crate::clock;
use crate::fs::{Kind, Node, Stat};
use crate::shell::commands::complaint::quoted;
use crate::shell::proc::Proc;

/// The text of `list`; with a `total` line in a long listing.
pub(super) fn render(proc: &Proc, mut list: Listing, flags: &Flags, total: bool) -> Vec<u8> {
    if !total {
        sort(&mut list, flags);
    }
    if flags.long {
        return render_long(proc, &list, flags, total);
    }
    let names: Vec<Vec<u8>> = list
        .iter()
        .map(|(name, stat)| {
            let mut shown =
                if flags.inode { format!("{} ", stat.ino.0).into_bytes() } else { Vec::new() };
            shown.extend(shell_quoted(name, flags.columns));
            if flags.classify {
                shown.extend(suffix(&stat.node));
            }
            shown
        })
        .collect();
    if !flags.columns {
        return names.iter().flat_map(|name| [&name[..], b"\n"].concat()).collect();
    }
    columns(&names, proc.columns())
}

fn suffix(node: &Node) -> Option<u8> {
    match node.kind {
        Kind::Directory(_) => Some(b'/'),
        Kind::Symlink(_) => Some(b'@'),
        Kind::File(_) if node.mode & 0o111 != 0 => Some(b'*'),
        _ => None,
    }
}

/// Names with blanks are quoted on a terminal, as by default since coreutils 8.25.
fn shell_quoted(name: &[u8], tty: bool) -> Vec<u8> {
    let special =
        name.iter().any(|b| b" \t\n'\"\\$`&;|<>()*?[]!#~{}".contains(b) || *b < 0x20 || *b == 0x7f);
    if !tty || !special {
        return name.to_vec();
    }
    quoted(name)
}

fn columns(names: &[Vec<u8>], width: usize) -> Vec<u8> {
    if names.is_empty() {
        return Vec::new();
    }
    let length = |name: &[u8]| name.iter().filter(|b| **b & 0xc0 != 0x80).count();
    let mut rows = 1;
    let widths = loop {
        let widths: Vec<usize> = names
            .chunks(rows)
            .map(|column| column.iter().map(|n| length(n)).max().unwrap_or(0) + 2)
            .collect();
        if rows >= names.len() || widths.iter().sum::<usize>().saturating_sub(2) < width {
            break widths;
        }
        rows += 1 + rows / 16;
    };
    let mut out = Vec::new();
    for row in 0..rows.min(names.len()) {
        let cells = names.iter().skip(row).step_by(rows).zip(&widths);
        let count = names.len().saturating_sub(row).div_ceil(rows);
        for (at, (name, width)) in cells.enumerate() {
            out.extend_from_slice(name);
            if at + 1 < count {
                out.extend(std::iter::repeat_n(b' ', width.saturating_sub(length(name))));
            }
        }
        out.push(b'\n');
    }
    out
}

fn render_long(proc: &Proc, list: &Listing, flags: &Flags, total: bool) -> Vec<u8> {
    let now = proc.io.now();
    let rows: Vec<[String; 6]> = proc.host.with(|machine| {
        let accounts = machine.accounts();
        let row = |(_, stat): &(Vec<u8>, Stat)| {
            let node = &stat.node;
            let user = accounts.by_uid(node.uid).filter(|_| !flags.numeric);
            let group = accounts.group_name(node.gid).filter(|_| !flags.numeric);
            let size = match &node.kind {
                Kind::Device(device) => format!("{}, {}", device.numbers().0, device.numbers().1),
                _ if flags.human => human(node.size()),
                _ => node.size().to_string(),
            };
            [
                mode_text(node),
                stat.nlink.to_string(),
                user.map_or_else(|| node.uid.to_string(), |user| user.name.clone()),
                group.map_or_else(|| node.gid.to_string(), str::to_owned),
                size,
                clock::listing(node.mtime, now),
            ]
        };
        list.iter().map(row).collect()
    });
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let wide = |at: usize| widths.get(at).copied().unwrap_or(0);
    let mut out = Vec::new();
    if total {
        let blocks: u64 = list.iter().map(|(_, stat)| stat.node.size().div_ceil(4096) * 4).sum();
        let text = if flags.human { human(blocks * 1024) } else { blocks.to_string() };
        out.extend(format!("total {text}\n").into_bytes());
    }
    for ((name, stat), [mode, links, user, group, size, date]) in list.iter().zip(&rows) {
        if flags.inode {
            out.extend(format!("{:>7} ", stat.ino.0).into_bytes());
        }
        let line = format!(
            "{mode} {links:>lw$} {user:<uw$} {group:<gw$} {size:>sw$} {date} ",
            lw = wide(1),
            uw = wide(2),
            gw = wide(3),
            sw = wide(4),
        );
        out.extend(line.into_bytes());
        out.extend(shell_quoted(name, proc.out_is_tty()));
        if let Kind::Symlink(target) = &stat.node.kind {
            out.extend_from_slice(b" -> ");
            out.extend_from_slice(target);
        } else if flags.classify {
            out.extend(suffix(&stat.node));
        }
        out.push(b'\n');
    }
    out
}
