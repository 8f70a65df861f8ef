//! Which loopback address is whose.
//!
//! | addresses | whose |
//! | --- | --- |
//! | `127.0.0.0/16` | the operator's machine: `127.0.0.1`, Debian's `127.0.1.1`, the resolver's `127.0.0.53` |
//! | `127.1.0.1` to `127.127.255.254` | deckies that were not given another, in order |
//! | `127.128.0.1` to `127.254.255.254` | simulated attackers |
//! | `127.255.0.0/16` | nobody: the broadcast address lies here |

use std::net::{IpAddr, Ipv4Addr};

/// First and last address that deckies are given when nobody says otherwise.
pub const DECKIES: (Ipv4Addr, Ipv4Addr) =
    (Ipv4Addr::new(127, 1, 0, 1), Ipv4Addr::new(127, 127, 255, 254));

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

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_reachable_from_outside_is_accepted() {
        for outside in ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "::ffff:0.0.0.0", "fe80::1"] {
            let error = check_address(ip(outside)).unwrap_err();
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
}
