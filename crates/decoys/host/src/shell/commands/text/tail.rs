//! `tail`.

use std::time::Duration;

use super::amount::{Amount, spelled};
use crate::shell::commands::input::{or_input, shown};
use crate::shell::commands::options::{Accepts, read_from};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "c:n:fFqs:vz",
    &[
        ("bytes=", b'c'),
        ("lines=", b'n'),
        ("follow?", b'f'),
        ("retry", b'R'),
        ("quiet", b'q'),
        ("silent", b'q'),
        ("sleep-interval=", b's'),
        ("verbose", b'v'),
        ("zero-terminated", b'z'),
    ],
);
/// How often a followed file is looked at.
const PAUSE: Duration = Duration::from_secs(1);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    // The old form is for one file.
    if let [first, rest @ ..] = arguments.as_slice()
        && let [b'-', digit, ..] = first.as_slice()
        && digit.is_ascii_digit()
        && rest.len() > 1
    {
        let shown = char::from(*digit);
        proc.say_err(format!("option used in invalid context -- {shown}")).await;
        return Ok(1);
    }
    let arguments = spelled(arguments);
    // `tail +5` is as old as `tail`.
    let arguments = match arguments.split_first() {
        Some((first, rest)) if first.len() > 1 && first.starts_with(b"+") => {
            [&[[b"-n", &first[..]].concat()], rest].concat()
        }
        _ => arguments,
    };
    let options = read_from(proc, &ACCEPTS, arguments).await?;
    let amount = Amount::of(proc, &options, b'+').await?;
    let end = if options.has(b'z') { 0 } else { b'\n' };
    let titles = options.last_of(b"qv");
    let follow = options.has(b'f') || options.has(b'F');
    let files = or_input(options.rest);
    let titled = titles.map_or(files.len() > 1, |letter| letter == b'v');
    let mut status = 0;
    let mut gap: &[u8] = b"";
    let mut followed = Vec::new();
    for file in &files {
        let Some(mut source) = proc.opened_to_read(file, &mut status).await else { continue };
        if titled {
            proc.out([gap, b"==> ", shown(file), b" <==\n"].concat()).await?;
            gap = b"\n";
        }
        let mut kept: Vec<u8> = Vec::new();
        loop {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            kept.extend(piece);
            if kept.len() > limits::SLURP {
                kept.drain(..limits::SLURP / 2);
            }
        }
        proc.out(last(&kept, amount, end)).await?;
        followed.push(source);
    }
    if followed.is_empty() {
        if follow {
            proc.say_err("no files remaining").await;
        }
        return Ok(status);
    }
    if !follow {
        return Ok(status);
    }
    loop {
        proc.io.sleep(PAUSE).await;
        for source in followed.iter_mut().filter(|source| source.is_file()) {
            loop {
                let piece = source.next(proc).await;
                if piece.is_empty() {
                    break;
                }
                proc.out(piece).await?;
            }
        }
    }
}

/// The end of `all` that `amount` means.
pub(super) fn last(all: &[u8], amount: Amount, end: u8) -> &[u8] {
    let count = usize::try_from(amount.count).unwrap_or(usize::MAX);
    let from_start = amount.other_way;
    if amount.bytes {
        let from =
            if from_start { count.saturating_sub(1) } else { all.len().saturating_sub(count) };
        return all.get(from.min(all.len())..).unwrap_or_default();
    }
    if from_start {
        let mut rest = all;
        for _ in 1..count {
            match rest.iter().position(|&b| b == end) {
                Some(at) => rest = rest.get(at + 1..).unwrap_or_default(),
                None => return b"",
            }
        }
        return rest;
    }
    if count == 0 {
        return b"";
    }
    let body = all.strip_suffix(&[end]).unwrap_or(all);
    let starts = body.iter().enumerate().rev().filter(|(_, b)| **b == end);
    let from = starts.map(|(at, _)| at + 1).nth(count - 1).unwrap_or(0);
    all.get(from..).unwrap_or_default()
}
