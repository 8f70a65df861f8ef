//! `cat` and `tac`.

use crate::shell::commands::complaint::quoted;
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "AbeEnstTuv",
    &[
        ("show-all", b'A'),
        ("number-nonblank", b'b'),
        ("show-ends", b'E'),
        ("number", b'n'),
        ("squeeze-blank", b's'),
        ("show-tabs", b'T'),
        ("show-nonprinting", b'v'),
    ],
);

/// What is done to each line.
struct Look {
    number: bool,
    number_filled: bool,
    ends: bool,
    squeeze: bool,
    tabs: bool,
    marks: bool,
}

/// Where the output stands, from file to file.
struct Place {
    number: u64,
    at_start: bool,
    blanks: u32,
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let any = |letters: &[u8]| letters.iter().any(|letter| options.has(*letter));
    let look = Look {
        number: options.has(b'n'),
        number_filled: options.has(b'b'),
        ends: any(b"AEe"),
        squeeze: options.has(b's'),
        tabs: any(b"ATt"),
        marks: any(b"Avet"),
    };
    let plain = !any(b"AbeEnstTv");
    let mut place = Place { number: 0, at_start: true, blanks: 0 };
    let mut status = 0;
    for file in or_input(options.rest) {
        let Some(mut source) = proc.opened(&file, &mut status).await else { continue };
        loop {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            if plain {
                proc.out(&piece).await?;
            } else {
                let text = look.dress(&piece, &mut place);
                proc.io.spend(text.len() / 1024);
                proc.out(text).await?;
            }
        }
    }
    Ok(status)
}

impl Look {
    fn dress(&self, piece: &[u8], place: &mut Place) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() * 2);
        for line in piece.split_inclusive(|&b| b == b'\n') {
            let blank = place.at_start && line == b"\n";
            place.blanks = if blank { place.blanks + 1 } else { 0 };
            if self.squeeze && place.blanks > 1 {
                continue;
            }
            let numbered = if self.number_filled { !blank } else { self.number };
            if place.at_start && numbered {
                place.number += 1;
                out.extend(format!("{:>6}\t", place.number).into_bytes());
            }
            let (text, ended) = match line.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (line, false),
            };
            for &byte in text {
                self.byte(byte, &mut out);
            }
            if ended {
                out.extend_from_slice(if self.ends { b"$\n" } else { b"\n" });
            }
            place.at_start = ended;
        }
        out
    }

    fn byte(&self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\t' if self.tabs => out.extend_from_slice(b"^I"),
            b'\t' => out.push(byte),
            _ if !self.marks => out.push(byte),
            _ => {
                if byte >= 0x80 {
                    out.extend_from_slice(b"M-");
                }
                match byte & 0x7f {
                    low @ 0..=0x1f => out.extend_from_slice(&[b'^', low + 0x40]),
                    0x7f => out.extend_from_slice(b"^?"),
                    low => out.push(low),
                }
            }
        }
    }
}

/// `tac`.
pub(in crate::shell::commands) async fn backwards(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts::new("", &[])).await?;
    let mut status = 0;
    for file in or_input(options.rest) {
        let text = match proc.slurp(&file).await {
            Ok(text) => text,
            Err(errno) => {
                let head = "failed to open ".as_bytes();
                let tail = format!(" for reading: {}", errno.text());
                proc.say_err([head, &quoted(&file), tail.as_bytes()].concat()).await;
                status = 1;
                continue;
            }
        };
        let lines: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').rev().collect();
        proc.io.spend(lines.len() / 64);
        proc.out(lines.concat()).await?;
    }
    Ok(status)
}
