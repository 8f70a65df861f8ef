//! Addresses in one canonical form.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// An endpoint: canonical address (IPv4-mapped IPv6 folded, no zone) and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for Peer {
    fn from(addr: SocketAddr) -> Self {
        Self { ip: addr.ip().to_canonical(), port: addr.port() }
    }
}

impl From<Peer> for SocketAddr {
    fn from(peer: Peer) -> Self {
        Self::new(peer.ip, peer.port)
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_ipv6_is_the_ipv4_attacker() {
        let mapped: SocketAddr = "[::ffff:127.0.0.9]:80".parse().unwrap();
        assert_eq!(Peer::from(mapped).ip.to_string(), "127.0.0.9");
    }
}
