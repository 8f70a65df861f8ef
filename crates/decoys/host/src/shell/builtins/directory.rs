//! `cd` and `pwd`.

use crate::fs::{Access, Errno};
use crate::shell::interp::{Dialect, Flow, Interp};

pub(super) async fn cd(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let mut targets: Vec<Vec<u8>> = arguments
        .into_iter()
        .skip(1)
        .filter(|a| !matches!(a.as_slice(), b"-L" | b"-P" | b"--"))
        .collect();
    if targets.len() > 1 {
        return shell.fail("cd: too many arguments", 1).await;
    }
    let mut print = false;
    let target = match targets.pop() {
        None => match shell.variable("HOME") {
            Some(home) => home,
            None => return shell.fail("cd: HOME not set", 1).await,
        },
        Some(target) if target == b"-" => match shell.variable("OLDPWD") {
            Some(old) => {
                print = true;
                old
            }
            None => return shell.fail("cd: OLDPWD not set", 1).await,
        },
        Some(target) => target,
    };
    if target.is_empty() {
        shell.status = 0;
        return Flow::Next;
    }
    let path = shell.proc.absolute(&target);
    let creds = shell.proc.user.creds.clone();
    let found = shell.proc.host.with(|machine| {
        let ino = machine.fs.find(&creds, b"/", &path, true)?;
        let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
        if !node.is_dir() {
            return Err(Errno::NotDirectory);
        }
        if creds.may(node, Access::Execute) { Ok(()) } else { Err(Errno::Access) }
    });
    if let Err(errno) = found {
        let message = if shell.dialect == Dialect::Dash {
            [&b"cd: can't cd to "[..], &target].concat()
        } else {
            [&b"cd: "[..], &target, b": ", errno.text().as_bytes()].concat()
        };
        return shell.fail(message, if shell.dialect == Dialect::Dash { 2 } else { 1 }).await;
    }
    let old = std::mem::replace(&mut shell.proc.cwd, path.clone());
    shell.assign("OLDPWD", old);
    shell.assign("PWD", path.clone());
    shell.status = 0;
    if print {
        shell.say([&path[..], b"\n"].concat()).await;
    }
    Flow::Next
}

pub(super) async fn pwd(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    let line = [&shell.proc.cwd[..], b"\n"].concat();
    shell.say(line).await;
    Flow::Next
}
