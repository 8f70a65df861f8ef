//! HTTP/1 requests from bytes (RFC 9112): done, need more, or bad.

use httparse::Status;

/// Longest head: request line and headers.
pub(super) const MAX_HEAD: usize = 8192;
/// Most headers, as Apache's `LimitRequestFields`.
const MAX_HEADERS: usize = 100;
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
    /// It cannot become an item.
    Bad(Bad),
}

/// Reads a head at the beginning of `bytes`.
pub(super) fn head(bytes: &[u8]) -> Parsed<Head> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Complete(used)) if used <= MAX_HEAD => {
            let owned = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec();
            let headers = request
                .headers
                .iter()
                .map(|header| (header.name.as_bytes().to_vec(), header.value.to_vec()))
                .collect();
            let head = Head {
                method: owned(request.method),
                target: owned(request.path),
                version: request.version.unwrap_or(1),
                headers,
            };
            Parsed::Done(head, used)
        }
        Ok(Status::Complete(_)) => Parsed::Bad(Bad::Head),
        Ok(Status::Partial) if bytes.len() < MAX_HEAD => Parsed::Need,
        Ok(Status::Partial) if bytes.contains(&b'\n') => Parsed::Bad(Bad::Head),
        Ok(Status::Partial) => Parsed::Bad(Bad::Target),
        Err(httparse::Error::TooManyHeaders) => Parsed::Bad(Bad::Head),
        Err(_) => Parsed::Bad(Bad::Request),
    }
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
            Ok(Status::Partial) | Err(_) => return Parsed::Bad(Bad::Request),
        };
        let Some(length) = usize::try_from(length).ok().filter(|n| body.len() + n <= MAX_BODY)
        else {
            return Parsed::Bad(Bad::TooLarge);
        };
        let rest = rest.get(header..).unwrap_or_default();
        if length == 0 {
            return match trailers(rest) {
                Parsed::Done((), used) => Parsed::Done(body, at + header + used),
                Parsed::Need => Parsed::Need,
                Parsed::Bad(bad) => Parsed::Bad(bad),
            };
        }
        let Some(chunk) = rest.get(..length) else { return Parsed::Need };
        match rest.get(length..length + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Parsed::Bad(Bad::Request),
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
        None => Parsed::Bad(Bad::Request),
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
        assert_eq!(body(Framing::Chunked, b"ffffffff\r\n"), Parsed::Bad(Bad::TooLarge));
        let Parsed::Done(head, _) = head(b"POST / HTTP/1.1\r\nContent-Length: 10485761\r\n\r\n")
        else {
            panic!("a plain head")
        };
        assert_eq!(head.framing(), Err(Bad::TooLarge));
    }
}
