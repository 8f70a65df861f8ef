//! `du`.

use crate::fs::{Kind, Stat};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "0abBcd:DhHklLmPsSt:x",
    &[
        ("all", b'a'),
        ("apparent-size", b'A'),
        ("bytes", b'b'),
        ("total", b'c'),
        ("max-depth=", b'd'),
        ("human-readable", b'h'),
        ("si", b'H'),
        ("summarize", b's'),
        ("separate-dirs", b'S'),
        ("one-file-system", b'x'),
        ("exclude=", b'e'),
    ],
);
/// Most nodes counted by one call.
const MAX: usize = 60_000;

/// A directory whose entries are being counted.
struct Open {
    path: Vec<u8>,
    depth: usize,
    size: u64,
    left: Vec<(Vec<u8>, Stat)>,
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let depth = match options.value(b'd').map(|d| String::from_utf8_lossy(d).parse::<usize>()) {
        _ if options.has(b's') => 0,
        None => usize::MAX,
        Some(Ok(depth)) => depth,
        Some(Err(_)) => {
            let given = options.value(b'd').unwrap_or_default();
            return Err(proc.misused("invalid maximum depth", given).await);
        }
    };
    let apparent = options.has(b'b') || options.has(b'A');
    let weigh = |stat: &Stat| if apparent { stat.node.size() } else { stat.node.blocks() * 512 };
    let show = |bytes: u64| {
        if options.has(b'h') || options.has(b'H') {
            super::human(bytes)
        } else if options.has(b'b') {
            bytes.to_string()
        } else if options.has(b'm') {
            bytes.div_ceil(1 << 20).to_string()
        } else {
            bytes.div_ceil(1024).to_string()
        }
    };
    let mut paths = options.rest.clone();
    if paths.is_empty() {
        paths.push(b".".to_vec());
    }
    let (mut status, mut total, mut count) = (0, 0, 0);
    for path in paths {
        let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, &path, false));
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => {
                proc.fault("cannot access", &path, errno).await;
                status = 1;
                continue;
            }
        };
        let mut stack = vec![enter(proc, path, 0, &stat, weigh(&stat), &mut status).await];
        while let Some(top) = stack.last_mut() {
            count += 1;
            if count > MAX {
                break;
            }
            if count % 128 == 0 {
                proc.io.tick().await;
            }
            if let Some((path, stat)) = top.left.pop() {
                let inside = top.depth + 1;
                if stat.node.is_dir() {
                    let next = enter(proc, path, inside, &stat, weigh(&stat), &mut status).await;
                    stack.push(next);
                } else {
                    top.size += weigh(&stat);
                    if options.has(b'a') && inside <= depth {
                        let line = format!("{}\t", show(weigh(&stat)));
                        proc.out([line.as_bytes(), &path, b"\n"].concat()).await?;
                    }
                }
                continue;
            }
            let Some(done) = stack.pop() else { break };
            if done.depth <= depth {
                let line = format!("{}\t", show(done.size));
                proc.out([line.as_bytes(), &done.path, b"\n"].concat()).await?;
            }
            match stack.last_mut() {
                Some(above) => above.size += if options.has(b'S') { 0 } else { done.size },
                None => total += done.size,
            }
        }
    }
    if options.has(b'c') {
        proc.out(format!("{}\ttotal\n", show(total))).await?;
    }
    Ok(status)
}

async fn enter(
    proc: &Proc,
    path: Vec<u8>,
    depth: usize,
    stat: &Stat,
    size: u64,
    status: &mut u8,
) -> Open {
    let mut left = Vec::new();
    if matches!(stat.node.kind, Kind::Directory(_)) {
        let list = proc.host.with(|machine| {
            let list = machine.fs.list(&proc.user.creds, stat.ino)?;
            let stat = |(name, ino)| machine.fs.stat_ino(ino).map(|stat| (name, stat));
            Ok::<Vec<(Vec<u8>, Stat)>, crate::fs::Errno>(
                list.into_iter().filter_map(stat).collect(),
            )
        });
        match list {
            Ok(list) => {
                let join = |name: Vec<u8>| {
                    [path.strip_suffix(b"/").unwrap_or(&path), b"/", &name].concat()
                };
                left = list.into_iter().rev().map(|(name, stat)| (join(name), stat)).collect();
            }
            Err(errno) => {
                proc.fault("cannot read directory", &path, errno).await;
                *status = 1;
            }
        }
    }
    Open { path, depth, size, left }
}
