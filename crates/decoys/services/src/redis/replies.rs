//! What the server answers, in both versions of its protocol.

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// Nothing at all.
    None,
    /// `+text`.
    Simple(String),
    /// `-text`, with its code.
    Error(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Bulk(Vec<u8>),
    /// No value.
    Null,
    /// No list.
    NullArray,
    /// A list.
    Array(Vec<Reply>),
    /// Keys and values.
    Map(Vec<(Reply, Reply)>),
    /// A set.
    Set(Vec<Reply>),
    /// Told without being asked.
    Push(Vec<Reply>),
    /// A floating-point number.
    Double(f64),
    /// Text for people.
    Verbatim(String),
    /// A snapshot: a length and the bytes, without a line end.
    File(Vec<u8>),
    /// Several answers to one command.
    Many(Vec<Reply>),
}

impl Reply {
    pub(super) fn ok() -> Self {
        Self::Simple("OK".to_owned())
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Bulk(text.into().into_bytes())
    }

    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    /// A truth, as 0 or 1.
    pub(super) fn yes(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }

    /// A count.
    pub(super) fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// A list of byte strings.
    pub(super) fn bulks(items: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::Array(items.into_iter().map(Self::Bulk).collect())
    }

    /// Bytes or no value.
    pub(super) fn maybe(value: Option<Vec<u8>>) -> Self {
        value.map_or(Self::Null, Self::Bulk)
    }

    /// The text of the error, if it is one.
    pub(super) fn failure(&self) -> Option<&str> {
        match self {
            Self::Error(text) => Some(text),
            _ => None,
        }
    }

    /// On the wire; `three` for RESP3.
    pub(super) fn write(&self, three: bool, out: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Simple(text) => line(out, b'+', text.as_bytes()),
            Self::Error(text) => {
                // Line ends would end the error early.
                let text: Vec<u8> = text
                    .bytes()
                    .map(|byte| if byte == b'\r' || byte == b'\n' { b' ' } else { byte })
                    .collect();
                line(out, b'-', &text);
            }
            Self::Int(number) => line(out, b':', number.to_string().as_bytes()),
            Self::Bulk(bytes) => bulk(out, b'$', bytes),
            Self::Null if three => out.extend_from_slice(b"_\r\n"),
            Self::NullArray if three => out.extend_from_slice(b"_\r\n"),
            Self::Null => out.extend_from_slice(b"$-1\r\n"),
            Self::NullArray => out.extend_from_slice(b"*-1\r\n"),
            Self::Array(items) => many(out, b'*', items.len(), items.iter(), three),
            Self::Set(items) => {
                let kind = if three { b'~' } else { b'*' };
                many(out, kind, items.len(), items.iter(), three);
            }
            Self::Push(items) => {
                let kind = if three { b'>' } else { b'*' };
                many(out, kind, items.len(), items.iter(), three);
            }
            Self::Map(pairs) => {
                let (kind, count) =
                    if three { (b'%', pairs.len()) } else { (b'*', pairs.len() * 2) };
                many(out, kind, count, pairs.iter().flat_map(|(key, value)| [key, value]), three);
            }
            Self::Double(number) if three => line(out, b',', double(*number).as_bytes()),
            Self::Double(number) => bulk(out, b'$', double(*number).as_bytes()),
            Self::Verbatim(text) if three => {
                bulk(out, b'=', [b"txt:", text.as_bytes()].concat().as_slice());
            }
            Self::Verbatim(text) => bulk(out, b'$', text.as_bytes()),
            Self::File(bytes) => {
                line(out, b'$', bytes.len().to_string().as_bytes());
                out.extend_from_slice(bytes);
            }
            Self::Many(replies) => replies.iter().for_each(|reply| reply.write(three, out)),
        }
    }
}

fn line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn bulk(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    line(out, kind, bytes.len().to_string().as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn many<'r>(
    out: &mut Vec<u8>,
    kind: u8,
    count: usize,
    items: impl Iterator<Item = &'r Reply>,
    three: bool,
) {
    line(out, kind, count.to_string().as_bytes());
    items.for_each(|item| item.write(three, out));
}

/// A number as `%.17g` prints it.
pub(super) fn double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number == number.trunc() && number.abs() < 1e17 {
        return format!("{number:.0}");
    }
    let digits = format!("{number:.16e}");
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-5..17).contains(&exponent) {
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let places = usize::try_from(16 - exponent).unwrap_or(0);
    let text = format!("{number:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply, three: bool) -> String {
        let mut out = Vec::new();
        reply.write(three, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_protocol_writes_its_own_forms() {
        let map = Reply::Map(vec![(Reply::text("a"), Reply::Null)]);
        assert_eq!(wire(&map, false), "*2\r\n$1\r\na\r\n$-1\r\n");
        assert_eq!(wire(&map, true), "%1\r\n$1\r\na\r\n_\r\n");
        assert_eq!(wire(&Reply::Double(1.5), true), ",1.5\r\n");
        assert_eq!(wire(&Reply::Verbatim("x".into()), true), "=5\r\ntxt:x\r\n");
        assert_eq!(wire(&Reply::error("ERR a\r\n+OK"), false), "-ERR a  +OK\r\n");
    }

    #[test]
    fn doubles_print_as_in_c() {
        assert_eq!(double(4.015), "4.0149999999999997");
        assert_eq!(double(3.0), "3");
        assert_eq!(double(0.1), "0.10000000000000001");
        assert_eq!(double(1e300), "1.0000000000000001e+300");
        assert_eq!(double(f64::NEG_INFINITY), "-inf");
    }
}
