//! Shell patterns over bytes: `*`, `?`, `[…]`, backslash.

/// Work allowed for one match: patterns with many stars against long text stop there as no match.
const MAX_STEPS: usize = 1 << 20;

/// Whether `pattern` matches all of `text`.
#[must_use]
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on after a mismatch: behind the last star, one byte of text further.
    let mut retry: Option<(usize, usize)> = None;
    for _ in 0..MAX_STEPS {
        let advanced = match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            None => None,
            Some(_) => text.get(t).and_then(|&byte| one(pattern, p, byte)),
        };
        match (advanced, retry) {
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((back, from))) if from < text.len() => {
                p = back;
                t = from + 1;
                retry = Some((back, t));
            }
            _ => return false,
        }
    }
    false
}

/// The place in the pattern after the element at `p`, if that matches `byte`.
fn one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => match bracket(pattern, p + 1, byte) {
            Some((end, true)) => Some(end),
            Some((_, false)) => None,
            // No closing bracket: it stands for itself.
            None => (byte == b'[').then_some(p + 1),
        },
        b'\\' => {
            let escaped = pattern.get(p + 1).copied().unwrap_or(b'\\');
            (escaped == byte).then_some((p + 2).min(pattern.len().max(p + 1)))
        }
        literal => (*literal == byte).then_some(p + 1),
    }
}

/// The end of the bracket expression that starts at `p`, and whether it holds `byte`.
fn bracket(pattern: &[u8], mut p: usize, byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(pattern.get(p), Some(b'!' | b'^'));
    p += usize::from(negated);
    let first = p;
    let mut found = false;
    loop {
        let member = *pattern.get(p)?;
        if member == b']' && p > first {
            return Some((p + 1, found != negated));
        }
        if member == b'['
            && pattern.get(p + 1) == Some(&b':')
            && let Some(length) = pattern.get(p + 2..)?.windows(2).position(|w| w == b":]")
        {
            found |= class(pattern.get(p + 2..p + 2 + length)?, byte);
            p += length + 4;
            continue;
        }
        let low = if member == b'\\' {
            p += 1;
            *pattern.get(p)?
        } else {
            member
        };
        if pattern.get(p + 1) == Some(&b'-') && pattern.get(p + 2).is_some_and(|b| *b != b']') {
            let high = *pattern.get(p + 2)?;
            found |= (low..=high).contains(&byte);
            p += 3;
        } else {
            found |= low == byte;
            p += 1;
        }
    }
}

/// Whether `byte` is of the POSIX class `name`.
pub(crate) fn class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => byte == b' ' || byte == b'\t',
        b"punct" => byte.is_ascii_punctuation(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        b"cntrl" => byte.is_ascii_control(),
        b"print" => (0x20..0x7f).contains(&byte),
        b"graph" => byte.is_ascii_graphic(),
        _ => false,
    }
}

/// Whether `pattern` has anything but literal characters.
#[must_use]
pub(crate) fn is_pattern(pattern: &[u8]) -> bool {
    let mut escaped = false;
    for &byte in pattern {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// `text` so that as a pattern it matches itself only.
#[must_use]
pub(crate) fn escape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// The inverse of [`escape`].
#[must_use]
pub(crate) fn unescape(pattern: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { bytes.next().copied().unwrap_or(b'\\') } else { byte });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_fnmatch() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("?[a-c]!", "xb!", true),
            ("[!a-c]", "b", false),
            ("[]a]", "]", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[[:digit:]]*", "7up", true),
            ("[", "[", true),
            ("*.sh", "a.sh.bak", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = b"*a".repeat(2000);
        let text = vec![b'a'; 100_000];
        let _ = matches(&pattern, &text);
        assert_eq!(unescape(&escape(b"a*[\\")), b"a*[\\");
    }
}
