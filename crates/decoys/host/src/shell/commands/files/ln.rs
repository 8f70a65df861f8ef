//! `ln`.

use super::target::pairs;
use crate::fs::{Errno, Kind, base_name};
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "bfinLPrst:Tv",
    &[
        ("force", b'f'),
        ("no-dereference", b'n'),
        ("relative", b'r'),
        ("symbolic", b's'),
        ("target-directory=", b't'),
        ("no-target-directory", b'T'),
        ("verbose", b'v'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let mut options = read(proc, &ACCEPTS).await?;
    // A single operand is linked here under its own name.
    if let [only] = options.rest.as_slice()
        && options.value(b't').is_none()
    {
        let name = base_name(only).to_vec();
        options.rest.push(if name == b"." { b"./.".to_vec() } else { name });
    }
    let symbolic = options.has(b's');
    let now = proc.io.now();
    let creds = proc.user.creds.clone();
    let mut status = 0;
    for (target, path) in pairs(proc, &options).await? {
        let made = proc.host.with(|machine| {
            let fs = &mut machine.fs;
            if !symbolic && fs.find(&creds, &proc.cwd, &target, false).is_err() {
                return Err((true, Errno::NoEntry));
            }
            let refused = |errno| (false, errno);
            if options.has(b'f') && fs.find(&creds, &proc.cwd, &path, false).is_ok() {
                fs.remove(&creds, &proc.cwd, &path, false, now).map_err(refused)?;
            }
            if symbolic {
                let made = fs.make_link(&creds, &proc.cwd, &target, &path, now);
                return made.map(drop).map_err(refused);
            }
            // One node has one name here; a second name is a copy of what it holds.
            let ino = fs.find(&creds, &proc.cwd, &target, false).map_err(refused)?;
            if fs.find(&creds, &proc.cwd, &path, false).is_ok() {
                return Err((false, Errno::Exists));
            }
            match fs.node(ino).map(|node| (node.kind.clone(), node.mode)) {
                Some((Kind::File(_), mode)) => {
                    let bytes = fs.read(ino, 0, crate::shell::limits::SLURP);
                    let copy = fs.create(&creds, &proc.cwd, &path, mode, now).map_err(refused)?;
                    fs.write(copy, 0, &bytes, now).map_err(refused)
                }
                _ => Err((false, Errno::NotPermitted)),
            }
        });
        match made {
            Ok(()) if options.has(b'v') => {
                let arrow: &[u8] = if symbolic { b" -> " } else { b" => " };
                let line = [&quoted(&path)[..], arrow, &quoted(&target), b"\n"];
                proc.out(line.concat()).await?;
                continue;
            }
            Ok(()) => continue,
            Err((true, errno)) => proc.fault("failed to access", &target, errno).await,
            Err((false, Errno::NotPermitted)) => {
                let text = [&quoted(&target)[..], b": hard link not allowed for directory"];
                proc.say_err(text.concat()).await;
            }
            Err((false, errno)) => {
                let kind = if symbolic { "symbolic" } else { "hard" };
                proc.fault(&format!("failed to create {kind} link"), &path, errno).await;
            }
        }
        status = 1;
    }
    Ok(status)
}
