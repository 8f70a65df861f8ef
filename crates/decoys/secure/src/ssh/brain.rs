//! The session with its outbox: one step at a time, effects in order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_kit::ssh::{AuthAnswer, Channel, SshContext, SshReply, SshSession};
use tokio::sync::Notify;

use crate::world::{Outward, World};

/// Bytes of replies that may wait for a client that does not read; past it the connection ends.
const MAX_WAITING: usize = 64 * 1024 * 1024;

/// What the performer does next.
#[derive(Debug)]
pub(super) enum Act {
    /// Into the world.
    Out(Outward),
    /// To the client.
    Reply(SshReply),
}

/// Answers that the handler gives itself, within the same step.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) opened: Option<bool>,
    pub(super) requested: Option<bool>,
}

/// The connection's session, shared by handler, timer and performer.
pub(super) struct Brain {
    inner: Mutex<Inner>,
    world: Arc<dyn World>,
    /// Something is in the outbox.
    pub(super) work: Notify,
    /// The next timeout may have changed.
    pub(super) timer: Notify,
}

struct Inner {
    session: Box<dyn SshSession>,
    rng: ChaCha12Rng,
    outbox: VecDeque<Act>,
    waiting: usize,
    /// A step panicked, or the client let too much wait.
    broken: bool,
}

/// The connection cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("ssh session is over")]
pub(super) struct Over;

impl Brain {
    pub(super) fn new(
        session: Box<dyn SshSession>,
        rng: ChaCha12Rng,
        world: Arc<dyn World>,
    ) -> Self {
        let inner = Inner { session, rng, outbox: VecDeque::new(), waiting: 0, broken: false };
        Self { inner: Mutex::new(inner), world, work: Notify::new(), timer: Notify::new() }
    }

    /// Runs one step. Answers to opens and requests come back; the rest goes to the outbox.
    pub(super) fn step(
        &self,
        step: impl FnOnce(&mut dyn SshSession, &mut SshContext<'_>),
    ) -> Result<Answers, Over> {
        let mut inner = self.inner();
        let Inner { session, rng, outbox, waiting, broken } = &mut *inner;
        if *broken {
            return Err(Over);
        }
        let mut effects = Vec::new();
        let now = self.world.now();
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            step(session.as_mut(), &mut SshContext::new(now, rng, &mut effects));
        }));
        let mut answers = Answers::default();
        for effect in effects {
            match Outward::from_effect(effect) {
                Ok(outward) => outbox.push_back(Act::Out(outward)),
                Err(SshReply::Opened(_, accepted)) => answers.opened = Some(accepted),
                Err(SshReply::Requested(_, accepted)) => answers.requested = Some(accepted),
                Err(reply) => {
                    *waiting += size(&reply);
                    outbox.push_back(Act::Reply(reply));
                }
            }
        }
        if stepped.is_err() {
            self.world.panicked();
        }
        *broken = stepped.is_err() || *waiting > MAX_WAITING;
        let over = *broken;
        drop(inner);
        self.work.notify_one();
        self.timer.notify_one();
        if over { Err(Over) } else { Ok(answers) }
    }

    /// The next thing to perform, if any.
    pub(super) fn next_act(&self) -> Option<Act> {
        let mut inner = self.inner();
        let act = inner.outbox.pop_front()?;
        if let Act::Reply(reply) = &act {
            inner.waiting = inner.waiting.saturating_sub(size(reply));
        }
        Some(act)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.inner().broken
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let inner = self.inner();
        if inner.broken { None } else { inner.session.poll_timeout() }
    }

    pub(super) fn banner(&self) -> String {
        self.inner().session.banner().to_owned()
    }

    pub(super) fn world(&self) -> &dyn World {
        self.world.as_ref()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(reply: &SshReply) -> usize {
    match reply {
        SshReply::Data(_, bytes) | SshReply::Stderr(_, bytes) => bytes.len(),
        _ => 0,
    }
}

/// The answer to the try that is pending.
pub(super) type PendingAuth = tokio::sync::oneshot::Sender<AuthAnswer>;

/// Numbers of channels as the session sees them.
pub(super) fn number(channel: russh::ChannelId) -> Channel {
    Channel(channel.into())
}
