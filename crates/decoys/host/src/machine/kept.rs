//! What services keep on the machine: key spaces, databases, counters.
//!
//! A service's state lives here beside files and accounts, so that whoever connects next meets what
//! the last one left, and so that a snapshot holds it. The machine knows nothing of what it means;
//! a service bounds what it keeps, and what it saves past [`MAX_SAVED`] is not saved.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;

use super::Machine;

/// Most bytes that one service saves.
const MAX_SAVED: usize = 32 * 1024 * 1024;

/// State of one service on one machine.
pub trait Kept: Any + Send + fmt::Debug {
    /// What it is saved under: the service's name.
    const SLOT: &'static str;

    /// The state on a machine where nobody has been yet.
    fn fresh(machine: &Machine) -> Self
    where
        Self: Sized;

    /// The state that [`Kept::save`] gave; none when that cannot be read.
    fn restore(machine: &Machine, saved: &[u8]) -> Option<Self>
    where
        Self: Sized;

    /// What [`Kept::restore`] reads.
    fn save(&self) -> Vec<u8>;

    /// Changes whenever something changed that is saved.
    fn revision(&self) -> u64;
}

/// [`Kept`] without its type.
trait Slot: Send + fmt::Debug {
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    fn saved(&self) -> Vec<u8>;
}

impl<T: Kept> Slot for T {
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn saved(&self) -> Vec<u8> {
        self.save()
    }
}

/// The states of all services of a machine.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// In use.
    live: BTreeMap<&'static str, Box<dyn Slot>>,
    /// Read from a snapshot and not asked for yet.
    saved: BTreeMap<String, Vec<u8>>,
}

impl Slots {
    /// As a snapshot kept them.
    pub(super) fn of(saved: BTreeMap<String, Vec<u8>>) -> Self {
        Self { live: BTreeMap::new(), saved }
    }

    /// What a snapshot keeps.
    pub(super) fn save(&self) -> BTreeMap<String, Vec<u8>> {
        let mut out = self.saved.clone();
        for (name, slot) in &self.live {
            let bytes = slot.saved();
            if bytes.len() <= MAX_SAVED {
                out.insert((*name).to_owned(), bytes);
            }
        }
        out
    }
}

impl Machine {
    /// Works on the state of service `T`, which is made on first use. Must not be called for the
    /// same service from within.
    pub fn with_kept<T: Kept, R>(&mut self, work: impl FnOnce(&mut Self, &mut T) -> R) -> R {
        let live = self.kept.live.remove(T::SLOT);
        let live = live.and_then(|slot| slot.into_any().downcast::<T>().ok());
        let mut state = live.unwrap_or_else(|| {
            let saved = self.kept.saved.remove(T::SLOT);
            let saved = saved.and_then(|saved| T::restore(self, &saved));
            Box::new(saved.unwrap_or_else(|| T::fresh(self)))
        });
        let before = state.revision();
        let done = work(self, &mut state);
        if state.revision() != before {
            self.revision += 1;
        }
        self.kept.live.insert(T::SLOT, state);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HostHandle;

    #[derive(Debug)]
    struct Counter(u8);

    impl Kept for Counter {
        const SLOT: &'static str = "counter";

        fn fresh(_: &Machine) -> Self {
            Self(0)
        }

        fn restore(_: &Machine, saved: &[u8]) -> Option<Self> {
            saved.first().map(|count| Self(*count))
        }

        fn save(&self) -> Vec<u8> {
            vec![self.0]
        }

        fn revision(&self) -> u64 {
            self.0.into()
        }
    }

    fn bump(host: &HostHandle) -> u8 {
        host.with(|machine| {
            machine.with_kept(|_, counter: &mut Counter| {
                counter.0 += 1;
                counter.0
            })
        })
    }

    #[test]
    fn what_a_service_keeps_is_there_for_the_next_and_after_a_restart() {
        let host = crate::testing::host(1, "debian");
        bump(&host);
        let before = host.revision();
        assert_eq!(bump(&host), 2);
        assert_ne!(host.revision(), before);
        let again = HostHandle::new(host.decky().clone(), Some(&host.snapshot()));
        // Not asked for in between: still saved.
        let again = HostHandle::new(again.decky().clone(), Some(&again.snapshot()));
        assert_eq!(bump(&again), 3);
    }

    #[test]
    fn a_snapshot_from_before_services_kept_anything_still_reads() {
        let host = crate::testing::host(1, "debian");
        let old = rmp_serde::to_vec(&(
            1_u16,
            host.with(|machine| machine.fs.save()),
            4000_u32,
            BTreeMap::<String, (i64, String)>::new(),
        ))
        .unwrap();
        let machine = Machine::restore(host.decky().clone(), &old);
        assert_eq!(machine.next_pid, 4000);
    }
}
