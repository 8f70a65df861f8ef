//! A connection read piece by piece, with bounds and deadlines.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::Fault;

/// Longest wait for one answer; refusals of logins are delayed by seconds.
const ANSWER: Duration = Duration::from_secs(30);
/// Most bytes held.
const MOST_HELD: usize = 1024 * 1024;
const PIECE: usize = 16 * 1024;

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    held: Vec<u8>,
    /// The other side said everything.
    over: bool,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, held: Vec::new(), over: false }
    }

    /// Sends `bytes`.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let sent = timeout(ANSWER, self.stream.write_all(bytes)).await;
        sent.map_err(|_| Fault::Late("room to send"))?.map_err(Fault::Broken)
    }

    /// Reads until `found` makes something of what is held and says how much of it that used.
    pub(crate) async fn until<T>(
        &mut self,
        what: &'static str,
        mut found: impl FnMut(&[u8]) -> Result<Option<(T, usize)>, Fault>,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + ANSWER;
        loop {
            if let Some((found, used)) = found(&self.held)? {
                self.held.drain(..used.min(self.held.len()));
                return Ok(found);
            }
            if self.over {
                return Err(Fault::Ended(what));
            }
            match timeout_at(deadline, self.read()).await {
                Ok(read) => read?,
                Err(_) => return Err(Fault::Late(what)),
            }
        }
    }

    /// A line without its end.
    pub(crate) async fn line(&mut self, what: &'static str) -> Result<String, Fault> {
        self.until(what, |held| {
            let Some(end) = held.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
            let line = held.get(..end).unwrap_or_default();
            let text = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
            Ok(Some((text, end + 1)))
        })
        .await
    }

    /// So many bytes.
    pub(crate) async fn exactly(
        &mut self,
        count: usize,
        what: &'static str,
    ) -> Result<Vec<u8>, Fault> {
        if count > MOST_HELD {
            return Err(Fault::TooLong(what));
        }
        self.until(what, |held| Ok(held.get(..count).map(|bytes| (bytes.to_vec(), count)))).await
    }

    /// Everything to the end of the connection.
    pub(crate) async fn rest(&mut self, what: &'static str) -> Result<Vec<u8>, Fault> {
        let deadline = Instant::now() + ANSWER;
        while !self.over {
            timeout_at(deadline, self.read()).await.map_err(|_| Fault::Late(what))??;
        }
        Ok(std::mem::take(&mut self.held))
    }

    /// Hears what comes within `time`, or until nothing more can come.
    pub(crate) async fn listen(&mut self, time: Duration) -> Result<(), Fault> {
        let deadline = Instant::now() + time;
        while self.held.is_empty() && !self.over {
            match timeout_at(deadline, self.read()).await {
                Ok(read) => read?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Says that nothing more is sent.
    pub(crate) async fn finish(&mut self) -> Result<(), Fault> {
        self.stream.shutdown().await.map_err(Fault::Broken)
    }

    async fn read(&mut self) -> Result<(), Fault> {
        if self.held.len() >= MOST_HELD {
            return Err(Fault::TooLong("an answer"));
        }
        self.held.reserve(PIECE);
        self.over = self.stream.read_buf(&mut self.held).await? == 0;
        Ok(())
    }
}

/// Bytes that are taken from the front, for packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'b>(pub(crate) &'b [u8]);

impl<'b> Cursor<'b> {
    /// So many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A big-endian number.
    pub(crate) fn be32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Bytes up to a zero, which is taken too.
    pub(crate) fn zero_terminated(&mut self) -> Option<&'b [u8]> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let text = self.take(end)?;
        self.take(1)?;
        Some(text)
    }
}
