//! `touch`.

use base_model::Timestamp;

use super::options::{Accepts, quoted, read};
use crate::fs::Errno;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts {
        short: "acmt:d:r:",
        long: &[("no-create", b'c'), ("date", b'd'), ("reference", b'r')],
        status: 1,
    };
    let options = read(proc, &accepts).await?;
    if options.rest.is_empty() {
        proc.err("touch: missing file operand\nTry 'touch --help' for more information.\n").await;
        return Ok(1);
    }
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let reference = options.value(b'r').and_then(|path| {
        proc.host.with(|m| m.fs.stat(creds, &proc.cwd, path, true).ok()).map(|stat| stat.node.mtime)
    });
    let at = reference.or_else(|| options.value(b't').and_then(stamp)).unwrap_or(now);
    let mut status = 0;
    for path in &options.rest {
        let touched = proc.host.with(|machine| {
            let ino = match machine.fs.find(creds, &proc.cwd, path, true) {
                Ok(ino) => ino,
                Err(Errno::NoEntry) if options.has(b'c') => return Ok(()),
                Err(_) => machine.fs.create(creds, &proc.cwd, path, 0o666 & !proc.umask, now)?,
            };
            machine.fs.set_times(creds, ino, at, at, now)
        });
        if let Err(errno) = touched {
            let text = [
                &b"touch: cannot touch "[..],
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

/// `[[CC]YY]MMDDhhmm[.ss]`.
fn stamp(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (text, second) = match text.split_once('.') {
        Some((head, second)) => (head, second.parse::<u8>().ok()?),
        None => (text, 0),
    };
    let (year, rest) = match text.len() {
        12 => (text.get(..4)?.parse::<i32>().ok()?, text.get(4..)?),
        10 => (2000 + text.get(..2)?.parse::<i32>().ok()?, text.get(2..)?),
        _ => return None,
    };
    let part = |from: usize| rest.get(from..from + 2)?.parse::<u8>().ok();
    let month = time::Month::try_from(part(0)?).ok()?;
    let date = time::Date::from_calendar_date(year, month, part(2)?).ok()?;
    Some(Timestamp::from_utc(date.with_hms(part(4)?, part(6)?, second).ok()?.assume_utc()))
}
