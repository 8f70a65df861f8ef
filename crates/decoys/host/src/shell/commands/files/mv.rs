//! `mv`.

use super::target::pairs;
use crate::fs::Errno;
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "bfint:Tuv",
    &[
        ("force", b'f'),
        ("interactive", b'i'),
        ("no-clobber", b'n'),
        ("target-directory=", b't'),
        ("no-target-directory", b'T'),
        ("update", b'u'),
        ("verbose", b'v'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let now = proc.io.now();
    let creds = proc.user.creds.clone();
    let mut status = 0;
    for (path, to) in pairs(proc, &options).await? {
        if options.has(b'n') && proc.host.with(|m| m.fs.find(&creds, &proc.cwd, &to, false)).is_ok()
        {
            continue;
        }
        let moved = proc.host.with(|machine| {
            let from = machine.fs.find(&creds, &proc.cwd, &path, false).map_err(|e| (true, e))?;
            if machine.fs.find(&creds, &proc.cwd, &to, false) == Ok(from) {
                return Err((false, Errno::Exists));
            }
            machine.fs.rename(&creds, &proc.cwd, &path, &to, now).map_err(|e| (false, e))
        });
        match moved {
            Ok(()) => {
                proc.tell_written(&to, "mv");
                if options.has(b'v') {
                    let line = [b"renamed ", &quoted(&path)[..], b" -> ", &quoted(&to), b"\n"];
                    proc.out(line.concat()).await?;
                }
                continue;
            }
            Err((true, errno)) => proc.fault("cannot stat", &path, errno).await,
            Err((false, Errno::Exists)) => {
                let text = [&quoted(&path)[..], b" and ", &quoted(&to), b" are the same file"];
                proc.say_err(text.concat()).await;
            }
            Err((false, Errno::Invalid)) => {
                let text = [
                    &b"cannot move "[..],
                    &quoted(&path),
                    b" to a subdirectory of itself, ",
                    &quoted(&to),
                ];
                proc.say_err(text.concat()).await;
            }
            Err((false, errno)) => {
                let text = [
                    &b"cannot move "[..],
                    &quoted(&path),
                    b" to ",
                    &quoted(&to),
                    b": ",
                    errno.text().as_bytes(),
                ];
                proc.say_err(text.concat()).await;
            }
        }
        status = 1;
    }
    Ok(status)
}
