//! `rm` and `rmdir`.

use super::options::{Accepts, missing_operand, quoted, read};
use crate::fs::{Errno, Kind, base_name};
use crate::shell::proc::{Outcome, Proc};

/// Most entries removed by one call.
const MAX: usize = 50_000;

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "rmdir" {
        return rmdir(proc).await;
    }
    let accepts = Accepts {
        short: "rRfivdI",
        long: &[
            ("recursive", b'r'),
            ("force", b'f'),
            ("no-preserve-root", b'P'),
            ("verbose", b'v'),
        ],
        status: 1,
    };
    let options = read(proc, &accepts).await?;
    let force = options.has(b'f');
    let recursive = options.has(b'r') || options.has(b'R');
    if options.rest.is_empty() {
        return if force { Ok(0) } else { Err(missing_operand(proc).await) };
    }
    let mut status = 0;
    for path in &options.rest {
        if recursive && proc.absolute(path) == b"/" && !options.has(b'P') {
            proc.err("rm: it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe\n").await;
            status = 1;
            continue;
        }
        if recursive && matches!(base_name(path), b"." | b"..") {
            let text = [
                &b"rm: refusing to remove '.' or '..' directory: skipping "[..],
                &quoted(path),
                b"\n",
            ]
            .concat();
            proc.err(text).await;
            status = 1;
            continue;
        }
        if let Err((path, errno)) = remove(proc, path, recursive).await
            && !(force && errno == Errno::NoEntry)
        {
            let text =
                [&b"rm: cannot remove "[..], &quoted(&path), b": ", errno.text().as_bytes(), b"\n"]
                    .concat();
            proc.err(text).await;
            status = 1;
        }
    }
    Ok(status)
}

type Failure = (Vec<u8>, Errno);

async fn remove(proc: &Proc, path: &[u8], recursive: bool) -> Result<(), Failure> {
    let now = proc.io.now();
    let creds = &proc.user.creds;
    // Each directory twice: to list it, then to remove it.
    let mut todo = vec![(path.to_vec(), false)];
    let mut count = 0;
    let mut failed = None;
    while let Some((path, emptied)) = todo.pop() {
        count += 1;
        if count > MAX {
            break;
        }
        if count % 64 == 0 {
            proc.io.tick().await;
        }
        let step = proc.host.with(|machine| {
            let ino = machine.fs.find(creds, &proc.cwd, &path, false)?;
            let directory =
                matches!(machine.fs.node(ino).map(|n| &n.kind), Some(Kind::Directory(_)));
            if directory && !recursive {
                return Err(Errno::IsDirectory);
            }
            if directory && !emptied {
                return machine.fs.list(creds, ino).map(Some);
            }
            machine.fs.remove(creds, &proc.cwd, &path, directory, now).map(|()| None)
        });
        match step {
            Ok(Some(entries)) => {
                todo.push((path.clone(), true));
                let join = |name: &[u8]| [&path[..], b"/", name].concat();
                todo.extend(entries.iter().map(|(name, _)| (join(name), false)));
            }
            Ok(None) => {}
            Err(errno) => {
                failed.get_or_insert((path, errno));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn rmdir(proc: &mut Proc) -> Outcome {
    let options =
        read(proc, &Accepts { short: "pv", long: &[("parents", b'p')], status: 1 }).await?;
    if options.rest.is_empty() {
        return Err(missing_operand(proc).await);
    }
    let now = proc.io.now();
    let mut status = 0;
    for path in &options.rest {
        let removed = proc.host.with(|m| m.fs.remove(&proc.user.creds, &proc.cwd, path, true, now));
        if let Err(errno) = removed {
            let text = [
                &b"rmdir: failed to remove "[..],
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
    Ok(status)
}
