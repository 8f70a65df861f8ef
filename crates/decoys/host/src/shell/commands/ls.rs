//! `ls` and `stat`.

use base_model::Timestamp;

use super::options::{Accepts, quoted, read};
use crate::clock;
use crate::fs::{Kind, Node, Stat};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "stat" {
        return stat(proc).await;
    }
    let accepts = Accepts {
        short: "aAlhrtSdF1iRCsnGgoLkUcupQmxX",
        long: &[
            ("all", b'a'),
            ("almost-all", b'A'),
            ("human-readable", b'h'),
            ("reverse", b'r'),
            ("recursive", b'R'),
            ("directory", b'd'),
            ("inode", b'i'),
            ("color", b'Q'),
            ("classify", b'F'),
            ("full-time", b'l'),
            ("time-style", b'Q'),
        ],
        status: 2,
    };
    let options = read(proc, &accepts).await?;
    let flags = Flags {
        all: options.has(b'a'),
        almost: options.has(b'A'),
        long: options.has(b'l') || options.has(b'n') || options.has(b'g') || options.has(b'o'),
        human: options.has(b'h'),
        reverse: options.has(b'r'),
        by_time: options.last_of(b"tSU") == Some(b't'),
        by_size: options.last_of(b"tSU") == Some(b'S'),
        classify: options.has(b'F') || options.has(b'p'),
        inode: options.has(b'i'),
        numeric: options.has(b'n'),
        columns: !options.has(b'1') && (proc.out_is_tty() || options.has(b'C')),
    };
    let mut paths = options.rest.clone();
    if paths.is_empty() {
        paths.push(b".".to_vec());
    }
    let mut status = 0;
    let mut files = Vec::new();
    let mut directories = Vec::new();
    for path in paths {
        let follow = !flags.long || path.ends_with(b"/");
        let found = proc.host.with(|machine| {
            let stat = |follow| machine.fs.stat(&proc.user.creds, &proc.cwd, &path, follow);
            stat(follow).or_else(|_| stat(false))
        });
        match found {
            Ok(stat) if stat.node.is_dir() && !options.has(b'd') => directories.push(path),
            Ok(stat) => files.push((path, stat)),
            Err(errno) => {
                let text = [
                    &b"ls: cannot access "[..],
                    &quoted(&path),
                    b": ",
                    errno.text().as_bytes(),
                    b"\n",
                ]
                .concat();
                proc.err(text).await;
                status = 2;
            }
        }
    }
    let titled = files.len() + directories.len() > 1 || options.has(b'R') || status != 0;
    let mut blank = !files.is_empty();
    if !files.is_empty() {
        let text = render(proc, files, &flags, false);
        proc.out(text).await?;
    }
    directories.sort();
    let mut todo: Vec<Vec<u8>> = directories.into_iter().rev().collect();
    let mut shown = 0;
    while let Some(path) = todo.pop() {
        shown += 1;
        if shown > 5000 {
            break;
        }
        match entries(proc, &path, &flags) {
            Err(errno) => {
                let text = [
                    &b"ls: cannot open directory "[..],
                    &quoted(&path),
                    b": ",
                    errno.text().as_bytes(),
                    b"\n",
                ];
                proc.err(text.concat()).await;
                status = 2;
            }
            Ok(list) => {
                if titled {
                    let title = [if blank { &b"\n"[..] } else { b"" }, &path, b":\n"].concat();
                    proc.out(title).await?;
                }
                blank = true;
                if options.has(b'R') {
                    let mut below: Vec<Vec<u8>> = list
                        .iter()
                        .filter(|(name, stat)| stat.node.is_dir() && name != b"." && name != b"..")
                        .map(|(name, _)| crate::fs::join(&path, name))
                        .collect();
                    below.sort();
                    todo.extend(below.into_iter().rev());
                }
                let text = render(proc, list, &flags, true);
                proc.out(text).await?;
            }
        }
    }
    Ok(status)
}

struct Flags {
    all: bool,
    almost: bool,
    long: bool,
    human: bool,
    reverse: bool,
    by_time: bool,
    by_size: bool,
    classify: bool,
    inode: bool,
    numeric: bool,
    columns: bool,
}

type Listing = Vec<(Vec<u8>, Stat)>;

fn entries(proc: &Proc, path: &[u8], flags: &Flags) -> Result<Listing, crate::fs::Errno> {
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

fn sort(list: &mut Listing, flags: &Flags) {
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

fn render(proc: &Proc, mut list: Listing, flags: &Flags, total: bool) -> Vec<u8> {
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

/// `-rwxr-xr-x`.
pub(crate) fn mode_text(node: &Node) -> String {
    let mut out = String::from(node.type_char());
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = node.mode >> shift & 7;
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (node.mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

fn human(size: u64) -> String {
    for (unit, bytes) in [('T', 1_u64 << 40), ('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)] {
        if size >= bytes {
            let tenths = (size * 10).div_ceil(bytes);
            return if tenths < 100 {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            } else {
                format!("{}{unit}", size.div_ceil(bytes))
            };
        }
    }
    size.to_string()
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

async fn stat(proc: &mut Proc) -> Outcome {
    let accepts = Accepts { short: "c:Lft", long: &[("format", b'c')], status: 1 };
    let options = read(proc, &accepts).await?;
    if options.rest.is_empty() {
        return Err(super::options::missing_operand(proc).await);
    }
    let mut status = 0;
    for path in &options.rest {
        let found =
            proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, options.has(b'L')));
        match found {
            Ok(found) => {
                let text = match options.value(b'c') {
                    Some(format) => stat_format(proc, path, &found, format),
                    None => stat_text(proc, path, &found),
                };
                proc.out(text).await?;
            }
            Err(errno) => {
                let text = [
                    &b"stat: cannot statx "[..],
                    &quoted(path),
                    b": ",
                    errno.text().as_bytes(),
                    b"\n",
                ]
                .concat();
                proc.err(text).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

const fn kind_name(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Directory(_) => "directory",
        Kind::Symlink(_) => "symbolic link",
        Kind::Device(_) => "character special file",
        Kind::File(_) => "regular file",
    }
}

fn owner_names(proc: &Proc, node: &Node) -> (String, String) {
    proc.host.with(|machine| {
        let accounts = machine.accounts();
        let user =
            accounts.by_uid(node.uid).map_or_else(|| "UNKNOWN".to_owned(), |a| a.name.clone());
        (user, accounts.group_name(node.gid).unwrap_or("UNKNOWN").to_owned())
    })
}

fn stat_format(proc: &Proc, path: &[u8], stat: &Stat, format: &[u8]) -> Vec<u8> {
    let (user, group) = owner_names(proc, &stat.node);
    let mut out = Vec::new();
    let mut bytes = format.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let node = &stat.node;
        let text = match bytes.next() {
            Some(b'n') => String::from_utf8_lossy(path).into_owned(),
            Some(b's') => node.size().to_string(),
            Some(b'a') => format!("{:o}", node.mode),
            Some(b'A') => mode_text(node),
            Some(b'u') => node.uid.to_string(),
            Some(b'g') => node.gid.to_string(),
            Some(b'U') => user.clone(),
            Some(b'G') => group.clone(),
            Some(b'i') => stat.ino.0.to_string(),
            Some(b'h') => stat.nlink.to_string(),
            Some(b'F') => kind_name(node).to_owned(),
            Some(b'Y') => node.mtime.seconds().to_string(),
            Some(b'X') => node.atime.seconds().to_string(),
            Some(b'Z') => node.ctime.seconds().to_string(),
            Some(b'y') => full_time(node.mtime),
            Some(&other) => format!("%{}", char::from(other)),
            None => "%".to_owned(),
        };
        out.extend(text.into_bytes());
    }
    out.push(b'\n');
    out
}

fn full_time(at: Timestamp) -> String {
    clock::format(at, "%Y-%m-%d %H:%M:%S.%N %z")
}

fn stat_text(proc: &Proc, path: &[u8], stat: &Stat) -> Vec<u8> {
    let node = &stat.node;
    let (user, group) = owner_names(proc, node);
    let mut name = String::from_utf8_lossy(path).into_owned();
    if let Kind::Symlink(target) = &node.kind {
        name.push_str(&format!(" -> {}", String::from_utf8_lossy(target)));
    }
    let blocks = node.size().div_ceil(4096) * 8;
    format!(
        "  File: {name}\n  Size: {:<10}\tBlocks: {blocks:<10} IO Block: 4096   {}\n\
         Device: 8,1\tInode: {:<11} Links: {}\n\
         Access: ({:04o}/{})  Uid: ({:>5}/{user:>8})   Gid: ({:>5}/{group:>8})\n\
         Access: {}\nModify: {}\nChange: {}\n Birth: {}\n",
        node.size(),
        kind_name(node),
        stat.ino.0,
        stat.nlink,
        node.mode,
        mode_text(node),
        node.uid,
        node.gid,
        full_time(node.atime),
        full_time(node.mtime),
        full_time(node.ctime),
        full_time(node.ctime),
    )
    .into_bytes()
}
