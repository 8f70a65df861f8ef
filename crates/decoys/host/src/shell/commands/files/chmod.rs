//! `chmod`, `chown`, `chgrp`.

use super::mode;
use crate::fs::{Errno, Ino, Kind, Node};
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, Options, read_from};
use crate::shell::proc::{Outcome, Proc, Stop};

/// Most nodes changed by one recursive call.
const MAX: usize = 20_000;

const ACCEPTS: Accepts = Accepts::new(
    "cfhHLPRv",
    &[
        ("changes", b'c'),
        ("silent", b'f'),
        ("quiet", b'f'),
        ("no-dereference", b'h'),
        ("dereference", b'1'),
        ("recursive", b'R'),
        ("verbose", b'v'),
        ("preserve-root", b'2'),
        ("no-preserve-root", b'3'),
        ("reference=", b'4'),
    ],
);

/// What is to change.
enum Change {
    Mode(Vec<u8>),
    Owner(Option<u32>, Option<u32>),
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let name = proc.name();
    // `-x` is a mode, `-R` an option.
    let is_mode = |argument: &Vec<u8>| {
        name == "chmod"
            && argument.len() > 1
            && argument.first() == Some(&b'-')
            && argument.iter().skip(1).all(|b| b"rwxXst,=+-ugoa".contains(b))
    };
    let mut arguments = proc.arguments();
    let minus = arguments.iter().position(is_mode).map(|at| arguments.remove(at));
    let mut options = read_from(proc, &ACCEPTS, arguments).await?;
    if let Some(minus) = minus {
        options.rest.insert(0, minus);
    }
    let mut rest = options.rest.clone();
    let change = match options.value(b'4') {
        Some(path) => like(proc, path, &name).await?,
        None if rest.is_empty() => return Err(proc.missing_operand().await),
        None => {
            let what = rest.remove(0);
            if rest.is_empty() {
                return Err(proc.misused("missing operand after", &what).await);
            }
            change_of(proc, &what, &name).await?
        }
    };
    let mut status = 0;
    for path in &rest {
        let follow = !options.has(b'h');
        let found = proc.host.with(|m| m.fs.find(&proc.user.creds, &proc.cwd, path, follow));
        match found {
            Ok(ino) => {
                if !apply(proc, path, ino, &change, &options).await? {
                    status = 1;
                }
            }
            Err(errno) => {
                if !options.has(b'f') {
                    proc.fault("cannot access", path, errno).await;
                }
                status = 1;
            }
        }
    }
    Ok(status)
}

async fn like(proc: &Proc, path: &[u8], name: &str) -> Result<Change, Stop> {
    let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, true));
    match stat {
        Ok(stat) if name == "chmod" => {
            Ok(Change::Mode(format!("{:o}", stat.node.mode).into_bytes()))
        }
        Ok(stat) => {
            let uid = (name == "chown").then_some(stat.node.uid);
            Ok(Change::Owner(uid, Some(stat.node.gid)))
        }
        Err(errno) => {
            proc.fault("failed to get attributes of", path, errno).await;
            Err(Stop::Status(1))
        }
    }
}

async fn change_of(proc: &Proc, what: &[u8], name: &str) -> Result<Change, Stop> {
    if name == "chmod" {
        if mode::change(what, 0, false, 0).is_none() {
            return Err(proc.misused("invalid mode:", what).await);
        }
        return Ok(Change::Mode(what.to_vec()));
    }
    let spelled = if name == "chgrp" { [b":", what].concat() } else { what.to_vec() };
    match owner(proc, &spelled) {
        Ok((uid, gid)) => Ok(Change::Owner(uid, gid)),
        Err(kind) => {
            proc.wrong(&format!("invalid {kind}:"), what).await;
            Err(Stop::Status(1))
        }
    }
}

async fn apply(
    proc: &Proc,
    path: &[u8],
    ino: Ino,
    change: &Change,
    options: &Options,
) -> Result<bool, Stop> {
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let mut todo = vec![(path.to_vec(), ino)];
    let mut count = 0;
    let mut good = true;
    while let Some((path, ino)) = todo.pop() {
        count += 1;
        if count > MAX {
            break;
        }
        proc.io.tick().await;
        let mut before = None;
        let done = proc.host.with(|machine| {
            let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
            before = Some(node.clone());
            if options.has(b'R')
                && let Kind::Directory(entries) = &node.kind
            {
                let join =
                    |name: &[u8]| [path.strip_suffix(b"/").unwrap_or(&path), b"/", name].concat();
                todo.extend(entries.iter().map(|(name, ino)| (join(name), *ino)));
            }
            match change {
                Change::Owner(uid, gid) => machine.fs.chown(creds, ino, *uid, *gid, now),
                Change::Mode(text) => {
                    let mode = mode::change(text, node.mode, node.is_dir(), proc.umask);
                    let mode = mode.unwrap_or(node.mode);
                    machine.fs.chmod(creds, ino, mode, now)
                }
            }
        });
        match (done, before) {
            (Ok(()), Some(before)) => {
                let after = proc.host.with(|m| m.fs.node(ino).cloned());
                if let Some(line) =
                    after.and_then(|after| told(&path, &before, &after, change, options))
                {
                    proc.out(line).await?;
                }
            }
            (Err(errno), _) => {
                good = false;
                if !options.has(b'f') {
                    let verb = match change {
                        Change::Mode(_) => "changing permissions of",
                        Change::Owner(None, _) => "changing group of",
                        Change::Owner(..) => "changing ownership of",
                    };
                    proc.fault(verb, &path, errno).await;
                }
            }
            (Ok(()), None) => {}
        }
    }
    Ok(good)
}

/// What `-v` and `-c` say.
fn told(
    path: &[u8],
    before: &Node,
    after: &Node,
    change: &Change,
    options: &Options,
) -> Option<Vec<u8>> {
    let changed = before.mode != after.mode || (before.uid, before.gid) != (after.uid, after.gid);
    if !(options.has(b'v') || options.has(b'c') && changed) || !matches!(change, Change::Mode(_)) {
        return None;
    }
    let show = |node: &Node| {
        let text = mode::mode_text(node);
        format!("{:04o} ({})", node.mode, text.get(1..).unwrap_or_default())
    };
    let tail = if changed {
        format!(" changed from {} to {}\n", show(before), show(after))
    } else {
        format!(" retained as {}\n", show(after))
    };
    Some([b"mode of ", &quoted(path)[..], tail.as_bytes()].concat())
}

/// `user`, `user:group`, `:group`; the kind of what is unknown.
fn owner(proc: &Proc, text: &[u8]) -> Result<(Option<u32>, Option<u32>), &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "user")?;
    let (user, group) = match text.split_once(':').or_else(|| text.split_once('.')) {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    proc.host.with(|machine| {
        let accounts = machine.accounts();
        let account = accounts.by_name(user);
        let uid = match user {
            "" => None,
            user => Some(account.map(|a| a.uid).or_else(|| user.parse().ok()).ok_or("user")?),
        };
        let gid = match group {
            None => None,
            // `user:` means the user's own group.
            Some("") => account.map(|account| account.gid),
            Some(group) => {
                Some(accounts.group_id(group).or_else(|| group.parse().ok()).ok_or("group")?)
            }
        };
        Ok((uid, gid))
    })
}
