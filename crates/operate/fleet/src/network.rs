//! Which addresses deckies are given (`spec/deckies.md` §4).

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::ini::General;
use crate::problem::{Place, Problem};

/// An IPv4 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    first: u32,
    prefix: u32,
}

/// Text that is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IPv4 network such as 192.168.1.0/24, with room for a host")]
pub struct SubnetFormat;

impl FromStr for Subnet {
    type Err = SubnetFormat;

    /// The address may be any of the network's, as operators write them.
    fn from_str(text: &str) -> Result<Self, SubnetFormat> {
        let (address, prefix) = text.split_once('/').ok_or(SubnetFormat)?;
        let address: Ipv4Addr = address.trim().parse().map_err(|_| SubnetFormat)?;
        let prefix: u32 = prefix.trim().parse().map_err(|_| SubnetFormat)?;
        // Smaller ones have no address between those of the network and of its broadcast.
        if !(1..=30).contains(&prefix) {
            return Err(SubnetFormat);
        }
        Ok(Self { first: u32::from(address) & (u32::MAX << (32 - prefix)), prefix })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

impl Subnet {
    /// Addresses of one machine alone (RFC 1122 §3.2.1.3).
    pub const LOOPBACK: Self = Self { first: 0x7f00_0000, prefix: 8 };

    /// The network's own address.
    #[must_use]
    pub fn address(self) -> Ipv4Addr {
        self.first.into()
    }

    /// The broadcast address.
    #[must_use]
    pub fn broadcast(self) -> Ipv4Addr {
        (self.first | (u32::MAX >> self.prefix)).into()
    }

    /// Whether `ip` is in it.
    #[must_use]
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        (self.address()..=self.broadcast()).contains(&ip)
    }
}

/// Two addresses with `-` between them, the lower first.
pub(crate) fn parse_range(text: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let (low, high) = text.split_once('-')?;
    let range = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (range.0 <= range.1).then_some(range)
}

/// The network deckies are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The network.
    pub subnet: Subnet,
    /// Its router.
    pub gateway: Option<Ipv4Addr>,
    /// This machine.
    pub host: Option<Ipv4Addr>,
    /// What is given out without being asked for: first and last.
    pub pool: (Ipv4Addr, Ipv4Addr),
    /// What a DHCP server gives out: first and last.
    pub dhcp: Option<(Ipv4Addr, Ipv4Addr)>,
    /// Whether last octets 0 and 255 are left out: in a wide network they are machines' addresses,
    /// which tools take for networks and broadcasts all the same.
    pub skip_ends: bool,
}

impl Network {
    /// `subnet`, all of it to give out.
    #[must_use]
    pub fn of(subnet: Subnet) -> Self {
        Self {
            subnet,
            gateway: None,
            host: None,
            pool: (subnet.address(), subnet.broadcast()),
            dhcp: None,
            skip_ends: false,
        }
    }

    /// This one, or the one `general` describes, giving out addresses from `start` on.
    ///
    /// # Errors
    /// When `start` is not in it.
    pub fn with(self, general: &General, start: Option<Ipv4Addr>) -> Result<Self, Problem> {
        let mut network = match general.net {
            Some((subnet, _)) if subnet != self.subnet => Self::of(subnet),
            _ => self,
        };
        network.skip_ends = network.subnet.address().is_loopback();
        network.gateway = general.gw.map(|(gw, _)| gw).or(network.gateway);
        network.dhcp = general.dhcp_range.map(|(range, _)| range);
        if let Some(start) = start {
            if !network.subnet.contains(start) {
                let text = format!("ip-start {start} is outside {}", network.subnet);
                return Err(Problem::new(None, text));
            }
            network.pool.0 = start;
        }
        Ok(network)
    }

    /// Why no decky can have `ip`; `None` when one can.
    fn forbids(&self, ip: Ipv4Addr) -> Option<String> {
        let subnet = self.subnet;
        let what = match ip {
            _ if !subnet.contains(ip) => return Some(format!("ip={ip} is outside {subnet}")),
            _ if ip == subnet.address() => "the network's own address",
            _ if ip == subnet.broadcast() => "the broadcast address",
            _ if Some(ip) == self.gateway => "the gateway's address",
            _ if Some(ip) == self.host => "this machine's address",
            _ if self.dhcp.is_some_and(|(low, high)| (low..=high).contains(&ip)) => {
                let (low, high) = self.dhcp?;
                return Some(format!("ip={ip} is in the DHCP range {low}-{high}"));
            }
            _ => return None,
        };
        Some(format!("ip={ip} is {what}"))
    }
}

/// Who has which address.
#[derive(Debug)]
pub(crate) struct Allocation<'n> {
    network: &'n Network,
    /// With the name of who has it.
    taken: BTreeMap<Ipv4Addr, String>,
    next: Option<Ipv4Addr>,
}

impl<'n> Allocation<'n> {
    pub(crate) fn new(network: &'n Network) -> Self {
        Self { network, taken: BTreeMap::new(), next: Some(network.pool.0) }
    }

    /// Notes what a decky has already.
    pub(crate) fn keep(&mut self, ip: Ipv4Addr, decky: &str) {
        self.taken.insert(ip, decky.to_owned());
    }

    /// Gives `ip` to `decky`, who asks for it.
    pub(crate) fn reserve(
        &mut self,
        ip: Ipv4Addr,
        decky: &str,
        at: Option<Place>,
    ) -> Result<(), Problem> {
        let why = match self.taken.get(&ip) {
            Some(owner) if owner == decky => return Ok(()),
            Some(owner) => Some(format!("ip={ip} is already the address of decky '{owner}'")),
            None => self.network.forbids(ip),
        };
        if let Some(why) = why {
            return Err(Problem::new(at, format!("[{decky}] {why}")));
        }
        self.keep(ip, decky);
        Ok(())
    }

    /// The lowest address that is free, from where the last search ended.
    pub(crate) fn assign(&mut self, decky: &str) -> Option<Ipv4Addr> {
        while let Some(ip) = self.next.filter(|ip| *ip <= self.network.pool.1) {
            self.next = u32::from(ip).checked_add(1).map(Ipv4Addr::from);
            if self.gives(ip) {
                self.keep(ip, decky);
                return Some(ip);
            }
            // A DHCP range may be millions of addresses.
            if let Some((_, high)) =
                self.network.dhcp.filter(|(low, high)| (*low..=*high).contains(&ip))
            {
                self.next = u32::from(high).checked_add(1).map(Ipv4Addr::from);
            }
        }
        None
    }

    fn gives(&self, ip: Ipv4Addr) -> bool {
        let end = self.network.skip_ends && matches!(ip.octets(), [.., 0 | 255]);
        !end && !self.taken.contains_key(&ip) && self.network.forbids(ip).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(subnet: &str) -> Network {
        Network::of(subnet.parse().unwrap())
    }

    fn all(network: &Network, most: usize) -> Vec<String> {
        let mut allocation = Allocation::new(network);
        (0..most)
            .map_while(|n| allocation.assign(&n.to_string()))
            .map(|ip| ip.to_string())
            .collect()
    }

    #[test]
    fn hosts_are_given_out_in_order_without_network_broadcast_gateway_and_host() {
        assert_eq!(all(&network("10.0.0.9/30"), 9), ["10.0.0.9", "10.0.0.10"]);
        assert_eq!(all(&network("192.168.1.0/24"), 999).len(), 254);
        let mut own = network("10.0.0.0/29");
        own.gateway = Some([10, 0, 0, 1].into());
        own.host = Some([10, 0, 0, 3].into());
        own.dhcp = Some(([10, 0, 0, 4].into(), [10, 0, 0, 5].into()));
        assert_eq!(all(&own, 9), ["10.0.0.2", "10.0.0.6"]);
        own.pool.0 = [10, 0, 0, 3].into();
        assert_eq!(all(&own, 9), ["10.0.0.6"]);
        let mut wide = network("10.0.0.0/23");
        wide.skip_ends = true;
        assert_eq!(all(&wide, 999).len(), 508);
    }

    #[test]
    fn a_file_may_name_another_network_and_the_first_address_is_in_it() {
        let place = Place { line: 1, column: 1 };
        let general =
            General { net: Some(("10.0.0.0/24".parse().unwrap(), place)), ..General::default() };
        let own = || Network { gateway: Some([127, 0, 0, 1].into()), ..network("127.0.0.0/8") };
        let plain = own().with(&General::default(), None).unwrap();
        assert_eq!(
            (plain.subnet, plain.gateway, plain.skip_ends),
            (own().subnet, own().gateway, true)
        );
        let start = Some(Ipv4Addr::new(10, 0, 0, 9));
        let other = own().with(&general, start).unwrap();
        assert_eq!((other.subnet.to_string().as_str(), other.gateway), ("10.0.0.0/24", None));
        assert_eq!(Some(other.pool.0), start);
        assert!(own().with(&General::default(), start).is_err());
    }

    #[test]
    fn an_address_asked_for_is_checked() {
        let mut own = network("10.0.0.0/24");
        own.gateway = Some([10, 0, 0, 1].into());
        own.host = Some([10, 0, 0, 3].into());
        own.dhcp = Some(([10, 0, 0, 100].into(), [10, 0, 0, 199].into()));
        let mut allocation = Allocation::new(&own);
        allocation.reserve([10, 0, 0, 9].into(), "db", None).unwrap();
        for (ip, why) in [
            ("10.0.1.1", "[web] ip=10.0.1.1 is outside 10.0.0.0/24"),
            ("10.0.0.0", "[web] ip=10.0.0.0 is the network's own address"),
            ("10.0.0.255", "[web] ip=10.0.0.255 is the broadcast address"),
            ("10.0.0.1", "[web] ip=10.0.0.1 is the gateway's address"),
            ("10.0.0.3", "[web] ip=10.0.0.3 is this machine's address"),
            ("10.0.0.150", "[web] ip=10.0.0.150 is in the DHCP range 10.0.0.100-10.0.0.199"),
            ("10.0.0.9", "[web] ip=10.0.0.9 is already the address of decky 'db'"),
        ] {
            let refused = allocation.reserve(ip.parse().unwrap(), "web", None).unwrap_err();
            assert_eq!(refused.to_string(), why);
        }
        assert_eq!(allocation.reserve([10, 0, 0, 9].into(), "db", None), Ok(()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0", "10.0.0.0/31", "10.0.0.0/33", "10.0.0/24", "x/24", "1.2.3.4/0"]
        {
            assert_eq!(text.parse::<Subnet>(), Err(SubnetFormat), "{text}");
        }
        assert_eq!(parse_range("10.0.0.9-10.0.0.1"), None);
    }
}
