//! A client of few words: HTTP/1.1 by hand, so that a test may also send what no client would.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// How long a test waits for an answer before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Checks that this is a problem with this status and code, and returns it.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code);
        assert_eq!(problem["type"], format!("urn:decnet:problem:{code}"));
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        problem
    }
}

/// Sends a request whole and reads the answer.
pub(crate) async fn send(addr: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let _ = stream.write_all(request).await;
    tokio::time::timeout(PATIENCE, read(&mut BufReader::new(stream))).await.expect("an answer")
}

/// Reads one answer.
pub(crate) async fn read(stream: &mut BufReader<TcpStream>) -> Answer {
    let (status, headers) = head(stream).await;
    let mut answer = Answer { status, headers, body: Vec::new() };
    if let Some(length) = answer.header("content-length") {
        answer.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut answer.body).await.unwrap();
    } else if answer.header("transfer-encoding") == Some("chunked") {
        while let Some(chunk) = chunk(stream).await {
            answer.body.extend(chunk);
        }
    } else if status != 304 {
        stream.read_to_end(&mut answer.body).await.unwrap();
    }
    answer
}

async fn head(stream: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let first = lines.first().expect("a status line");
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &String| line.split_once(": ").map(|(k, v)| (k.to_owned(), v.to_owned()));
    (status, lines.iter().skip(1).filter_map(pair).collect())
}

async fn chunk(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let length = usize::from_str_radix(line.trim(), 16).unwrap();
    let mut bytes = vec![0; length + 2];
    stream.read_exact(&mut bytes).await.ok()?;
    bytes.truncate(length);
    (length > 0).then_some(bytes)
}

/// A frame of a live stream.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) id: Option<u64>,
    pub(crate) event: Option<String>,
    pub(crate) data: Value,
}

/// A live stream.
pub(crate) struct Live {
    pub(crate) answer: Answer,
    stream: BufReader<TcpStream>,
    pending: String,
}

impl Live {
    /// Opens one.
    pub(crate) async fn open(addr: SocketAddr, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut stream = BufReader::new(stream);
        let (status, headers) =
            tokio::time::timeout(PATIENCE, head(&mut stream)).await.expect("an answer");
        let answer = Answer { status, headers, body: Vec::new() };
        Self { answer, stream, pending: String::new() }
    }

    /// The next text between two blank lines; `None` at the end.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.pending.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.pending = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, chunk(&mut self.stream));
            let bytes = chunk.await.expect("the stream goes on or ends")?;
            self.pending.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next frame that is no comment; `None` at the end.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            let block = self.block().await?;
            if block.starts_with(':') {
                continue;
            }
            let mut frame = Frame { id: None, event: None, data: Value::Null };
            for line in block.lines() {
                match line.split_once(": ").unwrap() {
                    ("id", id) => frame.id = Some(id.parse().unwrap()),
                    ("event", event) => frame.event = Some(event.to_owned()),
                    ("data", data) => frame.data = serde_json::from_str(data).unwrap(),
                    other => panic!("{other:?}"),
                }
            }
            return Some(frame);
        }
    }

    /// The next frame of this type.
    pub(crate) async fn next(&mut self, kind: &str) -> Frame {
        loop {
            let frame = self.frame().await.expect("the stream goes on");
            if frame.data["type"] == kind {
                return frame;
            }
        }
    }

    /// Ids of the next `count` log rows.
    pub(crate) async fn ids(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let frame = self.next("logs").await;
            let rows = frame.data["data"].as_array().unwrap();
            ids.extend(rows.iter().map(|row| row["id"].as_u64().unwrap()));
            assert_eq!(frame.id, ids.last().copied());
        }
        ids
    }
}
