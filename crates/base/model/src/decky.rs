//! What a decky is to be: the record control stores and the decoy process enacts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{DeckyId, MacAddress, Transport};

/// 256 random bits that every persistent choice of one decky derives from (design §5).
/// `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonaSecret(Zeroizing<[u8; 32]>);

impl PersonaSecret {
    /// Wraps 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for key derivation and sealing only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PersonaSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonaSecret(…)")
    }
}

/// A login that works on the decky.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Login name.
    pub username: String,
    /// The one password that is accepted; it is bait, not a secret of ours.
    pub password: String,
    /// Numeric user id; 0 is root.
    pub uid: u32,
}

/// One open port of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// The port the machine claims to listen on.
    pub number: u16,
    /// The port a client must connect to here; differs from `number` where a low port was not to
    /// be had.
    pub reached_at: u16,
}

/// A service of a decky, with the operator's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeckyService {
    /// Registry name.
    pub name: String,
    /// Validated settings by key; absent keys take the service's defaults.
    pub settings: BTreeMap<String, Value>,
    /// Transport of all `ports`.
    pub transport: Transport,
    /// Open ports.
    pub ports: Vec<Port>,
}

/// A fake machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decky {
    /// Stable id.
    pub id: DeckyId,
    /// Operator's name, `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`; never shown to an attacker.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// The address of its network card; drawn by the machine itself when absent.
    #[serde(default)]
    pub mac: Option<MacAddress>,
    /// Who made that card.
    #[serde(default)]
    pub mac_vendor: Option<String>,
    /// What the machine calls itself.
    pub hostname: String,
    /// The domain it is in; drawn by the machine itself when absent.
    #[serde(default)]
    pub domain: Option<String>,
    /// Archetype slug.
    pub archetype: String,
    /// Distribution slug.
    pub distro: String,
    /// Operating-system family slug (`spec/deckies.md` §5).
    pub os: String,
    /// Source of all its choices.
    pub secret: PersonaSecret,
    /// When the machine claims to have booted, seconds since the epoch.
    pub boot_time: i64,
    /// Logins that work.
    pub accounts: Vec<Account>,
    /// What listens.
    pub services: Vec<DeckyService>,
}

impl Decky {
    /// The service called `name`.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&DeckyService> {
        self.services.iter().find(|service| service.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_does_not_print() {
        assert_eq!(format!("{:?}", PersonaSecret::new([0x41; 32])), "PersonaSecret(…)");
    }
}
