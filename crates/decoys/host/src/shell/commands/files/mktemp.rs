//! `mktemp` and `cmp`.

use crate::fs::{Device, Errno};
use crate::shell::commands::complaint::typed;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "dp:qtuV",
    &[
        ("directory", b'd'),
        ("dry-run", b'u'),
        ("quiet", b'q'),
        ("suffix=", b's'),
        ("tmpdir?", b'p'),
    ],
);
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `mktemp`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    if options.rest.len() > 1 {
        return Err(proc.unusable("too many templates").await);
    }
    let given = options.rest.first().cloned();
    let template = given.clone().unwrap_or_else(|| b"tmp.XXXXXXXXXX".to_vec());
    let suffix = options.value(b's').unwrap_or_default();
    let end = template.iter().rposition(|&b| b == b'X').map_or(0, |at| at + 1);
    let run =
        template.get(..end).unwrap_or_default().iter().rev().take_while(|b| **b == b'X').count();
    if run < 3 {
        let text = [&b"too few X's in template "[..], &typed(&template)].concat();
        proc.say_err(text).await;
        return Ok(1);
    }
    let random = proc.host.with(|machine| machine.read_device(Device::Random, run));
    let mut name = template.clone();
    for (slot, byte) in name.iter_mut().skip(end - run).take(run).zip(random) {
        *slot = ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied().unwrap_or(b'x');
    }
    name.extend_from_slice(suffix);
    if given.is_none() || options.has(b'p') || options.has(b't') {
        let directory = match options.value(b'p').filter(|p| !p.is_empty()) {
            Some(directory) => directory.to_vec(),
            None => proc.env.get("TMPDIR").cloned().unwrap_or_else(|| b"/tmp".to_vec()),
        };
        name = [directory.strip_suffix(b"/").unwrap_or(&directory), b"/", &name].concat();
    }
    if !options.has(b'u') {
        let now = proc.io.now();
        let made = proc.host.with(|machine| {
            let (creds, cwd) = (&proc.user.creds, &proc.cwd);
            if options.has(b'd') {
                machine.fs.make_dir(creds, cwd, &name, 0o700, now).map(drop)
            } else {
                machine.fs.create(creds, cwd, &name, 0o600, now).map(drop)
            }
        });
        if let Err(errno) = made {
            let kind = if options.has(b'd') { "directory" } else { "file" };
            if !options.has(b'q') {
                let head = format!("failed to create {kind} via template ");
                let tail = format!(": {}", errno.text());
                proc.say_err([head.as_bytes(), &typed(&template), tail.as_bytes()].concat()).await;
            }
            return Ok(1);
        }
    }
    name.push(b'\n');
    proc.out(name).await?;
    Ok(0)
}

/// `cmp`.
pub(in crate::shell::commands) async fn cmp(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts =
        Accepts::new("bi:ln:s", &[("quiet", b's'), ("silent", b's'), ("verbose", b'l')]).status(2);
    let options = read(proc, &ACCEPTS).await?;
    let (left, right) = match options.rest.as_slice() {
        [] => {
            proc.err(
                "cmp: missing operand after 'cmp'\ncmp: Try 'cmp --help' for more information.\n",
            )
            .await;
            return Ok(2);
        }
        [left] => (left.clone(), b"-".to_vec()),
        [left, right, ..] => (left.clone(), right.clone()),
    };
    let mut texts = Vec::new();
    for file in [&left, &right] {
        match proc.slurp(file).await {
            Ok(text) => texts.push(text),
            Err(errno) => {
                if !(options.has(b's') && errno == Errno::NoEntry) {
                    proc.unreadable(file, errno).await;
                }
                return Ok(2);
            }
        }
    }
    let [a, b] = texts.as_slice() else { return Ok(2) };
    proc.io.spend((a.len() + b.len()) / 1024);
    let shown = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    if options.has(b'l') {
        let width = a.len().max(b.len()).to_string().len();
        let mut out = String::new();
        for (at, (x, y)) in a.iter().zip(b).enumerate().filter(|(_, (x, y))| x != y).take(100_000) {
            out.push_str(&format!("{:>width$} {x:>3o} {y:>3o}\n", at + 1));
        }
        proc.out(out).await?;
    }
    let first = a.iter().zip(b).position(|(x, y)| x != y);
    if let Some(at) = first {
        if !options.has(b's') && !options.has(b'l') {
            let line = a.iter().take(at).filter(|b| **b == b'\n').count() + 1;
            proc.out(format!(
                "{} {} differ: byte {}, line {line}\n",
                shown(&left),
                shown(&right),
                at + 1
            ))
            .await?;
        }
        return Ok(1);
    }
    if a.len() == b.len() {
        return Ok(0);
    }
    if !options.has(b's') {
        let (short, text) = if a.len() < b.len() { (&left, a) } else { (&right, b) };
        let lines = text.iter().filter(|b| **b == b'\n').count();
        let place = if text.is_empty() {
            " which is empty".to_owned()
        } else if text.ends_with(b"\n") {
            format!(" after byte {}, line {lines}", text.len())
        } else {
            format!(" after byte {}, in line {}", text.len(), lines + 1)
        };
        proc.err(format!("cmp: EOF on {}{place}\n", shown(short))).await;
    }
    Ok(1)
}
