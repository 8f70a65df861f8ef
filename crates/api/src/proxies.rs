//! Reverse proxies whose word about their client is taken (`DECNET_TRUSTED_PROXY_CIDRS`).

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::HeaderMap;
use base_model::Peer;

/// Most addresses of a forwarding header that are looked at.
const HOPS: usize = 16;

/// A block of addresses, as `10.0.0.0/8` or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    length: u32,
}

/// The text is no block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl std::fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a block of addresses such as 10.0.0.0/8")
    }
}

impl std::error::Error for NotANetwork {}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (base, length) = match text.split_once('/') {
            Some((base, length)) => (base, Some(length.parse().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| NotANetwork)?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let length: u32 = length.unwrap_or(width);
        if length > width { Err(NotANetwork) } else { Ok(Self { base, length }) }
    }
}

impl Network {
    /// Whether `ip` lies in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let differ = match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                u128::from(base.to_bits() ^ ip.to_bits()).checked_shr(32 - self.length)
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                (base.to_bits() ^ ip.to_bits()).checked_shr(128 - self.length)
            }
            _ => return false,
        };
        differ.unwrap_or(0) == 0
    }
}

/// Who asks: the TCP peer, or what trusted proxies say of whom they ask for. Read from the right,
/// because a client may have written the rest itself.
pub(crate) fn client(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut client = Peer::from(peer).ip;
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let lines = lines.filter_map(|line| line.to_str().ok());
    for hop in lines.flat_map(|line| line.rsplit(',')).take(HOPS) {
        if !is_trusted(client) {
            break;
        }
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
        client = ip.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn asked(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| network(text)).collect();
        client(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &trusted).to_string()
    }

    #[test]
    fn blocks_contain_what_they_should() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
        ];
        for (block, ip, expected) in cases {
            assert_eq!(network(block).contains(ip.parse().unwrap()), expected, "{block} {ip}");
        }
        for text in ["", "10.0.0.0/33", "x/8", "10.0.0.0/", "10.0.0.0/-1", "::/129"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        assert_eq!(asked("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
        assert_eq!(asked("192.0.2.1", &["203.0.113.9"], &["127.0.0.1"]), "192.0.2.1");
        assert_eq!(asked("127.0.0.1", &["203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
        assert_eq!(asked("127.0.0.1", &["6.6.6.6, 203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
        assert_eq!(asked("127.0.0.1", &["6.6.6.6", "203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
        let chain = ["203.0.113.9, 10.0.0.2"];
        assert_eq!(asked("127.0.0.1", &chain, &["127.0.0.1", "10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(asked("127.0.0.1", &["evil"], &["127.0.0.1"]), "127.0.0.1");
        assert_eq!(asked("::ffff:127.0.0.1", &["203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
    }
}
