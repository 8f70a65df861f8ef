//! What a wish and what there is say about one decky.

use base_model::{Decky, DeckyService, MacAddress, Port, Transport};
use decoys_host::persona::{self, Distro};
use decoys_kit::{Choices, ServiceSpec};

use crate::identity::Draw;
use crate::wish::{Distros, Wish};
use crate::{Archetype, archetypes, hardware};

/// What a decky without an archetype is.
const PLAIN: &str = "linux-server";

/// What the wish's deckies are for.
pub(super) fn archetype_of(wish: &Wish<'_>) -> Option<&'static Archetype> {
    let named = wish.archetype.map(|offer| offer.archetype);
    named.or_else(|| archetypes().iter().find(|archetype| archetype.slug == PLAIN))
}

/// The distribution of a new decky: `member` counts within the wish, `ordinal` in the fleet.
pub(super) fn distro_of(
    wish: &Wish<'_>,
    choices: &Choices<'_>,
    member: usize,
    ordinal: usize,
) -> Option<&'static Distro> {
    let all = || persona::distros().iter().collect::<Vec<_>>();
    let in_turn = |from: &[&'static Distro], at: usize| from.get(at % from.len().max(1)).copied();
    match (&wish.distros, wish.archetype) {
        (Distros::Among(among), _) => in_turn(among, member),
        (Distros::Any, Some(offer)) => in_turn(&offer.distros, ordinal),
        (Distros::Any, None) => in_turn(&all(), ordinal),
        (Distros::Random, Some(offer)) if offer.archetype.only_these_distros => {
            choices.pick("fleet.distro", &offer.distros).copied()
        }
        (Distros::Random, _) => choices.pick("fleet.distro", &all()).copied(),
    }
}

/// The network card of a decky, and who made it.
pub(super) fn card(draw: &Draw<'_>, wish: &Wish<'_>) -> (Option<MacAddress>, Option<String>) {
    match wish.mac {
        Some(mac) => {
            let named = wish.mac_vendor.map(|vendor| vendor.name.as_str());
            (Some(mac), named.or_else(|| hardware::vendor_of(mac)).map(str::to_owned))
        }
        None => draw.card(wish.mac_vendor).unzip(),
    }
}

/// The services of decky `name`, by name; ports that `before` reached elsewhere stay there.
pub(super) fn services_of(
    specs: &[&'static ServiceSpec],
    name: &str,
    wish: &Wish<'_>,
    before: &[DeckyService],
) -> Vec<DeckyService> {
    let mut services: Vec<DeckyService> = specs
        .iter()
        .map(|spec| {
            let known = before.iter().find(|service| service.name == spec.name);
            let ports = spec.listens.iter().map(|listen| {
                let port = Port { number: listen.port, reached_at: listen.port };
                let ports = known.into_iter().flat_map(|service| &service.ports);
                ports.copied().find(|own| own.number == port.number).unwrap_or(port)
            });
            DeckyService {
                name: spec.name.to_owned(),
                settings: wish.settings(name, spec.name),
                transport: spec.listens.first().map_or(Transport::Tcp, |listen| listen.transport),
                ports: ports.collect(),
            }
        })
        .collect();
    services.sort_by(|one, other| one.name.cmp(&other.name));
    services
}

/// The fields that differ.
pub(super) fn difference(before: &Decky, after: &Decky) -> String {
    let fields = [
        ("ip", before.ip != after.ip),
        ("mac", before.mac != after.mac),
        ("mac_vendor", before.mac_vendor != after.mac_vendor),
        ("hostname", before.hostname != after.hostname),
        ("domain", before.domain != after.domain),
        ("archetype", before.archetype != after.archetype),
        ("distro", before.distro != after.distro),
        ("nmap_os", before.os != after.os),
        ("users", before.accounts != after.accounts),
        ("services", before.services != after.services),
    ];
    let differ: Vec<_> =
        fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    differ.join(", ")
}
