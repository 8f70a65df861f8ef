//! Sessions over a byte stream.

use std::net::IpAddr;

use base_model::Timestamp;

use crate::context::Context;
use crate::tls::{TlsFacts, TlsOffer, TlsServer};

/// What a stream session can do to its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamReply {
    /// Bytes to send.
    Data(Vec<u8>),
    /// Close once everything before is sent.
    Close,
    /// Acts on the data connection beside the stream.
    Side(Side),
    /// Speaks TLS once everything before is sent; answered by [`StreamSession::on_tls`], or the
    /// connection ends. What the client sent in the same breath is plain text that an upgrade must
    /// not carry over: the session drops what it holds.
    StartTls,
}

/// What a session can do to its data connection. There is one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Opens a port for the client of this session; answered by [`SideEvent::Listening`] or
    /// [`SideEvent::Failed`] before any further input. Drops what was open.
    Listen,
    /// Sends bytes; answered by [`SideEvent::Sent`]. Nothing may be sent before that.
    Send(Vec<u8>),
    /// Speaks TLS on the connection, as the session's [`StreamSession::tls`] says; answered by
    /// [`SideEvent::Secured`] or [`SideEvent::Failed`].
    StartTls,
    /// Ends connection and port in order.
    Close,
}

/// What happens to a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SideEvent<'a> {
    /// The client may connect to this port.
    Listening(u16),
    /// The client connected. The port is closed to others.
    Connected,
    /// Somebody else connected to the port, and was let go.
    Refused(IpAddr),
    /// The connection is encrypted.
    Secured,
    /// The client sent bytes.
    Bytes(&'a [u8]),
    /// Everything was taken by the client's side.
    Sent,
    /// The client sends no more.
    Ended,
    /// There is no port, or the connection broke.
    Failed,
}

/// Context of a stream session.
pub type StreamContext<'a> = Context<'a, StreamReply>;

impl StreamContext<'_> {
    /// Sends `bytes`.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.reply(StreamReply::Data(bytes.into()));
    }

    /// Acts on the data connection.
    pub fn side(&mut self, side: Side) {
        self.reply(StreamReply::Side(side));
    }

    /// Speaks TLS once everything before is sent.
    pub fn start_tls(&mut self) {
        self.reply(StreamReply::StartTls);
    }

    /// Closes once everything before is sent.
    pub fn close(&mut self) {
        self.reply(StreamReply::Close);
    }
}

/// A service's side of one byte stream. Total: no input may panic, block or grow it without bound.
///
/// The split of the stream into `on_bytes` calls must not change the outcome.
pub trait StreamSession: Send {
    /// The client is there.
    fn on_open(&mut self, cx: &mut StreamContext<'_>);
    /// The client sent `bytes`.
    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]);
    /// The instant given by `poll_timeout` has come.
    fn on_timeout(&mut self, cx: &mut StreamContext<'_>);
    /// The client is gone, or we closed. Facts may still be emitted.
    fn on_close(&mut self, cx: &mut StreamContext<'_>);
    /// When `on_timeout` wants to be called next.
    fn poll_timeout(&self) -> Option<Timestamp>;
    /// Whether it takes input now. While not, what the client sends waits in the network; an input
    /// that comes nevertheless must be bounded.
    fn reads(&self) -> bool {
        true
    }
    /// The TLS it speaks, on a port that begins with it and after [`StreamReply::StartTls`].
    fn tls(&self) -> TlsOffer {
        TlsOffer::of(TlsServer::Plain)
    }
    /// The stream is encrypted: before `on_open` on a port that begins with TLS, else the answer to
    /// [`StreamReply::StartTls`].
    fn on_tls(&mut self, _cx: &mut StreamContext<'_>, _facts: &TlsFacts) {}
    /// Whether it answers a client that begins with `first`, one byte or more, on a port that begins
    /// with TLS. Such a session is opened without `on_tls`.
    fn takes_plain(&self, _first: &[u8]) -> bool {
        false
    }
    /// Something happened to the data connection.
    fn on_side(&mut self, _cx: &mut StreamContext<'_>, _event: SideEvent<'_>) {}
    /// Whether it takes bytes from the data connection now.
    fn reads_side(&self) -> bool {
        false
    }
}
