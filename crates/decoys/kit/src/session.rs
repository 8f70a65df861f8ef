//! Sessions over a byte stream.

use base_model::Timestamp;

use crate::context::Context;

/// What a stream session can do to its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamReply {
    /// Bytes to send.
    Data(Vec<u8>),
    /// Close once everything before is sent.
    Close,
}

/// Context of a stream session.
pub type StreamContext<'a> = Context<'a, StreamReply>;

impl StreamContext<'_> {
    /// Sends `bytes`.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.reply(StreamReply::Data(bytes.into()));
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
}
