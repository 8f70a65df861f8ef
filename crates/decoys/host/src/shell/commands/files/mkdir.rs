//! `mkdir`.

use crate::fs::Errno;
use crate::shell::commands::complaint::{quoted, typed};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new("pm:v", &[("parents", b'p'), ("mode=", b'm'), ("verbose", b'v')]);
    let options = read(proc, &accepts).await?;
    if options.rest.is_empty() {
        return Err(proc.missing_operand().await);
    }
    let mode =
        options.value(b'm').and_then(|m| u16::from_str_radix(&String::from_utf8_lossy(m), 8).ok());
    let mode = mode.unwrap_or(0o777 & !proc.umask);
    let mut status = 0;
    for path in &options.rest {
        let made = if options.has(b'p') {
            make_all(proc, path, mode)
        } else {
            make(proc, path, mode).map(|()| vec![path.clone()])
        };
        match made {
            Ok(made) if options.has(b'v') => {
                for path in made {
                    let text = [
                        &b"mkdir: created directory "[..],
                        &quoted(&path),
                        b"
",
                    ]
                    .concat();
                    proc.out(text).await?;
                }
            }
            Ok(_) => {}
            Err(errno) => {
                let text = [
                    &b"mkdir: cannot create directory "[..],
                    &typed(path),
                    b": ",
                    errno.text().as_bytes(),
                    b"\n",
                ];
                proc.err(text.concat()).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

fn make(proc: &Proc, path: &[u8], mode: u16) -> Result<(), Errno> {
    let now = proc.io.now();
    let made = proc.host.with(|m| m.fs.make_dir(&proc.user.creds, &proc.cwd, path, mode, now));
    match made {
        Ok(_) => Ok(()),
        // Nothing can be made below `/proc` and `/sys`, whoever asks.
        Err(Errno::NotPermitted) => Err(Errno::NoEntry),
        Err(errno) => Err(errno),
    }
}

/// Makes all directories of `path` that are not there; those it made.
fn make_all(proc: &Proc, path: &[u8], mode: u16) -> Result<Vec<Vec<u8>>, Errno> {
    let mut made = Vec::new();
    let mut prefix = if path.starts_with(b"/") { b"/".to_vec() } else { Vec::new() };
    for part in path.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
        if !prefix.is_empty() && !prefix.ends_with(b"/") {
            prefix.push(b'/');
        }
        prefix.extend_from_slice(part);
        match make(proc, &prefix, mode) {
            Ok(()) => made.push(prefix.clone()),
            Err(Errno::Exists) => {
                let stat =
                    proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, &prefix, true));
                if !stat.is_ok_and(|stat| stat.node.is_dir()) {
                    return Err(Errno::Exists);
                }
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(made)
}
