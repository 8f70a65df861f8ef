//! What there is to attack: the deckies of a ready file of `decnet up`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::plan::Login;

/// Deckies with their services and working logins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The API of each DECNET.
    apis: Vec<SocketAddr>,
    deckies: Vec<Decky>,
}

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Decky {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Logins that work.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// Where its services are reached.
    #[serde(default)]
    pub services: Vec<Service>,
}

/// One port of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Service {
    /// The service.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its port.
    pub port: u16,
}

/// Where an attacker goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Door {
    /// The decky.
    pub decky: String,
    /// The service.
    pub service: String,
    /// Address and port.
    pub address: SocketAddrV4,
}

/// A ready file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// It is not one.
    #[error("not a ready file of `decnet up`")]
    Malformed(#[source] serde_json::Error),
    /// Its API is nowhere.
    #[error("`{0}` is not where an API is")]
    Api(String),
    /// It lists no decky.
    #[error("no decky is listed")]
    Empty,
    /// An address is not this machine's loopback.
    #[error(
        "`{decky}` is at {address}, outside 127.0.0.0/8: attackers are let loose on loopback only"
    )]
    NotLoopback {
        /// The decky.
        decky: String,
        /// Its address.
        address: Ipv4Addr,
    },
}

impl World {
    /// Reads a ready file.
    ///
    /// # Errors
    /// When it is none, lists nothing, or names an address outside 127.0.0.0/8.
    pub fn read(json: &[u8]) -> Result<Self, WorldError> {
        #[derive(Deserialize)]
        struct Ready {
            api: String,
            deckies: Vec<Decky>,
        }
        let ready: Ready = serde_json::from_slice(json).map_err(WorldError::Malformed)?;
        let api = ready.api.strip_prefix("http://").and_then(|api| api.parse().ok());
        let api = api.ok_or(WorldError::Api(ready.api))?;
        Self::new(vec![reachable(api)], ready.deckies)
    }

    pub(crate) fn new(apis: Vec<SocketAddr>, deckies: Vec<Decky>) -> Result<Self, WorldError> {
        for decky in &deckies {
            let services = decky.services.iter().map(|service| service.address);
            let mut addresses = std::iter::once(decky.ip).chain(services);
            if let Some(address) = addresses.find(|address| !address.is_loopback()) {
                return Err(WorldError::NotLoopback { decky: decky.name.clone(), address });
            }
        }
        if deckies.is_empty() {
            return Err(WorldError::Empty);
        }
        Ok(Self { apis, deckies })
    }

    /// Both worlds.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.apis.extend(other.apis);
        self.deckies.extend(other.deckies);
        self
    }

    /// The API of each DECNET.
    #[must_use]
    pub fn apis(&self) -> &[SocketAddr] {
        &self.apis
    }

    /// All deckies.
    #[must_use]
    pub fn deckies(&self) -> &[Decky] {
        &self.deckies
    }

    /// The first port of `service` on every decky that has it.
    pub(crate) fn doors(&self, service: &str) -> Vec<Door> {
        self.deckies.iter().filter_map(|decky| decky.door(service)).collect()
    }

    /// Logins that work on the decky behind `door`.
    pub(crate) fn logins(&self, door: &Door) -> &[Login] {
        let found = self.deckies.iter().find(|decky| {
            decky.name == door.decky
                && decky.services.iter().any(|service| service.address == *door.address.ip())
        });
        found.map_or(&[], |decky| decky.logins.as_slice())
    }

    /// All addresses in use.
    pub(crate) fn addresses(&self) -> BTreeSet<Ipv4Addr> {
        let services = self.deckies.iter().flat_map(|decky| &decky.services);
        let services = services.map(|service| service.address);
        self.deckies.iter().map(|decky| decky.ip).chain(services).collect()
    }
}

/// Where this machine reaches what is bound to `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Decky {
    /// The first port of `service`.
    pub(crate) fn door(&self, service: &str) -> Option<Door> {
        let found = self.services.iter().find(|one| one.name == service)?;
        Some(Door {
            decky: self.name.clone(),
            service: service.to_owned(),
            address: SocketAddrV4::new(found.address, found.port),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = r#"{"api": "http://127.0.0.1:8000", "user": "admin", "password": null,
        "deckies": [{"name": "decky-01", "ip": "127.1.0.1", "os": "linux",
        "logins": [{"username": "root", "password": "toor"}],
        "services": [{"name": "smtp", "transport": "tcp", "address": "127.1.0.1", "port": 25},
                     {"name": "smtp", "transport": "tcp", "address": "127.1.0.1", "port": 587}]}]}"#;

    #[test]
    fn a_ready_file_gives_doors_and_logins() {
        let world = World::read(READY.as_bytes()).unwrap();
        let doors = world.doors("smtp");
        assert_eq!(doors.len(), 1, "the first port alone");
        assert_eq!(doors[0].address.to_string(), "127.1.0.1:25");
        assert_eq!(world.logins(&doors[0]), [Login::new("root", "toor")]);
        assert!(world.doors("ssh").is_empty());
        assert_eq!(world.apis(), ["127.0.0.1:8000".parse().unwrap()]);
    }

    #[test]
    fn an_address_outside_loopback_is_refused_wherever_it_stands() {
        for place in ["\"ip\": \"127.1.0.1\"", "\"address\": \"127.1.0.1\", \"port\": 587"] {
            let outside = READY.replacen(place, &place.replace("127.1.0.1", "10.0.0.5"), 1);
            let refused = World::read(outside.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains("10.0.0.5, outside 127.0.0.0/8"), "{refused}");
        }
    }

    #[test]
    fn what_is_no_ready_file_is_refused() {
        assert!(matches!(World::read(b"{}"), Err(WorldError::Malformed(_))));
        let read = |text: &str| World::read(text.as_bytes());
        let none = r#"{"api": "http://0.0.0.0:1", "deckies": []}"#;
        assert!(matches!(read(none), Err(WorldError::Empty)));
        assert!(matches!(read(&none.replace("0.0.0.0", "x")), Err(WorldError::Api(_))));
        let name = READY.replace("\"127.1.0.1\"", "\"decky.example\"");
        assert!(matches!(World::read(name.as_bytes()), Err(WorldError::Malformed(_))));
    }
}
