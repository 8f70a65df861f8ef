//! Keys and what they hold: bounded, and in an order that looks like a hash table's.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use super::value::Value;

/// Databases there are.
pub(super) const DATABASES: usize = 16;
/// Bytes that keys and values of a decky may take.
pub(super) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Keys of all databases together.
const MAX_KEYS: usize = 20_000;
/// Bytes that each key weighs beyond its name and value.
const KEY_OVERHEAD: usize = 96;

/// A value with when it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// Milliseconds since the epoch.
    pub(super) expires: Option<i64>,
    /// Seconds since the epoch of the last access.
    pub(super) touched: i64,
}

/// All databases.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Keyspace {
    databases: Vec<BTreeMap<Vec<u8>, Entry>>,
    /// Bytes taken.
    used: usize,
    /// Changes since it was made.
    changes: u64,
    seed: u64,
}

/// The store is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Keyspace {
    pub(super) fn new(seed: u64) -> Self {
        let databases = (0..DATABASES).map(|_| BTreeMap::new()).collect();
        Self { databases, used: 0, changes: 0, seed }
    }

    /// Whether a saved one has the shape that is relied on.
    pub(super) fn is_sound(&self) -> bool {
        self.databases.len() == DATABASES
    }

    /// Counts changes.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Bytes taken.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// What `key` of database `db` holds at `now` (milliseconds).
    pub(super) fn get(&self, db: usize, key: &[u8], now: i64) -> Option<&Entry> {
        let entry = self.databases.get(db)?.get(key)?;
        entry.expires.is_none_or(|at| at > now).then_some(entry)
    }

    /// Notes that `key` was read.
    pub(super) fn touch(&mut self, db: usize, key: &[u8], now: i64) {
        if let Some(entry) = self.databases.get_mut(db).and_then(|keys| keys.get_mut(key)) {
            entry.touched = now / 1000;
        }
    }

    /// Puts `entry` under `key`; an empty container removes it.
    ///
    /// # Errors
    /// There is no room.
    pub(super) fn put(&mut self, db: usize, key: &[u8], entry: Entry) -> Result<(), Full> {
        let weight = |key: &[u8], entry: &Entry| key.len() + KEY_OVERHEAD + entry.value.weight();
        if entry.value.is_empty() {
            self.remove(db, key);
            return Ok(());
        }
        let keys = self.len();
        let Some(database) = self.databases.get_mut(db) else { return Ok(()) };
        let old = database.get(key).map(|old| weight(key, old));
        let new = weight(key, &entry);
        let used = self.used.saturating_sub(old.unwrap_or(0)) + new;
        if used > MAX_BYTES && new > old.unwrap_or(0) || old.is_none() && keys >= MAX_KEYS {
            return Err(Full);
        }
        database.insert(key.to_vec(), entry);
        self.used = used;
        self.changes += 1;
        Ok(())
    }

    /// Takes `key` away and returns what it held.
    pub(super) fn remove(&mut self, db: usize, key: &[u8]) -> Option<Entry> {
        let entry = self.databases.get_mut(db)?.remove(key)?;
        self.used = self.used.saturating_sub(key.len() + KEY_OVERHEAD + entry.value.weight());
        self.changes += 1;
        Some(entry)
    }

    /// Drops what went before `now`; says how many keys that were.
    pub(super) fn expire(&mut self, now: i64) -> u64 {
        let mut gone = 0;
        for db in 0..DATABASES {
            let dead: Vec<Vec<u8>> = self
                .database(db)
                .iter()
                .filter(|(_, entry)| entry.expires.is_some_and(|at| at <= now))
                .map(|(key, _)| key.clone())
                .collect();
            for key in dead {
                self.remove(db, &key);
                gone += 1;
            }
        }
        gone
    }

    /// Empties database `db`.
    pub(super) fn flush(&mut self, db: usize) {
        let keys: Vec<Vec<u8>> = self.database(db).keys().cloned().collect();
        for key in keys {
            self.remove(db, &key);
        }
        self.changes += 1;
    }

    /// Exchanges two databases.
    pub(super) fn swap(&mut self, a: usize, b: usize) {
        if a < DATABASES && b < DATABASES {
            self.databases.swap(a, b);
            self.changes += 1;
        }
    }

    /// Keys of database `db` with what they hold, sorted by name.
    pub(super) fn database(&self, db: usize) -> &BTreeMap<Vec<u8>, Entry> {
        static EMPTY: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
        self.databases.get(db).unwrap_or(&EMPTY)
    }

    /// Keys of all databases.
    pub(super) fn len(&self) -> usize {
        self.databases.iter().map(BTreeMap::len).sum()
    }

    /// Names in database `db`, in the order of a hash table, each with the bucket it lies in.
    pub(super) fn scattered(&self, db: usize) -> Vec<(u64, Vec<u8>)> {
        scatter(self.seed, self.database(db).keys())
    }

    /// `items` in the order of a hash table, each with the bucket it lies in.
    pub(super) fn scatter<'i>(
        &self,
        items: impl Iterator<Item = &'i Vec<u8>>,
    ) -> Vec<(u64, Vec<u8>)> {
        scatter(self.seed, items)
    }
}

fn scatter<'i>(seed: u64, items: impl Iterator<Item = &'i Vec<u8>>) -> Vec<(u64, Vec<u8>)> {
    let items: Vec<&Vec<u8>> = items.collect();
    let buckets = (items.len() as u64).next_power_of_two().max(4);
    let mut out: Vec<(u64, u64, Vec<u8>)> = items
        .into_iter()
        .map(|item| {
            let mut hasher = DefaultHasher::new();
            (seed, item).hash(&mut hasher);
            let hash = hasher.finish();
            (hash % buckets, hash, item.clone())
        })
        .collect();
    out.sort_unstable();
    out.into_iter().map(|(bucket, _, item)| (bucket, item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Entry {
        Entry { value: Value::Text(value.into()), expires: None, touched: 0 }
    }

    #[test]
    fn room_is_given_back_and_never_overdrawn() {
        let mut keys = Keyspace::new(1);
        let big = "x".repeat(1024 * 1024);
        let mut taken = 0;
        while keys.put(0, format!("k{taken}").as_bytes(), text(&big)).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 7);
        assert!(keys.used() <= MAX_BYTES);
        assert_eq!(keys.put(1, b"small", text("x")), Ok(()));
        keys.flush(0);
        keys.flush(1);
        assert_eq!(keys.used(), 0);
    }

    #[test]
    fn what_expired_is_not_there_and_then_gone() {
        let mut keys = Keyspace::new(1);
        keys.put(0, b"a", Entry { expires: Some(10), ..text("x") }).unwrap();
        assert!(keys.get(0, b"a", 9).is_some());
        assert!(keys.get(0, b"a", 10).is_none());
        assert_eq!((keys.expire(10), keys.len(), keys.used()), (1, 0, 0));
    }
}
