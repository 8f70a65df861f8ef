//! `chmod` and `chown`.

use super::options::{missing_operand, quoted};
use crate::fs::{Errno, Ino, Kind};
use crate::shell::proc::{Outcome, Proc};

/// Most nodes changed by one recursive call.
const MAX: usize = 20_000;

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let chown = proc.name() == "chown";
    let mut recursive = false;
    let mut rest = Vec::new();
    for argument in proc.arguments() {
        // `-x` is a mode, `-R` an option.
        match argument.as_slice() {
            b"-R" | b"--recursive" => recursive = true,
            b"-f" | b"-v" | b"-c" | b"-h" => {}
            _ => rest.push(argument),
        }
    }
    let Some((what, paths)) = rest.split_first() else { return Err(missing_operand(proc).await) };
    if paths.is_empty() {
        let name = proc.name();
        let mut text = format!("{name}: missing operand after ").into_bytes();
        text.extend(quoted(what));
        text.extend(format!("\nTry '{name} --help' for more information.\n").into_bytes());
        proc.err(text).await;
        return Ok(1);
    }
    let owner = if chown {
        match owner(proc, what) {
            Some(owner) => owner,
            None => {
                proc.err([&b"chown: invalid user: "[..], &quoted(what), b"\n"].concat()).await;
                return Ok(1);
            }
        }
    } else {
        (None, None)
    };
    if !chown && apply(what, 0, false).is_none() {
        let text = [
            &b"chmod: invalid mode: "[..],
            &quoted(what),
            b"\nTry 'chmod --help' for more information.\n",
        ];
        proc.err(text.concat()).await;
        return Ok(1);
    }
    let mut status = 0;
    for path in paths {
        let found = proc.host.with(|m| m.fs.find(&proc.user.creds, &proc.cwd, path, true));
        let ino = match found {
            Ok(ino) => ino,
            Err(errno) => {
                let text = format!("{}: cannot access ", proc.name());
                proc.err(
                    [text.as_bytes(), &quoted(path), b": ", errno.text().as_bytes(), b"\n"]
                        .concat(),
                )
                .await;
                status = 1;
                continue;
            }
        };
        if let Err(errno) = change(proc, ino, what, owner, chown, recursive).await {
            let verb = if chown {
                "chown: changing ownership of "
            } else {
                "chmod: changing permissions of "
            };
            proc.err(
                [verb.as_bytes(), &quoted(path), b": ", errno.text().as_bytes(), b"\n"].concat(),
            )
            .await;
            status = 1;
        }
    }
    Ok(status)
}

async fn change(
    proc: &Proc,
    ino: Ino,
    what: &[u8],
    owner: (Option<u32>, Option<u32>),
    chown: bool,
    recursive: bool,
) -> Result<(), Errno> {
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let mut todo = vec![ino];
    let mut count = 0;
    while let Some(ino) = todo.pop() {
        count += 1;
        if count > MAX {
            break;
        }
        proc.io.tick().await;
        proc.host.with(|machine| {
            let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
            if recursive && let Kind::Directory(entries) = &node.kind {
                todo.extend(entries.values());
            }
            if chown {
                return machine.fs.chown(creds, ino, owner.0, owner.1, now);
            }
            let mode = apply(what, node.mode, node.is_dir()).unwrap_or(node.mode);
            machine.fs.chmod(creds, ino, mode, now)
        })?;
    }
    Ok(())
}

fn owner(proc: &Proc, text: &[u8]) -> Option<(Option<u32>, Option<u32>)> {
    let text = std::str::from_utf8(text).ok()?;
    let (user, group) = match text.split_once([':', '.']) {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    proc.host.with(|machine| {
        let accounts = machine.accounts();
        let uid = match user {
            "" => None,
            user => Some(accounts.by_name(user).map(|a| a.uid).or_else(|| user.parse().ok())?),
        };
        let gid = match group {
            None | Some("") => None,
            Some(group) => Some(accounts.group_id(group).or_else(|| group.parse().ok())?),
        };
        Some((uid, gid))
    })
}

/// `mode` changed as the mode string `text` says; `None` when that is none.
fn apply(text: &[u8], mode: u16, directory: bool) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    let mut mode = mode;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at_checked(at)?;
        let mut mask = 0_u16;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        if who.is_empty() {
            // Without a letter the umask is respected.
            mask = 0o7755;
        }
        let operator = rest.chars().next()?;
        let mut bits = 0_u16;
        for c in rest.chars().skip(1) {
            bits |= match c {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if directory || mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        let mask = if bits & 0o1000 != 0 { mask | 0o1000 } else { mask };
        mode = match operator {
            '+' => mode | (bits & mask),
            '-' => mode & !(bits & mask),
            _ => (mode & !(mask & 0o777)) | (bits & mask),
        };
    }
    Some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_strings_apply() {
        for (text, before, after) in [
            ("755", 0o644, Some(0o755)),
            ("+x", 0o644, Some(0o755)),
            ("u+s,go-rwx", 0o755, Some(0o4700)),
            ("a=r", 0o777, Some(0o444)),
            ("999", 0, None),
            ("z+x", 0, None),
            ("", 0, None),
        ] {
            assert_eq!(apply(text.as_bytes(), before, false), after, "{text}");
        }
    }
}
