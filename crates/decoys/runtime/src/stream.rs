//! Drives a byte-stream session over a socket.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chacha20::ChaCha12Rng;
use decoys_kit::{Side, SideEvent, StreamContext, StreamReply, StreamSession, TlsFacts};
use decoys_secure::{Outward, World as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::data::{DataConnection, Happened};
use crate::voice::Voice;
use crate::wire::{Secured, Wire};

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

/// What the runtime has to answer a step with.
enum Owed {
    Nothing,
    /// A port was to be opened, and this is it.
    Listened(Option<u16>),
    /// The stream is to be encrypted.
    Tls,
    /// The data connection is to be encrypted.
    SideTls,
}

/// Drives `session`, with `data` beside it, until client, session or journal end it. `tls` when the
/// port begins with it.
pub(crate) async fn drive<S>(
    stream: S,
    session: Box<dyn StreamSession>,
    rng: ChaCha12Rng,
    secured: Secured<'_>,
    data: DataConnection,
    tls: bool,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (voice, stream) = (secured.voice, Wire::Plain(stream));
    let mut driver = Driver { stream, session, rng, voice, secured, data };
    let (mut flow, early) = if tls { driver.begin_tls().await } else { (Flow::Goes, Vec::new()) };
    if flow == Flow::Goes {
        flow = driver.step(|session, cx| session.on_open(cx)).await;
    }
    if flow == Flow::Goes && !early.is_empty() {
        flow = driver.step(|session, cx| session.on_bytes(cx, &early)).await;
    }
    drop(early);
    let mut buffer = vec![0; READ];
    while flow == Flow::Goes {
        let wait = driver.session.poll_timeout().map(|due| due.since(voice.now()));
        flow = tokio::select! {
            read = driver.stream.read(&mut buffer), if driver.session.reads() => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    driver.step(|session, cx| session.on_bytes(cx, bytes)).await
                }
            },
            happened = driver.data.next(driver.session.reads_side()) => {
                driver.happened(happened).await
            }
            () = sleep(wait) => driver.step(|session, cx| session.on_timeout(cx)).await,
        };
    }
    driver.data.close();
    driver.step(|session, cx| session.on_close(cx)).await;
    // The client may already be gone.
    drop(tokio::time::timeout(WRITE_PATIENCE, driver.stream.shutdown()).await);
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

struct Driver<'v, S> {
    stream: Wire<S>,
    session: Box<dyn StreamSession>,
    rng: ChaCha12Rng,
    voice: &'v Voice,
    secured: Secured<'v>,
    data: DataConnection,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<'_, S> {
    /// Encrypts a stream that begins with TLS. Returns what its client said instead, where the
    /// session answers that.
    async fn begin_tls(&mut self) -> (Flow, Vec<u8>) {
        let early = self.stream.first().await;
        // Who says nothing is a bare connection, not a broken handshake.
        if early.is_empty() {
            return (Flow::Ends, early);
        }
        if self.session.takes_plain(&early) {
            return (Flow::Goes, early);
        }
        (self.upgrade(early).await, Vec::new())
    }

    async fn upgrade(&mut self, early: Vec<u8>) -> Flow {
        let offer = self.session.tls();
        match self.secured.upgrade(&mut self.stream, early, &offer, false).await {
            Ok(facts) => self.told_of_tls(&facts).await,
            Err(_) => Flow::Ends,
        }
    }

    async fn told_of_tls(&mut self, facts: &TlsFacts) -> Flow {
        // A session has no second upgrade to ask for, nor a port to open, in answer to the first.
        self.act(|session, cx| session.on_tls(cx, facts)).await.0
    }

    /// Tells the session what happened to its data connection.
    async fn happened(&mut self, happened: Happened) -> Flow {
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
        self.step(|session, cx| session.on_side(cx, event)).await
    }

    /// Runs one step, and those that answer it.
    async fn step(
        &mut self,
        step: impl FnOnce(&mut dyn StreamSession, &mut StreamContext<'_>),
    ) -> Flow {
        let (mut flow, mut owed) = self.act(step).await;
        while flow == Flow::Goes {
            let event = match owed {
                Owed::Nothing => break,
                Owed::Listened(port) => port.map_or(SideEvent::Failed, SideEvent::Listening),
                Owed::SideTls => {
                    let offer = self.session.tls();
                    match self.data.start_tls(&self.secured, &offer).await {
                        Ok(()) => SideEvent::Secured,
                        Err(_) => SideEvent::Failed,
                    }
                }
                Owed::Tls => {
                    flow = self.upgrade(Vec::new()).await;
                    break;
                }
            };
            (flow, owed) = self.act(|session, cx| session.on_side(cx, event)).await;
        }
        flow
    }

    /// Runs one step and performs its effects in order. Also tells what the session waits for.
    async fn act(
        &mut self,
        step: impl FnOnce(&mut dyn StreamSession, &mut StreamContext<'_>),
    ) -> (Flow, Owed) {
        let mut owed = Owed::Nothing;
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
                Err(StreamReply::StartTls) => owed = Owed::Tls,
                Err(StreamReply::Side(Side::Listen)) => owed = Owed::Listened(self.data.listen()),
                Err(StreamReply::Side(Side::StartTls)) => owed = Owed::SideTls,
                Err(StreamReply::Side(Side::Send(bytes))) => self.data.send(bytes),
                Err(StreamReply::Side(Side::Close)) => self.data.close(),
                Ok(outward) => {
                    // What stands before a wait must not wait with it.
                    if matches!(outward, Outward::Commit)
                        && send(&mut self.stream, &mut out).await.is_err()
                    {
                        flow = Flow::Ends;
                    }
                    if self.voice.perform(outward).await.is_err() {
                        return (Flow::Ends, Owed::Nothing);
                    }
                }
            }
        }
        if send(&mut self.stream, &mut out).await.is_err() {
            flow = Flow::Ends;
        }
        if stepped.is_err() {
            self.voice.panicked();
            self.voice.tell_failure().await;
            flow = Flow::Ends;
        }
        (flow, owed)
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
