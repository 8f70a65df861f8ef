//! `mv` and `ln`.

use super::options::{Accepts, quoted, read};
use crate::fs::{Errno, Kind, base_name};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "ln" {
        return ln(proc).await;
    }
    let accepts =
        Accepts { short: "fivnut:T", long: &[("force", b'f'), ("verbose", b'v')], status: 1 };
    let options = read(proc, &accepts).await?;
    let mut paths = options.rest;
    let Some(target) = paths.pop() else {
        proc.err("mv: missing file operand\nTry 'mv --help' for more information.\n").await;
        return Ok(1);
    };
    if paths.is_empty() {
        let text = [
            &b"mv: missing destination file operand after "[..],
            &quoted(&target),
            b"\nTry 'mv --help' for more information.\n",
        ];
        proc.err(text.concat()).await;
        return Ok(1);
    }
    let now = proc.io.now();
    let creds = proc.user.creds.clone();
    let into = proc
        .host
        .with(|m| m.fs.stat(&creds, &proc.cwd, &target, true).is_ok_and(|s| s.node.is_dir()));
    if paths.len() > 1 && !into {
        let text = [
            &b"mv: target "[..],
            &quoted(&target),
            b": ",
            Errno::NotDirectory.text().as_bytes(),
            b"\n",
        ]
        .concat();
        proc.err(text).await;
        return Ok(1);
    }
    let mut status = 0;
    for path in paths {
        let to = if into { [&target[..], b"/", base_name(&path)].concat() } else { target.clone() };
        let moved = proc.host.with(|machine| {
            machine.fs.find(&creds, &proc.cwd, &path, false).map_err(|errno| (true, errno))?;
            machine.fs.rename(&creds, &proc.cwd, &path, &to, now).map_err(|errno| (false, errno))
        });
        match moved {
            Ok(()) => proc.tell_written(&to, "mv"),
            Err((missing, errno)) => {
                let text = if missing {
                    [
                        &b"mv: cannot stat "[..],
                        &quoted(&path),
                        b": ",
                        errno.text().as_bytes(),
                        b"\n",
                    ]
                    .concat()
                } else {
                    [
                        &b"mv: cannot move "[..],
                        &quoted(&path),
                        b" to ",
                        &quoted(&to),
                        b": ",
                        errno.text().as_bytes(),
                        b"\n",
                    ]
                    .concat()
                };
                proc.err(text).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

async fn ln(proc: &mut Proc) -> Outcome {
    let accepts =
        Accepts { short: "sfnrvT", long: &[("symbolic", b's'), ("force", b'f')], status: 1 };
    let options = read(proc, &accepts).await?;
    let (target, mut path) = match options.rest.as_slice() {
        [target, path] => (target.clone(), path.clone()),
        [target] => (target.clone(), base_name(target).to_vec()),
        _ => {
            proc.err("ln: missing file operand\nTry 'ln --help' for more information.\n").await;
            return Ok(1);
        }
    };
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let made = proc.host.with(|machine| {
        let fs = &mut machine.fs;
        if fs.stat(creds, &proc.cwd, &path, true).is_ok_and(|s| s.node.is_dir()) {
            path = [&path[..], b"/", base_name(&target)].concat();
        }
        if options.has(b'f') && fs.find(creds, &proc.cwd, &path, false).is_ok() {
            fs.remove(creds, &proc.cwd, &path, false, now)?;
        }
        if options.has(b's') {
            return fs.make_link(creds, &proc.cwd, &target, &path, now).map(|_| ());
        }
        // One node has one name here; a second name is a copy of what it holds.
        let ino = fs.find(creds, &proc.cwd, &target, false)?;
        match fs.node(ino).map(|node| (node.kind.clone(), node.mode)) {
            Some((Kind::File(_), mode)) => {
                let bytes = fs.read(ino, 0, crate::shell::limits::SLURP);
                let copy = fs.create(creds, &proc.cwd, &path, mode, now)?;
                fs.write(copy, 0, &bytes, now)
            }
            _ => Err(Errno::NotPermitted),
        }
    });
    match made {
        Ok(()) => Ok(0),
        Err(errno) => {
            let kind = if options.has(b's') { "symbolic " } else { "hard " };
            let text = [
                b"ln: failed to create ",
                kind.as_bytes(),
                b"link ",
                &quoted(&path),
                b": ",
                errno.text().as_bytes(),
                b"\n",
            ];
            proc.err(text.concat()).await;
            Ok(1)
        }
    }
}
