//! `od`.

use super::hexdump::character;
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::commands::text::amount::number;
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "A:j:N:t:vw::abcdox",
    &[
        ("address-radix=", b'A'),
        ("skip-bytes=", b'j'),
        ("read-bytes=", b'N'),
        ("format=", b't'),
        ("output-duplicates", b'v'),
        ("width?", b'w'),
    ],
);

/// How bytes are shown: kind and size.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Format {
    kind: u8,
    size: usize,
}

impl Format {
    const fn width(self) -> usize {
        match (self.kind, self.size) {
            (b'a' | b'c', _) | (b'o', 1) => 4,
            (b'x', 1) => 3,
            (b'u', 1) => 4,
            (b'd', 1) => 5,
            (b'x', 2) => 5,
            (b'o', 2) => 7,
            (b'u', 2) => 6,
            (b'd', 2) => 7,
            (b'x', 4) => 9,
            (b'o', 4) => 12,
            (b'u', 4) => 11,
            (b'd', 4) => 12,
            (b'x', _) => 17,
            (b'o', _) => 23,
            _ => 21,
        }
    }

    fn cell(self, bytes: &[u8]) -> String {
        let width = self.width();
        let value = bytes.iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let text = match self.kind {
            b'c' | b'a' => character(bytes.first().copied().unwrap_or(0)),
            b'x' => format!("{value:0w$x}", w = self.size * 2),
            b'o' => format!("{value:0w$o}", w = width - 1),
            b'd' => {
                let shift = 64 - 8 * u32::try_from(self.size).unwrap_or(8);
                let signed = i64::from_ne_bytes((value << shift).to_ne_bytes()) >> shift;
                signed.to_string()
            }
            _ => value.to_string(),
        };
        format!("{text:>width$}")
    }
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let mut formats = Vec::new();
    for (letter, value) in options.iter() {
        let format = match letter {
            b'a' => Format { kind: b'a', size: 1 },
            b'b' => Format { kind: b'o', size: 1 },
            b'c' => Format { kind: b'c', size: 1 },
            b'd' => Format { kind: b'u', size: 2 },
            b'o' => Format { kind: b'o', size: 2 },
            b'x' => Format { kind: b'x', size: 2 },
            b't' => match typed(value) {
                Some(format) => format,
                None => {
                    proc.wrong("invalid type string", value).await;
                    return Ok(1);
                }
            },
            _ => continue,
        };
        formats.push(format);
    }
    if formats.is_empty() {
        formats.push(Format { kind: b'o', size: 2 });
    }
    let radix = options.value(b'A').and_then(|a| a.first().copied()).unwrap_or(b'o');
    let width = match options.value(b'w') {
        None => 16,
        Some(b"") => 32,
        Some(text) => {
            number(text).and_then(|n| usize::try_from(n).ok()).unwrap_or(16).clamp(1, 4096)
        }
    };
    let skip = options.value(b'j').and_then(number).unwrap_or(0);
    let most = options.value(b'N').and_then(number).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut status = 0;
    let bound = usize::try_from(skip.saturating_add(most)).unwrap_or(usize::MAX).min(limits::SLURP);
    for file in or_input(options.rest.clone()) {
        let Some(mut source) = proc.opened(&file, &mut status).await else { continue };
        while bytes.len() < bound {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            bytes.extend(piece);
        }
    }
    bytes.truncate(bound);
    let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
    bytes.drain(..skip);
    let mut offset = skip as u64;
    let mut last: Option<Vec<u8>> = None;
    let mut squeezed = false;
    for rows in bytes.chunks(width * 256) {
        let mut out = String::new();
        for row in rows.chunks(width) {
            if !options.has(b'v') && last.as_deref() == Some(row) && row.len() == width {
                if !squeezed {
                    out.push_str("*\n");
                }
                squeezed = true;
            } else {
                squeezed = false;
                show(&mut out, offset, radix, row, &formats);
                last = Some(row.to_vec());
            }
            offset += row.len() as u64;
        }
        proc.io.spend(out.len() / 512);
        proc.out(out).await?;
    }
    if radix != b'n' {
        proc.out(format!("{}\n", address(offset, radix))).await?;
    }
    Ok(status)
}

fn show(out: &mut String, offset: u64, radix: u8, row: &[u8], formats: &[Format]) {
    for (at, format) in formats.iter().enumerate() {
        let head = address(offset, radix);
        if at == 0 {
            out.push_str(&head);
        } else {
            out.extend(std::iter::repeat_n(' ', head.len()));
        }
        // Cells of several formats stand below each other.
        let widest = formats.iter().map(|f| f.width() * 16 / f.size).max().unwrap_or(0);
        let pad = widest / (16 / format.size) - format.width();
        for cell in row.chunks(format.size) {
            out.extend(std::iter::repeat_n(' ', pad));
            out.push_str(&format.cell(cell));
        }
        out.push('\n');
    }
}

fn address(offset: u64, radix: u8) -> String {
    match radix {
        b'x' => format!("{offset:06x}"),
        b'd' => format!("{offset:07}"),
        b'n' => String::new(),
        _ => format!("{offset:07o}"),
    }
}

fn typed(text: &[u8]) -> Option<Format> {
    let (kind, rest) = text.split_first()?;
    let rest = rest.strip_suffix(b"z").unwrap_or(rest);
    let size = match rest {
        b"" if matches!(kind, b'a' | b'c') => 1,
        b"" | b"4" | b"I" => 4,
        b"1" | b"C" => 1,
        b"2" | b"S" => 2,
        b"8" | b"L" => 8,
        _ => return None,
    };
    b"acdoux".contains(kind).then_some(Format { kind: *kind, size })
}
