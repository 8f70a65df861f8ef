//! `cut`.

use crate::shell::commands::input::{Lines, chomp, or_input};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "b:c:d:f:nsz",
    &[
        ("bytes=", b'b'),
        ("characters=", b'c'),
        ("delimiter=", b'd'),
        ("fields=", b'f'),
        ("complement", b'C'),
        ("only-delimited", b's'),
        ("output-delimiter=", b'o'),
        ("zero-terminated", b'z'),
    ],
);

/// `1,3-5,7-` as ranges from 1.
struct Ranges(Vec<(usize, usize)>);

impl Ranges {
    fn has(&self, number: usize, complement: bool) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&number)) != complement
    }

    /// Whether `number` begins a range of its own.
    fn starts(&self, number: usize) -> bool {
        self.0.iter().any(|(from, _)| *from == number)
    }
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let lists: Vec<(u8, &[u8])> =
        options.iter().filter(|(letter, _)| b"bcf".contains(letter)).collect();
    let (kind, list) = match lists.as_slice() {
        [] => {
            let what = "you must specify a list of bytes, characters, or fields";
            return Err(proc.unusable(what).await);
        }
        [one] => *one,
        _ => return Err(proc.unusable("only one list may be specified").await),
    };
    let fields = kind == b'f';
    let ranges = parse(proc, list, fields).await?;
    if !fields && options.has(b'd') {
        let what = "an input delimiter may be specified only when operating on fields";
        return Err(proc.unusable(what).await);
    }
    let delimiter = match options.value(b'd') {
        None => b'\t',
        Some([one]) => *one,
        Some([]) => 0,
        Some(_) => return Err(proc.unusable("the delimiter must be a single character").await),
    };
    let between = options.value(b'o').map(<[u8]>::to_vec);
    let end = if options.has(b'z') { 0 } else { b'\n' };
    let complement = options.has(b'C');
    let mut status = 0;
    for file in or_input(options.rest.clone()) {
        let Some(source) = proc.opened(&file, &mut status).await else { continue };
        let mut lines = Lines::new(source).zero(end == 0);
        loop {
            let block = lines.block(proc).await;
            if block.is_empty() {
                break;
            }
            let mut out = Vec::with_capacity(block.len());
            for line in block.split_inclusive(|&b| b == end) {
                let line =
                    if end == 0 { line.strip_suffix(b"\0").unwrap_or(line) } else { chomp(line) };
                if !fields {
                    bytes(line, &ranges, complement, between.as_deref(), &mut out);
                } else if line.contains(&delimiter) {
                    let parts = line.split(|&b| b == delimiter).zip(1..);
                    let kept = parts.filter(|(_, number)| ranges.has(*number, complement));
                    let kept: Vec<&[u8]> = kept.map(|(part, _)| part).collect();
                    out.extend(match &between {
                        Some(text) => kept.join(text.as_slice()),
                        None => kept.join(&delimiter),
                    });
                } else if options.has(b's') {
                    continue;
                } else {
                    out.extend_from_slice(line);
                }
                out.push(end);
            }
            proc.out(out).await?;
        }
    }
    Ok(status)
}

fn bytes(
    line: &[u8],
    ranges: &Ranges,
    complement: bool,
    between: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    let mut before = false;
    for (byte, number) in line.iter().zip(1..) {
        if !ranges.has(number, complement) {
            continue;
        }
        if let Some(text) = between.filter(|_| before && ranges.starts(number)) {
            out.extend_from_slice(text);
        }
        before = true;
        out.push(*byte);
    }
}

async fn parse(proc: &Proc, list: &[u8], fields: bool) -> Result<Ranges, Stop> {
    let what = if fields { "field" } else { "byte or character position" };
    let text = String::from_utf8_lossy(list).into_owned();
    let mut out = Vec::new();
    for part in text.split([',', ' ', '\t']).take(4096) {
        let number = |text: &str| text.parse::<usize>().ok();
        let range = match part.split_once('-') {
            None => number(part).map(|n| (n, n)),
            Some(("", "")) => {
                return Err(proc.unusable("invalid range with no endpoint: -").await);
            }
            Some((from, to)) => {
                let from = if from.is_empty() { Some(1) } else { number(from) };
                let to = if to.is_empty() { Some(usize::MAX) } else { number(to) };
                from.zip(to)
            }
        };
        match range {
            Some((0, _)) => {
                let kind = if fields { "fields" } else { "byte/character positions" };
                return Err(proc.unusable(&format!("{kind} are numbered from 1")).await);
            }
            Some((from, to)) if to < from => {
                return Err(proc.unusable("invalid decreasing range").await);
            }
            Some(range) => out.push(range),
            None => {
                let digits = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
                let shown = if digits.is_empty() { part } else { digits };
                return Err(proc.misused(&format!("invalid {what} value"), shown.as_bytes()).await);
            }
        }
    }
    Ok(Ranges(out))
}
