//! `readlink` and `realpath`.

use crate::fs::{Errno, Kind, base_name, join, parent_of};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "efmnqsvzLP",
    &[
        ("canonicalize", b'f'),
        ("canonicalize-existing", b'e'),
        ("canonicalize-missing", b'm'),
        ("no-newline", b'n'),
        ("quiet", b'q'),
        ("silent", b's'),
        ("strip", b's'),
        ("verbose", b'v'),
        ("zero", b'z'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let link_only = proc.name() == "readlink";
    let options = read(proc, &ACCEPTS).await?;
    if options.rest.is_empty() {
        return Err(proc.missing_operand().await);
    }
    let kind = options.last_of(b"efm").unwrap_or(if link_only { b'l' } else { b'f' });
    let mut status = 0;
    for path in &options.rest {
        match resolved(proc, path, kind) {
            Ok(mut real) => {
                if options.has(b'z') {
                    real.push(0);
                } else if !(options.has(b'n') && link_only && options.rest.len() == 1) {
                    real.push(b'\n');
                }
                proc.out(real).await?;
            }
            Err(errno) => {
                if !link_only && !options.has(b'q') || options.has(b'v') {
                    proc.unreadable(path, errno).await;
                }
                status = 1;
            }
        }
    }
    Ok(status)
}

fn resolved(proc: &Proc, path: &[u8], kind: u8) -> Result<Vec<u8>, Errno> {
    let creds = &proc.user.creds;
    proc.host.with(|machine| {
        if kind == b'l' {
            let stat = machine.fs.stat(creds, &proc.cwd, path, false)?;
            return match stat.node.kind {
                Kind::Symlink(target) => Ok(target),
                _ => Err(Errno::Invalid),
            };
        }
        match machine.fs.real_path(creds, &proc.cwd, path) {
            // The last part need not exist, with `-m` nothing need.
            Err(Errno::NoEntry) if kind == b'm' => Ok(proc.absolute(path)),
            Err(Errno::NoEntry) if kind == b'f' => {
                let full = join(&proc.cwd, path);
                let full = full.strip_suffix(b"/").unwrap_or(&full);
                let parent = machine.fs.real_path(creds, b"/", parent_of(full))?;
                Ok(join(&parent, base_name(full)))
            }
            other => other,
        }
    })
}
