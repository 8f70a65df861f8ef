//! `crontab`.

use crate::fs::{Creds, Errno};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new("eilru:n", &[]);
const USAGE: &str = "usage:\tcrontab [-u user] file\n\tcrontab [ -u user ] [ -i ] { -e | -l | -r }\n\t\t(default operation is replace, per 1003.2)\n\t-e\t(edit user's crontab)\n\t-l\t(list user's crontab)\n\t-r\t(delete user's crontab)\n\t-i\t(prompt before deleting user's crontab)\n";
/// Longest crontab.
const MAX: usize = 256 * 1024;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let user = match options.value(b'u') {
        Some(user) => String::from_utf8_lossy(user).into_owned(),
        None => proc.user.name.clone(),
    };
    if user != proc.user.name && proc.user.creds.uid != 0 {
        proc.err("must be privileged to use -u\n").await;
        return Ok(1);
    }
    let Some(account) = proc.host.account(user.as_bytes()) else {
        proc.err(format!("crontab:  user `{user}' unknown\n")).await;
        return Ok(1);
    };
    let path = format!("/var/spool/cron/crontabs/{user}").into_bytes();
    let now = proc.io.now();
    // The program runs with the group of the crontabs.
    let root = Creds::root();
    match options.last_of(b"ler") {
        Some(b'l') => {
            let text = proc
                .host
                .with(|m| m.fs.find(&root, b"/", &path, true).map(|ino| m.fs.read(ino, 0, MAX)));
            match text {
                Ok(text) => proc.out(text).await?,
                Err(_) => {
                    proc.err(format!("no crontab for {user}\n")).await;
                    return Ok(1);
                }
            }
            Ok(0)
        }
        Some(b'r') => {
            let gone = proc.host.with(|m| m.fs.remove(&root, b"/", &path, false, now));
            if gone.is_err() {
                proc.err(format!("no crontab for {user}\n")).await;
                return Ok(1);
            }
            Ok(0)
        }
        Some(_) => {
            if !proc.in_is_tty() {
                proc.err(format!("no crontab for {user} - using an empty one\n/usr/bin/sensible-editor: 20: editor: not found\ncrontab: \"/usr/bin/sensible-editor\" exited with status 127\n")).await;
                return Ok(1);
            }
            proc.err("/usr/bin/sensible-editor: 20: editor: not found\ncrontab: \"/usr/bin/sensible-editor\" exited with status 127\n").await;
            Ok(1)
        }
        None => {
            let Some(file) = options.rest.first() else {
                if proc.in_is_tty() {
                    proc.err(USAGE).await;
                    return Ok(1);
                }
                return install(proc, b"-", &path, account.uid).await;
            };
            install(proc, file, &path, account.uid).await
        }
    }
}

async fn install(proc: &Proc, file: &[u8], path: &[u8], uid: u32) -> Outcome {
    let text = match proc.slurp(file).await {
        Ok(text) => text,
        Err(errno) => {
            let shown = String::from_utf8_lossy(file).into_owned();
            proc.err(format!("{shown}: {}\n", errno.text())).await;
            return Ok(1);
        }
    };
    let shown =
        if file == b"-" { "-".to_owned() } else { String::from_utf8_lossy(file).into_owned() };
    for (line, number) in text.split(|&b| b == b'\n').zip(0_u32..) {
        if let Some(what) = fault(&String::from_utf8_lossy(line)) {
            proc.err(format!(
                "\"{shown}\":{number}: bad {what}\nerrors in crontab file, can't install.\n"
            ))
            .await;
            return Ok(1);
        }
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        proc.err("new crontab file is missing newline before EOF, can't install.\n").await;
        return Ok(1);
    }
    let now = proc.io.now();
    let root = Creds::root();
    let written = proc.host.with(|machine| {
        let fs = &mut machine.fs;
        let ino = fs.create(&root, b"/", path, 0o600, now)?;
        fs.truncate(ino, 0, now)?;
        fs.write(ino, 0, text.get(..MAX).unwrap_or(&text), now)?;
        fs.chown(&root, ino, Some(uid), None, now)?;
        Ok::<(), Errno>(())
    });
    if let Err(errno) = written {
        proc.err(format!("crontabs/: mkstemp: {}\n", errno.text())).await;
        return Ok(1);
    }
    Ok(0)
}

/// What is wrong with a line: the name of the first field that is none.
fn fault(line: &str) -> Option<&'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    if line.starts_with('@') {
        let name = line.split_whitespace().next().unwrap_or_default();
        let known = [
            "@reboot",
            "@yearly",
            "@annually",
            "@monthly",
            "@weekly",
            "@daily",
            "@midnight",
            "@hourly",
        ];
        return (!known.contains(&name)).then_some("time specifier");
    }
    let first = line.split_whitespace().next().unwrap_or_default();
    if first.contains('=') || line.split_whitespace().nth(1).is_some_and(|w| w.starts_with('=')) {
        return None;
    }
    let fields: Vec<&str> = line.split_whitespace().collect();
    let names =
        [("minute", 59), ("hour", 23), ("day-of-month", 31), ("month", 12), ("day-of-week", 7)];
    for ((name, most), field) in
        names.iter().zip(fields.iter().map(Some).chain(std::iter::repeat(None)))
    {
        let good = field.is_some_and(|field| {
            field.split(',').all(|part| {
                let (range, step) = part.split_once('/').unwrap_or((part, "1"));
                let value = |text: &str| {
                    text.parse::<u32>().is_ok_and(|n| n <= *most)
                        || (*most <= 12
                            && *most >= 7
                            && text.len() == 3
                            && text.bytes().all(|b| b.is_ascii_alphabetic()))
                };
                let ranged = match range.split_once('-') {
                    Some((from, to)) => value(from) && value(to),
                    None => range == "*" || value(range),
                };
                ranged && step.parse::<u32>().is_ok_and(|n| n > 0)
            })
        });
        if !good {
            return Some(name);
        }
    }
    if fields.len() < 6 { Some("command") } else { None }
}
