//! A client's stream, plain or encrypted, and the step from one to the other.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use decoys_kit::{TlsFacts, TlsOffer};
use decoys_secure::{Stalled, tls};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use crate::machine::Machine;
use crate::voice::Voice;

/// How long a client of a TLS port may take to its first byte.
const FIRST: Duration = Duration::from_secs(60);
/// Bytes read to see whether a client speaks TLS.
const PEEK: usize = 1024;

/// A stream as sessions use it.
pub(crate) enum Wire<S> {
    Plain(S),
    Tls(Box<tls::TlsStream<S>>),
    /// A handshake failed; nothing goes through any more.
    Broken,
}

/// A handshake did not come to an encrypted stream.
pub(crate) struct NoTls;

impl From<Stalled> for NoTls {
    fn from(_: Stalled) -> Self {
        Self
    }
}

/// What a connection needs to encrypt its streams.
pub(crate) struct Secured<'a> {
    pub(crate) machine: &'a Arc<Machine>,
    pub(crate) voice: &'a Voice,
}

impl Secured<'_> {
    /// Shakes hands on `wire`, of which `early` was read, and tells what came of it. `side` when it is
    /// a data connection.
    pub(crate) async fn upgrade<S>(
        &self,
        wire: &mut Wire<S>,
        early: Vec<u8>,
        offer: &TlsOffer,
        side: bool,
    ) -> Result<TlsFacts, NoTls>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Wire::Plain(stream) = std::mem::replace(wire, Wire::Broken) else { return Err(NoTls) };
        let acceptor = match self.machine.tls(offer).await {
            Ok(acceptor) if side => acceptor.without_tickets(),
            Ok(acceptor) => acceptor,
            Err(error) => {
                tracing::error!(%error, "no tls certificate; connection closed");
                self.voice.tell_failure().await;
                return Err(NoTls);
            }
        };
        let handshake = Box::pin(tls::accept(stream, early, &acceptor)).await;
        for fact in handshake.facts() {
            self.voice.emit(None, fact).await?;
        }
        let (stream, facts) = handshake.outcome.map_err(|_| NoTls)?;
        *wire = Wire::Tls(Box::new(stream));
        Ok(facts)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// The first bytes of a client that may or may not speak TLS; empty when it is gone.
    pub(crate) async fn first(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; PEEK];
        let read = tokio::time::timeout(FIRST, self.read(&mut bytes)).await;
        bytes.truncate(read.ok().and_then(Result::ok).unwrap_or(0));
        bytes
    }

    /// Ends what goes out, as far as that is possible at once: the last bytes are with the kernel
    /// already, and the end of a TLS stream is a few more.
    pub(crate) fn close_now(mut self) {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        drop(Pin::new(&mut self).poll_shutdown(&mut cx));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Broken => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Broken => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Broken => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Broken => Poll::Ready(Ok(())),
        }
    }
}
