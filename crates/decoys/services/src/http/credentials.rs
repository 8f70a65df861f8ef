//! Credentials in a request (`spec/services.md` §1.6): Authorization first, then the body's form.

use base_model::{Secret, SecretKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::parser::Head;

/// Keys of an identity, in order of preference.
const PRINCIPALS: &[&str] = &[
    "username",
    "user",
    "email",
    "login",
    "userid",
    "account",
    "log",
    "user_login",
    "uname",
    "pma_username",
    "j_username",
];
/// Keys of a secret, in order of preference.
const SECRETS: &[&str] = &[
    "password",
    "pass",
    "pwd",
    "passwd",
    "passwort",
    "mot_de_passe",
    "user_password",
    "pma_password",
    "j_password",
];

/// An identity, if one was given, and its secret.
pub(super) type Credential = (Option<Vec<u8>>, Secret);

/// The credential that `head` and `body` carry.
pub(super) fn find(head: &Head, body: &[u8]) -> Option<Credential> {
    head.header("authorization").and_then(authorization).or_else(|| form(head, body))
}

fn authorization(value: &[u8]) -> Option<Credential> {
    let at = value.iter().position(|&byte| byte == b' ')?;
    let (scheme, rest) = value.split_at(at);
    let rest = rest.trim_ascii();
    match scheme.to_ascii_lowercase().as_slice() {
        b"basic" => {
            let decoded = STANDARD.decode(rest).ok()?;
            let colon = decoded.iter().position(|&byte| byte == b':')?;
            let (user, password) = decoded.split_at(colon);
            let password = password.get(1..).unwrap_or_default();
            Some((Some(user.to_vec()), Secret::plaintext(password)))
        }
        b"bearer" | b"token" => {
            Some((None, Secret { kind: SecretKind::HttpBearer, bytes: rest.to_vec() }))
        }
        b"digest" => digest(rest),
        _ => None,
    }
}

/// `k=v` or `k="v"`, separated by commas (RFC 7616 §3.4).
fn digest(text: &[u8]) -> Option<Credential> {
    let mut user = None;
    let mut response = None;
    for part in text.split(|&byte| byte == b',') {
        let Some(at) = part.iter().position(|&byte| byte == b'=') else { continue };
        let (key, value) = part.split_at(at);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let value = value.strip_suffix(b"\"").unwrap_or(value).to_vec();
        match key.trim_ascii().to_ascii_lowercase().as_slice() {
            b"username" => user = Some(value),
            b"response" => response = Some(value),
            _ => {}
        }
    }
    Some((user, Secret { kind: SecretKind::HttpDigestMd5, bytes: response? }))
}

fn form(head: &Head, body: &[u8]) -> Option<Credential> {
    let kind = head.header("content-type")?.to_ascii_lowercase();
    let pairs = if kind.starts_with(b"application/x-www-form-urlencoded") {
        url_encoded(body)
    } else if kind.starts_with(b"application/json") {
        json(body)
    } else if kind.starts_with(b"multipart/form-data") {
        multipart(head.header("content-type")?, body)
    } else {
        return None;
    };
    let first = |keys: &[&str]| {
        keys.iter().find_map(|wanted| {
            let found = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted.as_bytes()));
            found.map(|(_, value)| value.clone())
        })
    };
    Some((first(PRINCIPALS), Secret::plaintext(first(SECRETS)?)))
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Fields looked at in one body.
const MAX_FIELDS: usize = 200;

fn url_encoded(body: &[u8]) -> Pairs {
    let fields = body.split(|&byte| byte == b'&').take(MAX_FIELDS);
    fields
        .map(|field| {
            let at = field.iter().position(|&byte| byte == b'=').unwrap_or(field.len());
            let (key, value) = field.split_at(at);
            (url_decoded(key), url_decoded(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

fn url_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

fn json(body: &[u8]) -> Pairs {
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return Vec::new() };
    let fields = object.into_iter().take(MAX_FIELDS);
    fields
        .filter_map(|(key, value)| match value {
            Value::String(text) => Some((key.into_bytes(), text.into_bytes())),
            Value::Number(number) => Some((key.into_bytes(), number.to_string().into_bytes())),
            _ => None,
        })
        .collect()
}

/// RFC 7578: parts between boundary lines, the field's name in Content-Disposition.
fn multipart(kind: &[u8], body: &[u8]) -> Pairs {
    let Some(boundary) = parameter(kind, b"boundary=") else { return Vec::new() };
    let delimiter = [b"--", boundary.as_slice()].concat();
    let mut pairs = Pairs::new();
    for part in split(body, &delimiter).into_iter().skip(1).take(MAX_FIELDS) {
        let Some(at) = part.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (headers, value) = part.split_at(at);
        let value = value.get(4..).unwrap_or_default();
        let value = value.strip_suffix(b"\r\n").unwrap_or(value);
        if let Some(name) = parameter(headers, b" name=") {
            pairs.push((name, value.to_vec()));
        }
    }
    pairs
}

fn parameter(text: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let at = text.windows(name.len()).position(|part| part.eq_ignore_ascii_case(name))?;
    let rest = text.get(at + name.len()..)?;
    match rest.strip_prefix(b"\"") {
        Some(quoted) => Some(quoted.split(|&byte| byte == b'"').next()?.to_vec()),
        None => {
            Some(rest.split(|&byte| byte == b';' || byte == b'\r').next()?.trim_ascii().to_vec())
        }
    }
}

fn split<'b>(body: &'b [u8], delimiter: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(delimiter.len()).position(|part| part == delimiter) {
        let (part, after) = rest.split_at(at);
        parts.push(part);
        rest = after.get(delimiter.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::super::parser::{self, Parsed};
    use super::*;

    type Found = Option<(Option<Vec<u8>>, &'static str, Vec<u8>)>;

    fn credential(head: &str, body: &[u8]) -> Found {
        let text = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n");
        let Parsed::Done(head, _) = parser::head(text.as_bytes()) else { panic!("bad head") };
        find(&head, body).map(|(user, secret)| (user, secret.kind.name(), secret.bytes))
    }

    fn some(user: &[u8], kind: &'static str, secret: &[u8]) -> Found {
        Some((Some(user.to_vec()), kind, secret.to_vec()))
    }

    #[test]
    fn basic_keeps_every_byte() {
        let encoded = STANDARD.encode(b"ad\xffmin:p:a\0ss ");
        let found = credential(&format!("Authorization: bAsIc {encoded}"), b"");
        assert_eq!(found, some(b"ad\xffmin", "plaintext", b"p:a\0ss "));
        assert_eq!(credential("Authorization: Basic bm9jb2xvbg==", b""), None);
    }

    #[test]
    fn bearer_and_digest() {
        let found = credential("Authorization: Token abc.def", b"");
        assert_eq!(found, Some((None, "http_bearer", b"abc.def".to_vec())));
        let text = "Authorization: Digest username=\"bob\", realm=x, response=\"0f\"";
        assert_eq!(credential(text, b""), some(b"bob", "http_digest_md5", b"0f"));
        assert_eq!(credential("Authorization: Digest username=\"bob\"", b""), None);
    }

    #[test]
    fn forms_of_three_kinds() {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let body = b"LOG=a%40b&x=1&pwd=+%ff%zz";
        assert_eq!(credential(kind, body), some(b"a@b", "plaintext", b" \xff%zz"));
        assert_eq!(credential(kind, b"user=x"), None);
        let body = br#"{"email":"a@b","password":"x\u0000"}"#;
        assert_eq!(
            credential("Content-Type: application/json; charset=utf-8", body),
            some(b"a@b", "plaintext", b"x\0")
        );
        let body = b"--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nu\r\n--B\r\nContent-Disposition: form-data; name=\"pass\"\r\n\r\np\r\n\r\n--B--";
        assert_eq!(
            credential("Content-Type: multipart/form-data; boundary=B", body),
            some(b"u", "plaintext", b"p\r\n")
        );
    }

    #[test]
    fn the_header_wins_over_the_form() {
        let head = "Authorization: Basic YTpi\r\nContent-Type: application/x-www-form-urlencoded";
        assert_eq!(credential(head, b"user=x&pass=y"), some(b"a", "plaintext", b"b"));
    }
}
