//! `tr` and `cut`.

use super::options::{Accepts, missing_operand, read};
use crate::shell::pattern::class;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "cut" { cut(proc).await } else { tr(proc).await }
}

/// The bytes a set of `tr` stands for.
fn set(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    super::echo::unescape(text, &mut plain);
    let mut out: Vec<u8> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = plain.get(at) {
        if let Some(rest) = plain.get(at..).and_then(|rest| rest.strip_prefix(b"[:"))
            && let Some(end) = rest.windows(2).position(|w| w == b":]")
        {
            let name = rest.get(..end).unwrap_or_default();
            out.extend((0..=255).filter(|b| class(name, *b)));
            at += end + 4;
        } else if let (Some(b'-'), Some(&high)) = (plain.get(at + 1), plain.get(at + 2)) {
            out.extend(byte..=high);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

async fn tr(proc: &mut Proc) -> Outcome {
    let accepts = Accepts {
        short: "dscC",
        long: &[("delete", b'd'), ("squeeze-repeats", b's'), ("complement", b'c')],
        status: 1,
    };
    let options = read(proc, &accepts).await?;
    let Some(first) = options.rest.first() else { return Err(missing_operand(proc).await) };
    let mut from = set(first);
    if options.has(b'c') || options.has(b'C') {
        from = (0..=255).filter(|b| !from.contains(b)).collect();
    }
    let to = options.rest.get(1).map(|second| set(second)).unwrap_or_default();
    let delete = options.has(b'd');
    let squeeze = options.has(b's').then(|| if to.is_empty() { from.clone() } else { to.clone() });
    let map = |byte: u8| match from.iter().position(|b| *b == byte) {
        Some(at) if !delete => to.get(at).or_else(|| to.last()).copied().or(Some(byte)),
        Some(_) => None,
        None => Some(byte),
    };
    let mut last = None;
    loop {
        let piece = proc.read(64 * 1024).await;
        if piece.is_empty() {
            return Ok(0);
        }
        let mut out = Vec::with_capacity(piece.len());
        for byte in piece.into_iter().filter_map(map) {
            if last == Some(byte) && squeeze.as_ref().is_some_and(|set| set.contains(&byte)) {
                continue;
            }
            last = Some(byte);
            out.push(byte);
        }
        proc.out(out).await?;
    }
}

/// `1,3-5,7-` as ranges.
fn ranges(text: &[u8]) -> Option<Vec<(usize, usize)>> {
    let text = std::str::from_utf8(text).ok()?;
    let part = |part: &str| -> Option<(usize, usize)> {
        match part.split_once('-') {
            None => part.parse().ok().map(|n| (n, n)),
            Some((from, to)) => {
                let from = if from.is_empty() { 1 } else { from.parse().ok()? };
                let to = if to.is_empty() { usize::MAX } else { to.parse().ok()? };
                Some((from, to))
            }
        }
    };
    text.split(',').map(part).collect()
}

async fn cut(proc: &mut Proc) -> Outcome {
    let accepts =
        Accepts { short: "d:f:c:b:s", long: &[("delimiter", b'd'), ("fields", b'f')], status: 1 };
    let options = read(proc, &accepts).await?;
    let list = options.value(b'f').or_else(|| options.value(b'c')).or_else(|| options.value(b'b'));
    let Some(ranges) = list.and_then(ranges) else {
        proc.err("cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.\n").await;
        return Ok(1);
    };
    let by_field = options.value(b'f').is_some();
    let delimiter = options.value(b'd').and_then(|d| d.first().copied()).unwrap_or(b'\t');
    let wanted = |at: usize| ranges.iter().any(|(from, to)| (*from..=*to).contains(&(at + 1)));
    let mut files = options.rest.clone();
    if files.is_empty() {
        files.push(b"-".to_vec());
    }
    for file in &files {
        let text = match proc.slurp(file).await {
            Ok(text) => text,
            Err(errno) => {
                proc.complain(file, errno.text()).await;
                return Ok(1);
            }
        };
        let mut out = Vec::new();
        for line in text.split_inclusive(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if !by_field {
                out.extend(line.iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, b)| *b));
            } else if line.contains(&delimiter) {
                let fields = line.split(|&b| b == delimiter).enumerate();
                let kept: Vec<&[u8]> =
                    fields.filter(|(at, _)| wanted(*at)).map(|(_, field)| field).collect();
                out.extend(kept.join(&delimiter));
            } else if !options.has(b's') {
                out.extend_from_slice(line);
            } else {
                continue;
            }
            out.push(b'\n');
        }
        proc.out(out).await?;
    }
    Ok(0)
}
