//! The session, one step at a time, and its outbox: what it wants done, in order.

use std::collections::VecDeque;

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_kit::Effect;
use decoys_kit::ssh::{Channel, SshContext, SshReply, SshSession};

use crate::world::Outward;

/// One thing to do.
#[derive(Debug)]
pub(super) enum Act {
    /// Into the world; what stands behind it waits.
    Out(Outward),
    /// To the client.
    Reply(SshReply),
    /// To the client, as it is.
    Message(Vec<u8>),
    /// The client closed this channel, and the session has said all about it.
    Gone(Channel),
}

/// The session with its outbox.
pub(super) struct Brain {
    session: Box<dyn SshSession>,
    rng: ChaCha12Rng,
    /// Effects of the step that runs; they outlive a panic in it.
    effects: Vec<Effect<SshReply>>,
    outbox: VecDeque<Act>,
    /// Bytes in the outbox.
    bytes: usize,
}

impl Brain {
    pub(super) const fn new(session: Box<dyn SshSession>, rng: ChaCha12Rng) -> Self {
        Self { session, rng, effects: Vec::new(), outbox: VecDeque::new(), bytes: 0 }
    }

    /// Runs one step.
    pub(super) fn step(
        &mut self,
        now: Timestamp,
        step: impl FnOnce(&mut dyn SshSession, &mut SshContext<'_>),
    ) {
        step(self.session.as_mut(), &mut SshContext::new(now, &mut self.rng, &mut self.effects));
        self.collect();
    }

    /// Puts what the last step wanted into the outbox, also when it panicked.
    pub(super) fn collect(&mut self) {
        for effect in std::mem::take(&mut self.effects) {
            self.bytes += size(&effect);
            self.outbox.push_back(match Outward::from_effect(effect) {
                Ok(outward) => Act::Out(outward),
                Err(reply) => Act::Reply(reply),
            });
        }
    }

    /// Adds to the outbox.
    pub(super) fn push(&mut self, act: Act) {
        self.outbox.push_back(act);
    }

    /// The next act without taking it.
    pub(super) fn front(&self) -> Option<&Act> {
        self.outbox.front()
    }

    /// The next act.
    pub(super) fn pop(&mut self) -> Option<Act> {
        let act = self.outbox.pop_front()?;
        match self.outbox.is_empty() {
            true => self.bytes = 0,
            false => self.bytes = self.bytes.saturating_sub(act_size(&act)),
        }
        Some(act)
    }

    /// Bytes in the outbox, each act counting at least a little.
    pub(super) fn waiting(&self) -> usize {
        self.bytes + self.outbox.len() * 64
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.session.poll_timeout()
    }

    pub(super) fn banner(&self) -> &str {
        self.session.banner()
    }
}

fn size(effect: &Effect<SshReply>) -> usize {
    match effect {
        Effect::Keep(blob) => blob.bytes.len(),
        Effect::Record(piece) => piece.lines.len(),
        Effect::Reply(reply) => reply_size(reply),
        Effect::Emit(..) | Effect::Commit => 0,
    }
}

fn act_size(act: &Act) -> usize {
    match act {
        Act::Out(Outward::Keep(blob)) => blob.bytes.len(),
        Act::Out(Outward::Record(piece)) => piece.lines.len(),
        Act::Reply(reply) => reply_size(reply),
        Act::Out(Outward::Emit(..) | Outward::Commit) | Act::Message(_) | Act::Gone(_) => 0,
    }
}

const fn reply_size(reply: &SshReply) -> usize {
    match reply {
        SshReply::Data(_, bytes) | SshReply::Stderr(_, bytes) => bytes.len(),
        _ => 0,
    }
}
