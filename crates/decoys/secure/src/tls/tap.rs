//! A stream that remembers how it began.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes of a client before its handshake is over: OpenSSL's own bound of a message, and room
/// for the records around it.
const MOST_BEFORE: usize = 160 * 1024;
/// Bytes remembered of the client.
const HEARD: usize = 20 * 1024;
/// Bytes remembered of the server: its hello comes first.
const SAID: usize = 1024;

/// What passed while the tap was open.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// Of the client.
    pub(super) heard: Vec<u8>,
    /// Of the server.
    pub(super) said: Vec<u8>,
    /// Bytes of the client, remembered or not.
    total: usize,
}

/// The stream with what was read of it beforehand put back.
#[derive(Debug)]
pub(super) struct Tap<S> {
    stream: S,
    /// Read beforehand; given out first.
    early: Vec<u8>,
    open: Option<Box<Beginning>>,
}

impl<S> Tap<S> {
    /// Opens the tap on `stream`, of which `early` was read.
    pub(super) fn new(stream: S, early: Vec<u8>) -> Self {
        Self { stream, early, open: Some(Box::default()) }
    }

    /// Closes the tap; the memory is free again.
    pub(super) fn close(&mut self) -> Beginning {
        self.open.take().map(|open| *open).unwrap_or_default()
    }
}

fn remember(memory: &mut Vec<u8>, most: usize, bytes: &[u8]) {
    let room = most.saturating_sub(memory.len());
    memory.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.early.is_empty() {
            std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let count = this.early.len().min(buf.remaining());
            let given: Vec<u8> = this.early.drain(..count).collect();
            buf.put_slice(&given);
        }
        if let Some(open) = &mut this.open {
            let bytes = buf.filled().get(before..).unwrap_or_default();
            remember(&mut open.heard, HEARD, bytes);
            open.total += bytes.len();
            if open.total > MOST_BEFORE {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let (Poll::Ready(Ok(count)), Some(open)) = (&polled, &mut self.open) {
            remember(&mut open.said, SAID, bytes.get(..*count).unwrap_or_default());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
