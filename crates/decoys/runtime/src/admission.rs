//! Who may connect: limits per source, per decky and in total (`spec/services.md` §2).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_model::DeckyId;

/// Connections of one source to one decky.
const PER_SOURCE: u32 = 200;
/// Connections to one decky.
const PER_DECKY: u32 = 4096;
/// Connections of the process.
const TOTAL: u32 = 50_000;

/// Counts open connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    total: u32,
    refused: u64,
    per_decky: HashMap<DeckyId, u32>,
    per_source: HashMap<(DeckyId, IpAddr), u32>,
}

/// A place that is given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Admission,
    decky: DeckyId,
    source: IpAddr,
}

impl Admission {
    /// Takes a place for a connection of `source` to `decky`; `None` at a limit.
    pub(crate) fn admit(&self, decky: DeckyId, source: IpAddr) -> Option<Place> {
        let mut counts = self.counts();
        let at_decky = counts.per_decky.get(&decky).copied().unwrap_or(0);
        let of_source = counts.per_source.get(&(decky, source)).copied().unwrap_or(0);
        if counts.total >= TOTAL || at_decky >= PER_DECKY || of_source >= PER_SOURCE {
            counts.refused += 1;
            return None;
        }
        counts.total += 1;
        counts.per_decky.insert(decky, at_decky + 1);
        counts.per_source.insert((decky, source), of_source + 1);
        Some(Place { admission: self.clone(), decky, source })
    }

    /// Open connections, and refusals so far.
    pub(crate) fn figures(&self) -> (u64, u64) {
        let counts = self.counts();
        (u64::from(counts.total), counts.refused)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        counts.total = counts.total.saturating_sub(1);
        release(&mut counts.per_decky, self.decky);
        release(&mut counts.per_source, (self.decky, self.source));
    }
}

/// Counts one less and forgets what is at zero, so that the tables stay as small as the present.
fn release<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u32>, key: K) {
    if let std::collections::hash_map::Entry::Occupied(mut entry) = counts.entry(key) {
        match entry.get().checked_sub(1) {
            Some(left) if left > 0 => drop(entry.insert(left)),
            _ => drop(entry.remove()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_cannot_take_the_places_of_others() {
        let admission = Admission::default();
        let decky = DeckyId::from_entropy([1; 16]);
        let greedy = IpAddr::from([127, 0, 0, 2]);
        let places: Vec<_> = (0..PER_SOURCE).map(|_| admission.admit(decky, greedy)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(admission.admit(decky, greedy).is_none());
        assert!(admission.admit(decky, [127, 0, 0, 3].into()).is_some());
        drop(places);
        assert!(admission.admit(decky, greedy).is_some());
        assert_eq!(admission.figures(), (0, 1));
        assert!(admission.counts().per_source.is_empty());
    }
}
