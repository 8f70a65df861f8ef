//! `mkdir`.

use super::options::{Accepts, missing_operand, quoted, read};
use crate::fs::Errno;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts {
        short: "pm:v",
        long: &[("parents", b'p'), ("mode", b'm'), ("verbose", b'v')],
        status: 1,
    };
    let options = read(proc, &accepts).await?;
    if options.rest.is_empty() {
        return Err(missing_operand(proc).await);
    }
    let mode =
        options.value(b'm').and_then(|m| u16::from_str_radix(&String::from_utf8_lossy(m), 8).ok());
    let mode = mode.unwrap_or(0o777 & !proc.umask);
    let mut status = 0;
    for path in &options.rest {
        let made =
            if options.has(b'p') { make_all(proc, path, mode) } else { make(proc, path, mode) };
        match made {
            Ok(()) if options.has(b'v') => {
                let text = [&b"mkdir: created directory "[..], &quoted(path), b"\n"].concat();
                proc.out(text).await?;
            }
            Ok(()) => {}
            Err(errno) => {
                let text = [
                    &b"mkdir: cannot create directory "[..],
                    &shown(path),
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

/// `mkdir` uses typographic quotes in a UTF-8 locale.
fn shown(path: &[u8]) -> Vec<u8> {
    ["‘".as_bytes(), path, "’".as_bytes()].concat()
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

fn make_all(proc: &Proc, path: &[u8], mode: u16) -> Result<(), Errno> {
    let full = proc.absolute(path);
    let mut prefix = Vec::new();
    for part in full.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
        prefix.push(b'/');
        prefix.extend_from_slice(part);
        match make(proc, &prefix, mode) {
            Ok(()) => {}
            Err(Errno::Exists) => {
                let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, b"/", &prefix, true));
                if !stat.is_ok_and(|stat| stat.node.is_dir()) {
                    return Err(Errno::Exists);
                }
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
