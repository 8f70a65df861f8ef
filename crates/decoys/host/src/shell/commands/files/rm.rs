//! `rm`.

use crate::fs::{Errno, Kind, base_name};
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc, Stop};

/// Most entries removed by one call.
const MAX: usize = 50_000;

/// What could not be removed, and why.
type Failure = (Vec<u8>, Errno);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new(
        "rRfivdI",
        &[
            ("recursive", b'r'),
            ("force", b'f'),
            ("dir", b'd'),
            ("interactive?", b'I'),
            ("one-file-system", b'1'),
            ("preserve-root?", b'2'),
            ("no-preserve-root", b'P'),
            ("verbose", b'v'),
        ],
    );
    let options = read(proc, &accepts).await?;
    let force = options.has(b'f');
    let recursive = options.has(b'r') || options.has(b'R');
    if options.rest.is_empty() {
        return if force { Ok(0) } else { Err(proc.missing_operand().await) };
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
        let failed = remove(proc, path, recursive, options.has(b'v')).await?;
        if let Err((path, errno)) = failed
            && !(force && errno == Errno::NoEntry)
        {
            proc.fault("cannot remove", &path, errno).await;
            status = 1;
        }
    }
    Ok(status)
}

async fn remove(
    proc: &Proc,
    path: &[u8],
    recursive: bool,
    verbose: bool,
) -> Result<Result<(), Failure>, Stop> {
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
            Ok(None) if verbose => {
                let kind: &[u8] = if emptied { b"removed directory " } else { b"removed " };
                proc.out([kind, &quoted(&path), b"\n"].concat()).await?;
            }
            Ok(None) => {}
            Err(errno) => {
                failed.get_or_insert((path, errno));
            }
        }
    }
    Ok(failed.map_or(Ok(()), Err))
}
