//! `date`.

use super::dates;
use crate::clock;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "d:f:I::r:Rs:u",
    &[
        ("date=", b'd'),
        ("iso-8601?", b'I'),
        ("reference=", b'r'),
        ("rfc-email", b'R'),
        ("rfc-2822", b'R'),
        ("rfc-3339=", b'3'),
        ("set=", b's'),
        ("utc", b'u'),
        ("universal", b'u'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let now = proc.io.now();
    let mut at = now;
    let given = options.value(b'd').or_else(|| options.value(b's'));
    if let Some(text) = given {
        match dates::parse(&String::from_utf8_lossy(text), now) {
            Some(parsed) => at = parsed,
            None => {
                proc.wrong("invalid date", text).await;
                return Ok(1);
            }
        }
    }
    if let Some(path) = options.value(b'r') {
        let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, true));
        match stat {
            Ok(stat) => at = stat.node.mtime,
            Err(errno) => {
                proc.unreadable(path, errno).await;
                return Ok(1);
            }
        }
    }
    let mut format = "%a %b %e %H:%M:%S %Z %Y".to_owned();
    if options.has(b'R') {
        format = "%a, %d %b %Y %H:%M:%S %z".to_owned();
    } else if let Some(kind) = options.value(b'I') {
        format = match kind {
            b"hours" => "%Y-%m-%dT%H+00:00",
            b"minutes" => "%Y-%m-%dT%H:%M+00:00",
            b"seconds" => "%Y-%m-%dT%H:%M:%S+00:00",
            b"ns" => "%Y-%m-%dT%H:%M:%S,%N+00:00",
            _ => "%F",
        }
        .to_owned();
    } else if let Some(kind) = options.value(b'3') {
        format = if kind == b"date" { "%F" } else { "%F %T+00:00" }.to_owned();
    }
    for operand in &options.rest {
        match operand.strip_prefix(b"+") {
            Some(custom) => format = String::from_utf8_lossy(custom).into_owned(),
            None => {
                proc.wrong("invalid date", operand).await;
                return Ok(1);
            }
        }
    }
    if options.has(b's') {
        // The clock of a virtual machine is its host's.
        proc.say_err("cannot set date: Operation not permitted").await;
        proc.out(format!("{}\n", clock::format(at, &format))).await?;
        return Ok(1);
    }
    proc.out(format!("{}\n", clock::format(at, &format))).await?;
    Ok(0)
}
