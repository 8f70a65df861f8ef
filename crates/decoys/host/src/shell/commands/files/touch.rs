//! `touch`.

use base_model::Timestamp;

use crate::fs::Errno;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::commands::system::dates;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new(
        "acd:fhmr:t:",
        &[
            ("no-create", b'c'),
            ("date=", b'd'),
            ("no-dereference", b'h'),
            ("reference=", b'r'),
            ("time=", b'T'),
        ],
    );
    let options = read(proc, &accepts).await?;
    if options.rest.is_empty() {
        return Err(proc.unusable("missing file operand").await);
    }
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let reference = options.value(b'r').and_then(|path| {
        proc.host.with(|m| m.fs.stat(creds, &proc.cwd, path, true).ok()).map(|stat| stat.node.mtime)
    });
    let given = match options.value(b'd') {
        Some(text) => match dates::parse(&String::from_utf8_lossy(text), now) {
            Some(at) => Some(at),
            None => {
                proc.wrong("invalid date format", text).await;
                return Ok(1);
            }
        },
        None => match options.value(b't') {
            Some(text) => match stamp(text) {
                Some(at) => Some(at),
                None => {
                    proc.wrong("invalid date format", text).await;
                    return Ok(1);
                }
            },
            None => None,
        },
    };
    let at = reference.or(given).unwrap_or(now);
    let mut status = 0;
    for path in &options.rest {
        let touched = proc.host.with(|machine| {
            let ino = match machine.fs.find(creds, &proc.cwd, path, true) {
                Ok(ino) => ino,
                Err(Errno::NoEntry) if options.has(b'c') => return Ok(()),
                Err(_) => machine.fs.create(creds, &proc.cwd, path, 0o666 & !proc.umask, now)?,
            };
            let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
            let access = if options.has(b'm') && !options.has(b'a') { node.atime } else { at };
            let modify = if options.has(b'a') && !options.has(b'm') { node.mtime } else { at };
            machine.fs.set_times(creds, ino, access, modify, now)
        });
        if let Err(errno) = touched {
            proc.fault("cannot touch", path, errno).await;
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
