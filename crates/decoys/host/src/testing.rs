//! Machines for tests.

use std::collections::BTreeMap;

use crate::HostHandle;
use base_model::{Account, Decky, DeckyId, DeckyService, PersonaSecret, Port, Transport};

/// A decky of `distro` whose choices come from `seed`: root with password `toor`, `deploy` with
/// `s3cret`.
#[must_use]
pub fn decky(seed: u8, distro: &str) -> Decky {
    let service = |name: &str, number: u16| DeckyService {
        name: name.to_owned(),
        settings: BTreeMap::new(),
        transport: Transport::Tcp,
        ports: vec![Port { number, reached_at: number }],
    };
    let account = |username: &str, password: &str, uid| Account {
        username: username.to_owned(),
        password: password.to_owned(),
        uid,
    };
    Decky {
        id: DeckyId::from_entropy([seed; 16]),
        name: "decky-01".to_owned(),
        ip: [10, 0, 3, seed].into(),
        hostname: format!("SRV-ALPHA-{}", 10 + seed),
        mac: None,
        mac_vendor: None,
        domain: None,
        archetype: "linux-server".to_owned(),
        distro: distro.to_owned(),
        os: "linux".to_owned(),
        secret: PersonaSecret::new([seed; 32]),
        // 2025-12-20T00:00:00Z, twelve days before the dialogues begin.
        boot_time: 1_766_188_800 + i64::from(seed) * 977,
        accounts: vec![account("root", "toor", 0), account("deploy", "s3cret", 1000)],
        services: vec![service("http", 80), service("ssh", 22)],
    }
}

/// Its machine.
#[must_use]
pub fn host(seed: u8, distro: &str) -> HostHandle {
    HostHandle::new(decky(seed, distro), None)
}
