//! The parts of a message (RFC 2045, RFC 2046).

use mail_parser::{HeaderValue, MessageParser, MimeHeaders as _, PartType};

/// Parts looked at, and how deep they may nest.
const MAX_PARTS: usize = 200;
const MAX_DEPTH: usize = 16;
/// Longest header of a part.
const MAX_HEADER: usize = 256 * 1024;
/// Longest boundary (RFC 2046 §5.1.1 allows 70).
const MAX_BOUNDARY: usize = 256;

/// One part without parts of its own, decoded.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) content_type: String,
    pub(super) filename: Option<String>,
    pub(super) is_attachment: bool,
    pub(super) bytes: Vec<u8>,
    /// The same as text when it is text.
    pub(super) text: Option<String>,
}

impl Part {
    /// Whether it is a file rather than what is read.
    pub(super) fn is_file(&self) -> bool {
        self.is_attachment || self.filename.is_some() || self.text.is_none()
    }
}

/// Header and body of `message`; what has no header is all body.
pub(super) fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        let blank = matches!(line, b"\r\n" | b"\n");
        at += line.len();
        if blank {
            break;
        }
        if at > MAX_HEADER {
            return (&[], message);
        }
    }
    message.split_at(at.min(message.len()))
}

/// Names and decoded values of the header fields in order.
pub(super) fn headers(header: &[u8]) -> Vec<(String, String)> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in header.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), lines.last_mut()) {
            (Some(b' ' | b'\t'), Some(last)) => last.extend_from_slice(line),
            (Some(_), _) => lines.push(line.to_vec()),
            (None, _) => {}
        }
    }
    let field = |line: Vec<u8>| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = String::from_utf8_lossy(name).trim().to_owned();
        Some((name, decoded(value.get(1..)?)))
    };
    lines.into_iter().filter_map(field).collect()
}

/// A field's value with its encoded words (RFC 2047) read.
fn decoded(value: &[u8]) -> String {
    let plain = || String::from_utf8_lossy(value).trim().to_owned();
    if !value.windows(2).any(|pair| pair == b"=?") {
        return plain();
    }
    let line = [b"Subject:", value, b"\r\n\r\n"].concat();
    let parser = MessageParser::new().header_text("Subject").default_header_ignore();
    let parsed = parser.parse_headers(&line);
    let text = parsed.as_ref().and_then(|message| match message.header("Subject") {
        Some(HeaderValue::Text(text)) => Some(text.trim().to_owned()),
        _ => None,
    });
    text.unwrap_or_else(plain)
}

/// What a part's header says of its body.
struct Kind {
    main: String,
    sub: String,
    boundary: Option<Vec<u8>>,
    filename: Option<String>,
    is_attachment: bool,
    is_encoded: bool,
}

fn parser() -> MessageParser {
    MessageParser::new().with_mime_headers().default_header_ignore()
}

fn kind(part: &[u8]) -> Kind {
    let (header, _) = split(part);
    let parsed = parser().parse_headers(header);
    let message = parsed.as_ref();
    let content_type = message.and_then(|m| m.content_type());
    let disposition = message.and_then(|m| m.content_disposition());
    let encoding = message.and_then(|m| m.content_transfer_encoding());
    let lower = |text: &str| text.to_ascii_lowercase();
    Kind {
        main: content_type.map_or_else(|| "text".to_owned(), |ct| lower(ct.ctype())),
        sub: match content_type {
            Some(content_type) => content_type.subtype().map(lower).unwrap_or_default(),
            None => "plain".to_owned(),
        },
        boundary: content_type
            .and_then(|ct| ct.attribute("boundary"))
            .filter(|boundary| !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY)
            .map(|boundary| boundary.as_bytes().to_vec()),
        filename: message.and_then(|m| m.attachment_name()).map(str::to_owned),
        is_attachment: disposition.is_some_and(|d| d.is_attachment()),
        is_encoded: encoding
            .is_some_and(|e| matches!(lower(e).as_str(), "base64" | "quoted-printable")),
    }
}

/// Shows `seen` every part of `message` that has none of its own, in order.
pub(super) fn walk(message: &[u8], seen: &mut dyn FnMut(Part)) {
    let mut todo = vec![(message, 0)];
    let mut parts = 0;
    while let Some((part, depth)) = todo.pop() {
        parts += 1;
        if parts > MAX_PARTS {
            return;
        }
        let kind = kind(part);
        let (_, body) = split(part);
        let deeper = depth + 1 < MAX_DEPTH;
        match (kind.main.as_str(), &kind.boundary) {
            ("multipart", Some(boundary)) if deeper => {
                let children = children(body, boundary);
                todo.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
            }
            ("message", _) if deeper && !kind.is_encoded && kind.sub == "rfc822" => {
                todo.push((body, depth + 1));
                seen(whole(kind, body));
            }
            ("multipart" | "message", _) => seen(whole(kind, body)),
            _ => seen(leaf(kind, part)),
        }
    }
}

/// A part as it stands.
fn whole(kind: Kind, body: &[u8]) -> Part {
    Part {
        content_type: format!("{}/{}", kind.main, kind.sub),
        filename: kind.filename,
        is_attachment: kind.is_attachment,
        bytes: body.to_vec(),
        text: None,
    }
}

/// A part with its transfer encoding undone.
fn leaf(kind: Kind, part: &[u8]) -> Part {
    let parsed = parser().parse(part);
    let body = parsed.and_then(|message| message.parts.into_iter().next()).map(|part| part.body);
    let is_file = kind.is_attachment || kind.filename.is_some();
    let (bytes, text) = match body {
        // A file's bytes are the ones sent, not those of its text in another character set.
        Some(PartType::Text(_) | PartType::Html(_)) if is_file => (raw(part), None),
        Some(PartType::Text(text) | PartType::Html(text)) => (Vec::new(), Some(text.into_owned())),
        Some(PartType::Binary(bytes) | PartType::InlineBinary(bytes)) => (bytes.into_owned(), None),
        Some(PartType::Message(_) | PartType::Multipart(_)) | None => {
            (Vec::new(), Some(String::from_utf8_lossy(split(part).1).into_owned()))
        }
    };
    Part {
        content_type: format!("{}/{}", kind.main, kind.sub),
        filename: kind.filename,
        is_attachment: kind.is_attachment,
        bytes,
        text,
    }
}

/// The decoded bytes of a text part: it is read again as if it were no text.
fn raw(part: &[u8]) -> Vec<u8> {
    let (header, body) = split(part);
    let encoding = headers(header)
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-transfer-encoding"))
        .map_or_else(|| "8bit".to_owned(), |(_, value)| value);
    let head = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    let again = [head.as_bytes(), body].concat();
    let parsed = parser().parse(&again);
    match parsed.and_then(|message| message.parts.into_iter().next()).map(|part| part.body) {
        Some(PartType::Binary(bytes) | PartType::InlineBinary(bytes)) => bytes.into_owned(),
        _ => body.to_vec(),
    }
}

/// What lies between the lines of `boundary`.
fn children<'b>(body: &'b [u8], boundary: &[u8]) -> Vec<&'b [u8]> {
    let mut out = Vec::new();
    let mut begin = None;
    let mut at = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let next = at + line.len();
        let rest = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        if let Some(rest) = rest
            && (rest.starts_with(b"--") || rest.iter().all(u8::is_ascii_whitespace))
        {
            if let Some(begin) = begin {
                out.push(until_line_end(body.get(begin..at).unwrap_or_default()));
            }
            begin = (!rest.starts_with(b"--")).then_some(next);
            if begin.is_none() || out.len() >= MAX_PARTS {
                return out;
            }
        }
        at = next;
    }
    if let Some(begin) = begin {
        out.push(body.get(begin..).unwrap_or_default());
    }
    out
}

/// The line end before a boundary belongs to the boundary.
fn until_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}
