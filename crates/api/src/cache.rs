//! Values that may be a moment old.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base_model::Timestamp;

/// One value, at most so old; those who ask while it is being made wait for the same one.
pub(crate) struct Fresh<T>(tokio::sync::Mutex<Option<(Timestamp, T)>>);

impl<T> Default for Fresh<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(None))
    }
}

impl<T: Clone> Fresh<T> {
    /// The value, made anew when it is older than `age`.
    pub(crate) async fn get<E>(
        &self,
        now: Timestamp,
        age: Duration,
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut slot = self.0.lock().await;
        if let Some((at, value)) = &*slot
            && now.since(*at) < age
        {
            return Ok(value.clone());
        }
        let value = make.await?;
        *slot = Some((now, value.clone()));
        Ok(value)
    }
}

impl<T> Fresh<T> {
    /// Stores a value that was made elsewhere.
    pub(crate) async fn put(&self, now: Timestamp, value: T) {
        *self.0.lock().await = Some((now, value));
    }
}

/// Values by key, at most `age` old and `CAPACITY` many.
pub(crate) struct Recent<K, V> {
    age: Duration,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    values: BTreeMap<K, (Timestamp, V)>,
    generation: u64,
}

/// When a value began to be read. One that was forgotten meanwhile is not kept.
#[derive(Clone, Copy)]
pub(crate) struct Reading(u64);

const CAPACITY: usize = 4096;

impl<K: Ord, V: Clone> Recent<K, V> {
    pub(crate) const fn new(age: Duration) -> Self {
        let state = State { values: BTreeMap::new(), generation: 0 };
        Self { age, state: Mutex::new(state) }
    }

    /// The value, or the right to store one.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Result<V, Reading> {
        let state = self.locked();
        match state.values.get(key) {
            Some((at, value)) if now.since(*at) < self.age => Ok(value.clone()),
            _ => Err(Reading(state.generation)),
        }
    }

    pub(crate) fn put(&self, reading: Reading, key: K, value: V, now: Timestamp) {
        let mut state = self.locked();
        if state.generation != reading.0 {
            return;
        }
        if state.values.len() >= CAPACITY {
            state.values.retain(|_, (at, _)| now.since(*at) < self.age);
        }
        if state.values.len() >= CAPACITY {
            state.values.clear();
        }
        state.values.insert(key, (now, value));
    }

    /// Forgets everything, also what is being read at this moment.
    pub(crate) fn forget(&self) {
        let mut state = self.locked();
        state.generation += 1;
        state.values.clear();
    }

    fn locked(&self) -> MutexGuard<'_, State<K, V>> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(10);

    #[test]
    fn a_value_read_before_a_write_is_not_kept_after_it() {
        let cache = Recent::new(AGE);
        let now = Timestamp::from_micros(0);
        let Err(reading) = cache.get(&1, now) else { panic!("empty") };
        cache.forget();
        cache.put(reading, 1, "old", now);
        let Err(reading) = cache.get(&1, now) else { panic!("the stale value was kept") };
        cache.put(reading, 1, "new", now);
        assert!(matches!(cache.get(&1, now), Ok("new")));
        assert!(cache.get(&1, now + AGE).is_err());
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Recent::new(AGE);
        let now = Timestamp::from_micros(0);
        for key in 0..3 * CAPACITY {
            if let Err(reading) = cache.get(&key, now) {
                cache.put(reading, key, (), now);
            }
        }
        assert!(cache.locked().values.len() <= CAPACITY);
    }

    #[tokio::test]
    async fn one_making_serves_until_it_is_old() {
        let fresh = Fresh::default();
        let now = Timestamp::from_micros(0);
        let get = |at, value: u8| fresh.get(at, AGE, async move { Ok::<_, ()>(value) });
        assert_eq!(get(now, 1).await, Ok(1));
        assert_eq!(get(now + AGE / 2, 2).await, Ok(1));
        assert_eq!(get(now + AGE, 3).await, Ok(3));
    }
}
