//! `printf`.

use super::echo::unescape;
use crate::shell::proc::{Outcome, Proc};

/// Longest output, and widest field.
const MAX: usize = 256 * 1024;
const MAX_WIDTH: usize = 4096;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let Some((format, values)) = arguments.split_first() else {
        return Err(proc.missing_operand().await);
    };
    let (line, complaints) = self::format(format, values);
    proc.out(line).await?;
    for complaint in &complaints {
        proc.err(format!("printf: {complaint}\n")).await;
    }
    Ok(u8::from(!complaints.is_empty()))
}

/// What `printf format values` prints, and its complaints. The format is used again while values
/// are left.
pub(in crate::shell) fn format(format: &[u8], values: &[Vec<u8>]) -> (Vec<u8>, Vec<String>) {
    let mut out = Vec::new();
    let mut complaints = Vec::new();
    let mut values = values.iter();
    loop {
        let before = values.len();
        once(format, &mut values, &mut out, &mut complaints);
        if values.len() == 0 || values.len() == before || out.len() > MAX {
            out.truncate(MAX);
            return (out, complaints);
        }
    }
}

fn once(
    format: &[u8],
    values: &mut std::slice::Iter<'_, Vec<u8>>,
    out: &mut Vec<u8>,
    complaints: &mut Vec<String>,
) {
    let mut rest = format;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        let (literal, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        if !unescape(literal, out) {
            return;
        }
        let spec = tail.get(1..).unwrap_or_default();
        let flags = spec.iter().take_while(|b| b"-+ #0".contains(b)).count();
        let mut used = flags;
        let mut number = |used: &mut usize| {
            let digits = spec.get(*used..).unwrap_or_default();
            if digits.first() == Some(&b'*') {
                *used += 1;
                return values
                    .next()
                    .and_then(|v| String::from_utf8_lossy(v).parse::<usize>().ok());
            }
            let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
            *used += length;
            String::from_utf8_lossy(digits.get(..length).unwrap_or_default()).parse::<usize>().ok()
        };
        let width = number(&mut used).unwrap_or(0).min(MAX_WIDTH);
        let precision = if spec.get(used) == Some(&b'.') {
            used += 1;
            Some(number(&mut used).unwrap_or(0).min(MAX_WIDTH))
        } else {
            None
        };
        let left = spec.get(..flags).unwrap_or_default().contains(&b'-');
        let zero = spec.get(..flags).unwrap_or_default().contains(&b'0');
        let Some(&kind) = spec.get(used) else {
            out.push(b'%');
            return;
        };
        rest = spec.get(used + 1..).unwrap_or_default();
        let mut text = match kind {
            b'%' => vec![b'%'],
            b's' => values.next().cloned().unwrap_or_default(),
            b'b' => {
                let mut text = Vec::new();
                unescape(&values.next().cloned().unwrap_or_default(), &mut text);
                text
            }
            b'q' => values.next().cloned().unwrap_or_default(),
            b'c' => values.next().and_then(|v| v.first()).map(|b| vec![*b]).unwrap_or_default(),
            b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
                let value = values.next().map_or(&b""[..], Vec::as_slice);
                let number = integer(value).unwrap_or_else(|| {
                    complaints.push(format!("{}: invalid number", String::from_utf8_lossy(value)));
                    0
                });
                match kind {
                    b'x' => format!("{number:x}"),
                    b'X' => format!("{number:X}"),
                    b'o' => format!("{number:o}"),
                    _ => number.to_string(),
                }
                .into_bytes()
            }
            b'f' | b'g' | b'e' => {
                let value = values.next().map_or(&b"0"[..], Vec::as_slice);
                let number = String::from_utf8_lossy(value).trim().parse::<f64>().unwrap_or(0.0);
                format!("{number:.*}", precision.unwrap_or(6)).into_bytes()
            }
            other => {
                complaints.push(format!("`{}': invalid format character", char::from(other)));
                return;
            }
        };
        if let (b's' | b'b', Some(precision)) = (kind, precision) {
            text.truncate(precision);
        }
        let fill = width.saturating_sub(text.len());
        if left {
            out.extend_from_slice(&text);
            out.extend(std::iter::repeat_n(b' ', fill));
        } else {
            let with = if zero && !matches!(kind, b's' | b'b' | b'c') { b'0' } else { b' ' };
            out.extend(std::iter::repeat_n(with, fill));
            out.extend_from_slice(&text);
        }
        if out.len() > MAX {
            return;
        }
    }
    unescape(rest, out);
}

fn integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if text.is_empty() {
        return Some(0);
    }
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return Some(quoted.chars().next().map_or(0, |c| i64::from(u32::from(c))));
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok();
    }
    if text.len() > 1 && text.starts_with('0') {
        return i64::from_str_radix(text, 8).ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_used_again_and_bounded() {
        let values = [b"a".to_vec(), b"1".to_vec(), b"b".to_vec()];
        assert_eq!(format(b"%s-%03d\\n", &values).0, b"a-001\nb-000\n");
        assert_eq!(format(b"%-4s|%x", &[b"ab".to_vec(), b"255".to_vec()]).0, b"ab  |ff");
        assert!(format(b"%999999999s", &[b"a".to_vec()]).0.len() <= MAX);
        assert_eq!(format(b"%d", &[b"z".to_vec()]).1, ["z: invalid number"]);
    }
}
