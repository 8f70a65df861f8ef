//! `printf` of awk.

use super::value::Value;

/// Widest field.
const MAX_WIDTH: usize = 4096;
/// Longest output.
const MAX: usize = 256 * 1024;

/// `format` filled with `values`; numbers in strings are spelled with `convert`.
pub(super) fn format(format: &[u8], values: &[Value], convert: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let spec = rest.get(at + 1..).unwrap_or_default();
        if out.len() > MAX {
            return out;
        }
        let flags = spec.iter().take_while(|b| b"-+ #0".contains(b)).count();
        let flag = |letter: u8| spec.iter().take(flags).any(|b| *b == letter);
        let mut used = flags;
        let mut number = |used: &mut usize| {
            if spec.get(*used) == Some(&b'*') {
                *used += 1;
                return values.next().map(|value| clamp(value.number()));
            }
            let digits = spec.get(*used..).unwrap_or_default();
            let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
            *used += length;
            let text = String::from_utf8_lossy(digits.get(..length).unwrap_or_default());
            if length == 0 { None } else { Some(text.parse().unwrap_or(MAX_WIDTH)) }
        };
        let width = number(&mut used).unwrap_or(0).min(MAX_WIDTH);
        let mut precision = None;
        if spec.get(used) == Some(&b'.') {
            used += 1;
            precision = Some(number(&mut used).unwrap_or(0).min(MAX_WIDTH));
        }
        while matches!(spec.get(used), Some(b'l' | b'h' | b'L' | b'q')) {
            used += 1;
        }
        let Some(&kind) = spec.get(used) else {
            out.push(b'%');
            out.extend_from_slice(spec);
            return out;
        };
        rest = spec.get(used + 1..).unwrap_or_default();
        let text: Vec<u8> = match kind {
            b'%' => {
                out.push(b'%');
                continue;
            }
            b'c' => match values.next() {
                Some(Value::Number(code)) => vec![clamp(*code).to_le_bytes()[0]],
                Some(value) => value.bytes(convert).first().map(|b| vec![*b]).unwrap_or_default(),
                None => Vec::new(),
            },
            b's' => {
                let mut text = values.next().map(|v| v.bytes(convert).to_vec()).unwrap_or_default();
                text.truncate(precision.unwrap_or(usize::MAX));
                text
            }
            b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => {
                let value = values.next().map_or(0.0, Value::number).trunc();
                whole(value, kind, precision, flag(b'+'), flag(b' ')).into_bytes()
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let value = values.next().map_or(0.0, Value::number);
                let mut text = float(value, kind, precision.unwrap_or(6), flag(b'#'));
                if value >= 0.0 && flag(b'+') {
                    text.insert(0, '+');
                }
                text.into_bytes()
            }
            other => {
                out.extend_from_slice(b"%");
                out.push(other);
                continue;
            }
        };
        let fill = width.saturating_sub(text.len());
        let zero = flag(b'0') && !matches!(kind, b's' | b'c') && !flag(b'-');
        if flag(b'-') {
            out.extend_from_slice(&text);
            out.extend(std::iter::repeat_n(b' ', fill));
        } else if zero && (precision.is_none() || !b"diuoxX".contains(&kind)) {
            let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
            out.extend_from_slice(text.get(..sign).unwrap_or_default());
            out.extend(std::iter::repeat_n(b'0', fill));
            out.extend_from_slice(text.get(sign..).unwrap_or_default());
        } else {
            out.extend(std::iter::repeat_n(b' ', fill));
            out.extend_from_slice(&text);
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Whether `format` asks for no more than `given` values; the complaint of `function` if it does.
pub(super) fn check(format: &[u8], given: usize, function: &str) -> Result<(), String> {
    let mut wanted = 0;
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            continue;
        }
        for byte in bytes.by_ref() {
            match byte {
                b'*' => wanted += 1,
                b'%' => break,
                byte if byte.is_ascii_alphabetic() && !b"lhLq".contains(byte) => {
                    wanted += 1;
                    break;
                }
                _ => {}
            }
        }
    }
    if wanted <= given {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(format).into_owned();
    Err(format!("not enough arguments passed to {function}(\"{shown}\")"))
}

/// A number as a length: negative ones are none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates, and it was clamped"
)]
pub(super) fn clamp(value: f64) -> usize {
    value.clamp(0.0, 1e15) as usize
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from float saturates, as here is meant"
)]
fn integer(value: f64) -> i64 {
    value as i64
}

fn whole(value: f64, kind: u8, precision: Option<usize>, plus: bool, space: bool) -> String {
    let number = integer(value);
    let digits = match kind {
        b'o' => format!("{number:o}"),
        b'x' => format!("{number:x}"),
        b'X' => format!("{number:X}"),
        _ => number.unsigned_abs().to_string(),
    };
    let digits = format!("{digits:0>width$}", width = precision.unwrap_or(1));
    let sign = if number < 0 && matches!(kind, b'd' | b'i' | b'u') {
        "-"
    } else if plus {
        "+"
    } else if space {
        " "
    } else {
        ""
    };
    format!("{sign}{digits}")
}

fn float(value: f64, kind: u8, precision: usize, alternate: bool) -> String {
    if !value.is_finite() {
        let text = if value.is_nan() { "nan" } else { "inf" };
        return if value.is_sign_negative() { format!("-{text}") } else { text.to_owned() };
    }
    let text = match kind {
        b'f' | b'F' => format!("{value:.precision$}"),
        b'e' | b'E' => exponent(value, precision),
        _ => general(value, precision.max(1), alternate),
    };
    if kind.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text }
}

/// `1.5e+02`, with a sign and two digits at least.
fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let number = exponent.parse::<i32>().unwrap_or(0);
    let sign = if number < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", number.abs())
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let scientific = format!("{value:.p$e}", p = precision - 1);
    let power = scientific.split_once('e').and_then(|(_, e)| e.parse::<i64>().ok()).unwrap_or(0);
    let size = i64::try_from(precision).unwrap_or(6);
    let text = if power < -4 || power >= size {
        exponent(value, precision - 1)
    } else {
        let digits = usize::try_from(size - 1 - power).unwrap_or(0);
        format!("{value:.digits$}")
    };
    if alternate || !text.contains('.') {
        return text;
    }
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            format!("{mantissa}e{exponent}")
        }
        None => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}
