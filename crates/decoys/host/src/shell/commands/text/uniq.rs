//! `uniq`.

use crate::shell::commands::input::{Lines, chomp};
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::commands::text::amount::number;
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "cdDf:is:uw:z",
    &[
        ("count", b'c'),
        ("repeated", b'd'),
        ("all-repeated?", b'D'),
        ("skip-fields=", b'f'),
        ("ignore-case", b'i'),
        ("skip-chars=", b's'),
        ("unique", b'u'),
        ("check-chars=", b'w'),
        ("zero-terminated", b'z'),
    ],
);

/// What of a line is compared.
struct Part {
    fields: usize,
    characters: usize,
    width: usize,
    fold: bool,
}

impl Part {
    fn of(&self, line: &[u8]) -> Vec<u8> {
        let mut rest = chomp(line);
        for _ in 0..self.fields {
            let blanks = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let word = rest.iter().skip(blanks).take_while(|b| !b.is_ascii_whitespace()).count();
            rest = rest.get(blanks + word..).unwrap_or_default();
        }
        let rest = rest.get(self.characters..).unwrap_or_default();
        let rest = rest.get(..self.width).unwrap_or(rest);
        if self.fold { rest.to_ascii_lowercase() } else { rest.to_vec() }
    }
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let count = async |letter: u8, what: &str, default: usize| -> Result<usize, Stop> {
        let Some(text) = options.value(letter) else { return Ok(default) };
        match number(text).and_then(|n| usize::try_from(n).ok()) {
            Some(number) => Ok(number),
            None => {
                let head = String::from_utf8_lossy(text).into_owned();
                proc.say_err(format!("{head}: invalid number of {what}")).await;
                Err(Stop::Status(1))
            }
        }
    };
    let part = Part {
        fields: count(b'f', "fields to skip", 0).await?,
        characters: count(b's', "bytes to skip", 0).await?,
        width: count(b'w', "bytes to compare", usize::MAX).await?,
        fold: options.has(b'i'),
    };
    let mut names = options.rest.iter();
    let input = names.next().map_or(&b"-"[..], Vec::as_slice);
    let output = names.next().filter(|name| *name != b"-").cloned();
    if let Some(extra) = names.next() {
        return Err(proc.misused("extra operand", extra).await);
    }
    let mut lines = match Lines::of(proc, input) {
        Ok(lines) => lines,
        Err(errno) => {
            proc.unreadable(input, errno).await;
            return Ok(1);
        }
    };
    let mut kept: Vec<u8> = Vec::new();
    let mut run: Option<Run> = None;
    loop {
        let block = lines.block(proc).await;
        let mut out = Vec::new();
        for line in block.split_inclusive(|&b| b == b'\n') {
            let key = part.of(line);
            match &mut run {
                Some(run) if run.key == key => run.again(line, &options, &mut out),
                other => {
                    if let Some(done) = other.replace(Run::new(line, key)) {
                        done.end(&options, &mut out);
                    }
                }
            }
        }
        let ended = block.is_empty();
        if ended && let Some(done) = run.take() {
            done.end(&options, &mut out);
        }
        match &output {
            Some(_) if kept.len() < crate::shell::limits::SLURP => kept.extend(out),
            Some(_) => {}
            None => proc.out(out).await?,
        }
        if ended {
            break;
        }
    }
    if let Some(path) = output
        && let Err(errno) = proc.replace_file(&path, &kept)
    {
        proc.unreadable(&path, errno).await;
        return Ok(1);
    }
    Ok(0)
}

/// Equal lines one after the other.
struct Run {
    first: Vec<u8>,
    key: Vec<u8>,
    count: u64,
}

impl Run {
    fn new(line: &[u8], key: Vec<u8>) -> Self {
        Self { first: [chomp(line), b"\n"].concat(), key, count: 1 }
    }

    fn again(&mut self, line: &[u8], options: &Options, out: &mut Vec<u8>) {
        self.count += 1;
        if options.has(b'D') {
            if self.count == 2 {
                out.extend_from_slice(&self.first);
            }
            out.extend_from_slice(&[chomp(line), b"\n"].concat());
        }
    }

    fn end(self, options: &Options, out: &mut Vec<u8>) {
        let unwanted = (options.has(b'd') && self.count < 2)
            || (options.has(b'u') && self.count > 1)
            || options.has(b'D');
        if unwanted {
            return;
        }
        if options.has(b'c') {
            out.extend(format!("{:>7} ", self.count).into_bytes());
        }
        out.extend_from_slice(&self.first);
    }
}
