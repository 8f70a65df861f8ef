//! Command lines and addresses, read as Postfix reads them.

/// Most words of a line that count.
const MAX_WORDS: usize = 64;
/// Longest local part (RFC 5321 §4.5.3.1.1 allows 64; Postfix takes more).
const MAX_ADDRESS: usize = 1024;

/// The words of `line`: separated by blanks, except within `<…>`, `"…"` and `[…]`; a colon ends one,
/// so that `FROM:<a@b>` is two.
pub(super) fn words(line: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut at = 0;
    while words.len() < MAX_WORDS {
        while line.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let rest = line.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let length = word(rest);
        words.push(rest.get(..length).unwrap_or(rest));
        at += length;
    }
    words
}

/// Length of the word that `text` begins with.
fn word(text: &[u8]) -> usize {
    let mut quoted = false;
    let mut angle = false;
    let mut literal = false;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'<' => angle = true,
            b'>' if angle => return at + 1,
            b'[' => literal = true,
            b']' => literal = false,
            b':' if !angle && !literal => return at + 1,
            _ if byte.is_ascii_whitespace() && !angle && !literal => return at,
            _ => {}
        }
    }
    text.len()
}

/// An envelope address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Without brackets and source route.
    pub(super) text: Vec<u8>,
    pub(super) local: Vec<u8>,
    /// In lower case; empty when there is none.
    pub(super) domain: Vec<u8>,
}

/// The address that `word` holds, with or without angle brackets; none when it is no address.
pub(super) fn address(word: &[u8]) -> Option<Address> {
    let inner = match (word.first(), word.last()) {
        (Some(b'<'), Some(b'>')) => word.get(1..word.len() - 1)?,
        (Some(b'<'), _) | (_, Some(b'>')) => return None,
        _ => word,
    };
    // A source route (RFC 5321 §4.1.2) leads nowhere any more.
    let text = match inner.first() {
        Some(b'@') => inner.splitn(2, |&b| b == b':').nth(1)?,
        _ => inner,
    };
    if text.len() > MAX_ADDRESS {
        return None;
    }
    let at = last_at(text)?;
    let (local, domain) = match at {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &b""[..]),
    };
    let bare = !local.starts_with(b"\"");
    let bad = |&byte: &u8| {
        byte.is_ascii_control() || bare && (byte == b' ' || b"<>()[],;:\"".contains(&byte))
    };
    if local.iter().any(bad) || (bare && local.contains(&b'@')) || domain_is_bad(domain, at) {
        return None;
    }
    let local = unquoted(local);
    let domain = domain.to_ascii_lowercase();
    Some(Address { text: text.to_vec(), local, domain })
}

/// Where the last `@` outside quotes is; none at all when a quote is left open.
#[expect(
    clippy::option_option,
    reason = "a broken text, and one without the sign, are two answers"
)]
fn last_at(text: &[u8]) -> Option<Option<usize>> {
    let (mut quoted, mut escaped, mut found) = (false, false, None);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'@' if !quoted => found = Some(at),
            _ => {}
        }
    }
    (!quoted).then_some(found)
}

fn domain_is_bad(domain: &[u8], at: Option<usize>) -> bool {
    if at.is_some() && domain.is_empty() {
        return true;
    }
    if let Some(literal) = domain.strip_prefix(b"[") {
        return literal.strip_suffix(b"]").is_none();
    }
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte) || *byte >= 0x80;
    !domain.iter().all(fine) || domain.starts_with(b".") || domain.windows(2).any(|w| w == b"..")
}

fn unquoted(local: &[u8]) -> Vec<u8> {
    let Some(inner) = local.strip_prefix(b"\"").and_then(|l| l.strip_suffix(b"\"")) else {
        return local.to_vec();
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        if byte == b'\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_and_angle_brackets_make_words() {
        let split = |line: &'static str| {
            words(line.as_bytes()).iter().map(|w| String::from_utf8_lossy(w)).collect::<Vec<_>>()
        };
        assert_eq!(split("MAIL FROM:<a@b.c> SIZE=1"), ["MAIL", "FROM:", "<a@b.c>", "SIZE=1"]);
        assert_eq!(split(" RCPT  TO: a@b"), ["RCPT", "TO:", "a@b"]);
        assert_eq!(split("RCPT TO:<a b@c>x"), ["RCPT", "TO:", "<a b@c>", "x"]);
        assert_eq!(split("RCPT TO:<@x.y:a@b>"), ["RCPT", "TO:", "<@x.y:a@b>"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn addresses_are_what_postfix_takes_for_one() {
        let parts = |word: &str| {
            address(word.as_bytes()).map(|a| {
                (String::from_utf8(a.local).unwrap(), String::from_utf8(a.domain).unwrap())
            })
        };
        let pair = |l: &str, d: &str| Some((l.to_owned(), d.to_owned()));
        assert_eq!(parts("<A.b@Example.ORG>"), pair("A.b", "example.org"));
        assert_eq!(parts("root"), pair("root", ""));
        assert_eq!(parts("<@x.y,@z:root@[10.0.0.1]>"), pair("root", "[10.0.0.1]"));
        assert_eq!(parts("<\"a b\"@c.d>"), pair("a b", "c.d"));
        assert_eq!(parts("<>"), pair("", ""));
        for bad in ["<a b@c>", "<a@b", "a@", "<\"a@b>", "<a@b@c>", "<a@-..b>", "<a\x01@b>"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
