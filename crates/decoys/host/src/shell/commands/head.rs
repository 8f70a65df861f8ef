//! `head` and `tail`.

use super::options::quoted;
use crate::shell::proc::{Outcome, Proc};

/// What to show.
#[derive(Clone, Copy)]
struct Amount {
    count: u64,
    bytes: bool,
    /// `tail -n +N`: from there on. `head -n -N`: all but so many.
    other_way: bool,
}

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let tail = proc.name() == "tail";
    let mut amount = Amount { count: 10, bytes: false, other_way: false };
    let (mut follow, mut quiet, mut verbose) = (false, false, false);
    let mut files = Vec::new();
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        let text = String::from_utf8_lossy(&argument).into_owned();
        match text.as_bytes() {
            [b'-', b'n' | b'c', ..] | [b'-', b'-', ..] => {
                amount.bytes = text.starts_with("-c") || text.starts_with("--bytes");
                let value = match text.split_once('=') {
                    Some((_, value)) => value.to_owned(),
                    None if text.len() > 2 && !text.starts_with("--") => {
                        text.get(2..).unwrap_or_default().to_owned()
                    }
                    None if text.starts_with("--")
                        && !text.contains("lines")
                        && !text.contains("bytes") =>
                    {
                        follow |= text == "--follow";
                        continue;
                    }
                    None => {
                        String::from_utf8_lossy(&arguments.next().unwrap_or_default()).into_owned()
                    }
                };
                let digits = value.trim_start_matches(['+', '-']);
                amount.other_way = value.starts_with(if tail { '+' } else { '-' });
                match number(digits) {
                    Some(count) => amount.count = count,
                    None => {
                        let kind = if amount.bytes { "bytes" } else { "lines" };
                        let text = format!("{}: invalid number of {kind}: ", proc.name());
                        proc.err([text.as_bytes(), &quoted(value.as_bytes()), b"\n"].concat())
                            .await;
                        return Ok(1);
                    }
                }
            }
            [b'-', first, ..] if first.is_ascii_digit() => {
                amount.count = text.get(1..).and_then(number).unwrap_or(10);
            }
            [b'-', letters @ ..] if !letters.is_empty() => {
                follow |= letters.contains(&b'f') || letters.contains(&b'F');
                quiet |= letters.contains(&b'q');
                verbose |= letters.contains(&b'v');
            }
            _ => files.push(argument),
        }
    }
    if files.is_empty() {
        files.push(b"-".to_vec());
    }
    let titled = (files.len() > 1 || verbose) && !quiet;
    let mut status = 0;
    let mut first = true;
    for file in &files {
        let mut source = match proc.source(file) {
            Ok(source) => source,
            Err(errno) => {
                let directory = errno == crate::fs::Errno::IsDirectory;
                let verb = if directory { "error reading" } else { "cannot open" };
                let mut text = format!("{}: {verb} ", proc.name()).into_bytes();
                text.extend(quoted(file));
                text.extend_from_slice(if directory { b": " } else { b" for reading: " });
                text.extend(format!("{}\n", errno.text()).into_bytes());
                proc.err(text).await;
                status = 1;
                continue;
            }
        };
        if titled {
            let name = if file == b"-" { &b"standard input"[..] } else { file };
            let gap: &[u8] = if first { b"" } else { b"\n" };
            proc.out([gap, b"==> ", name, b" <==\n"].concat()).await?;
        }
        first = false;
        if tail {
            let mut kept: Vec<u8> = Vec::new();
            loop {
                let piece = source.next(proc).await;
                if piece.is_empty() {
                    break;
                }
                kept.extend(piece);
                if kept.len() > crate::shell::limits::SLURP {
                    let cut = kept.len() / 2;
                    kept.drain(..cut);
                }
            }
            proc.out(last(&kept, amount)).await?;
        } else {
            let mut left = amount.count;
            if amount.other_way {
                let mut all = Vec::new();
                loop {
                    let piece = source.next(proc).await;
                    if piece.is_empty() || all.len() > crate::shell::limits::SLURP {
                        break;
                    }
                    all.extend(piece);
                }
                proc.out(all_but(&all, amount)).await?;
                continue;
            }
            while left > 0 {
                let piece = source.next(proc).await;
                if piece.is_empty() {
                    break;
                }
                let (shown, used) = first_of(&piece, left, amount.bytes);
                left -= used;
                proc.out(shown).await?;
            }
        }
    }
    if follow && tail {
        // Nothing more is written to a file while it is watched; the watcher waits to be ended.
        loop {
            proc.io.sleep(std::time::Duration::from_secs(3600)).await;
        }
    }
    Ok(status)
}

fn number(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'K' | b'k' => (text.get(..text.len() - 1)?, 1024),
        b'M' => (text.get(..text.len() - 1)?, 1 << 20),
        b'G' => (text.get(..text.len() - 1)?, 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn first_of(piece: &[u8], left: u64, bytes: bool) -> (&[u8], u64) {
    if bytes {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        return (piece.get(..take).unwrap_or(piece), take as u64);
    }
    let mut lines = 0;
    for (at, byte) in piece.iter().enumerate() {
        if *byte == b'\n' {
            lines += 1;
            if lines == left {
                return (piece.get(..=at).unwrap_or(piece), lines);
            }
        }
    }
    (piece, lines)
}

fn last(all: &[u8], amount: Amount) -> &[u8] {
    let count = usize::try_from(amount.count).unwrap_or(usize::MAX);
    if amount.bytes {
        let from = if amount.other_way {
            count.saturating_sub(1)
        } else {
            all.len().saturating_sub(count)
        };
        return all.get(from.min(all.len())..).unwrap_or_default();
    }
    if amount.other_way {
        let mut rest = all;
        for _ in 1..count {
            match rest.iter().position(|&b| b == b'\n') {
                Some(at) => rest = rest.get(at + 1..).unwrap_or_default(),
                None => return b"",
            }
        }
        return rest;
    }
    if count == 0 {
        return b"";
    }
    let body = all.strip_suffix(b"\n").unwrap_or(all);
    let starts = body.iter().enumerate().rev().filter(|(_, b)| **b == b'\n');
    let from = starts.map(|(at, _)| at + 1).nth(count - 1).unwrap_or(0);
    all.get(from..).unwrap_or_default()
}

fn all_but(all: &[u8], amount: Amount) -> &[u8] {
    let kept = all.len() - last(all, Amount { other_way: false, ..amount }).len();
    all.get(..kept).unwrap_or_default()
}
