//! `base64`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts =
    Accepts::new("diw:", &[("decode", b'd'), ("ignore-garbage", b'i'), ("wrap=", b'w')]);
/// Bytes encoded at once; each block of three stands alone.
const BLOCK: usize = 57 * 512;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let wrap = match options.value(b'w') {
        None => 76,
        Some(text) => match String::from_utf8_lossy(text).parse::<usize>() {
            Ok(wrap) => wrap,
            Err(_) => {
                proc.wrong("invalid wrap size:", text).await;
                return Ok(1);
            }
        },
    };
    if let Some(extra) = options.rest.get(1) {
        return Err(proc.misused_quoted("extra operand", extra).await);
    }
    let file = options.rest.first().map_or(&b"-"[..], Vec::as_slice);
    if options.has(b'd') {
        decode(proc, file, options.has(b'i')).await
    } else {
        encode(proc, file, wrap).await
    }
}

fn engine() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, config)
}

async fn encode(proc: &Proc, file: &[u8], wrap: usize) -> Outcome {
    let mut source = match proc.source(file) {
        Ok(source) => source,
        Err(errno) => {
            proc.unreadable(file, errno).await;
            return Ok(1);
        }
    };
    let engine = engine();
    let mut pending: Vec<u8> = Vec::new();
    let mut column = 0;
    loop {
        let piece = source.next(proc).await;
        let ended = piece.is_empty();
        pending.extend(piece);
        let whole = if ended { pending.len() } else { pending.len() / 3 * 3 };
        if whole >= BLOCK || ended {
            let head: Vec<u8> = pending.drain(..whole).collect();
            proc.io.spend(head.len() / 1024);
            let text = engine.encode(head);
            proc.out(wrapped(text.as_bytes(), wrap, &mut column)).await?;
        }
        if ended {
            break;
        }
    }
    if wrap > 0 && column > 0 {
        proc.out(b"\n").await?;
    }
    Ok(0)
}

fn wrapped(text: &[u8], wrap: usize, column: &mut usize) -> Vec<u8> {
    if wrap == 0 {
        return text.to_vec();
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / wrap + 1);
    for &byte in text {
        out.push(byte);
        *column += 1;
        if *column == wrap {
            out.push(b'\n');
            *column = 0;
        }
    }
    out
}

async fn decode(proc: &Proc, file: &[u8], ignore: bool) -> Outcome {
    let text = match proc.slurp(file).await {
        Ok(text) => text,
        Err(errno) => {
            proc.unreadable(file, errno).await;
            return Ok(1);
        }
    };
    proc.io.spend(text.len() / 1024);
    let mut digits: Vec<u8> = text.into_iter().filter(|b| *b != b'\n').collect();
    let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if ignore {
        digits.retain(digit);
    }
    // What comes before the first wrong character is given out.
    let bad = digits.iter().position(|b| !digit(b));
    let valid = digits.get(..bad.unwrap_or(digits.len())).unwrap_or_default();
    let mut wrong = bad.is_some();
    let mut out = Vec::new();
    let engine = engine();
    // Encoded texts may follow each other, each with its padding.
    let mut rest = valid;
    while !rest.is_empty() {
        let pad = rest.iter().position(|&b| b == b'=');
        let length = pad.map_or(rest.len(), |at| (at / 4 + 1) * 4).min(rest.len());
        let (part, tail) = rest.split_at_checked(length).unwrap_or((rest, b""));
        let whole = part.len() / 4 * 4;
        wrong |= part.len() % 4 != 0;
        let usable = if part.len() % 4 > 1 { part.len() } else { whole };
        match engine.decode(part.get(..usable).unwrap_or_default()) {
            Ok(bytes) => out.extend(bytes),
            Err(_) => {
                wrong = true;
                break;
            }
        }
        rest = tail;
    }
    proc.out(out).await?;
    if wrong {
        proc.say_err("invalid input").await;
        return Ok(1);
    }
    Ok(0)
}
