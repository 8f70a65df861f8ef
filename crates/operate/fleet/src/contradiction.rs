//! What an explicit setting makes a decky contradict itself about. The setting wins
//! (`spec/deckies.md` §3.2); the operator is told.

use std::fmt;

use base_model::Decky;
use decoys_host::persona::{self, Distro, Release};

use crate::{archetypes, hardware};

/// Words by which a version tells which system it was built for.
const BUILDS: &[(&str, &str)] = &[
    ("debian", "Debian"),
    ("ubuntu", "Ubuntu"),
    ("rocky", "Rocky Linux"),
    ("centos", "CentOS"),
    ("fedora", "Fedora"),
    ("alpine", "Alpine"),
    ("arch linux", "Arch Linux"),
    ("kali", "Kali"),
    ("freebsd", "FreeBSD"),
    ("microsoft", "Windows"),
    ("win32", "Windows"),
    ("win64", "Windows"),
];
/// A version that the distribution fixes.
type Fixed = fn(&Release) -> &str;
/// Settings that replace such a version, with the product's name.
const VERSIONS: &[(&str, &str, &str, Fixed)] = &[
    ("ssh", "ssh_version", "OpenSSH_", |release| &release.ssh),
    ("ssh", "kernel_version", "", |release| &release.kernel),
    ("http", "server_header", "Apache/", |release| &release.apache),
    ("http", "server_header", "nginx/", |release| &release.nginx),
    ("https", "server_header", "Apache/", |release| &release.apache),
    ("https", "server_header", "nginx/", |release| &release.nginx),
];

/// Two things of a decky that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The decky.
    pub decky: String,
    /// What was given: `service.key`, or a key of the decky.
    pub setting: String,
    /// What it contradicts.
    pub text: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: {}", self.decky, self.setting, self.text)
    }
}

/// Everything `decky` contradicts itself about.
#[must_use]
pub fn contradictions(decky: &Decky) -> Vec<Contradiction> {
    let Some(distro) = persona::find(&decky.distro) else { return Vec::new() };
    let mut found = Vec::new();
    for service in &decky.services {
        for (key, value) in &service.settings {
            let Some(value) = value.as_str() else { continue };
            let why = built_elsewhere(key, value, distro)
                .or_else(|| other_version(&service.name, key, value, distro));
            found.extend(why.map(|text| Contradiction {
                decky: decky.name.clone(),
                setting: format!("{}.{key}", service.name),
                text,
            }));
        }
    }
    found.extend(strange_card(decky));
    found
}

fn tells_a_version(key: &str) -> bool {
    ["version", "server_header", "banner", "mta", "os_string"].contains(&key)
        || key.ends_with("_version")
        || key.ends_with("_banner")
        || key.ends_with("_mta")
}

/// The value names another system than the decky's.
fn built_elsewhere(key: &str, value: &str, distro: &Distro) -> Option<String> {
    if !tells_a_version(key) {
        return None;
    }
    let value = value.to_ascii_lowercase();
    let own = distro.name.to_ascii_lowercase();
    let (_, system) = BUILDS.iter().rev().find(|(word, _)| value.contains(word))?;
    let is_own = BUILDS.iter().any(|(word, _)| value.contains(word) && own.contains(word));
    // What is derived from Debian ships some of its packages as they are.
    let derived = *system == "Debian" && distro.family == "debian";
    (!is_own && !derived).then(|| format!("names {system}, the decky is {}", distro.name))
}

/// The value is a version that this distribution did not ship.
fn other_version(service: &str, key: &str, value: &str, distro: &Distro) -> Option<String> {
    let (.., fixed) = VERSIONS.iter().find(|(of, name, product, _)| {
        *of == service && *name == key && value.starts_with(product)
    })?;
    let shipped: Vec<&str> = distro.releases.iter().map(fixed).collect();
    let known = shipped.iter().any(|own| value == *own || own.starts_with(&format!("{value} ")));
    (!known).then(|| {
        let mut shipped = shipped;
        shipped.dedup();
        format!("{} ships {}", distro.name, shipped.join(", "))
    })
}

/// The network card is of a vendor that such machines do not have.
fn strange_card(decky: &Decky) -> Option<Contradiction> {
    let archetype = archetypes().iter().find(|one| one.slug == decky.archetype)?;
    let pool = hardware::pool(&archetype.hardware)?;
    let vendor = decky.mac_vendor.as_deref()?;
    (!pool.vendors.iter().any(|own| own.name == vendor)).then(|| {
        let usual: Vec<_> = pool.vendors.iter().map(|vendor| vendor.name.as_str()).collect();
        Contradiction {
            decky: decky.name.clone(),
            setting: "mac".to_owned(),
            text: format!(
                "a network card of {vendor}; those of archetype {} are of {}",
                archetype.slug,
                usual.join(", ")
            ),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::decky;

    fn found(distro: &str, service: &str, key: &str, value: &str) -> Vec<String> {
        let mut decky = decky("web", "127.1.0.1");
        decky.distro = distro.to_owned();
        let service = decky.services.iter_mut().find(|one| one.name == service).unwrap();
        service.settings.insert(key.to_owned(), value.into());
        contradictions(&decky).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_version_of_another_system_is_told() {
        assert_eq!(
            found("debian", "http", "server_header", "Apache/2.4.52 (Ubuntu)"),
            ["[web] http.server_header: names Ubuntu, the decky is Debian 12 (Bookworm)"]
        );
        assert_eq!(
            found("ubuntu22", "http", "server_header", "Microsoft-IIS/10.0"),
            ["[web] http.server_header: names Windows, the decky is Ubuntu 22.04 LTS (Jammy)"]
        );
    }

    #[test]
    fn a_version_that_was_not_shipped_is_told_and_a_shipped_one_is_not() {
        let told = found("debian", "ssh", "ssh_version", "OpenSSH_7.4");
        assert!(
            told[0].starts_with("[web] ssh.ssh_version: Debian 12 (Bookworm) ships OpenSSH_9.2p1")
        );
        let own = persona::find("debian").unwrap();
        for release in &own.releases {
            assert!(found("debian", "ssh", "ssh_version", &release.ssh).is_empty());
            assert!(found("debian", "http", "server_header", &release.apache).is_empty());
        }
        assert!(found("debian", "http", "custom_body", "Ubuntu").is_empty());
    }

    #[test]
    fn a_printers_network_card_in_a_server_is_told() {
        let mut decky = decky("web", "127.1.0.1");
        decky.mac_vendor = Some("Brother".to_owned());
        let told = contradictions(&decky);
        assert!(
            told[0].text.starts_with("a network card of Brother; those of archetype linux-ser")
        );
    }

    #[test]
    fn no_distribution_contradicts_itself() {
        for distro in persona::distros() {
            for release in &distro.releases {
                for (service, key, value) in [
                    ("ssh", "ssh_version", &release.ssh),
                    ("ssh", "kernel_version", &release.kernel),
                    ("http", "server_header", &release.apache),
                    ("http", "server_header", &release.nginx),
                ] {
                    let told = found(&distro.slug, service, key, value);
                    assert!(told.is_empty(), "{}: {told:?}", distro.slug);
                }
            }
        }
    }
}
