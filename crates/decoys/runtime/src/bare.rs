//! Connections on which the client said nothing: the first of each second is told, the rest are
//! counted and told as one event with the exact number (design §6).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base_model::{DeckyId, Timestamp};

use crate::voice::Bound;

/// How long connections are counted together.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);
/// Sources counted at once; those beyond are told one by one.
const MAX_SOURCES: usize = 10_000;

/// Counts bare connections.
#[derive(Clone, Default)]
pub(crate) struct Bare(Arc<Mutex<HashMap<Key, Count>>>);

type Key = (DeckyId, &'static str, IpAddr);

struct Count {
    since: Timestamp,
    untold: u64,
    bound: Bound,
}

impl Bare {
    /// Whether a bare connection of `bound` at `now` is to be told by itself; otherwise it is
    /// counted.
    pub(crate) fn is_first(&self, bound: &Bound, now: Timestamp) -> bool {
        let Some(attacker) = bound.attacker else { return true };
        let mut counts = self.counts();
        let key = (bound.decky.id, bound.service, attacker.ip);
        if let Some(count) = counts.get_mut(&key) {
            count.untold += 1;
            count.bound = bound.clone();
            return false;
        }
        if counts.len() < MAX_SOURCES {
            counts.insert(key, Count { since: now, untold: 0, bound: bound.clone() });
        }
        true
    }

    /// What is to be told of windows that ended before `now`: the last such connection, and how
    /// many there were. Sources that were quiet for a window are forgotten.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<(Bound, u64)> {
        let mut due = Vec::new();
        self.counts().retain(|_, count| {
            if now.since(count.since) < WINDOW {
                return true;
            }
            if count.untold == 0 {
                return false;
            }
            due.push((count.bound.clone(), std::mem::take(&mut count.untold)));
            count.since = now;
            true
        });
        due
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base_model::{Decky, Peer, PersonaSecret};

    use super::*;

    fn bound(ip: [u8; 4], port: u16) -> Bound {
        let decky = Decky {
            id: DeckyId::from_entropy([1; 16]),
            name: "decky-01".into(),
            ip: [127, 0, 0, 1].into(),
            hostname: "host".into(),
            mac: None,
            mac_vendor: None,
            domain: None,
            archetype: "linux-server".into(),
            distro: "debian".into(),
            os: "linux".into(),
            secret: PersonaSecret::new([1; 32]),
            boot_time: 0,
            accounts: Vec::new(),
            services: Vec::new(),
        };
        Bound {
            decky: Arc::new(decky),
            service: "ssh",
            attacker: Some(Peer { ip: ip.into(), port }),
            local: None,
            conn: None,
            session: None,
        }
    }

    #[test]
    fn every_connection_is_told_or_counted_exactly_once() {
        let bare = Bare::default();
        let mut told: BTreeMap<IpAddr, u64> = BTreeMap::new();
        let start = Timestamp::from_micros(1_000_000);
        for n in 0..1000u16 {
            let now = start + Duration::from_millis(u64::from(n) * 7);
            for ip in [[127, 0, 0, 2], [127, 0, 0, 3]] {
                let bound = bound(ip, n);
                if bare.is_first(&bound, now) {
                    *told.entry(ip.into()).or_default() += 1;
                }
            }
            for (bound, count) in bare.due(now) {
                *told.entry(bound.attacker.unwrap().ip).or_default() += count;
            }
        }
        for (bound, count) in bare.due(start + Duration::from_secs(3600)) {
            *told.entry(bound.attacker.unwrap().ip).or_default() += count;
        }
        assert_eq!(told.values().copied().collect::<Vec<_>>(), [1000, 1000]);
        assert!(bare.due(start + Duration::from_secs(7200)).is_empty());
        assert!(bare.counts().is_empty());
    }

    #[test]
    fn a_lone_connection_is_told_at_once() {
        let bare = Bare::default();
        let now = Timestamp::from_micros(0);
        assert!(bare.is_first(&bound([127, 0, 0, 2], 1), now));
        assert!(bare.due(now + WINDOW).is_empty());
        assert!(bare.is_first(&bound([127, 0, 0, 2], 2), now + WINDOW));
    }
}
