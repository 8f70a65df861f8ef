//! `echo`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let line = line(&proc.arguments(), false);
    proc.out(line).await?;
    Ok(0)
}

/// What `echo arguments` prints; escapes are interpreted with `-e` or when `always`.
pub(in crate::shell) fn line(arguments: &[Vec<u8>], always: bool) -> Vec<u8> {
    let mut newline = true;
    let mut escapes = always;
    let mut rest = arguments;
    while let Some((first, tail)) = rest.split_first() {
        let letters = first.strip_prefix(b"-").filter(|letters| {
            let only = if always { &b"n"[..] } else { &b"neE"[..] };
            !letters.is_empty() && letters.iter().all(|b| only.contains(b))
        });
        let Some(letters) = letters else { break };
        for letter in letters {
            match letter {
                b'n' => newline = false,
                b'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = tail;
    }
    let text = rest.join(&b' ');
    let mut out = Vec::with_capacity(text.len() + 1);
    if escapes {
        if !unescape(&text, &mut out) {
            return out;
        }
    } else {
        out = text;
    }
    if newline {
        out.push(b'\n');
    }
    out
}

/// Interprets backslash escapes; false when `\c` ended the output.
pub(in crate::shell::commands) fn unescape(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let mut digits = |radix: u32, max: usize| {
            let mut value = 0_u32;
            let mut count = 0;
            while count < max
                && let Some(digit) = bytes.peek().and_then(|b| char::from(*b).to_digit(radix))
            {
                bytes.next();
                value = value * radix + digit;
                count += 1;
            }
            (value.to_le_bytes()[0], count)
        };
        let (octal, count) = digits(8, 4);
        if count > 0 {
            out.push(octal);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'a') => out.push(7),
            Some(b'b') => out.push(8),
            Some(b'e' | b'E') => out.push(0x1b),
            Some(b'f') => out.push(0x0c),
            Some(b'v') => out.push(0x0b),
            Some(b'c') => return false,
            Some(b'\\') => out.push(b'\\'),
            Some(b'x') => {
                let mut value = 0_u8;
                let mut count = 0;
                while count < 2
                    && let Some(digit) = bytes.peek().and_then(|b| char::from(*b).to_digit(16))
                {
                    bytes.next();
                    value = value << 4 | digit.to_le_bytes()[0];
                    count += 1;
                }
                if count == 0 {
                    out.extend_from_slice(b"\\x");
                } else {
                    out.push(value);
                }
            }
            Some(other) => out.extend_from_slice(&[b'\\', other]),
            None => out.push(b'\\'),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropper_escapes_make_exact_bytes() {
        let args = |text: &[&str]| text.iter().map(|t| t.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(line(&args(&["-ne", "\\x7f\\x45\\x4c\\0101"]), false), b"\x7fELA");
        assert_eq!(line(&args(&["-e", "a\\cb"]), false), b"a");
        assert_eq!(line(&args(&["-x", "\\n"]), false), b"-x \\n\n");
    }
}
