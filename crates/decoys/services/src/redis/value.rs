//! What a key holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

/// Bytes that each element weighs beyond its content.
const OVERHEAD: usize = 48;

/// A value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Value {
    Text(Vec<u8>),
    List(VecDeque<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    Hash(Hash),
    Sorted(Sorted),
}

/// Fields and values in the order they came in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hash {
    fields: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    next: u64,
}

/// Members by score, then by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sorted {
    scores: BTreeMap<Vec<u8>, f64>,
}

impl Value {
    /// As `TYPE` names it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::Sorted(_) => "zset",
        }
    }

    /// Bytes it takes of what a decky may hold.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(|item| item.len() + OVERHEAD).sum(),
            Self::Set(items) => items.iter().map(|item| item.len() + OVERHEAD).sum(),
            Self::Hash(hash) => {
                hash.iter().map(|(field, value)| field.len() + value.len() + OVERHEAD).sum()
            }
            Self::Sorted(sorted) => sorted.scores.keys().map(|m| m.len() + OVERHEAD + 8).sum(),
        }
    }

    /// Whether a container has become empty, so that its key goes.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Set(items) => items.is_empty(),
            Self::Hash(hash) => hash.fields.is_empty(),
            Self::Sorted(sorted) => sorted.scores.is_empty(),
        }
    }

    /// As `OBJECT ENCODING` names it; `seven` for Redis 7, where small containers are listpacks.
    pub(super) fn encoding(&self, seven: bool) -> &'static str {
        let pack = if seven { "listpack" } else { "ziplist" };
        let small = |item: &Vec<u8>| item.len() <= 64;
        match self {
            Self::Text(text) if super::parser::number(text).is_some() => "int",
            Self::Text(text) if text.len() <= 44 => "embstr",
            Self::Text(_) => "raw",
            Self::List(_) => "quicklist",
            Self::Set(items) => {
                let numbers = items.iter().all(|item| super::parser::number(item).is_some());
                if numbers && items.len() <= 512 { "intset" } else { "hashtable" }
            }
            Self::Hash(hash) => {
                let fits = hash.len() <= 512 && hash.iter().all(|(f, v)| small(f) && small(v));
                if fits { pack } else { "hashtable" }
            }
            Self::Sorted(sorted) => {
                let fits = sorted.len() <= 128 && sorted.scores.keys().all(small);
                if fits { pack } else { "skiplist" }
            }
        }
    }
}

impl Hash {
    pub(super) fn get(&self, field: &[u8]) -> Option<&Vec<u8>> {
        self.fields.get(field).map(|(_, value)| value)
    }

    /// Sets `field`; true when it is new.
    pub(super) fn set(&mut self, field: Vec<u8>, value: Vec<u8>) -> bool {
        if let Some(known) = self.fields.get_mut(&field) {
            known.1 = value;
            return false;
        }
        self.fields.insert(field, (self.next, value));
        self.next += 1;
        true
    }

    pub(super) fn remove(&mut self, field: &[u8]) -> bool {
        self.fields.remove(field).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Fields and values in the order they came in.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        let mut all: Vec<_> = self.fields.iter().map(|(f, (at, v))| (*at, f, v)).collect();
        all.sort_unstable_by_key(|(at, ..)| *at);
        all.into_iter().map(|(_, field, value)| (field, value))
    }
}

impl Sorted {
    pub(super) fn get(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Sets the score of `member`; true when it is new.
    pub(super) fn set(&mut self, member: Vec<u8>, score: f64) -> bool {
        self.scores.insert(member, score).is_none()
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> bool {
        self.scores.remove(member).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.scores.len()
    }

    /// Members with their scores, lowest first.
    pub(super) fn ranked(&self) -> Vec<(Vec<u8>, f64)> {
        let mut all: Vec<_> = self.scores.iter().map(|(m, s)| (m.clone(), *s)).collect();
        all.sort_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| a.cmp(b)));
        all
    }
}
