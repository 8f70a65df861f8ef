//! HTTP: `GET /` again and again on connections that stay open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::ensure;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figure::{Figure, Target};
use crate::process::Cpu;
use crate::source;
use crate::subject::Subject;

/// Requests before the clock runs.
const WARM_UP: usize = 500;
/// Most bytes of a header that is waited for.
const MAX_HEAD: usize = 64 * 1024;

pub(crate) fn measure(requests: usize, clients: usize) -> anyhow::Result<Vec<Figure>> {
    let mut subject = Subject::start(1)?;
    let target = subject.endpoint("http")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(attack(target, WARM_UP, clients))?;
    subject.settle()?;
    let before = (subject.spent()?, Cpu::of(std::process::id())?);
    let begun = Instant::now();
    let connections = runtime.block_on(attack(target, requests, clients))?;
    let took = begun.elapsed();
    let client = Cpu::of(std::process::id())?;
    subject.settle()?;
    let after = subject.spent()?;
    let stored = subject.sessions("http")?;
    subject.stop()?;
    let requested: u64 = stored.values().filter_map(|kinds| kinds.get("request")).sum();
    let made = requests + WARM_UP;
    ensure!(requested == made as u64, "{made} requests were answered, {requested} are stored");

    let (control, decoy) = after.per(before.0, requests);
    let client = client.since(before.1).as_secs_f64() * 1e3 / requests.max(1) as f64;
    Ok(vec![
        Figure::new("requests per second", requests as f64 / took.as_secs_f64(), "/s"),
        Figure::new("server CPU per request", control + decoy, "ms"),
        Figure::new("… of the decoy process", decoy, "ms"),
        Figure::new("… of control", control, "ms"),
        Figure::new("CPU of the load generator per request", client, "ms"),
        Figure::new("connections used", connections as f64, "connections"),
        Figure::new("requests stored once", 100.0, "%").with(Target::AtLeast(100.0)),
    ])
}

/// Makes `requests` requests on `clients` connections. Returns how many connections that took:
/// servers close one after some requests.
async fn attack(target: SocketAddr, requests: usize, clients: usize) -> anyhow::Result<usize> {
    let next = Arc::new(AtomicUsize::new(0));
    let connections = Arc::new(AtomicUsize::new(0));
    let mut working = JoinSet::new();
    for client in 0..clients {
        let (next, connections) = (Arc::clone(&next), Arc::clone(&connections));
        working.spawn(async move {
            let mut connection: Option<Connection> = None;
            while next.fetch_add(1, Ordering::Relaxed) < requests {
                let mut open = match connection.take() {
                    Some(open) => open,
                    None => {
                        connections.fetch_add(1, Ordering::Relaxed);
                        let stream = source::connect(client, target).await?;
                        Connection { stream, buffer: Vec::with_capacity(4096) }
                    }
                };
                connection = open.get().await?.then_some(open);
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = working.join_next().await {
        done??;
    }
    Ok(connections.load(Ordering::Relaxed))
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// One request and its whole answer. Returns whether the connection stays open.
    async fn get(&mut self) -> anyhow::Result<bool> {
        self.stream
            .write_all(
                b"GET / HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux \
                  x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nAccept: text/html\r\n\r\n",
            )
            .await?;
        self.buffer.clear();
        let head = loop {
            ensure!(self.buffer.len() < MAX_HEAD, "a header without end");
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the connection ended within an answer");
            if let Some(head) = Head::parse(&self.buffer) {
                break head;
            }
        };
        while self.buffer.len() < head.length + head.body {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the connection ended within a body");
        }
        ensure!(self.buffer.len() == head.length + head.body, "more than one answer");
        Ok(!head.closes)
    }
}

/// What the header of an answer says about the rest.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    length: usize,
    body: usize,
    closes: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let length = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(bytes.get(..length)?).to_ascii_lowercase();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim_start_matches(':').trim())
        };
        let body = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        Some(Self { length, body, closes: value("connection") == Some("close") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_where_it_ends_and_whether_the_connection_does() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nhello";
        assert_eq!(
            Head::parse(answer),
            Some(Head { length: answer.len() - 5, body: 12, closes: true })
        );
        assert_eq!(Head::parse(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n"), None);
    }
}
