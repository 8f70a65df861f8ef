//! Wake-ups after commit: publish and subscribe within one process.
//!
//! The database is the truth and the bus only wakes: a message may be lost, so every subscriber can
//! catch up without it. Publishing never waits. A subscriber has a queue of [`QUEUE`] messages;
//! when it is full the oldest is dropped and counted, because the newest says most about what there
//! is to do. Start with [`Bus`].

mod pattern;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;

use crate::pattern::Pattern;

/// Messages that wait for one subscriber.
pub const QUEUE: usize = 256;

/// One publication.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Tokens joined by dots (`spec/bus.md` §3).
    pub topic: Arc<str>,
    /// What it says; shared by all who receive it.
    pub payload: Arc<Value>,
}

/// The broker. Clones are the same broker.
#[derive(Clone, Default)]
pub struct Bus(Arc<Broker>);

#[derive(Default)]
struct Broker {
    queues: Mutex<Vec<Arc<Queue>>>,
}

struct Queue {
    pattern: Pattern,
    state: Mutex<State>,
    arrived: Notify,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    closed: bool,
}

impl Bus {
    /// A broker without subscribers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands `payload` to every subscriber whose pattern matches `topic`. Never waits.
    pub fn publish(&self, topic: &str, payload: Value) {
        let queues = locked(&self.0.queues);
        let mut matching = queues.iter().filter(|queue| queue.pattern.matches(topic)).peekable();
        if matching.peek().is_none() {
            return;
        }
        let message = Message { topic: topic.into(), payload: Arc::new(payload) };
        matching.for_each(|queue| queue.push(message.clone()));
    }

    /// Whether anyone would receive `topic`: lets a publisher skip the making of a costly payload.
    #[must_use]
    pub fn wants(&self, topic: &str) -> bool {
        locked(&self.0.queues).iter().any(|queue| queue.pattern.matches(topic))
    }

    /// Receives what is published from here on under `pattern`: `*` stands for one token, a last
    /// `>` for one or more.
    #[must_use]
    pub fn subscribe(&self, pattern: &str) -> Subscription {
        let queue = Arc::new(Queue {
            pattern: Pattern::parse(pattern),
            state: Mutex::default(),
            arrived: Notify::new(),
            dropped: AtomicU64::new(0),
        });
        locked(&self.0.queues).push(queue.clone());
        Subscription { queue, broker: Arc::downgrade(&self.0) }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        for queue in locked(&self.queues).iter() {
            locked(&queue.state).closed = true;
            queue.arrived.notify_one();
        }
    }
}

impl Queue {
    fn push(&self, message: Message) {
        let mut state = locked(&self.state);
        if state.waiting.len() == QUEUE {
            state.waiting.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        state.waiting.push_back(message);
        drop(state);
        self.arrived.notify_one();
    }
}

/// One subscriber's end.
pub struct Subscription {
    queue: Arc<Queue>,
    broker: std::sync::Weak<Broker>,
}

impl Subscription {
    /// The next message; `None` once the broker is gone and the queue empty. Safe to cancel.
    pub async fn recv(&mut self) -> Option<Message> {
        loop {
            {
                let mut state = locked(&self.queue.state);
                if let Some(message) = state.waiting.pop_front() {
                    return Some(message);
                }
                if state.closed {
                    return None;
                }
            }
            self.queue.arrived.notified().await;
        }
    }

    /// The next message if one waits.
    pub fn try_recv(&mut self) -> Option<Message> {
        locked(&self.queue.state).waiting.pop_front()
    }

    /// Messages this subscriber lost because it was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(broker) = self.broker.upgrade() {
            locked(&broker.queues).retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        }
    }
}

/// No code panics while it holds one of these locks, so a poisoned one is still sound.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn only_matching_subscribers_receive_and_in_order() {
        let bus = Bus::new();
        let mut logs = bus.subscribe("system.log");
        let mut attackers = bus.subscribe("attacker.>");
        bus.publish("system.log", json!(1));
        bus.publish("attacker.session.ended", json!(2));
        bus.publish("system.log", json!(3));
        assert_eq!(*logs.recv().await.unwrap().payload, json!(1));
        assert_eq!(*logs.recv().await.unwrap().payload, json!(3));
        let message = attackers.recv().await.unwrap();
        assert_eq!(&*message.topic, "attacker.session.ended");
        assert_eq!(attackers.try_recv(), None);
    }

    #[tokio::test]
    async fn a_slow_subscriber_loses_the_oldest_and_knows_how_many() {
        let bus = Bus::new();
        let mut slow = bus.subscribe(">");
        for n in 0..QUEUE + 3 {
            bus.publish("a.b", json!(n));
        }
        assert_eq!(slow.dropped(), 3);
        assert_eq!(*slow.recv().await.unwrap().payload, json!(3));
    }

    #[tokio::test]
    async fn a_waiting_subscriber_is_woken_and_told_of_the_end() {
        let bus = Bus::new();
        let mut waiting = bus.subscribe("a");
        let task = tokio::spawn(async move { (waiting.recv().await, waiting.recv().await) });
        tokio::task::yield_now().await;
        bus.publish("a", json!("x"));
        drop(bus);
        let (first, second) = task.await.unwrap();
        assert_eq!(*first.unwrap().payload, json!("x"));
        assert_eq!(second, None);
    }

    #[test]
    fn a_dropped_subscription_no_longer_counts() {
        let bus = Bus::new();
        let subscription = bus.subscribe("a.*");
        assert!(bus.wants("a.b"));
        drop(subscription);
        assert!(!bus.wants("a.b"));
    }
}
