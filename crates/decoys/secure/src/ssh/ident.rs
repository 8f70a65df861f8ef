//! The exchange of identification strings (RFC 4253 §4.2), before russh takes over.
//!
//! OpenSSH's answers to what is not SSH are a fingerprint, so the first line is read here. russh
//! then gets a stream in which our line is already sent and the client's is still to come.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Longest identification line with its end, as OpenSSH reads it.
const MAX_LINE: usize = 256;

/// The client's first line.
pub(super) enum Ident {
    /// SSH-2: the identification string without line end.
    Ssh(Vec<u8>),
    /// Something else, which was answered as OpenSSH does.
    Other(Vec<u8>),
}

/// Sends `banner` and reads the client's line. Returns the raw bytes read beside what they are.
pub(super) async fn exchange<S>(stream: &mut S, banner: &str) -> io::Result<(Vec<u8>, Ident)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(format!("{banner}\r\n").as_bytes()).await?;
    let mut raw = Vec::with_capacity(64);
    // One byte at a time: what follows the line belongs to russh, and it is at most 255 bytes.
    while raw.len() < MAX_LINE && raw.last() != Some(&b'\n') {
        match stream.read_u8().await {
            Ok(byte) => raw.push(byte),
            Err(error) if raw.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    let line = raw.strip_suffix(b"\n").unwrap_or(&raw);
    let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
    let speaks = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
    if speaks && raw.ends_with(b"\n") {
        return Ok((raw, Ident::Ssh(line)));
    }
    let answer: &[u8] = if line.starts_with(b"SSH-") && raw.ends_with(b"\n") {
        b"Protocol major versions differ.\r\n"
    } else {
        b"Invalid SSH identification string.\r\n"
    };
    stream.write_all(answer).await?;
    stream.flush().await?;
    Ok((raw, Ident::Other(line)))
}

/// A stream whose first `sent` written bytes are already with the client, and whose first read
/// bytes are `read`. Ends when `ended` does.
pub(super) struct Resumed<S> {
    stream: S,
    sent: usize,
    read: Vec<u8>,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S> Resumed<S> {
    pub(super) fn new(
        stream: S,
        sent: usize,
        read: Vec<u8>,
        ended: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { stream, sent, read, ended: Box::pin(ended) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Resumed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.read.is_empty() {
            let count = buf.remaining().min(self.read.len());
            let first: Vec<u8> = self.read.drain(..count).collect();
            buf.put_slice(&first);
            return Poll::Ready(Ok(()));
        }
        if self.ended.as_mut().poll(cx).is_ready() {
            // Not polled again after this: both sides see the end.
            self.ended = Box::pin(std::future::ready(()));
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Resumed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.sent > 0 {
            let count = self.sent.min(bytes.len());
            self.sent -= count;
            return Poll::Ready(Ok(count));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
