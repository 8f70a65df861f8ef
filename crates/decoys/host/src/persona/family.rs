//! Families of distributions: what their members share besides versions.
//!
//! A family is a file of data: the tree, its accounts, where programs lie and which are missing,
//! what runs, what units are called and where logs go. A distribution names its family and says
//! where it differs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base_model::Decky;
use decoys_kit::Choices;
use serde::Deserialize;

use super::{Distro, http_server};

/// What distributions of one family share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Name, as in `Distro::family`.
    pub(crate) name: String,
    /// Lines of the tree.
    pub(crate) nodes: String,
    /// Texts of its files, by key; what is not here is the first family's.
    pub(crate) texts: BTreeMap<String, String>,
    /// Accounts that come with the system.
    pub(crate) accounts: SystemAccounts,
    /// Programs of the simulation that its machines do not have.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// Where the administrator's programs lie.
    #[serde(default = "sbin")]
    pub(crate) sbin: String,
    /// Programs that lie elsewhere than usual, by directory.
    #[serde(default)]
    pub(crate) places: BTreeMap<String, Vec<String>>,
    /// Programs that run as daemons: path and size of the file.
    pub(crate) daemon_files: Vec<(String, u64)>,
    /// Command line of the first process.
    pub(crate) init: String,
    /// What runs on each machine: lines of user, state, seconds after boot, command.
    pub(crate) daemons: String,
    /// What runs for a service, in the same form, by the name of its server.
    pub(crate) servers: BTreeMap<String, String>,
    /// Names of processes that hold the sockets of a service, where they are not the usual ones.
    #[serde(default)]
    pub(crate) listeners: BTreeMap<String, String>,
    /// Units: lines of name, program and description, apart by `|`.
    pub(crate) units: String,
    /// Other names of units.
    #[serde(default)]
    pub(crate) unit_aliases: BTreeMap<String, String>,
    /// Whether its presets enable what is installed.
    #[serde(default)]
    pub(crate) unit_presets: bool,
    /// Where unit files lie.
    #[serde(default)]
    pub(crate) unit_directory: String,
    /// Its logs.
    pub(crate) logs: Logs,
    /// Type, flags and mount options of the root file system.
    pub(crate) root_fs: RootFs,
    /// What the files of a PostgreSQL server and its processes are called.
    pub(crate) postgres: Postgres,
    /// Who runs the telnet server of a session.
    #[serde(default = "root")]
    pub(crate) telnet_user: String,
    /// Files of a new home by name, with the key of their text.
    pub(crate) skeleton: Vec<(String, String)>,
    /// Comment field of people who log in.
    #[serde(default)]
    pub(crate) comment: String,
    /// Its web servers.
    pub web: Web,
}

fn sbin() -> String {
    "/usr/sbin".to_owned()
}

fn root() -> String {
    "root".to_owned()
}

/// Accounts that come with the system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SystemAccounts {
    /// `name:uid:gid:comment:home:shell`.
    pub(crate) system: String,
    /// `name:gid`.
    pub(crate) groups: String,
}

/// Where a family logs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logs {
    /// Logins; empty when no text file holds them.
    pub(crate) auth: String,
    /// Everything else.
    pub(crate) system: Vec<String>,
    /// Mode of both.
    pub(crate) mode: u16,
    /// Group of both.
    pub(crate) group: String,
    /// What cron calls itself; empty when it does not log sessions.
    pub(crate) cron: String,
    /// Messages of the start, with the process that says them.
    pub(crate) started: Vec<String>,
    /// Logs without content: path.
    pub(crate) empty: Vec<String>,
}

/// The root file system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RootFs {
    /// Type.
    pub(crate) kind: String,
    /// Options as `/proc/mounts` has them.
    pub(crate) options: String,
    /// What the device file system is called.
    pub(crate) devices: String,
}

/// Web servers of a family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Where the pages lie.
    pub root: String,
    /// Who reads them.
    pub user: String,
}

/// PostgreSQL of a family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Directory of the data.
    pub data: String,
    /// Directory of the configuration.
    pub config: String,
    /// What process titles begin with after `postgres: `.
    pub title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    service: Vec<ServicePersona>,
}

/// Accounts and files that come with a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServicePersona {
    /// Registry name of the service.
    pub(crate) name: String,
    /// System accounts: `name:uid:gid:comment:home:shell`.
    pub(crate) accounts: String,
    /// Groups: `name:gid`.
    pub(crate) groups: String,
    /// Lines of the tree.
    pub(crate) nodes: String,
    /// Texts of its files.
    #[serde(default)]
    pub(crate) texts: BTreeMap<String, String>,
}

/// A family with what its services bring.
struct Whole {
    family: Family,
    services: Vec<ServicePersona>,
}

#[expect(clippy::expect_used, reason = "the files are part of the program; a test reads them all")]
static FAMILIES: LazyLock<Vec<Whole>> = LazyLock::new(|| {
    macro_rules! family {
        ($name:literal) => {
            (
                include_str!(concat!("../../data/personas/families/", $name, ".toml")),
                include_str!(concat!("../../data/personas/families/", $name, "-services.toml")),
            )
        };
    }
    [family!("debian"), family!("rhel"), family!("alpine"), family!("arch")]
        .into_iter()
        .map(|(family, services)| Whole {
            family: toml::from_str(family).expect("embedded family"),
            services: toml::from_str::<ServiceFile>(services).expect("embedded services").service,
        })
        .collect()
});

#[expect(clippy::indexing_slicing, reason = "the list is embedded and not empty")]
fn whole(name: &str) -> &'static Whole {
    FAMILIES.iter().find(|one| one.family.name == name).unwrap_or_else(|| &FAMILIES[0])
}

/// The family called `name`.
pub(super) fn family(name: &str) -> &'static Family {
    &whole(name).family
}

/// Whether there is a family called `name`.
#[cfg(test)]
pub(super) fn exists(name: &str) -> bool {
    FAMILIES.iter().any(|one| one.family.name == name)
}

/// What the services of `decky` bring on `distro`, in the order of the file.
pub(crate) fn services_of<'d>(
    decky: &'d Decky,
    distro: &'static Distro,
) -> impl Iterator<Item = &'static ServicePersona> + 'd {
    let server = http_server(&Choices::new(&decky.secret), &decky.distro);
    let web = decky.service("http").is_some() || decky.service("https").is_some();
    let has = move |name: &str| match name {
        "apache" => web && !server.starts_with("nginx"),
        "nginx" => web && server.starts_with("nginx"),
        name => decky.service(name).is_some(),
    };
    whole(&distro.family).services.iter().filter(move |service| has(&service.name))
}

/// The text called `key` of the first family, whose texts are everybody's.
pub(super) fn shared_text(key: &str) -> &'static str {
    whole("debian").family.texts.get(key).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_family_reads_and_its_files_have_texts() {
        assert_eq!(FAMILIES.len(), 4);
        for Whole { family, services } in FAMILIES.iter() {
            for line in family.nodes.lines().filter(|line| line.starts_with("f ")) {
                let key = line.rsplit('@').next().unwrap();
                assert!(family.texts.contains_key(key) || !shared_text(key).is_empty(), "{line}");
            }
            assert!(services.iter().any(|service| service.name == "mysql"), "{}", family.name);
            for service in services {
                for line in service.nodes.lines().filter(|line| line.starts_with("f ")) {
                    let key = line.rsplit('@').next().unwrap();
                    assert!(service.texts.contains_key(key), "{}: {line}", family.name);
                }
            }
        }
    }
}
