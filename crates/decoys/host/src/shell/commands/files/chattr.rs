//! `chattr` and `lsattr`.

use crate::fs::{APPEND_ONLY, Errno, IMMUTABLE, Kind, join};
use crate::shell::proc::{Outcome, Proc};

/// Most nodes of one recursive call.
const MAX: usize = 20_000;

const USAGE: &str = "Usage: chattr [-pRVf] [-+=aAcCdDeijPsStTuFx] [-v version] files...\n";

/// `chattr`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let (mut on, mut off, mut exactly) = (0_u8, 0_u8, None);
    let (mut recursive, mut quiet, mut any) = (false, false, false);
    let mut files = Vec::new();
    for argument in proc.arguments() {
        let (sign, letters) = match argument.split_first() {
            Some((sign @ (b'+' | b'-' | b'='), letters))
                if !letters.is_empty() && files.is_empty() =>
            {
                (*sign, letters.to_vec())
            }
            _ => {
                files.push(argument);
                continue;
            }
        };
        let mut bits = 0;
        for letter in letters {
            match letter {
                b'i' => bits |= IMMUTABLE,
                b'a' => bits |= APPEND_ONLY,
                b'R' if sign == b'-' => recursive = true,
                b'f' if sign == b'-' => quiet = true,
                b'V' | b'p' if sign == b'-' => {}
                b'A' | b'c' | b'C' | b'd' | b'D' | b'e' | b'j' | b'P' | b's' | b'S' | b't'
                | b'T' | b'u' | b'F' | b'x' => {}
                _ => {
                    proc.err(USAGE).await;
                    return Ok(1);
                }
            }
            any |= !(sign == b'-' && b"RfVp".contains(&letter));
        }
        match sign {
            b'+' => on |= bits,
            b'-' => off |= bits,
            _ => exactly = Some(bits),
        }
    }
    if files.is_empty() || !any {
        if any {
            proc.err(USAGE).await;
        } else {
            proc.err("Must use '-v', =, - or +\n").await;
        }
        return Ok(1);
    }
    let now = proc.io.now();
    let creds = proc.user.creds.clone();
    let mut status = 0;
    let mut todo = files;
    let mut count = 0;
    while let Some(path) = todo.pop() {
        count += 1;
        if count > MAX {
            break;
        }
        proc.io.tick().await;
        let done = proc.host.with(|machine| {
            let fs = &mut machine.fs;
            let ino = fs.find(&creds, &proc.cwd, &path, false).map_err(|e| (true, e))?;
            let node = fs.node(ino).ok_or((true, Errno::NoEntry))?;
            if recursive && let Kind::Directory(entries) = &node.kind {
                todo.extend(entries.keys().map(|name| join(&path, name)));
            }
            if !matches!(node.kind, Kind::File(_) | Kind::Directory(_)) {
                return Ok(());
            }
            let flags = exactly.unwrap_or((node.flags | on) & !off);
            fs.set_flags(&creds, ino, flags, now).map_err(|e| (false, e))
        });
        if let Err((missing, errno)) = done {
            status = 1;
            if quiet {
                continue;
            }
            let (head, tail) = if missing {
                ("chattr: ", format!(" while trying to stat {}\n", String::from_utf8_lossy(&path)))
            } else {
                (
                    "chattr: ",
                    format!(" while setting flags on {}\n", String::from_utf8_lossy(&path)),
                )
            };
            proc.err(format!("{head}{}{tail}", errno.text())).await;
        }
    }
    Ok(status)
}

/// `lsattr`.
pub(in crate::shell::commands) async fn list(proc: &mut Proc) -> Outcome {
    let (mut all, mut itself, mut recursive) = (false, false, false);
    let mut paths = Vec::new();
    for argument in proc.arguments() {
        match argument.strip_prefix(b"-").filter(|letters| !letters.is_empty()) {
            Some(letters) => {
                all |= letters.contains(&b'a');
                itself |= letters.contains(&b'd');
                recursive |= letters.contains(&b'R');
            }
            None => paths.push(argument),
        }
    }
    if paths.is_empty() {
        paths.push(b".".to_vec());
    }
    let creds = proc.user.creds.clone();
    let mut status = 0;
    let mut todo: Vec<(Vec<u8>, bool)> = paths.into_iter().rev().map(|path| (path, true)).collect();
    let mut count = 0;
    while let Some((path, given)) = todo.pop() {
        count += 1;
        if count > MAX {
            break;
        }
        let found = proc.host.with(|m| m.fs.stat(&creds, &proc.cwd, &path, false));
        let stat = match found {
            Ok(stat) => stat,
            Err(errno) => {
                let shown = String::from_utf8_lossy(&path).into_owned();
                proc.err(format!("lsattr: {} while trying to stat {shown}\n", errno.text())).await;
                status = 1;
                continue;
            }
        };
        if let Kind::Directory(entries) = &stat.node.kind
            && !itself
            && (given || recursive)
        {
            let shown = |name: &&Vec<u8>| all || !name.starts_with(b".");
            let below = entries.keys().filter(shown).map(|name| (join(&path, name), false));
            let below: Vec<_> = below
                .map(|(child, given)| {
                    let relative = child.strip_prefix(b"./").map(|c| [b"./", c].concat());
                    (relative.unwrap_or(child), given)
                })
                .collect();
            todo.extend(below.into_iter().rev());
            if given {
                continue;
            }
        }
        if !matches!(stat.node.kind, Kind::File(_) | Kind::Directory(_)) {
            let shown = String::from_utf8_lossy(&path).into_owned();
            proc.err(format!("lsattr: Operation not supported While reading flags on {shown}\n"))
                .await;
            continue;
        }
        let flag = |bit: u8, letter: char| if stat.node.flags & bit != 0 { letter } else { '-' };
        let text =
            format!("----{}{}--------e------- ", flag(IMMUTABLE, 'i'), flag(APPEND_ONLY, 'a'));
        proc.out([text.as_bytes(), &path, b"\n"].concat()).await?;
    }
    Ok(status)
}
