//! `hexdump` and `hd`.

use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::commands::text::amount::number;
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "bcCdn:os:vx",
    &[
        ("one-byte-octal", b'b'),
        ("one-byte-char", b'c'),
        ("canonical", b'C'),
        ("two-bytes-decimal", b'd'),
        ("length=", b'n'),
        ("two-bytes-octal", b'o'),
        ("skip=", b's'),
        ("no-squeezing", b'v'),
        ("two-bytes-hex", b'x'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let default = if proc.name() == "hd" { b'C' } else { b'H' };
    let format = options.last_of(b"bcCdox").unwrap_or(default);
    let hex = |text: &[u8]| match text.strip_prefix(b"0x") {
        Some(digits) => u64::from_str_radix(&String::from_utf8_lossy(digits), 16).ok(),
        None => number(text),
    };
    let mut skip = options.value(b's').and_then(hex).unwrap_or(0);
    let mut left = options.value(b'n').and_then(hex).unwrap_or(u64::MAX);
    let mut offset = skip;
    let mut pending: Vec<u8> = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    let mut squeezed = false;
    let mut status = 0;
    let mut any = false;
    for file in or_input(options.rest.clone()) {
        let Some(mut source) = proc.opened(&file, &mut status).await else { continue };
        any = true;
        while left > 0 {
            let mut piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            let drop = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            piece.drain(..drop);
            skip -= drop as u64;
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            // What is not wanted stays to be read by others.
            source.give_back(proc, piece.len() - take);
            piece.truncate(take);
            left -= take as u64;
            pending.extend(piece);
            let mut out = Vec::new();
            while pending.len() >= 16 {
                let row: Vec<u8> = pending.drain(..16).collect();
                if !options.has(b'v') && last.as_ref() == Some(&row) {
                    if !squeezed {
                        out.extend_from_slice(b"*\n");
                    }
                    squeezed = true;
                } else {
                    squeezed = false;
                    out.extend(line(offset, &row, format));
                    last = Some(row);
                }
                offset += 16;
            }
            proc.io.spend(out.len() / 512);
            proc.out(out).await?;
        }
    }
    if !any {
        proc.say_err("all input file arguments failed").await;
        return Ok(1);
    }
    let mut out = Vec::new();
    let end = offset + pending.len() as u64;
    if !pending.is_empty() {
        out.extend(line(offset, &pending, format));
    }
    if end > 0 {
        let width = if format == b'C' { 8 } else { 7 };
        out.extend(format!("{end:0width$x}\n").into_bytes());
    }
    proc.out(out).await?;
    Ok(status)
}

fn line(offset: u64, row: &[u8], format: u8) -> Vec<u8> {
    if format == b'C' {
        return canonical(offset, row);
    }
    let mut out = format!("{offset:07x}");
    let pairs = row.chunks(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        [low] => u16::from(*low),
        _ => 0,
    });
    let (cells, width): (Vec<String>, usize) = match format {
        b'b' => (row.iter().map(|b| format!(" {b:03o}")).collect(), 4 * 16),
        b'c' => (row.iter().map(|b| format!(" {:>3}", character(*b))).collect(), 4 * 16),
        b'd' => (pairs.map(|n| format!("   {n:05}")).collect(), 8 * 8),
        b'o' => (pairs.map(|n| format!("  {n:06o}")).collect(), 8 * 8),
        b'x' => (pairs.map(|n| format!("    {n:04x}")).collect(), 8 * 8),
        _ => (pairs.map(|n| format!(" {n:04x}")).collect(), 5 * 8),
    };
    let cells = cells.concat();
    out.push_str(&format!("{cells:<width$}\n"));
    out.into_bytes()
}

fn canonical(offset: u64, row: &[u8]) -> Vec<u8> {
    let mut out = format!("{offset:08x}  ");
    for at in 0..16 {
        match row.get(at) {
            Some(byte) => out.push_str(&format!("{byte:02x} ")),
            None => out.push_str("   "),
        }
        if at == 7 {
            out.push(' ');
        }
    }
    out.push_str(" |");
    let seen = |b: &u8| if (0x20..0x7f).contains(b) { char::from(*b) } else { '.' };
    out.extend(row.iter().map(seen));
    out.push_str("|\n");
    out.into_bytes()
}

/// A byte as `-c` shows it.
pub(super) fn character(byte: u8) -> String {
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        9 => "\\t".to_owned(),
        10 => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        13 => "\\r".to_owned(),
        0x20..=0x7e => char::from(byte).to_string(),
        _ => format!("{byte:03o}"),
    }
}
