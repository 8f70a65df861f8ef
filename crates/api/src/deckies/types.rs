//! Shapes of the fleet routes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base_model::{Decky, DeckyService};
use decoys_kit::SettingKind;
use operate_fleet::{Catalogue, Entry, Network, Plan, Problem as Finding};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store_db::LifecycleRow;
use utoipa::ToSchema;

use crate::moment::Moment;

/// What stands for a value that is not told.
const SECRET: &str = "***";

/// A decky with how it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeckyBody {
    #[serde(flatten)]
    config: DeckyConfig,
    /// `pending`, `running`, `degraded`, `failed` or `tearing_down`.
    state: &'static str,
    /// What does not run, and why.
    last_error: Option<String>,
    /// When it was last seen to run.
    last_seen: Option<Moment>,
    /// When any of this last changed.
    updated_at: Moment,
    /// What it belongs to: `fleet`.
    source: &'static str,
}

impl DeckyBody {
    pub(crate) fn new(entry: &Entry, catalogue: &Catalogue) -> Self {
        Self {
            config: DeckyConfig::new(&entry.decky, catalogue),
            state: entry.state.name(),
            last_error: entry.last_error.clone(),
            last_seen: entry.last_seen.map(Moment::from),
            updated_at: entry.updated_at.into(),
            source: "fleet",
        }
    }
}

/// What a decky is to be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeckyConfig {
    /// The operator's name for it.
    name: String,
    /// Its address.
    ip: String,
    /// What it calls itself.
    hostname: String,
    /// Its kind.
    archetype: String,
    /// Its distribution.
    distro: String,
    /// Where that distribution comes from.
    base_image: Option<String>,
    /// Its operating-system family.
    nmap_os: String,
    /// The address of its network card.
    mac: Option<String>,
    /// Who made that card.
    mac_vendor: Option<String>,
    /// Its services.
    services: Vec<String>,
    /// Settings by service; secrets are not told.
    service_config: BTreeMap<String, BTreeMap<String, Value>>,
    /// Its open ports.
    ports: Vec<PortBody>,
}

/// An open port.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PortBody {
    service: String,
    transport: &'static str,
    /// The port it claims.
    port: u16,
    /// The port that clients must connect to.
    reached_at: u16,
}

impl DeckyConfig {
    fn new(decky: &Decky, catalogue: &Catalogue) -> Self {
        let distro = catalogue.distros().iter().find(|distro| distro.slug == decky.distro);
        let ports = decky.services.iter().flat_map(|service| {
            service.ports.iter().map(|port| PortBody {
                service: service.name.clone(),
                transport: service.transport.name(),
                port: port.number,
                reached_at: port.reached_at,
            })
        });
        let configured = decky.services.iter().filter(|service| !service.settings.is_empty());
        Self {
            name: decky.name.clone(),
            ip: decky.ip.to_string(),
            hostname: decky.hostname.clone(),
            archetype: decky.archetype.clone(),
            distro: decky.distro.clone(),
            base_image: distro.map(|distro| distro.image.clone()),
            nmap_os: decky.os.clone(),
            mac: decky.mac.map(|mac| mac.to_string()),
            mac_vendor: decky.mac_vendor.clone(),
            services: decky.services.iter().map(|service| service.name.clone()).collect(),
            service_config: configured
                .map(|service| (service.name.clone(), shown(service, catalogue)))
                .collect(),
            ports: ports.collect(),
        }
    }
}

fn shown(service: &DeckyService, catalogue: &Catalogue) -> BTreeMap<String, Value> {
    let specs = catalogue.service(&service.name).map_or(&[][..], |spec| spec.settings);
    let secret =
        |key: &str| specs.iter().any(|spec| spec.key == key && spec.kind == SettingKind::Password);
    let settings = service.settings.iter();
    settings
        .map(|(key, value)| (key.clone(), if secret(key) { SECRET.into() } else { value.clone() }))
        .collect()
}

/// A fleet that is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeployRequest {
    /// A fleet file.
    #[schema(max_length = 524_288)]
    pub(crate) ini_content: String,
    /// Whether it is the whole fleet: others are torn down.
    #[serde(default)]
    pub(crate) replace_fleet: bool,
    /// Whether only the plan is wanted.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Address of the first new decky.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) ip_start: Option<Ipv4Addr>,
}

/// A change that is being brought about; with `dry_run` one that would be.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeployAnswer {
    /// What happens.
    pub(crate) message: &'static str,
    /// `unihost`.
    pub(crate) mode: &'static str,
    /// To be asked for at `/deckies/lifecycle`.
    pub(crate) lifecycle_ids: Vec<String>,
    /// What changes.
    pub(crate) plan: PlanBody,
}

/// What a deployment changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanBody {
    /// The network of the fleet.
    subnet: String,
    /// Its router.
    gateway: Option<String>,
    /// Deckies that are new.
    add: Vec<DeckyConfig>,
    /// Deckies that become others, as they will be.
    change: Vec<DeckyConfig>,
    /// Names of deckies that go.
    remove: Vec<String>,
    /// Names of deckies that stay as they are.
    keep: Vec<String>,
    /// What the operator should know.
    warnings: Vec<WarningBody>,
    /// What explicit settings make deckies contradict themselves about.
    contradictions: Vec<ContradictionBody>,
}

/// What the operator should know.
#[derive(Debug, Serialize, ToSchema)]
struct WarningBody {
    /// Where in the fleet file.
    line: Option<usize>,
    text: String,
}

/// What an explicit setting makes a decky contradict itself about.
#[derive(Debug, Serialize, ToSchema)]
struct ContradictionBody {
    decky: String,
    setting: String,
    text: String,
}

impl PlanBody {
    /// `plan` on `network`; `read` is what was found in its fleet file.
    #[must_use]
    pub fn new(plan: &Plan, network: &Network, catalogue: &Catalogue, read: &[Finding]) -> Self {
        let config = |decky: &Decky| DeckyConfig::new(decky, catalogue);
        let names = |deckies: &[Decky]| deckies.iter().map(|decky| decky.name.clone()).collect();
        let warning =
            |one: &Finding| WarningBody { line: one.at.map(|at| at.line), text: one.to_string() };
        Self {
            subnet: network.subnet.to_string(),
            gateway: network.gateway.map(|gateway| gateway.to_string()),
            add: plan.add.iter().map(config).collect(),
            change: plan.change.iter().map(|change| config(&change.after)).collect(),
            remove: names(&plan.remove),
            keep: names(&plan.keep),
            warnings: read.iter().chain(&plan.warnings).map(warning).collect(),
            contradictions: plan
                .contradictions
                .iter()
                .map(|one| ContradictionBody {
                    decky: one.decky.clone(),
                    setting: one.setting.clone(),
                    text: one.to_string(),
                })
                .collect(),
        }
    }
}

/// Deckies that are to go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeardownRequest {
    /// Their names.
    pub(crate) names: Vec<String>,
}

/// Changes that are being brought about.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeAnswer {
    /// To be asked for at `/deckies/lifecycle`.
    pub(crate) lifecycle_ids: Vec<String>,
    /// The deckies they are about, in the same order.
    pub(crate) deckies: Vec<String>,
}

/// Changes of deckies.
#[derive(Serialize, ToSchema)]
pub(crate) struct LifecycleAnswer {
    /// The changes there are, oldest first.
    pub(crate) rows: Vec<LifecycleBody>,
    /// Ids that are of no change.
    pub(crate) missing: Vec<String>,
}

/// A change of a decky.
#[derive(Serialize, ToSchema)]
pub(crate) struct LifecycleBody {
    pub(crate) id: String,
    decky_name: String,
    /// `deploy` or `teardown`.
    operation: String,
    /// `pending`, `running`, `succeeded` or `failed`.
    status: String,
    /// Why it failed.
    error: Option<String>,
    started_at: Moment,
    updated_at: Moment,
    completed_at: Option<Moment>,
}

impl From<LifecycleRow> for LifecycleBody {
    fn from(row: LifecycleRow) -> Self {
        Self {
            id: row.id,
            decky_name: row.decky_name,
            operation: row.operation,
            status: row.status,
            error: row.error,
            started_at: row.started_at.into(),
            updated_at: row.updated_at.into(),
            completed_at: row.completed_at.map(Moment::from),
        }
    }
}
