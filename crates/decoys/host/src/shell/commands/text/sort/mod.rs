//! `sort`.

mod key;

use self::key::{Key, Order, parse};
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "bcCdfghik:Mmno:RrsS:t:T:uVz",
    &[
        ("ignore-leading-blanks", b'b'),
        ("check?", b'c'),
        ("dictionary-order", b'd'),
        ("ignore-case", b'f'),
        ("general-numeric-sort", b'g'),
        ("human-numeric-sort", b'h'),
        ("ignore-nonprinting", b'i'),
        ("key=", b'k'),
        ("month-sort", b'M'),
        ("merge", b'm'),
        ("numeric-sort", b'n'),
        ("output=", b'o'),
        ("random-sort", b'R'),
        ("reverse", b'r'),
        ("stable", b's'),
        ("field-separator=", b't'),
        ("unique", b'u'),
        ("version-sort", b'V'),
        ("zero-terminated", b'z'),
    ],
)
.status(2);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let global = Order::of(options.iter().map(|(letter, _)| letter));
    let keys = keys(proc, &options, global).await?;
    let end = if options.has(b'z') { 0 } else { b'\n' };
    let text = collect(proc, options.rest.clone(), end).await?;
    let mut lines: Vec<&[u8]> = text.split_inclusive(|&b| b == end).collect();
    proc.io.spend(lines.len() / 16);
    proc.io.tick().await;
    let compare = |a: &&[u8], b: &&[u8]| {
        let by_keys = keys.iter().map(|key| key.compare(a, b)).find(|order| order.is_ne());
        by_keys.unwrap_or(std::cmp::Ordering::Equal)
    };
    // Where all keys are equal the whole lines decide, unless only keys are to count.
    let last = |a: &&[u8], b: &&[u8]| {
        let order = a.cmp(b);
        if global.reverse { order.reverse() } else { order }
    };
    let whole = !options.has(b's') && !options.has(b'u');
    let both = |a: &&[u8], b: &&[u8]| {
        compare(a, b).then_with(|| if whole { last(a, b) } else { std::cmp::Ordering::Equal })
    };
    if options.has(b'c') || options.has(b'C') {
        return check(proc, &options, &lines, both).await;
    }
    if global.random {
        shuffle(proc, &mut lines);
    } else {
        lines.sort_by(both);
    }
    if options.has(b'u') {
        lines.dedup_by(|a, b| compare(&&**a, &&**b).is_eq());
    }
    let out = lines.concat();
    match options.value(b'o') {
        Some(path) => {
            if let Err(errno) = proc.replace_file(path, &out) {
                proc.say_err(
                    [&b"open failed: "[..], path, b": ", errno.text().as_bytes()].concat(),
                )
                .await;
                return Ok(2);
            }
        }
        None => proc.out(out).await?,
    }
    Ok(0)
}

async fn keys(proc: &Proc, options: &Options, global: Order) -> Result<Vec<Key>, Stop> {
    let separator = match options.value(b't') {
        None => None,
        Some(b"\\0") => Some(0),
        Some([one]) => Some(*one),
        Some([]) => {
            proc.say_err("empty tab").await;
            return Err(Stop::Status(2));
        }
        Some(more) => {
            proc.wrong("multi-character tab", more).await;
            return Err(Stop::Status(2));
        }
    };
    let mut keys = Vec::new();
    for text in options.values(b'k').take(64) {
        match parse(text, separator, global) {
            Ok(key) => keys.push(key),
            Err(what) => {
                proc.say_err(what).await;
                return Err(Stop::Status(2));
            }
        }
    }
    if keys.is_empty() {
        keys.push(Key::whole(separator, global));
    }
    Ok(keys)
}

/// All lines, each with its end.
async fn collect(proc: &Proc, files: Vec<Vec<u8>>, end: u8) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    for file in or_input(files) {
        match proc.slurp(&file).await {
            Ok(bytes) => text.extend(bytes),
            Err(errno) => {
                let verb = if errno == crate::fs::Errno::IsDirectory {
                    "read failed"
                } else {
                    "cannot read"
                };
                proc.complain_after(verb, &file, errno).await;
                return Err(Stop::Status(2));
            }
        }
        if text.last().is_some_and(|b| *b != end) {
            text.push(end);
        }
        if text.len() > limits::SLURP {
            break;
        }
    }
    Ok(text)
}

async fn check(
    proc: &Proc,
    options: &Options,
    lines: &[&[u8]],
    compare: impl Fn(&&[u8], &&[u8]) -> std::cmp::Ordering,
) -> Outcome {
    for (at, pair) in lines.windows(2).enumerate() {
        let [a, b] = pair else { continue };
        let order = compare(a, b);
        if order.is_gt() || (options.has(b'u') && order.is_eq()) {
            if options.has(b'c') {
                let file = options.rest.first().map_or(&b"-"[..], Vec::as_slice);
                let text = format!(":{}: disorder: ", at + 2);
                let line = b.strip_suffix(b"\n").unwrap_or(b);
                proc.say_err([file, text.as_bytes(), line].concat()).await;
            }
            return Ok(1);
        }
    }
    Ok(0)
}

fn shuffle(proc: &Proc, lines: &mut Vec<&[u8]>) {
    // Equal lines stay together, as a random hash would place them.
    let seed = proc.host.with(|m| m.read_device(crate::fs::Device::Random, 8));
    lines.sort_by_cached_key(|line| {
        let start = seed.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| {
            (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
        });
        line.iter().fold(start, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
    });
}
