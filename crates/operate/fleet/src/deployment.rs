//! Changing what there is to be: the one road for command line, API and start.
//!
//! Every change works on the whole fleet and is one transaction, so nothing that was not named is
//! touched, and two changes at once come one after the other. What is written here is brought about by
//! [`crate::Reconciler`].

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base_model::{Decky, Timestamp};
use base_runtime::Clock;
use base_runtime::entropy::{self, NoEntropy};
use store_db::{Db, DbError, FleetChange, FleetSettingsRow, LifecycleRow};
use tokio::sync::{Mutex, Notify};
use uuid::{Builder, Uuid};

use crate::Catalogue;
use crate::ini::General;
use crate::inventory::{Entry, Inventory, InventoryError};
use crate::network::{Network, Subnet};
use crate::plan::{Mode, Plan, Request, plan};
use crate::problem::{Problem, Problems};
use crate::seal::SealingKey;
use crate::wish::Wish;

/// How long a change waits for a decky of the same name to be gone.
const GOING: Duration = Duration::from_secs(15);
/// Pause between looks.
const LOOK: Duration = Duration::from_millis(50);

/// What carries the traffic of deckies, as far as plans must know it.
pub trait Uplink: Send + Sync {
    /// The network deckies are on when nothing else is said.
    fn network(&self) -> Network;

    /// Why deckies cannot be on `subnet`; `None` when they can.
    fn refuses(&self, subnet: Subnet) -> Option<Problem>;

    /// Why it cannot carry `fleet`; `None` when it can.
    fn too_much(&self, fleet: &[Decky]) -> Option<Problem>;
}

/// Deckies that are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Order<'o> {
    /// What the fleet file says about the network.
    pub general: &'o General,
    /// The deckies.
    pub wishes: &'o [Wish<'o>],
    /// What they mean for those there are.
    pub mode: Mode,
    /// Address of the first new decky.
    pub start: Option<Ipv4Addr>,
    /// Deckies there may be in the end.
    pub limit: Option<usize>,
}

/// A change that was written down and is being brought about.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// What changes.
    pub plan: Plan,
    /// The network of the fleet.
    pub network: Network,
    /// The changes to follow, with the decky each is about.
    pub lifecycle: Vec<(Uuid, String)>,
}

/// A plan, with what it stands on.
struct Prepared {
    plan: Plan,
    network: Network,
    domain: Option<String>,
}

/// A change was refused or could not be written down. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// It is wrong, or does not fit what there is.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// Deckies that are not there.
    #[error("there is no decky called {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// The fleet could not be read.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// It could not be written.
    #[error("failed to write the fleet")]
    Db(#[from] DbError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// What there is to be.
pub struct Deployments {
    db: Db,
    key: SealingKey,
    catalogue: Catalogue,
    uplink: Box<dyn Uplink>,
    clock: Clock,
    /// Held while a change is made.
    turn: Mutex<()>,
    /// Wakes the reconciler.
    changed: Arc<Notify>,
}

impl std::fmt::Debug for Deployments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployments").finish_non_exhaustive()
    }
}

impl Deployments {
    /// Those in `db`, with secrets sealed under `key`, of what `catalogue` offers, on `uplink`.
    #[must_use]
    pub fn new(
        db: Db,
        key: SealingKey,
        catalogue: Catalogue,
        uplink: Box<dyn Uplink>,
        clock: Clock,
    ) -> Self {
        let (turn, changed) = (Mutex::default(), Arc::default());
        Self { db, key, catalogue, uplink, clock, turn, changed }
    }

    /// What a decky can be.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Told of every change.
    #[must_use]
    pub fn changes(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    pub(crate) const fn inventory(&self) -> Inventory<'_> {
        Inventory::new(&self.db, &self.key)
    }

    /// The configurations of `deckies` as they are stored, by name.
    pub(crate) fn configs(
        &self,
        deckies: &[&Decky],
    ) -> Result<Vec<(String, String)>, InventoryError> {
        let nonces: Result<Vec<_>, _> = deckies.iter().map(|_| entropy::bytes()).collect();
        let rows = self.inventory().rows(deckies.iter().copied(), nonces?, self.clock.now())?;
        Ok(rows.into_iter().filter_map(|row| Some((row.name, row.decky_config?))).collect())
    }

    /// The deckies of this machine, by name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn entries(&self) -> Result<Vec<Entry>, InventoryError> {
        self.inventory().load().await
    }

    /// What `order` would change. Writes nothing.
    ///
    /// # Errors
    /// What stands against it.
    pub async fn preview(&self, order: &Order<'_>) -> Result<(Plan, Network), DeployError> {
        let entries = self.entries().await?;
        let Prepared { plan, network, .. } = self.prepare(order, &entries).await?;
        Ok((plan, network))
    }

    /// Writes down what `order` changes, to be brought about.
    ///
    /// # Errors
    /// What stands against it; then nothing is written.
    pub async fn deploy(&self, order: &Order<'_>) -> Result<Receipt, DeployError> {
        let _turn = self.turn.lock().await;
        let entries = self.without_leaving(order.wishes).await?;
        let Prepared { plan, network, domain } = self.prepare(order, &entries).await?;
        let now = self.clock.now();
        let changed = plan.change.iter().map(|change| &change.after);
        let changed: Vec<&Decky> = plan.add.iter().chain(changed).collect();
        let nonces: Result<Vec<_>, _> = changed.iter().map(|_| entropy::bytes()).collect();
        let leaving: Vec<String> = plan.remove.iter().map(|decky| decky.name.clone()).collect();
        let deployed = changed.iter().map(|decky| (decky.name.as_str(), "deploy"));
        let torn_down = leaving.iter().map(|name| (name.as_str(), "teardown"));
        let lifecycle = lifecycle(deployed.chain(torn_down), now)?;
        let put = self.inventory().rows(changed, nonces?, now)?;
        let receipt = receipt(&lifecycle);
        let settings = Some(settings(&network, domain, now));
        self.write(FleetChange { settings, put, leaving, lifecycle }, now).await?;
        Ok(Receipt { plan, network, lifecycle: receipt })
    }

    /// Writes down that the deckies called `names` are to go. Those that are going already go on.
    ///
    /// # Errors
    /// When one of them is not there; then nothing is written.
    pub async fn tear_down(&self, names: &[String]) -> Result<Vec<(Uuid, String)>, DeployError> {
        let _turn = self.turn.lock().await;
        let entries = self.entries().await?;
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let there: BTreeSet<&str> = entries.iter().map(|one| one.decky.name.as_str()).collect();
        let unknown: Vec<String> = names.difference(&there).map(|&name| name.to_owned()).collect();
        if !unknown.is_empty() {
            return Err(DeployError::Unknown(unknown));
        }
        let stays = |name: &str| entries.iter().any(|one| one.decky.name == name && one.stays());
        let leaving: Vec<String> =
            names.into_iter().filter(|name| stays(name)).map(str::to_owned).collect();
        let now = self.clock.now();
        let lifecycle = lifecycle(leaving.iter().map(|name| (name.as_str(), "teardown")), now)?;
        let receipt = receipt(&lifecycle);
        self.write(FleetChange { leaving, lifecycle, ..FleetChange::default() }, now).await?;
        Ok(receipt)
    }

    /// Has everything that does not run tried again at once. Returns what is tried, with the change
    /// to follow.
    ///
    /// # Errors
    /// When the fleet cannot be read or written.
    pub async fn redeploy(&self) -> Result<Vec<(Uuid, String)>, DeployError> {
        let _turn = self.turn.lock().await;
        let entries = self.entries().await?;
        let ill = entries.iter().filter(|one| {
            matches!(one.state, crate::DeckyState::Degraded | crate::DeckyState::Failed)
        });
        let now = self.clock.now();
        let lifecycle = lifecycle(ill.map(|one| (one.decky.name.as_str(), "deploy")), now)?;
        let receipt = receipt(&lifecycle);
        self.write(FleetChange { lifecycle, ..FleetChange::default() }, now).await?;
        Ok(receipt)
    }

    async fn write(&self, change: FleetChange, now: Timestamp) -> Result<(), DbError> {
        self.db.fleet().change(&change, now).await?;
        self.changed.notify_one();
        Ok(())
    }

    /// The deckies there are, once those that are going and share a name with a wish are gone.
    async fn without_leaving(&self, wishes: &[Wish<'_>]) -> Result<Vec<Entry>, DeployError> {
        let wished: BTreeSet<&str> =
            wishes.iter().flat_map(|wish| wish.names.iter().map(String::as_str)).collect();
        let mut waited = Duration::ZERO;
        loop {
            let entries = self.entries().await?;
            let going =
                entries.iter().find(|one| !one.stays() && wished.contains(one.decky.name.as_str()));
            let Some(going) = going else { return Ok(entries) };
            if waited >= GOING {
                let text = format!("decky '{}' is still being torn down", going.decky.name);
                let hint = Some("try again in a moment".to_owned());
                return Err(Problems::from(Problem::new(None, text).hinted(hint)).into());
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }

    async fn prepare(&self, order: &Order<'_>, entries: &[Entry]) -> Result<Prepared, DeployError> {
        let existing: Vec<Decky> =
            entries.iter().filter(|one| one.stays()).map(|one| one.decky.clone()).collect();
        let kept = self.db.fleet().settings().await?;
        let network = self.network(order, kept.as_ref(), &existing)?;
        let kept_domain = kept.and_then(|kept| kept.domain);
        let domain = order.general.domain.clone().or(kept_domain);
        let count = order.wishes.iter().map(|wish| wish.names.len()).sum();
        let secrets: Result<Vec<[u8; 32]>, _> = (0..count).map(|_| entropy::bytes()).collect();
        let request = Request {
            wishes: order.wishes,
            mode: order.mode,
            existing: &existing,
            network: &network,
            domain: domain.as_deref(),
            catalogue: &self.catalogue,
            limit: order.limit,
            now: self.clock.now(),
        };
        let plan = plan(&request, secrets?)?;
        match self.uplink.too_much(&plan.fleet()) {
            Some(problem) => Err(Problems::from(problem).into()),
            None => Ok(Prepared { plan, network, domain }),
        }
    }

    /// What the order says, else what the fleet is on, else what the uplink offers.
    fn network(
        &self,
        order: &Order<'_>,
        settings: Option<&FleetSettingsRow>,
        existing: &[Decky],
    ) -> Result<Network, DeployError> {
        let kept = settings.and_then(kept);
        let joins = order.mode != Mode::Replace && !existing.is_empty();
        if let (Some((subnet, at)), Some(kept), true) = (order.general.net, &kept, joins)
            && kept.subnet != subnet
        {
            let text = format!("net={subnet}: the fleet is on {}", kept.subnet);
            let hint = "leave net= out, or replace the fleet".to_owned();
            return Err(Problems::from(Problem::new(Some(at), text).hinted(Some(hint))).into());
        }
        let base = kept.unwrap_or_else(|| self.uplink.network());
        let network = base.with(order.general, order.start).map_err(Problems::from)?;
        match self.uplink.refuses(network.subnet) {
            Some(problem) => Err(Problems::from(problem).into()),
            None => Ok(network),
        }
    }
}

fn kept(row: &FleetSettingsRow) -> Option<Network> {
    let mut network = Network::of(row.subnet.parse().ok()?);
    network.gateway = row.gateway.as_ref().and_then(|gateway| gateway.parse().ok());
    network.pool.0 = row.ip_start.parse().ok()?;
    Some(network)
}

fn settings(network: &Network, domain: Option<String>, now: Timestamp) -> FleetSettingsRow {
    FleetSettingsRow {
        subnet: network.subnet.to_string(),
        gateway: network.gateway.map(|gateway| gateway.to_string()),
        ip_start: network.pool.0.to_string(),
        domain,
        updated_at: now,
    }
}

fn lifecycle<'n>(
    changes: impl Iterator<Item = (&'n str, &'static str)>,
    now: Timestamp,
) -> Result<Vec<LifecycleRow>, NoEntropy> {
    changes
        .map(|(name, operation)| {
            Ok(LifecycleRow {
                id: Builder::from_random_bytes(entropy::bytes()?).into_uuid().to_string(),
                decky_name: name.to_owned(),
                operation: operation.to_owned(),
                status: "pending".to_owned(),
                error: None,
                started_at: now,
                updated_at: now,
                completed_at: None,
            })
        })
        .collect()
}

fn receipt(rows: &[LifecycleRow]) -> Vec<(Uuid, String)> {
    let id = |row: &LifecycleRow| Uuid::try_parse(&row.id).unwrap_or_default();
    rows.iter().map(|row| (id(row), row.decky_name.clone())).collect()
}
