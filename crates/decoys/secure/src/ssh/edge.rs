//! One SSH connection from its first byte to its last: the state machine on a socket, on one task.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_kit::ssh::SshSession;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::connection::Connection;
use super::keys::HostKeys;
use crate::world::{Stalled, World};

/// Bytes read at once.
const READ: usize = 16 * 1024;
/// A connection on which nothing moved for this long is given up.
const IDLE: Duration = Duration::from_secs(3600);
/// How long a connection that is over waits for its client to take the last bytes.
const LAST_WORDS: Duration = Duration::from_secs(2);

type Performing<'w> = Pin<Box<dyn Future<Output = Result<(), Stalled>> + Send + 'w>>;

/// Serves one client on `stream` with the decisions of `session`, as a machine with `keys`. Returns
/// when the connection is over and everything that happened is told.
pub async fn serve<S>(
    stream: S,
    session: Box<dyn SshSession>,
    rng: ChaCha12Rng,
    keys: HostKeys,
    world: Arc<dyn World>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut edge = Edge::new(Connection::new(session, rng, keys), world.as_ref());
    edge.converse(stream).await;
    edge.finish().await;
}

/// A connection with what drives it.
struct Edge<'w> {
    connection: Connection,
    world: &'w dyn World,
    performing: Option<Performing<'w>>,
    timer: Pin<Box<Sleep>>,
    /// What the timer is set to.
    armed: Option<Timestamp>,
    /// When something last moved.
    active: Timestamp,
    panicked: bool,
    stalled: bool,
}

impl<'w> Edge<'w> {
    fn new(connection: Connection, world: &'w dyn World) -> Self {
        Self {
            connection,
            world,
            performing: None,
            timer: Box::pin(tokio::time::sleep(IDLE)),
            armed: None,
            active: world.now(),
            panicked: false,
            stalled: false,
        }
    }

    /// Talks until client, session or journal end it.
    async fn converse<S>(&mut self, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.step(Connection::begin);
        std::future::poll_fn(|cx| {
            loop {
                match self.poll(cx, Pin::new(&mut stream)) {
                    Poll::Ready(true) => self.active = self.world.now(),
                    Poll::Ready(false) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }

    /// Tells the session that its client is gone, and performs what is left.
    async fn finish(&mut self) {
        if let Some(performing) = self.performing.take() {
            self.stalled |= performing.await.is_err();
        }
        let panicked = self.panicked;
        self.step(|connection, now| connection.close(now, panicked));
        if self.panicked && !panicked {
            self.connection.close(self.world.now(), true);
        }
        while !self.stalled
            && let Some(outward) = self.connection.last_outward()
        {
            self.stalled = self.world.perform(outward).await.is_err();
        }
    }

    /// Runs a step of the connection; a panic in it is counted and ends it.
    fn step(&mut self, step: impl FnOnce(&mut Connection, Timestamp)) {
        let now = self.world.now();
        let connection = &mut self.connection;
        if catch_unwind(AssertUnwindSafe(|| step(connection, now))).is_err() {
            self.world.panicked();
            self.panicked = true;
        }
    }

    /// Moves whatever can move: true when something did, false when the connection is over.
    fn poll<S>(&mut self, cx: &mut Context<'_>, mut stream: Pin<&mut S>) -> Poll<bool>
    where
        S: AsyncRead + AsyncWrite,
    {
        let mut moved = self.poll_world(cx);
        if self.panicked || self.stalled {
            return Poll::Ready(false);
        }
        match self.poll_write(cx, stream.as_mut()) {
            Poll::Ready(Ok(count)) => moved |= count > 0,
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "ssh client takes nothing");
                return Poll::Ready(false);
            }
            Poll::Pending => {}
        }
        if self.connection.is_over() {
            return if self.connection.output().is_empty() {
                Poll::Ready(false)
            } else {
                self.poll_timer(cx, Some(self.active + LAST_WORDS)).map(|()| false)
            };
        }
        match self.poll_read(cx, stream) {
            Poll::Ready(Ok(())) => moved = true,
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "ssh client is gone");
                return Poll::Ready(false);
            }
            Poll::Pending => {}
        }
        if moved {
            return Poll::Ready(!self.panicked);
        }
        let idle = self.active + IDLE;
        let due = self.connection.poll_timeout();
        ready!(self.poll_timer(cx, Some(due.map_or(idle, |due| due.min(idle)))));
        if due.is_some_and(|due| due <= self.world.now()) {
            self.step(Connection::timeout);
            return Poll::Ready(!self.panicked);
        }
        Poll::Ready(self.world.now() < idle)
    }

    /// Performs effects on the world, one after the other.
    fn poll_world(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.panicked {
            let Some(performing) = &mut self.performing else {
                match self.connection.outward() {
                    Some(outward) => self.performing = Some(self.world.perform(outward)),
                    None => break,
                }
                continue;
            };
            let Poll::Ready(performed) = performing.as_mut().poll(cx) else { break };
            self.performing = None;
            if performed.is_err() {
                self.stalled = true;
                break;
            }
            self.step(Connection::performed);
            moved = true;
        }
        moved
    }

    fn poll_write<S: AsyncWrite>(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut S>,
    ) -> Poll<io::Result<usize>> {
        let mut total = 0;
        while !self.connection.output().is_empty() && !self.panicked {
            let Poll::Ready(written) = stream.as_mut().poll_write(cx, self.connection.output())
            else {
                break;
            };
            let count = written?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            total += count;
            self.step(|connection, now| connection.sent(now, count));
        }
        Poll::Ready(Ok(total))
    }

    fn poll_read<S: AsyncRead>(
        &mut self,
        cx: &mut Context<'_>,
        stream: Pin<&mut S>,
    ) -> Poll<io::Result<()>> {
        let mut space = [MaybeUninit::uninit(); READ];
        let room = self.connection.room().min(READ);
        if room == 0 {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::uninit(space.get_mut(..room).unwrap_or_default());
        ready!(stream.poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        if bytes.is_empty() {
            self.step(Connection::end_of_input);
        } else {
            self.step(|connection, now| connection.receive(now, bytes));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, due: Option<Timestamp>) -> Poll<()> {
        if self.armed != due {
            let wait = due.map_or(IDLE, |due| due.since(self.world.now()));
            self.timer.as_mut().reset(Instant::now() + wait);
            self.armed = due;
        }
        ready!(self.timer.as_mut().poll(cx));
        self.armed = None;
        Poll::Ready(())
    }
}
