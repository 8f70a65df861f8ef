//! How often one may try (`spec/api.md` §3.3). In memory, bounded, by a sliding window.
//!
//! Every login attempt counts against its address. Only failed ones count against the claimed name,
//! and an address that logged in to that name within a day is not held up by the failures of others:
//! a stranger cannot lock somebody out.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base_model::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

/// Buckets of one kind.
const BUCKETS: usize = 10_000;
/// How long a login vouches for its address.
const TRUST: Duration = Duration::from_secs(24 * 3600);

const LOGIN: Rule = Rule { times: 10, span: Duration::from_secs(300), text: "10 per 5 minute" };
const CHANGE: Rule = Rule { times: 5, span: Duration::from_secs(60), text: "5 per 1 minute" };

#[derive(Clone, Copy)]
struct Rule {
    times: usize,
    span: Duration,
    text: &'static str,
}

/// A claimed name, by digest: names of any length take the same room.
type NameKey = [u8; 32];

/// The rate limits.
pub(crate) struct Limits {
    enabled: bool,
    login_ip: Buckets<IpAddr>,
    login_name: Buckets<NameKey>,
    change_ip: Buckets<IpAddr>,
    trusted: Mutex<BTreeMap<(IpAddr, NameKey), Timestamp>>,
}

/// A login attempt that counts against a name until it turns out to be right.
#[derive(Debug)]
pub(crate) struct Attempt {
    ip: IpAddr,
    name: NameKey,
    counted: Option<Timestamp>,
}

impl Limits {
    pub(crate) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            login_ip: Buckets::new(LOGIN),
            login_name: Buckets::new(LOGIN),
            change_ip: Buckets::new(CHANGE),
            trusted: Mutex::default(),
        }
    }

    /// Counts a login attempt against its address.
    pub(crate) fn login_from(&self, ip: IpAddr, now: Timestamp) -> Result<(), Problem> {
        self.take(&self.login_ip, network(ip), now)
    }

    /// Counts a login attempt against the name it claims; `None` for a body that names nobody.
    pub(crate) fn login_as(
        &self,
        ip: IpAddr,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<Attempt, Problem> {
        let ip = network(ip);
        let key = name_key(name);
        let trusted = name.is_some() && self.is_trusted(ip, key, now);
        if !trusted {
            self.take(&self.login_name, key, now)?;
        }
        Ok(Attempt { ip, name: key, counted: (!trusted).then_some(now) })
    }

    /// The attempt was right: it no longer counts against the name, and its address is trusted.
    pub(crate) fn succeeded(&self, attempt: &Attempt, now: Timestamp) {
        if let Some(at) = attempt.counted {
            self.login_name.give_back(&attempt.name, at);
        }
        let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if trusted.len() >= BUCKETS {
            trusted.retain(|_, at| now.since(*at) < TRUST);
        }
        if trusted.len() >= BUCKETS {
            let oldest = trusted.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key);
            oldest.and_then(|key| trusted.remove(&key));
        }
        trusted.insert((attempt.ip, attempt.name), now);
    }

    /// Counts a change of password against its address.
    pub(crate) fn change_from(&self, ip: IpAddr, now: Timestamp) -> Result<(), Problem> {
        self.take(&self.change_ip, network(ip), now)
    }

    fn is_trusted(&self, ip: IpAddr, name: NameKey, now: Timestamp) -> bool {
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        trusted.get(&(ip, name)).is_some_and(|at| now.since(*at) < TRUST)
    }

    fn take<K: Ord + Copy>(
        &self,
        buckets: &Buckets<K>,
        key: K,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if !self.enabled {
            return Ok(());
        }
        buckets.take(key, now).map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Problem::too_many(buckets.rule.text, seconds)
        })
    }
}

fn name_key(name: Option<&str>) -> NameKey {
    // No name is longer than the body limit, and none hashes to what stands for none.
    name.map_or([0; 32], |name| Sha256::digest(name.as_bytes()).into())
}

/// One bucket per subscriber: a whole /64 for IPv6, because that is what one gets.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

struct Buckets<K> {
    rule: Rule,
    taken: Mutex<BTreeMap<K, VecDeque<Timestamp>>>,
}

impl<K: Ord + Copy> Buckets<K> {
    const fn new(rule: Rule) -> Self {
        Self { rule, taken: Mutex::new(BTreeMap::new()) }
    }

    /// Takes one, or says how long to wait.
    fn take(&self, key: K, now: Timestamp) -> Result<(), Duration> {
        let mut taken = self.locked();
        if taken.len() >= BUCKETS && !taken.contains_key(&key) {
            self.make_room(&mut taken, now);
        }
        let times = taken.entry(key).or_default();
        while times.front().is_some_and(|at| now.since(*at) >= self.rule.span) {
            times.pop_front();
        }
        if let Some(first) = times.front()
            && times.len() >= self.rule.times
        {
            return Err((*first + self.rule.span).since(now));
        }
        times.push_back(now);
        Ok(())
    }

    fn give_back(&self, key: &K, at: Timestamp) {
        let mut taken = self.locked();
        let Some(times) = taken.get_mut(key) else { return };
        if let Some(place) = times.iter().position(|time| *time == at) {
            times.remove(place);
        }
        if times.is_empty() {
            taken.remove(key);
        }
    }

    /// Drops the buckets that ran out; if there are none, a tenth of those that matter least.
    fn make_room(&self, taken: &mut BTreeMap<K, VecDeque<Timestamp>>, now: Timestamp) {
        taken.retain(|_, times| times.back().is_some_and(|at| now.since(*at) < self.rule.span));
        if taken.len() < BUCKETS {
            return;
        }
        let mut ranked: Vec<(usize, Timestamp, K)> = taken
            .iter()
            .map(|(key, times)| (times.len(), times.back().copied().unwrap_or_default(), *key))
            .collect();
        // The full ones are those that hold somebody back.
        ranked.sort_unstable();
        for (_, _, key) in ranked.into_iter().take(BUCKETS / 10) {
            taken.remove(&key);
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<K, VecDeque<Timestamp>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn fail(limits: &Limits, ip: IpAddr, name: &str, at: Timestamp) -> Result<(), Problem> {
        limits.login_as(ip, Some(name), at).map(|_| ())
    }

    #[test]
    fn the_eleventh_attempt_waits_until_the_first_is_old() {
        let limits = Limits::new(true);
        for n in 0..10 {
            limits.login_from(HOME, NOW + Duration::from_secs(n)).unwrap();
        }
        let later = NOW + Duration::from_secs(100);
        assert_eq!(limits.login_from(HOME, later), Err(Problem::too_many(LOGIN.text, 200)));
        limits.login_from(STRANGER, later).unwrap();
        limits.login_from(HOME, NOW + LOGIN.span).unwrap();
        assert!(limits.login_from(HOME, NOW + LOGIN.span).is_err());
    }

    #[test]
    fn a_stranger_cannot_lock_out_who_has_been_here() {
        let limits = Limits::new(true);
        let attempt = limits.login_as(HOME, Some("admin"), NOW).unwrap();
        limits.succeeded(&attempt, NOW);
        let later = NOW + Duration::from_secs(3600);
        for _ in 0..10 {
            fail(&limits, STRANGER, "admin", later).unwrap();
        }
        assert!(fail(&limits, STRANGER, "admin", later).is_err());
        assert!(fail(&limits, HOME, "admin", later).is_ok());
        assert!(fail(&limits, HOME, "other", later).is_ok());
        // Trust is in a name from an address, and ends.
        for _ in 0..10 {
            let _ = fail(&limits, STRANGER, "admin", NOW + TRUST);
        }
        assert!(fail(&limits, HOME, "admin", NOW + TRUST).is_err());
    }

    #[test]
    fn successes_do_not_count_against_the_name() {
        let limits = Limits::new(true);
        for n in 0..50 {
            let ip = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, n));
            let attempt = limits.login_as(ip, Some("admin"), NOW).unwrap();
            limits.succeeded(&attempt, NOW);
        }
        assert!(fail(&limits, STRANGER, "admin", NOW).is_ok());
    }

    #[test]
    fn attempts_under_way_at_once_count() {
        let limits = Limits::new(true);
        let under_way: Vec<_> =
            (0..10).map(|_| limits.login_as(STRANGER, Some("admin"), NOW).unwrap()).collect();
        assert!(limits.login_as(STRANGER, Some("admin"), NOW).is_err());
        drop(under_way);
    }

    #[test]
    fn an_ipv6_subscriber_has_one_bucket() {
        let limits = Limits::new(true);
        for n in 0..10_u128 {
            let ip = IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) | n));
            limits.login_from(ip, NOW).unwrap();
        }
        assert!(limits.login_from("2001:db8::ffff".parse().unwrap(), NOW).is_err());
        limits.login_from("2001:db8:0:1::1".parse().unwrap(), NOW).unwrap();
    }

    #[test]
    fn a_flood_of_names_is_bounded_and_frees_no_full_bucket() {
        let limits = Limits::new(true);
        for _ in 0..10 {
            fail(&limits, STRANGER, "admin", NOW).unwrap();
        }
        for n in 0..3 * BUCKETS {
            fail(&limits, STRANGER, &n.to_string(), NOW).unwrap();
        }
        assert!(limits.login_name.locked().len() <= BUCKETS);
        assert!(fail(&limits, STRANGER, "admin", NOW).is_err());
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let limits = Limits::new(false);
        assert!((0..100).all(|_| limits.login_from(HOME, NOW).is_ok()));
    }
}
