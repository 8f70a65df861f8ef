//! What an operator asks for: a decky or several alike.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base_model::MacAddress;
use decoys_host::persona::Distro;
use decoys_kit::ServiceSpec;
use serde_json::Value;

use crate::hardware::Vendor;
use crate::problem::{Findings, Place, Problem, Problems};
use crate::{Catalogue, Offer, OsFamily};

/// Settings by service, each set with the place it was given at.
pub(crate) type ServiceSettings = BTreeMap<&'static str, (BTreeMap<String, Value>, Place)>;

/// Services of a decky.
#[derive(Clone, Debug)]
pub enum Services {
    /// These.
    Given(Vec<&'static ServiceSpec>),
    /// One to three, drawn.
    Random,
}

/// Distributions of deckies.
#[derive(Clone, Debug)]
pub enum Distros {
    /// The archetype's in turn, or all in turn.
    Any,
    /// These in turn.
    Among(Vec<&'static Distro>),
    /// Drawn.
    Random,
}

/// A login an operator gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl Login {
    /// `user:password`; `None` when it is not that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (username, password) = text.split_once(':')?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let named = (1..=32).contains(&username.len()) && username.chars().all(fits);
        let begins = username.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        (named && begins && !password.is_empty())
            .then(|| Self { username: username.to_owned(), password: password.to_owned() })
    }
}

/// A decky, or several alike, that there are to be.
#[derive(Clone, Debug)]
pub struct Wish<'c> {
    /// Their names.
    pub names: Vec<String>,
    /// Where the fleet file asks for them.
    pub at: Option<Place>,
    /// Its address; of one decky only.
    pub ip: Option<Ipv4Addr>,
    /// Services.
    pub services: Services,
    /// Archetype.
    pub archetype: Option<&'c Offer>,
    /// Distributions.
    pub distros: Distros,
    /// Operating-system family; the archetype's when not given.
    pub os: Option<OsFamily>,
    /// Its host name; of one decky only.
    pub hostname: Option<String>,
    /// The domain they are in.
    pub domain: Option<String>,
    /// The address of its network card; of one decky only.
    pub mac: Option<MacAddress>,
    /// Who makes their network cards.
    pub mac_vendor: Option<&'static Vendor>,
    /// Logins instead of drawn ones.
    pub users: Option<Vec<Login>>,
    /// Settings for all of them.
    pub(crate) shared: ServiceSettings,
    /// Settings for one of them, by name; they win.
    pub(crate) own: BTreeMap<String, ServiceSettings>,
}

impl Wish<'_> {
    /// Deckies called `names`, with everything drawn.
    #[must_use]
    pub const fn new(names: Vec<String>) -> Self {
        Self {
            names,
            at: None,
            ip: None,
            services: Services::Random,
            archetype: None,
            distros: Distros::Any,
            os: None,
            hostname: None,
            domain: None,
            mac: None,
            mac_vendor: None,
            users: None,
            shared: BTreeMap::new(),
            own: BTreeMap::new(),
        }
    }

    /// The settings that `name` has for `service`.
    pub(crate) fn settings(&self, name: &str, service: &str) -> BTreeMap<String, Value> {
        let shared = self.shared.get(service).map(|(settings, _)| settings.clone());
        let mut settings = shared.unwrap_or_default();
        if let Some((own, _)) = self.own.get(name).and_then(|own| own.get(service)) {
            settings.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        settings
    }
}

/// A fleet described by flags of a command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags<'f> {
    /// How many deckies.
    pub count: usize,
    /// `--services`.
    pub services: Option<&'f [String]>,
    /// `--archetype`.
    pub archetype: Option<&'f str>,
    /// `--randomize-services`.
    pub randomize_services: bool,
    /// `--distro`.
    pub distros: Option<&'f [String]>,
    /// `--randomize-distros`.
    pub randomize_distros: bool,
}

/// What `flags` ask for, called `decky-01` and on without the names that are `taken`.
///
/// # Errors
/// Everything that is wrong with them.
pub fn from_flags<'c>(
    flags: &Flags<'_>,
    taken: &[String],
    catalogue: &'c Catalogue,
) -> Result<Vec<Wish<'c>>, Problems> {
    let mut findings = Findings::default();
    let mut sorted = taken.to_vec();
    sorted.sort();
    let mut wish = Wish::new(free_names(flags.count, &sorted));
    if let Some(slug) = flags.archetype {
        match catalogue.archetype(slug, None) {
            Ok(offer) => wish.archetype = Some(offer),
            Err(problem) => findings.error(problem),
        }
    }
    match flags.services {
        Some(names) => match catalogue.select(names, None, None) {
            Ok(services) => wish.services = Services::Given(services),
            Err(problem) => findings.error(problem),
        },
        None => match wish.archetype {
            Some(offer) => wish.services = Services::Given(offer.services.clone()),
            None if flags.randomize_services || flags.archetype.is_some() => {}
            None => findings.error(Problem::new(
                None,
                "Specify --services, --archetype, or --randomize-services.",
            )),
        },
    }
    if flags.randomize_distros {
        wish.distros = Distros::Random;
    }
    if let Some(slugs) = flags.distros {
        let mut among = Vec::new();
        for slug in slugs {
            match catalogue.distro(slug.trim(), None) {
                Ok(distro) => among.push(distro),
                Err(problem) => findings.error(problem),
            }
        }
        wish.distros = Distros::Among(among);
    }
    findings.conclude(vec![wish]).map(|(wishes, _)| wishes)
}

/// `count` names `decky-01` and on without those in `taken`, which is sorted.
#[must_use]
pub fn free_names(count: usize, taken: &[String]) -> Vec<String> {
    let width = (taken.len() + count).to_string().len().max(2);
    (1_usize..)
        .map(|n| format!("decky-{n:0width$}"))
        .filter(|name| taken.binary_search(name).is_err())
        .take(count)
        .collect()
}
