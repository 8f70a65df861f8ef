//! Drives a byte-stream session over a socket.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chacha20::ChaCha12Rng;
use decoys_kit::{Side, SideEvent, StreamContext, StreamReply, StreamSession};
use decoys_secure::{Outward, World as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::data::{DataConnection, Happened};
use crate::voice::Voice;

/// Bytes read at once.
const READ: usize = 16 * 1024;
/// A client that takes nothing for this long is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);

/// Whether the connection goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Goes,
    Ends,
}

/// Drives `session`, with `data` beside it, until client, session or journal end it.
pub(crate) async fn drive<S>(
    mut stream: S,
    session: Box<dyn StreamSession>,
    rng: ChaCha12Rng,
    voice: &Voice,
    data: DataConnection,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut driver = Driver { session, rng, voice, data };
    let mut flow = driver.step(&mut stream, |session, cx| session.on_open(cx)).await;
    let mut buffer = vec![0; READ];
    while flow == Flow::Goes {
        let wait = driver.session.poll_timeout().map(|due| due.since(voice.now()));
        flow = tokio::select! {
            read = stream.read(&mut buffer), if driver.session.reads() => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    driver.step(&mut stream, |session, cx| session.on_bytes(cx, bytes)).await
                }
            },
            happened = driver.data.next(driver.session.reads_side()) => {
                driver.happened(&mut stream, happened).await
            }
            () = sleep(wait) => {
                driver.step(&mut stream, |session, cx| session.on_timeout(cx)).await
            }
        };
    }
    driver.data.close();
    driver.step(&mut stream, |session, cx| session.on_close(cx)).await;
    // The client may already be gone.
    drop(stream.shutdown().await);
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

struct Driver<'v> {
    session: Box<dyn StreamSession>,
    rng: ChaCha12Rng,
    voice: &'v Voice,
    data: DataConnection,
}

impl Driver<'_> {
    /// Tells the session what happened to its data connection.
    async fn happened<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        happened: Happened,
    ) -> Flow {
        // The bytes are the connection's own; the session sees them while it may also act on it.
        let bytes = match happened {
            Happened::Bytes(count) => self.data.bytes(count).to_vec(),
            _ => Vec::new(),
        };
        let event = match happened {
            Happened::Connected => SideEvent::Connected,
            Happened::Refused(ip) => SideEvent::Refused(ip),
            Happened::Bytes(_) => SideEvent::Bytes(&bytes),
            Happened::Sent => SideEvent::Sent,
            Happened::Ended => SideEvent::Ended,
            Happened::Failed => {
                self.data.close();
                SideEvent::Failed
            }
        };
        self.step(stream, |session, cx| session.on_side(cx, event)).await
    }

    /// Runs one step, and the one that answers it when it opened a port.
    async fn step<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        step: impl FnOnce(&mut dyn StreamSession, &mut StreamContext<'_>),
    ) -> Flow {
        let (mut flow, mut listened) = self.act(stream, step).await;
        while let (Flow::Goes, Some(port)) = (flow, listened) {
            let event = port.map_or(SideEvent::Failed, SideEvent::Listening);
            (flow, listened) = self.act(stream, |session, cx| session.on_side(cx, event)).await;
        }
        flow
    }

    /// Runs one step and performs its effects in order. Also tells whether a port was to be opened, and
    /// which it is.
    async fn act<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        step: impl FnOnce(&mut dyn StreamSession, &mut StreamContext<'_>),
    ) -> (Flow, Option<Option<u16>>) {
        let mut listened = None;
        let mut effects = Vec::new();
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let mut cx = StreamContext::new(self.voice.now(), &mut self.rng, &mut effects);
            step(self.session.as_mut(), &mut cx);
        }));
        let mut out = Vec::new();
        let mut flow = Flow::Goes;
        for effect in effects {
            match Outward::from_effect(effect) {
                Err(StreamReply::Data(bytes)) if flow == Flow::Goes => out.extend(bytes),
                Err(StreamReply::Data(_)) => {}
                Err(StreamReply::Close) => flow = Flow::Ends,
                Err(StreamReply::Side(Side::Listen)) => listened = Some(self.data.listen()),
                Err(StreamReply::Side(Side::Send(bytes))) => self.data.send(bytes),
                Err(StreamReply::Side(Side::Close)) => self.data.close(),
                Ok(outward) => {
                    // What stands before a wait must not wait with it.
                    if matches!(outward, Outward::Commit) && send(stream, &mut out).await.is_err() {
                        flow = Flow::Ends;
                    }
                    if self.voice.perform(outward).await.is_err() {
                        return (Flow::Ends, None);
                    }
                }
            }
        }
        if send(stream, &mut out).await.is_err() {
            flow = Flow::Ends;
        }
        if stepped.is_err() {
            self.voice.panicked();
            self.voice.tell_failure().await;
            flow = Flow::Ends;
        }
        (flow, listened)
    }
}

/// Sends what is in `out` and empties it.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, out: &mut Vec<u8>) -> std::io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let bytes = std::mem::take(out);
    let writing = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    tokio::time::timeout(WRITE_PATIENCE, writing).await?
}
