//! A small build for tests.

use decoys_kit::{Fidelity, Listen, ServiceSpec, SettingKind, SettingSpec};

use base_model::{Decky, Timestamp};

use crate::{Catalogue, Flags, Mode, Network, Request, from_flags, plan};

pub(crate) static SSH: ServiceSpec = ServiceSpec {
    settings: &[
        text("password"),
        text("ssh_version"),
        SettingSpec {
            key: "tries",
            label: "Tries",
            kind: SettingKind::Int { min: 1, max: 6 },
            help: "",
        },
    ],
    ..spec("ssh", &[Listen::tcp(22)])
};
pub(crate) static HTTP: ServiceSpec = ServiceSpec {
    settings: &[text("server_header"), text("custom_body")],
    ..spec("http", &[Listen::tcp(80)])
};
pub(crate) static FTP: ServiceSpec = spec("ftp", &[Listen::tcp(21)]);
pub(crate) static MYSQL: ServiceSpec = spec("mysql", &[Listen::tcp(3306)]);
pub(crate) static RDP: ServiceSpec = spec("rdp", &[Listen::tcp(3389)]);
pub(crate) static CLASH: ServiceSpec = spec("clash", &[Listen::tcp(80)]);

const fn text(key: &'static str) -> SettingSpec {
    SettingSpec { key, label: key, kind: SettingKind::Text, help: "" }
}

const fn spec(name: &'static str, listens: &'static [Listen]) -> ServiceSpec {
    ServiceSpec { name, summary: "", fidelity: Fidelity::Low, listens, settings: &[], events: &[] }
}

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new(&[&SSH, &HTTP, &FTP, &MYSQL])
}

pub(crate) fn network(subnet: &str) -> Network {
    Network::of(subnet.parse().unwrap())
}

/// Secrets by number, all different.
pub(crate) fn secrets(first: u32) -> impl Iterator<Item = [u8; 32]> {
    (first..).map(|n| {
        let mut secret = [7; 32];
        secret[..4].copy_from_slice(&n.to_be_bytes());
        secret
    })
}

/// `count` deckies with ssh and http.
pub(crate) fn fleet(count: usize) -> Vec<Decky> {
    let catalogue = catalogue();
    let services = ["ssh".to_owned(), "http".to_owned()];
    let flags = Flags { count, services: Some(&services), ..Flags::default() };
    let wishes = from_flags(&flags, &[], &catalogue).unwrap();
    let network = network("127.0.0.0/8");
    let request = Request {
        wishes: &wishes,
        mode: Mode::Add,
        existing: &[],
        network: &network,
        domain: None,
        catalogue: &catalogue,
        limit: None,
        now: NOW,
    };
    plan(&request, secrets(1)).unwrap().add
}

/// A decky with ssh and http.
pub(crate) fn decky(name: &str, ip: &str) -> Decky {
    let mut decky = fleet(1).remove(0);
    decky.name = name.to_owned();
    decky.ip = ip.parse().unwrap();
    decky
}
