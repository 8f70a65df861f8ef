//! Network cards: pools of vendors and their registered prefixes (`spec/deckies.md` §6.2).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base_model::MacAddress;
use decoys_kit::Choices;
use serde::Deserialize;

/// Vendors that machines of one kind have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pool {
    /// Slug, as in an archetype.
    pub(crate) slug: String,
    /// Whether all machines of a deployment have the same.
    pub(crate) one_vendor: bool,
    /// The vendors.
    pub(crate) vendors: Vec<Vendor>,
}

/// A vendor of network cards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Name.
    pub name: String,
    /// What its addresses begin with.
    pub prefixes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Pools {
    pool: Vec<Pool>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program; a test reads it")]
static POOLS: LazyLock<Vec<Pool>> = LazyLock::new(|| {
    let pools: Pools =
        toml::from_str(include_str!("../data/hardware.toml")).expect("embedded vendors");
    pools.pool
});

/// The pool called `slug`.
pub(crate) fn pool(slug: &str) -> Option<&'static Pool> {
    POOLS.iter().find(|pool| pool.slug == slug)
}

/// The names of all vendors, each once, sorted.
pub(crate) fn vendor_names() -> Vec<&'static str> {
    let names: BTreeSet<_> =
        POOLS.iter().flat_map(|pool| &pool.vendors).map(|vendor| vendor.name.as_str()).collect();
    names.into_iter().collect()
}

/// The vendor called `name`, in whatever case.
pub(crate) fn vendor(name: &str) -> Option<&'static Vendor> {
    let mut all = POOLS.iter().flat_map(|pool| &pool.vendors);
    all.find(|vendor| vendor.name.eq_ignore_ascii_case(name))
}

/// Who made the card of this address.
pub(crate) fn vendor_of(mac: MacAddress) -> Option<&'static str> {
    let text = mac.to_string();
    POOLS
        .iter()
        .flat_map(|pool| &pool.vendors)
        .find(|vendor| vendor.prefixes.iter().any(|it| text.starts_with(&it.to_lowercase())))
        .map(|vendor| vendor.name.as_str())
}

impl Pool {
    /// A vendor of the pool; the one in `settled` when all machines have the same.
    pub(crate) fn vendor(&self, choices: &Choices<'_>, settled: Option<&str>) -> Option<&Vendor> {
        let settled = settled.filter(|_| self.one_vendor);
        settled
            .and_then(|name| self.vendors.iter().find(|vendor| vendor.name == name))
            .or_else(|| choices.pick("fleet.mac.vendor", &self.vendors))
    }
}

impl Vendor {
    /// An address of this vendor that no one has.
    pub(crate) fn draw(
        &self,
        choices: &Choices<'_>,
        is_taken: impl Fn(MacAddress) -> bool,
    ) -> Option<MacAddress> {
        // A vendor's blocks hold millions; a fleet meets itself at most a few times.
        (0..256_u16).find_map(|turn| {
            let prefix = choices.pick(&format!("fleet.mac.prefix.{turn}"), &self.prefixes)?;
            let drawn = MacAddress::new(choices.bytes(&format!("fleet.mac.{turn}"))).to_string();
            let text = format!("{}{}", prefix.to_lowercase(), drawn.get(prefix.len()..)?);
            text.parse().ok().filter(|mac| !is_taken(*mac))
        })
    }
}

#[cfg(test)]
mod tests {
    use base_model::PersonaSecret;

    use super::*;

    #[test]
    fn every_vendor_gives_unicast_addresses_that_lead_back_to_it() {
        let secret = PersonaSecret::new([3; 32]);
        let choices = Choices::new(&secret);
        for vendor in POOLS.iter().flat_map(|pool| &pool.vendors) {
            let mut taken = BTreeSet::new();
            for _ in 0..20 {
                let mac = vendor.draw(&choices, |mac| taken.contains(&mac)).unwrap();
                assert!(mac.is_unicast(), "{}", vendor.name);
                assert_eq!(vendor_of(mac), Some(vendor.name.as_str()));
                assert!(taken.insert(mac));
            }
        }
    }

    #[test]
    fn a_deployment_stays_with_its_hypervisor() {
        let pool = pool("virtual").unwrap();
        let drawn = |seed: u8, settled| {
            let secret = PersonaSecret::new([seed; 32]);
            pool.vendor(&Choices::new(&secret), settled).unwrap().name.clone()
        };
        let free: BTreeSet<_> = (0..20).map(|seed| drawn(seed, None)).collect();
        assert_eq!(free.len(), 2);
        assert!((0..20).all(|seed| drawn(seed, Some("QEMU/KVM")) == "QEMU/KVM"));
    }
}
