//! Text of attackers where a terminal shows it: nothing in it does anything.

use std::fmt::Write as _;

/// Whether a terminal, or whoever reads it, could be led astray by `c`: control characters, marks
/// that turn the direction of text, and characters that cannot be seen.
pub(crate) const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` on one line, with every harmful character as its escape.
pub(crate) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_harmful(c) && c.is_ascii() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if is_harmful(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// The same, and no longer than `limit` characters.
pub(crate) fn inert_within(text: &str, limit: usize) -> String {
    // Whatever is cut away need not be looked at.
    let shown = inert(&text.chars().take(limit + 1).collect::<String>());
    if shown.chars().count() <= limit {
        return shown;
    }
    shown.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// JSON with every harmful character of its strings as an escape; the value stays the same.
pub(crate) fn inert_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside of strings there are only line ends and blanks, which a writer put there.
        if is_harmful(c) && !matches!(c, '\n' | '\r' | '\t') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_would_act_is_shown_as_its_escape() {
        let text = "a\u{1b}]0;x\u{7}\r\n\tb\u{9b}2J\u{202e}é👾";
        assert_eq!(inert(text), r"a\x1b]0;x\x07\r\n\tb\u{9b}2J\u{202e}é👾");
        assert_eq!(inert_within("abcdef", 6), "abcdef");
        assert_eq!(inert_within("abcdefg", 6), "abcde…");
        assert_eq!(inert_within("\u{1b}\u{1b}\u{1b}", 6), r"\x1b\…");
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_does_anything(text in any::<String>(), limit in 1_usize..50) {
            prop_assert!(!inert(&text).chars().any(is_harmful));
            let within = inert_within(&text, limit);
            prop_assert!(!within.chars().any(is_harmful) && within.chars().count() <= limit);
        }

        #[test]
        fn json_says_the_same_and_does_nothing(text in any::<String>()) {
            let value = Value::from(vec![text, "\u{7f}\u{202e}\u{e0041}\u{1b}".to_owned()]);
            let shown = inert_json(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert!(!shown.chars().any(|c| is_harmful(c) && c != '\n'));
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
