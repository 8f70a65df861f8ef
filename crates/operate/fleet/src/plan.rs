//! From what is wanted and what there is to what is to be done.

mod parts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use base_model::{Decky, PersonaSecret, Timestamp};
use decoys_host::persona;
use decoys_kit::{Choices, ServiceSpec};

use self::parts::{archetype_of, card, difference, distro_of, services_of};
use crate::coherence::{Persona, broken};
use crate::contradiction::{Contradiction, contradictions};
use crate::identity::{Draw, Taken, given_accounts};
use crate::network::{Allocation, Network};
use crate::problem::{Findings, Problem, Problems};
use crate::wish::{Distros, Services, Wish};
use crate::{Catalogue, OsFamily};

/// What wishes mean for deckies there are already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All wishes are for new deckies; a name that is taken is an error.
    Add,
    /// A decky that is as wished is kept; another of its name is an error.
    Ensure,
    /// The wishes are the whole fleet: others go, and of those with a name that is taken only what
    /// was asked for changes.
    Replace,
}

/// What is wanted, and what there is.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// What is wanted.
    pub wishes: &'r [Wish<'r>],
    /// What it means for what there is.
    pub mode: Mode,
    /// The deckies there are.
    pub existing: &'r [Decky],
    /// The network they are on.
    pub network: &'r Network,
    /// The domain of deckies that are not given another.
    pub domain: Option<&'r str>,
    /// What a decky can be.
    pub catalogue: &'r Catalogue,
    /// Deckies there may be in the end.
    pub limit: Option<usize>,
    /// The time.
    pub now: Timestamp,
}

/// A decky that becomes another.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// As it is.
    pub before: Decky,
    /// As it is to be.
    pub after: Decky,
}

/// What is to be done; every decky there is or is to be is in exactly one list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Deckies that are new.
    pub add: Vec<Decky>,
    /// Deckies that become others.
    pub change: Vec<Change>,
    /// Deckies that go.
    pub remove: Vec<Decky>,
    /// Deckies that stay as they are.
    pub keep: Vec<Decky>,
    /// What the operator should know.
    pub warnings: Vec<Problem>,
    /// What explicit settings make deckies contradict themselves about.
    pub contradictions: Vec<Contradiction>,
}

impl Plan {
    /// The whole fleet afterwards, by name.
    #[must_use]
    pub fn fleet(&self) -> Vec<Decky> {
        let changed = self.change.iter().map(|change| &change.after);
        let fleet = self.keep.iter().chain(changed).chain(&self.add);
        let mut fleet: Vec<Decky> = fleet.cloned().collect();
        fleet.sort_by(|one, other| one.name.cmp(&other.name));
        fleet
    }
}

/// Plans `request`. `secrets` are random; one is used for each new decky.
///
/// # Errors
/// Everything that stands against it.
pub fn plan(
    request: &Request<'_>,
    secrets: impl IntoIterator<Item = [u8; 32]>,
) -> Result<Plan, Problems> {
    let mut planning = Planning::new(request);
    planning.check_limit();
    planning.settle_existing();
    planning.reserve_addresses();
    planning.make(&mut secrets.into_iter());
    let Planning { findings, plan, .. } = planning;
    let (mut plan, warnings) = findings.conclude(plan)?;
    plan.warnings = warnings;
    Ok(plan)
}

struct Planning<'r> {
    request: &'r Request<'r>,
    existing: BTreeMap<&'r str, &'r Decky>,
    wished: BTreeMap<&'r str, &'r Wish<'r>>,
    allocation: Allocation<'r>,
    taken: Taken,
    findings: Findings,
    plan: Plan,
    /// Deckies that no address was left for, and how many were.
    without: Vec<String>,
    assigned: usize,
}

impl<'r> Planning<'r> {
    fn new(request: &'r Request<'r>) -> Self {
        let wished = request
            .wishes
            .iter()
            .flat_map(|wish| wish.names.iter().map(move |it| (it.as_str(), wish)));
        Self {
            request,
            existing: request.existing.iter().map(|one| (one.name.as_str(), one)).collect(),
            wished: wished.collect(),
            allocation: Allocation::new(request.network),
            taken: Taken::default(),
            findings: Findings::default(),
            plan: Plan::default(),
            without: Vec::new(),
            assigned: 0,
        }
    }

    fn check_limit(&mut self) {
        let survivors = match self.request.mode {
            Mode::Replace => 0,
            Mode::Add | Mode::Ensure => {
                self.existing.keys().filter(|name| !self.wished.contains_key(*name)).count()
            }
        };
        let count = survivors + self.wished.len();
        if let Some(limit) = self.request.limit.filter(|limit| count > *limit) {
            let text = format!(
                "Deployment would result in {count} deckies, exceeding the configured limit of \
                 {limit}"
            );
            let hint = "set another with `decnet config set deployment-limit N`".to_owned();
            self.findings.error(Problem::new(None, text).hinted(Some(hint)));
        }
    }

    /// Deckies that nobody asks for stay or go; those that stay keep what they have.
    fn settle_existing(&mut self) {
        for decky in self.request.existing {
            let wish = self.wish_of(&decky.name);
            let wished = wish.is_some();
            match self.request.mode {
                Mode::Replace if !wished => {
                    self.plan.remove.push(decky.clone());
                    continue;
                }
                Mode::Add if wished => {
                    let text = format!(
                        "decky '{}' already exists; submit with replace_fleet=true to overwrite \
                         the fleet",
                        decky.name
                    );
                    let at = wish.and_then(|wish| wish.at);
                    self.findings.error(Problem::new(at, text));
                }
                Mode::Add | Mode::Ensure if !wished => self.plan.keep.push(decky.clone()),
                Mode::Add | Mode::Ensure | Mode::Replace => {}
            }
            self.taken.add(decky);
            let moves = wish.and_then(|wish| wish.ip);
            if let IpAddr::V4(ip) = decky.ip
                && (moves.is_none() || self.request.mode != Mode::Replace)
            {
                self.allocation.keep(ip, &decky.name);
            }
        }
    }

    fn wish_of(&self, name: &str) -> Option<&'r Wish<'r>> {
        self.wished.get(name).copied()
    }

    /// Addresses that are asked for come before those that are given out.
    fn reserve_addresses(&mut self) {
        for wish in self.request.wishes {
            let (Some(ip), Some(name)) = (wish.ip, wish.names.first()) else { continue };
            if let Err(problem) = self.allocation.reserve(ip, name, wish.at) {
                self.findings.error(problem);
            }
        }
    }

    fn make(&mut self, secrets: &mut dyn Iterator<Item = [u8; 32]>) {
        let mut ordinal = self.request.existing.len();
        for wish in self.request.wishes {
            let mut said = BTreeSet::new();
            for (member, name) in wish.names.iter().enumerate() {
                if self.findings.is_full() {
                    return;
                }
                let made = match self.existing.get(name.as_str()) {
                    Some(before) => self.change(before, wish, member),
                    None => {
                        let Some(secret) = secrets.next() else {
                            let text = format!("[{name}] no random bytes for its secret");
                            return self.findings.error(Problem::new(wish.at, text));
                        };
                        let made = self.add(name, wish, member, ordinal, secret);
                        ordinal += 1;
                        made
                    }
                };
                if let Some(decky) = made {
                    self.judge(&decky, wish, &mut said);
                    self.taken.add(&decky);
                    match self.existing.get(name.as_str()) {
                        None => self.plan.add.push(decky),
                        Some(before) if **before == decky => self.plan.keep.push(decky),
                        Some(before) => {
                            let before = (*before).clone();
                            self.plan.change.push(Change { before, after: decky });
                        }
                    }
                }
            }
        }
        self.tell_shortage();
    }

    fn add(
        &mut self,
        name: &str,
        wish: &Wish<'_>,
        member: usize,
        ordinal: usize,
        secret: [u8; 32],
    ) -> Option<Decky> {
        let secret = PersonaSecret::new(secret);
        let archetype = archetype_of(wish)?;
        let choices = Choices::new(&secret);
        let os = wish.os.unwrap_or(archetype.os);
        let distro = distro_of(wish, &choices, member, ordinal)?;
        let ip = self.address(name, wish)?;
        self.check_unique(name, wish);
        let draw = Draw { choices, taken: &self.taken, archetype };
        let services = match &wish.services {
            Services::Given(services) => services.clone(),
            Services::Random => draw.services(self.request.catalogue.services(), os),
        };
        let (mac, mac_vendor) = card(&draw, wish);
        let drawn = draw.accounts();
        let accounts = wish.users.as_ref().map(|users| given_accounts(users, &drawn));
        let decky = Decky {
            id: draw.id(),
            name: name.to_owned(),
            ip: ip.into(),
            mac,
            mac_vendor,
            hostname: wish.hostname.clone().unwrap_or_else(|| draw.hostname(&distro.slug)),
            domain: wish.domain.as_deref().or(self.request.domain).map(str::to_owned),
            archetype: archetype.slug.clone(),
            distro: distro.slug.clone(),
            os: os.slug().to_owned(),
            boot_time: draw.boot_time(self.request.now),
            accounts: accounts.unwrap_or(drawn),
            services: services_of(&services, name, wish, &[]),
            secret: secret.clone(),
        };
        if matches!(wish.services, Services::Random) && wish.at.is_some() {
            let names: Vec<_> = services.iter().map(|spec| spec.name).collect();
            let text = format!(
                "[{name}] gives neither services nor archetype; drawn: {}",
                names.join(", ")
            );
            self.findings.warn(Problem::new(wish.at, text));
        }
        Some(decky)
    }

    /// What `before` becomes; everything that is not asked for stays.
    fn change(&mut self, before: &Decky, wish: &Wish<'_>, member: usize) -> Option<Decky> {
        if self.request.mode == Mode::Add {
            return None;
        }
        let archetype = archetype_of(wish)?;
        let mut after = before.clone();
        after.archetype.clone_from(&archetype.slug);
        after.os = wish.os.unwrap_or(archetype.os).slug().to_owned();
        if let Distros::Among(among) = &wish.distros
            && !among.iter().any(|distro| distro.slug == before.distro)
        {
            after.distro.clone_from(&among.get(member % among.len().max(1))?.slug);
        }
        if let Some(ip) = wish.ip {
            after.ip = ip.into();
        }
        if wish.hostname.is_some() || wish.mac.is_some() {
            self.check_unique(&before.name, wish);
        }
        if let Some(hostname) = &wish.hostname {
            after.hostname.clone_from(hostname);
        }
        if wish.domain.is_some() {
            after.domain.clone_from(&wish.domain);
        }
        let other_vendor = wish.mac_vendor.map(|vendor| vendor.name.as_str());
        if wish.mac.is_some_and(|mac| Some(mac) != before.mac)
            || wish.mac.is_none()
                && other_vendor.is_some_and(|vendor| Some(vendor) != before.mac_vendor.as_deref())
        {
            let choices = Choices::new(&before.secret);
            (after.mac, after.mac_vendor) =
                card(&Draw { choices, taken: &self.taken, archetype }, wish);
        }
        if let Some(users) = &wish.users {
            after.accounts = given_accounts(users, &before.accounts);
        }
        let services = match &wish.services {
            Services::Given(services) => services.clone(),
            Services::Random => before
                .services
                .iter()
                .filter_map(|service| self.request.catalogue.service(&service.name))
                .collect(),
        };
        after.services = services_of(&services, &before.name, wish, &before.services);
        if self.request.mode == Mode::Ensure && after != *before {
            let text = format!(
                "decky '{}' already exists and has another {}",
                before.name,
                difference(before, &after)
            );
            let hint = "give it another name, or leave it as it is".to_owned();
            self.findings.error(Problem::new(wish.at, text).hinted(Some(hint)));
            return None;
        }
        Some(after)
    }

    fn address(&mut self, name: &str, wish: &Wish<'_>) -> Option<Ipv4Addr> {
        if let Some(ip) = wish.ip {
            return Some(ip);
        }
        let ip = self.allocation.assign(name);
        match ip {
            Some(_) => self.assigned += 1,
            None => self.without.push(name.to_owned()),
        }
        ip
    }

    /// What is given must not be another decky's.
    fn check_unique(&mut self, name: &str, wish: &Wish<'_>) {
        let hostname = wish.hostname.as_deref();
        let mac = wish.mac;
        let owner = |key: &str, value: &str, owner: Option<&str>| {
            let owner = owner.filter(|owner| *owner != name)?;
            Some(format!("[{name}] {key}={value} is already that of decky '{owner}'"))
        };
        let named = hostname.and_then(|it| owner("hostname", it, self.taken.owner_of_name(it)));
        let carded = mac.and_then(|it| owner("mac", &it.to_string(), self.taken.owner_of_card(it)));
        for text in named.into_iter().chain(carded) {
            self.findings.error(Problem::new(wish.at, text));
        }
    }

    /// Whether there can be such a machine. A group says the same once.
    fn judge(&mut self, decky: &Decky, wish: &Wish<'_>, said: &mut BTreeSet<String>) {
        let services: Vec<&'static ServiceSpec> = decky
            .services
            .iter()
            .filter_map(|service| self.request.catalogue.service(&service.name))
            .collect();
        let (Some(distro), Some(os)) = (persona::find(&decky.distro), OsFamily::find(&decky.os))
        else {
            return;
        };
        let archetype = wish.archetype.map(|offer| offer.archetype);
        let persona = Persona { services: &services, distro, os, archetype };
        for (rule, why) in broken(&persona) {
            if said.insert(why.clone()) {
                let text = format!("[{}] {why}", decky.name);
                let hint = Some(format!("rule {rule}"));
                self.findings.error(Problem::new(wish.at, text).hinted(hint));
            }
        }
        for (service, (_, at)) in
            wish.shared.iter().chain(wish.own.get(&decky.name).into_iter().flatten())
        {
            if decky.service(service).is_none() && said.insert((*service).to_owned()) {
                let text =
                    format!("[{}] does not run {service}; settings for it do nothing", decky.name);
                self.findings.warn(Problem::new(Some(*at), text));
            }
        }
        self.plan.contradictions.extend(contradictions(decky));
    }

    fn tell_shortage(&mut self) {
        let Some(first) = self.without.first() else { return };
        let (subnet, found) = (self.request.network.subnet, self.assigned);
        let wish = self.wish_of(first);
        let text = if wish.is_some_and(|wish| wish.at.is_some()) {
            format!("Not enough free IPs in {subnet} for decky '{first}' (found {found}).")
        } else {
            let wanted = found + self.without.len();
            format!("Not enough free IPs in {subnet} for {wanted} deckies (found {found}).")
        };
        self.findings.error(Problem::new(wish.and_then(|wish| wish.at), text));
    }
}
