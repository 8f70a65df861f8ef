//! `[<decky>]`: a decky, or a group of them.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use base_model::MacAddress;

use super::document::{Given, Section};
use super::general::is_domain;
use super::keys::Keys;
use crate::nearest::did_you_mean;
use crate::problem::{Findings, Problem, brief};
use crate::wish::{Distros, Login, Services, Wish};
use crate::{Catalogue, Offer, OsFamily, hardware, name};

const KEYS: &[&str] = &[
    "ip",
    "services",
    "archetype",
    "nmap_os",
    "mutate_interval",
    "amount",
    "hostname",
    "distro",
    "mac",
    "mac_vendor",
    "users",
    "stack_profile",
    "domain",
    "tags",
    "vlan",
    "host",
    "zone",
];
/// Deckies of one section.
const MOST: u64 = 100;
/// Logins of one decky.
const MOST_USERS: usize = 32;

/// What the section asks for; settings of services come later. `brought` are services that custom
/// sections describe, which have been complained about already.
pub(super) fn group<'c>(
    section: &Section<'_>,
    brought: &BTreeSet<&str>,
    catalogue: &'c Catalogue,
    findings: &mut Findings,
) -> Option<Wish<'c>> {
    let base = name(section, findings);
    let mut keys = Keys::of(section);
    let amount = amount(&mut keys, findings);
    let ip = keys.parse::<Ipv4Addr>("ip", "an IPv4 address", findings);
    if let (Some((_, at)), Some(n @ 2..)) = (ip, amount) {
        let name = section.name;
        let text =
            format!("[{name}] Cannot combine ip= with amount={n}. Remove ip= or use amount=1.");
        findings.error(Problem::new(Some(at), text));
    }
    let services = services(&mut keys, brought, catalogue, findings);
    let archetype = archetype(&mut keys, catalogue, findings);
    let os = os(&mut keys, findings);
    let distros = distros(&mut keys, catalogue, findings);
    let hostname = hostname(&mut keys, amount, findings);
    let mac = mac(&mut keys, amount, findings);
    let mac_vendor = mac_vendor(&mut keys, findings);
    let users = users(&mut keys, findings);
    keys.mutate_interval(findings);
    keys.checked("stack_profile", "a slug", is_slug, findings);
    let domain = keys.domain(findings);
    keys.checked("tags", "words separated by commas", |it| it.split(',').all(is_slug), findings);
    keys.checked("vlan", "a number from 1 to 4094", is_vlan, findings);
    keys.checked("host", "the name of a host", is_domain, findings);
    keys.checked("zone", "a slug", is_slug, findings);
    keys.conclude(KEYS, findings);
    let services = match (services, archetype) {
        (Some(services), _) => Services::Given(services),
        (None, Some(offer)) => Services::Given(offer.services.clone()),
        (None, None) => Services::Random,
    };
    Some(Wish {
        ip: ip.map(|(ip, _)| ip),
        archetype,
        services,
        os,
        distros,
        hostname,
        domain,
        mac,
        mac_vendor,
        users,
        at: Some(section.at),
        ..Wish::new(members(&base?, amount?))
    })
}

/// The names a section makes: its own, or `name-01` and so on.
fn members(base: &str, amount: u64) -> Vec<String> {
    match amount {
        1 => vec![base.to_owned()],
        _ => (1..=amount).map(|n| format!("{base}-{n:02}")).collect(),
    }
}

/// The section's name as a decky's.
fn name(section: &Section<'_>, findings: &mut Findings) -> Option<String> {
    let given = section.name;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = name::normalise(given);
    if given.len() > 128 || !given.chars().all(allowed) || !name::is_valid(&name) {
        let text = format!(
            "[{}] is not a decky name: letters, digits, '-', '_' and '.', at most 63 of them, \
             beginning and ending with a letter or digit",
            brief(given)
        );
        findings.error(Problem::new(Some(section.at), text));
        return None;
    }
    if name != given {
        let text = format!("[{given}] is named {name}");
        findings.warn(Problem::new(Some(section.at), text));
    }
    Some(name)
}

fn amount(keys: &mut Keys<'_, '_>, findings: &mut Findings) -> Option<u64> {
    let Some(given) = keys.take_blank("amount") else { return Some(1) };
    match given.value.parse::<u64>() {
        Ok(0) | Err(_) => {
            findings.error(keys.must_be("amount", "a positive integer", given));
            None
        }
        Ok(n @ ..=MOST) => Some(n),
        Ok(n) => {
            let section = keys.section;
            let text = format!("[{section}] amount={n} exceeds maximum allowed ({MOST}).");
            findings.error(Problem::new(Some(given.at), text));
            None
        }
    }
}

fn services(
    keys: &mut Keys<'_, '_>,
    brought: &BTreeSet<&str>,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Option<Vec<&'static decoys_kit::ServiceSpec>> {
    let given = keys.take_blank("services")?;
    let names: Vec<String> = given
        .value
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !brought.contains(name.as_str()))
        .collect();
    if names.is_empty() {
        return None;
    }
    match catalogue.select(&names, Some(keys.section), Some(given.at)) {
        Ok(services) => Some(services),
        Err(problem) => {
            findings.error(problem);
            None
        }
    }
}

fn archetype<'c>(
    keys: &mut Keys<'_, '_>,
    catalogue: &'c Catalogue,
    findings: &mut Findings,
) -> Option<&'c Offer> {
    let given = keys.take("archetype")?;
    catalogue.archetype(given.value, Some(given.at)).map_err(|problem| findings.error(problem)).ok()
}

fn os(keys: &mut Keys<'_, '_>, findings: &mut Findings) -> Option<OsFamily> {
    let given = keys.take_either(["nmap_os", "nmap-os"], findings)?;
    let family = OsFamily::find(&given.value.to_ascii_lowercase());
    if family.is_none() {
        let slugs = OsFamily::ALL.map(OsFamily::slug);
        let (section, value) = (keys.section, brief(given.value));
        let text =
            format!("[{section}] Unknown nmap_os '{value}'. Available: {}", slugs.join(", "));
        let hint = did_you_mean(given.value, slugs);
        findings.error(Problem::new(Some(given.at), text).hinted(hint));
    }
    family
}

fn distros(keys: &mut Keys<'_, '_>, catalogue: &Catalogue, findings: &mut Findings) -> Distros {
    let Some(given) = keys.take("distro") else { return Distros::Any };
    if given.value == "random" {
        return Distros::Random;
    }
    let slugs = given.value.split(',').map(str::trim).filter(|slug| !slug.is_empty());
    let found: Result<Vec<_>, _> =
        slugs.map(|slug| catalogue.distro(slug, Some(given.at))).collect();
    match found {
        Ok(distros) if distros.is_empty() => Distros::Any,
        Ok(distros) => Distros::Among(distros),
        Err(problem) => {
            findings.error(problem);
            Distros::Any
        }
    }
}

fn hostname(
    keys: &mut Keys<'_, '_>,
    amount: Option<u64>,
    findings: &mut Findings,
) -> Option<String> {
    let given = keys.take("hostname")?;
    one_only(keys, "hostname", amount, given, findings);
    if !is_domain(given.value) {
        findings.error(keys.must_be("hostname", "a host name", given));
        return None;
    }
    Some(given.value.to_owned())
}

fn mac(
    keys: &mut Keys<'_, '_>,
    amount: Option<u64>,
    findings: &mut Findings,
) -> Option<MacAddress> {
    let given = keys.take("mac")?;
    one_only(keys, "mac", amount, given, findings);
    let mac = given.value.parse::<MacAddress>().ok().filter(|mac| mac.is_unicast());
    if mac.is_none() {
        let what = "the address of one network card, such as 00:50:56:8a:01:02";
        findings.error(keys.must_be("mac", what, given));
    }
    mac
}

/// What no two machines can have alike cannot be given to a group.
fn one_only(
    keys: &Keys<'_, '_>,
    key: &str,
    amount: Option<u64>,
    given: Given<'_>,
    findings: &mut Findings,
) {
    if let Some(n @ 2..) = amount {
        let text = format!(
            "[{}] Cannot combine {key}= with amount={n}. Remove {key}= or use amount=1.",
            keys.section
        );
        findings.error(Problem::new(Some(given.at), text));
    }
}

fn mac_vendor(
    keys: &mut Keys<'_, '_>,
    findings: &mut Findings,
) -> Option<&'static hardware::Vendor> {
    let given = keys.take("mac_vendor")?;
    let vendor = hardware::vendor(given.value);
    if vendor.is_none() {
        let names = hardware::vendor_names();
        let value = brief(given.value);
        let text = format!(
            "[{}] Unknown mac_vendor '{value}'. Available: {}",
            keys.section,
            names.join(", ")
        );
        findings.error(Problem::new(Some(given.at), text));
    }
    vendor
}

fn users(keys: &mut Keys<'_, '_>, findings: &mut Findings) -> Option<Vec<Login>> {
    let given = keys.take("users")?;
    let users: Option<Vec<_>> = given.value.split(',').map(|it| Login::parse(it.trim())).collect();
    let Some(users) = users else {
        findings.error(keys.must_be("users", "user:password pairs separated by commas", given));
        return None;
    };
    let names: BTreeSet<&str> = users.iter().map(|login| login.username.as_str()).collect();
    if names.len() < users.len() || users.len() > MOST_USERS {
        let what = format!("at most {MOST_USERS} users, each once");
        findings.error(keys.must_be("users", &what, given));
        return None;
    }
    Some(users)
}

fn is_slug(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn is_vlan(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|vlan| (1..=4094).contains(&vlan))
}
