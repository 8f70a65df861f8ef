//! HTTP/1.1: requests byte for byte as they are planned, on as few connections as the server
//! allows.

use super::wire::Wire;
use super::{Fault, Visitor};
use crate::plan::{HttpVisit, Request};

const MOST_HEADERS: usize = 100;

pub(super) async fn visit(visitor: &Visitor, visit: &HttpVisit) -> Result<(), Fault> {
    let mut open = None;
    for request in &visit.requests {
        let mut wire = match open.take() {
            Some(wire) => wire,
            None => visitor.wire(&visit.door).await?,
        };
        wire.send(&written(visit, request)).await?;
        let head = wire.until("an HTTP answer", head).await?;
        body(&mut wire, &head, &request.method).await?;
        visitor.requested().await;
        if let Some(login) = &request.login {
            visitor.tried(&visit.door, login, takes(request, head.status)).await;
        }
        open = (!head.closes).then_some(wire);
    }
    Ok(())
}

/// A form that is taken leads on to another page; a page behind Basic authentication is shown.
fn takes(request: &Request, status: u16) -> bool {
    match request.method.as_str() {
        "POST" => matches!(status, 302 | 303),
        _ => status == 200,
    }
}

fn written(visit: &HttpVisit, request: &Request) -> Vec<u8> {
    let address = visit.door.address;
    let host = match address.port() {
        80 => address.ip().to_string(),
        _ => address.to_string(),
    };
    let Request { method, path, headers, body, .. } = request;
    let agent = &visit.user_agent;
    let mut out = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n"
    );
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        out.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    out.push_str(body);
    out.into_bytes()
}

/// What the header of an answer says about the rest.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
    closes: bool,
}

fn head(held: &[u8]) -> Result<Option<(Head, usize)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let used = match answer.parse(held) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Fault::Odd("an HTTP answer")),
    };
    let value = |name: &str| {
        let header = answer.headers.iter().find(|one| one.name.eq_ignore_ascii_case(name));
        header.map(|one| String::from_utf8_lossy(one.value).to_ascii_lowercase())
    };
    let head = Head {
        status: answer.code.unwrap_or(0),
        length: value("content-length").and_then(|length| length.trim().parse().ok()),
        chunked: value("transfer-encoding").is_some_and(|how| how.contains("chunked")),
        closes: value("connection").is_some_and(|how| how.contains("close"))
            || answer.version == Some(0),
    };
    Ok(Some((head, used)))
}

/// Reads the body away (RFC 9112 §6.3).
async fn body(wire: &mut Wire, head: &Head, method: &str) -> Result<(), Fault> {
    const WHAT: &str = "an HTTP body";
    if method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
        return Ok(());
    }
    if head.chunked {
        loop {
            let line = wire.line(WHAT).await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| Fault::Odd(WHAT))?;
            wire.exactly(size, WHAT).await?;
            wire.line(WHAT).await?;
            if size == 0 {
                return Ok(());
            }
        }
    }
    match head.length {
        Some(length) => wire.exactly(length, WHAT).await.map(drop),
        None if head.closes => wire.rest(WHAT).await.map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_where_it_ends_and_whether_the_connection_does() {
        let answer =
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\nConnection: close\r\n\r\nhello";
        let (found, used) = head(answer).unwrap().unwrap();
        assert_eq!(found, Head { status: 403, length: Some(12), chunked: false, closes: true });
        assert_eq!(used, answer.len() - 5);
        assert!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n").unwrap().is_none());
        assert!(head(b"220 mail ESMTP\r\n").is_err());
    }
}
