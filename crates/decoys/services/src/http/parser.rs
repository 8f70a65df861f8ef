//! HTTP/1 requests from bytes (RFC 9112): done, need more, or bad.

use httparse::Status;

/// Longest head: request line and headers.
pub(super) const MAX_HEAD: usize = 8192;
/// Most headers, as Apache's `LimitRequestFields`.
const MAX_HEADERS: usize = 100;
/// Bytes of what was not HTTP that are kept.
const SAMPLE: usize = 512;
/// Longest body that is kept.
pub(super) const MAX_BODY: usize = 10 * 1024 * 1024;

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: Vec<u8>,
    /// As sent, with query.
    pub(super) target: Vec<u8>,
    /// Minor version of HTTP/1.
    pub(super) version: u8,
    /// In wire order and case.
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Head {
    /// The value of the first header called `name`.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_slice())
    }

    /// Path and query of the target.
    pub(super) fn path_and_query(&self) -> (&[u8], Option<&[u8]>) {
        match self.target.iter().position(|&byte| byte == b'?') {
            Some(at) => {
                let (path, query) = self.target.split_at(at);
                (path, query.get(1..))
            }
            None => (&self.target, None),
        }
    }

    /// Whether the client wants to go on after this request.
    pub(super) fn keeps_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default().to_ascii_lowercase();
        let says = |word: &[u8]| connection.windows(word.len()).any(|part| part == word);
        if self.version == 0 { says(b"keep-alive") } else { !says(b"close") }
    }

    /// How the body is framed (RFC 9112 §6.3).
    pub(super) fn framing(&self) -> Result<Framing, Bad> {
        if let Some(coding) = self.header("transfer-encoding") {
            let chunked = coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
            return if chunked { Ok(Framing::Chunked) } else { Err(Bad::Unimplemented) };
        }
        let Some(length) = self.header("content-length") else { return Ok(Framing::Length(0)) };
        let length = std::str::from_utf8(length).ok().and_then(|text| text.trim().parse().ok());
        match length {
            Some(length) if length <= MAX_BODY => Ok(Framing::Length(length)),
            Some(_) => Err(Bad::TooLarge),
            None => Err(Bad::Request),
        }
    }
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// 400.
    Request,
    /// 414: the request line alone is too long.
    Target,
    /// 400 of Apache for too long a head.
    Head,
    /// 413.
    TooLarge,
    /// 501.
    Unimplemented,
}

/// A parse of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    /// The item, and how many bytes it took.
    Done(T, usize),
    /// More bytes are needed.
    Need,
    /// It cannot become an item; the first of the bytes that show it.
    Bad(Bad, Vec<u8>),
}

/// Reads a head at the beginning of `bytes`. Decides when a line or the head is whole, so that the
/// outcome does not depend on how the bytes arrived; a bad head's bytes are what was decided on.
pub(super) fn head(bytes: &[u8]) -> Parsed<Head> {
    let Some(line) = bytes.iter().take(MAX_HEAD).position(|&byte| byte == b'\n') else {
        return if bytes.len() < MAX_HEAD { Parsed::Need } else { bad(Bad::Target, bytes) };
    };
    let line = bytes.get(..=line).unwrap_or_default();
    if let Err(why) = parse(&[line, b"\r\n"].concat()) {
        return bad(why, line);
    }
    let end = |blank: &[u8]| {
        let at = bytes.windows(blank.len()).take(MAX_HEAD).position(|part| part == blank);
        at.map(|at| at + blank.len())
    };
    let end = match (end(b"\n\r\n"), end(b"\n\n")) {
        (Some(one), Some(other)) => one.min(other),
        (Some(end), None) | (None, Some(end)) => end,
        (None, None) if bytes.len() < MAX_HEAD => return Parsed::Need,
        (None, None) => return bad(Bad::Head, bytes),
    };
    let whole = bytes.get(..end).unwrap_or_default();
    match parse(whole) {
        Ok(head) => Parsed::Done(head, end),
        Err(why) => bad(why, whole),
    }
}

fn bad<T>(why: Bad, bytes: &[u8]) -> Parsed<T> {
    Parsed::Bad(why, bytes.iter().take(SAMPLE).copied().collect())
}

fn parse(whole: &[u8]) -> Result<Head, Bad> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(whole) {
        Ok(Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Bad::Head),
        Ok(Status::Partial) | Err(_) => return Err(Bad::Request),
    }
    let owned = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec();
    let pairs = request.headers.iter();
    Ok(Head {
        method: owned(request.method),
        target: owned(request.path),
        version: request.version.unwrap_or(1),
        headers: pairs.map(|one| (one.name.as_bytes().to_vec(), one.value.to_vec())).collect(),
    })
}

/// Reads a body at the beginning of `bytes`.
pub(super) fn body(framing: Framing, bytes: &[u8]) -> Parsed<Vec<u8>> {
    match framing {
        Framing::Length(length) => match bytes.get(..length) {
            Some(body) => Parsed::Done(body.to_vec(), length),
            None => Parsed::Need,
        },
        Framing::Chunked => chunked(bytes),
    }
}

/// RFC 9112 §7.1, trailers dropped.
fn chunked(bytes: &[u8]) -> Parsed<Vec<u8>> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (header, length) = match httparse::parse_chunk_size(rest) {
            Ok(Status::Complete((header, length))) => (header, length),
            Ok(Status::Partial) if rest.len() < MAX_HEAD => return Parsed::Need,
            Ok(Status::Partial) | Err(_) => return bad(Bad::Request, b""),
        };
        let Some(length) = usize::try_from(length).ok().filter(|n| body.len() + n <= MAX_BODY)
        else {
            return bad(Bad::TooLarge, b"");
        };
        let rest = rest.get(header..).unwrap_or_default();
        if length == 0 {
            return match trailers(rest) {
                Parsed::Done((), used) => Parsed::Done(body, at + header + used),
                Parsed::Need => Parsed::Need,
                Parsed::Bad(why, sample) => Parsed::Bad(why, sample),
            };
        }
        let Some(chunk) = rest.get(..length) else { return Parsed::Need };
        match rest.get(length..length + 2) {
            Some(b"\r\n") => {}
            Some(_) => return bad(Bad::Request, b""),
            None => return Parsed::Need,
        }
        body.extend_from_slice(chunk);
        at += header + length + 2;
    }
}

fn trailers(bytes: &[u8]) -> Parsed<()> {
    if bytes.starts_with(b"\r\n") {
        return Parsed::Done((), 2);
    }
    match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => Parsed::Done((), at + 4),
        None if bytes.len() < MAX_HEAD => Parsed::Need,
        None => bad(Bad::Request, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_joined_and_its_end_found() {
        let bytes = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\nGET";
        assert_eq!(body(Framing::Chunked, bytes), Parsed::Done(b"abcde".to_vec(), bytes.len() - 3));
        for cut in 0..bytes.len() - 3 {
            assert_eq!(body(Framing::Chunked, &bytes[..cut]), Parsed::Need, "cut at {cut}");
        }
    }

    #[test]
    fn sizes_beyond_the_limit_are_refused_before_they_arrive() {
        assert_eq!(body(Framing::Chunked, b"ffffffff\r\n"), Parsed::Bad(Bad::TooLarge, Vec::new()));
        let Parsed::Done(head, _) = head(b"POST / HTTP/1.1\r\nContent-Length: 10485761\r\n\r\n")
        else {
            panic!("a plain head")
        };
        assert_eq!(head.framing(), Err(Bad::TooLarge));
    }
}
