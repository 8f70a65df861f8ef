//! Which loopback address is whose.
//!
//! | addresses | whose |
//! | --- | --- |
//! | `127.0.0.0/16` | the operator's machine: `127.0.0.1`, Debian's `127.0.1.1`, the resolver's `127.0.0.53` |
//! | `127.1.0.1` to `127.127.255.254` | deckies, assigned in order |
//! | `127.128.0.1` to `127.254.255.254` | simulated attackers |
//! | `127.255.0.0/16` | nobody: the broadcast address lies here |
//!
//! Last octets 0 and 255 are not assigned: tools take them for networks and broadcasts.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// Assigned host numbers per 256 addresses.
const PER_BLOCK: u32 = 254;
/// First octets below `127.` that deckies are assigned from, and one past them.
const DECKIES: (u32, u32) = (1, 128);
/// The same for simulated attackers.
const ACTORS: (u32, u32) = (128, 255);

/// Why an address cannot be a decky's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Other machines could reach it.
    #[error(
        "{0} is not a loopback address; on the loopback uplink nothing may be reachable from outside \
         this machine: give an address of 127.0.0.0/8, or none to have one assigned"
    )]
    Reachable(IpAddr),
    /// The network's or the broadcast address.
    #[error("{0} is not the address of a machine; give another of 127.0.0.0/8")]
    NoMachine(IpAddr),
    /// Two deckies would share it.
    #[error("{0} is another decky's address; give each decky its own")]
    Taken(IpAddr),
    /// Deckies cannot be given addresses from there on.
    #[error("{0} is not in 127.1.0.1..127.127.255.254, where deckies are given addresses from")]
    Start(Ipv4Addr),
    /// None is left.
    #[error("all {0} loopback addresses for deckies are assigned; remove deckies")]
    Exhausted(usize),
}

/// Returns `ip` in canonical form when it can be a decky's here.
///
/// # Errors
/// When another machine could reach it (wildcard addresses included), or no machine can have it.
pub fn check_address(ip: IpAddr) -> Result<IpAddr, AddressError> {
    let canonical = ip.to_canonical();
    if !canonical.is_loopback() {
        return Err(AddressError::Reachable(ip));
    }
    let no_machine = [Ipv4Addr::new(127, 0, 0, 0), Ipv4Addr::new(127, 255, 255, 255)];
    if no_machine.map(IpAddr::V4).contains(&canonical) {
        return Err(AddressError::NoMachine(ip));
    }
    Ok(canonical)
}

/// Whether a connection from `ip` comes from an attacker. Here every source is one: who can reach a
/// loopback address is on this machine, and nothing on it has business with a decky.
#[must_use]
pub fn is_attacker(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// The source address of simulated attacker number `actor`; never a decky's assigned one.
#[must_use]
pub fn actor_address(actor: u32) -> Option<Ipv4Addr> {
    nth(ACTORS, actor)
}

/// The addresses of a fleet: who has which, and which is free.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    taken: BTreeSet<IpAddr>,
    /// Every assigned number below is taken, so that a large fleet is not searched from the start
    /// for each decky.
    next: u32,
    start: u32,
}

impl Addresses {
    /// No decky yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No decky yet; the first gets `start` or the next address that decky addresses may be.
    ///
    /// # Errors
    /// When `start` is outside the range that deckies are given addresses from.
    pub fn starting_at(start: Ipv4Addr) -> Result<Self, AddressError> {
        let [net, second, third, fourth] = start.octets().map(u32::from);
        if net != 127 || !(DECKIES.0..DECKIES.1).contains(&second) {
            return Err(AddressError::Start(start));
        }
        let block = ((second - DECKIES.0) << 8) + third;
        let within = fourth.saturating_sub(1).min(PER_BLOCK);
        let start = block * PER_BLOCK + within;
        Ok(Self { taken: BTreeSet::new(), next: start, start })
    }

    /// Marks `ip` as a decky's: one that the operator gave, or that it had before a restart. Claim
    /// all of these before [`Addresses::assign`].
    ///
    /// # Errors
    /// As [`check_address`], and when another decky has it.
    pub fn claim(&mut self, ip: IpAddr) -> Result<IpAddr, AddressError> {
        let canonical = check_address(ip)?;
        if !self.taken.insert(canonical) {
            return Err(AddressError::Taken(ip));
        }
        Ok(canonical)
    }

    /// Takes the lowest free address.
    ///
    /// # Errors
    /// When all are taken.
    pub fn assign(&mut self) -> Result<IpAddr, AddressError> {
        while let Some(ip) = nth(DECKIES, self.next) {
            self.next += 1;
            if self.taken.insert(ip.into()) {
                return Ok(ip.into());
            }
        }
        Err(AddressError::Exhausted(self.taken.len()))
    }

    /// Frees the address of a decky that is gone.
    pub fn release(&mut self, ip: IpAddr) {
        if self.taken.remove(&ip.to_canonical()) {
            self.next = self.start;
        }
    }
}

/// Assigned address number `index` between the octets of `range`.
fn nth((first, end): (u32, u32), index: u32) -> Option<Ipv4Addr> {
    let block = index / PER_BLOCK;
    let second = u8::try_from(first + (block >> 8)).ok().filter(|&octet| u32::from(octet) < end)?;
    let [.., third] = block.to_be_bytes();
    let fourth = u8::try_from(index % PER_BLOCK + 1).ok()?;
    Some(Ipv4Addr::new(127, second, third, fourth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_begins_where_it_is_told_to() {
        for (start, first) in
            [("127.9.8.7", "127.9.8.7"), ("127.1.0.0", "127.1.0.1"), ("127.9.8.255", "127.9.9.1")]
        {
            let mut addresses = Addresses::starting_at(start.parse().unwrap()).unwrap();
            assert_eq!(addresses.assign().unwrap(), ip(first), "{start}");
        }
        for outside in ["127.0.0.1", "127.200.0.1", "10.0.0.1"] {
            assert!(Addresses::starting_at(outside.parse().unwrap()).is_err(), "{outside}");
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn deckies_get_distinct_addresses_in_order() {
        let mut addresses = Addresses::new();
        let assigned: Vec<_> = (0..70_000).map(|_| addresses.assign().unwrap()).collect();
        assert_eq!(assigned[0], ip("127.1.0.1"));
        assert_eq!(assigned[254], ip("127.1.1.1"));
        assert_eq!(assigned[254 * 256], ip("127.2.0.1"));
        assert_eq!(assigned.iter().collect::<BTreeSet<_>>().len(), assigned.len());
    }

    #[test]
    fn a_claimed_address_is_not_assigned_and_not_claimed_twice() {
        let mut addresses = Addresses::new();
        addresses.claim(ip("127.1.0.1")).unwrap();
        assert_eq!(addresses.assign(), Ok(ip("127.1.0.2")));
        assert_eq!(
            addresses.claim(ip("::ffff:127.1.0.1")),
            Err(AddressError::Taken(ip("::ffff:127.1.0.1")))
        );
    }

    #[test]
    fn a_released_address_is_assigned_again() {
        let mut addresses = Addresses::new();
        let first = addresses.assign().unwrap();
        addresses.assign().unwrap();
        addresses.release(first);
        assert_eq!(addresses.assign(), Ok(first));
        assert_eq!(addresses.assign(), Ok(ip("127.1.0.3")));
    }

    #[test]
    fn nothing_reachable_from_outside_is_accepted() {
        for outside in ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "::ffff:0.0.0.0", "fe80::1"] {
            let error = Addresses::new().claim(ip(outside)).unwrap_err();
            assert_eq!(error, AddressError::Reachable(ip(outside)));
            assert!(error.to_string().contains("not a loopback address"));
        }
        for nobody in ["127.0.0.0", "127.255.255.255"] {
            assert_eq!(check_address(ip(nobody)), Err(AddressError::NoMachine(ip(nobody))));
        }
        for fine in ["127.0.0.1", "127.200.3.4", "::1"] {
            assert_eq!(check_address(ip(fine)), Ok(ip(fine)));
        }
    }

    #[test]
    fn the_last_addresses_stay_inside_their_ranges() {
        let last = |range: (u32, u32)| nth(range, (range.1 - range.0) * 256 * PER_BLOCK - 1);
        let past = |range: (u32, u32)| nth(range, (range.1 - range.0) * 256 * PER_BLOCK);
        assert_eq!(last(DECKIES), Some(Ipv4Addr::new(127, 127, 255, 254)));
        assert_eq!(last(ACTORS), Some(Ipv4Addr::new(127, 254, 255, 254)));
        assert_eq!((past(DECKIES), past(ACTORS), actor_address(u32::MAX)), (None, None, None));
        assert_eq!(actor_address(0), Some(Ipv4Addr::new(127, 128, 0, 1)));
    }

    #[test]
    fn every_local_source_is_an_attacker() {
        for source in ["127.0.0.1", "127.128.0.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_attacker(ip(source)));
        }
        assert!(!is_attacker(ip("192.0.2.1")));
    }
}
