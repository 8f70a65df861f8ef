//! Permission bits as text.

use crate::fs::Node;

/// `-rwxr-xr-x`.
pub(in crate::shell::commands) fn mode_text(node: &Node) -> String {
    let mut out = String::from(node.type_char());
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = node.mode >> shift & 7;
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (node.mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

/// `mode` changed as the mode string `text` says; `None` when that is none.
/// Without a letter who is meant, the bits of `umask` stay.
pub(in crate::shell::commands) fn change(
    text: &[u8],
    mode: u16,
    directory: bool,
    umask: u16,
) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    let mut mode = mode;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at_checked(at)?;
        let mut mask = 0_u16;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o7777 & !umask;
        }
        let operator = rest.chars().next()?;
        let mut bits = 0_u16;
        for c in rest.chars().skip(1) {
            bits |= match c {
                'u' => spread(mode >> 6),
                'g' => spread(mode >> 3),
                'o' => spread(mode),
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if directory || mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        let mask = if bits & 0o1000 != 0 { mask | 0o1000 } else { mask };
        mode = match operator {
            '+' => mode | (bits & mask),
            '-' => mode & !(bits & mask),
            // A directory keeps its set-id bits unless they are named.
            _ => (mode & !(mask & if directory { 0o777 } else { 0o6777 })) | (bits & mask),
        };
    }
    Some(mode)
}

/// The three bits of one class for all classes.
const fn spread(bits: u16) -> u16 {
    (bits & 7) * 0o111
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_strings_apply() {
        for (text, before, after) in [
            ("755", 0o644, Some(0o755)),
            ("+x", 0o644, Some(0o755)),
            ("u+s,go-rwx", 0o755, Some(0o4700)),
            ("a=r", 0o777, Some(0o444)),
            ("999", 0, None),
            ("z+x", 0, None),
            ("", 0, None),
        ] {
            assert_eq!(change(text.as_bytes(), before, false, 0o022), after, "{text}");
        }
    }
}
