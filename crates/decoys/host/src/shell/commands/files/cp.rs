//! `cp`.

use super::target::pairs;
use crate::fs::{Errno, Kind, Node};
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::proc::{Outcome, Proc, Stop};

/// Most files copied by one call.
const MAX: usize = 10_000;
const PIECE: usize = 1 << 20;

const ACCEPTS: Accepts = Accepts::new(
    "abdfHilLnpPrRst:Tuv",
    &[
        ("archive", b'a'),
        ("force", b'f'),
        ("interactive", b'i'),
        ("dereference", b'L'),
        ("no-clobber", b'n'),
        ("no-dereference", b'P'),
        ("preserve?", b'p'),
        ("recursive", b'r'),
        ("target-directory=", b't'),
        ("no-target-directory", b'T'),
        ("update", b'u'),
        ("verbose", b'v'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let mut status = 0;
    for (path, to) in pairs(proc, &options).await? {
        if options.has(b'n')
            && proc.host.with(|m| m.fs.find(&proc.user.creds, &proc.cwd, &to, false)).is_ok()
        {
            continue;
        }
        if !copy(proc, &path, &to, &options).await? {
            status = 1;
        }
    }
    Ok(status)
}

async fn copy(proc: &Proc, from: &[u8], to: &[u8], options: &Options) -> Result<bool, Stop> {
    let recursive = options.has(b'r') || options.has(b'R') || options.has(b'a');
    let keep = options.has(b'p') || options.has(b'a');
    let mut todo = vec![(from.to_vec(), to.to_vec())];
    let mut good = true;
    let mut count = 0;
    while let Some((from, to)) = todo.pop() {
        count += 1;
        proc.io.tick().await;
        if count > MAX {
            return Ok(good);
        }
        match copy_one(proc, &from, &to, recursive, keep) {
            Ok(children) => {
                if children.is_none() {
                    proc.tell_written(&to, "cp");
                }
                if options.has(b'v') {
                    let line = [&quoted(&from)[..], b" -> ", &quoted(&to), b"\n"];
                    proc.out(line.concat()).await?;
                }
                for name in children.into_iter().flatten() {
                    todo.push(([&from[..], b"/", &name].concat(), [&to[..], b"/", &name].concat()));
                }
            }
            Err(message) => {
                proc.err([b"cp: ", &message[..], b"\n"].concat()).await;
                good = false;
            }
        }
    }
    Ok(good)
}

/// Copies one node; the names to copy below a directory.
fn copy_one(
    proc: &Proc,
    from: &[u8],
    to: &[u8],
    recursive: bool,
    keep: bool,
) -> Result<Option<Vec<Vec<u8>>>, Vec<u8>> {
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let why = |what: &str, path: &[u8], errno: Errno| {
        [what.as_bytes(), b" ", &quoted(path), b": ", errno.text().as_bytes()].concat()
    };
    let stat = proc.host.with(|m| m.fs.stat(creds, &proc.cwd, from, !recursive));
    let stat = stat.map_err(|errno| why("cannot stat", from, errno))?;
    match &stat.node.kind {
        Kind::Directory(_) if !recursive => {
            Err([&b"-r not specified; omitting directory "[..], &quoted(from)].concat())
        }
        Kind::Directory(_) => {
            let inside = proc.absolute(to);
            let outer = proc.absolute(from);
            if inside == outer || inside.starts_with(&[&outer[..], b"/"].concat()) {
                let text = [
                    &b"cannot copy a directory, "[..],
                    &quoted(from),
                    b", into itself, ",
                    &quoted(to),
                ];
                return Err(text.concat());
            }
            let list = proc.host.with(|machine| {
                match machine.fs.make_dir(creds, &proc.cwd, to, stat.node.mode & 0o777, now) {
                    Ok(_) | Err(Errno::Exists) => machine.fs.list(creds, stat.ino),
                    Err(errno) => Err(errno),
                }
            });
            let list = list.map_err(|errno| why("cannot create directory", to, errno))?;
            Ok(Some(list.into_iter().map(|(name, _)| name).collect()))
        }
        Kind::Symlink(target) => {
            let made = proc.host.with(|m| m.fs.make_link(creds, &proc.cwd, target, to, now));
            made.map(|_| None).map_err(|errno| why("cannot create symbolic link", to, errno))
        }
        Kind::File(_) | Kind::Device(_) => {
            proc.open(from).map_err(|errno| {
                [&b"cannot open "[..], &quoted(from), b" for reading: ", errno.text().as_bytes()]
                    .concat()
            })?;
            let copied = proc.host.with(|machine| {
                let mode = stat.node.mode & 0o777 & !proc.umask;
                let ino = machine.fs.create(creds, &proc.cwd, to, mode, now)?;
                if ino == stat.ino {
                    return Err(Errno::Exists);
                }
                machine.fs.truncate(ino, 0, now)?;
                let mut offset = 0;
                // A device has no end of its own.
                let limit = if matches!(stat.node.kind, Kind::Device(_)) { 0 } else { u64::MAX };
                while offset < limit {
                    let piece = machine.read(stat.ino, offset, PIECE, now);
                    if piece.is_empty() {
                        break;
                    }
                    machine.fs.write(ino, offset, &piece, now)?;
                    offset += piece.len() as u64;
                }
                if keep {
                    let Node { atime, mtime, mode, .. } = stat.node;
                    machine.fs.chmod(creds, ino, mode, now)?;
                    machine.fs.set_times(creds, ino, atime, mtime, now)?;
                }
                Ok(())
            });
            match copied {
                Ok(()) => Ok(None),
                Err(Errno::Exists) => {
                    Err([&quoted(from)[..], b" and ", &quoted(to), b" are the same file"].concat())
                }
                Err(errno @ Errno::NoSpace) => Err(why("error writing", to, errno)),
                Err(errno) => Err(why("cannot create regular file", to, errno)),
            }
        }
    }
}
