//! Bringing about what there is to be, and saying truthfully how far it is (`spec/fleet.md` §5).
//!
//! [`Reconciler`] looks at the database, hands the whole fleet to the [`Substrate`], and writes down
//! what runs. It may be killed anywhere: the next look starts from the database again. `judge` decides;
//! the rest does.

mod judge;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use base_model::{Decky, DeckyId};
use base_runtime::{Clock, Shutdown};
use events_bus::Bus;
use serde_json::json;
use store_db::fleet::LOCAL_HOST;
use store_db::{Db, FleetReport, LifecycleRow};
use tokio::sync::watch;

use self::judge::judge;
use crate::deployment::Deployments;
use crate::inventory::{Entry, InventoryError};

/// How often everything is looked at when nothing happens.
const PERIOD: Duration = Duration::from_secs(30);
/// First and longest pause after the database failed.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What runs deckies.
pub trait Substrate: Send {
    /// Begins to bring about exactly `fleet`, and notes in it where clients reach each port. What
    /// failed before is tried when it is due, or at once when it is `urgent`.
    fn bring_about(&mut self, fleet: &mut [Decky], urgent: bool);

    /// What is not as it should be; `None` while that is still being found out.
    fn observe(&self) -> Option<Observed>;

    /// Waits until something is to be tried again, or [`Substrate::observe`] may say another thing.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;
}

/// What is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Why nothing at all is served.
    pub all_down: Option<String>,
    /// Ports that are not served, one entry each: why.
    pub down: BTreeMap<DeckyId, Vec<String>>,
}

/// What a look found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many looks found out how every decky is.
    pub looks: u64,
    /// Deckies that do not run as they should, with the first reason.
    pub ill: Vec<(String, String)>,
}

/// Keeps the deckies of this machine as they are to be.
pub struct Reconciler<S> {
    db: Db,
    deployments: Arc<Deployments>,
    substrate: S,
    bus: Bus,
    clock: Clock,
    settled: watch::Sender<Settled>,
}

impl<S> std::fmt::Debug for Reconciler<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reconciler").finish_non_exhaustive()
    }
}

impl<S: Substrate> Reconciler<S> {
    /// Of `deployments`, on `substrate`.
    pub fn new(
        db: Db,
        deployments: Arc<Deployments>,
        substrate: S,
        bus: Bus,
        clock: Clock,
    ) -> Self {
        Self { db, deployments, substrate, bus, clock, settled: watch::Sender::default() }
    }

    /// Told of every look that found out how every decky is.
    #[must_use]
    pub fn settled(&self) -> watch::Receiver<Settled> {
        self.settled.subscribe()
    }

    /// Runs until `shutdown`.
    pub async fn run(mut self, shutdown: Shutdown) {
        let changes = self.deployments.changes();
        let mut pause = BACK_OFF.0;
        let mut urgent = true;
        loop {
            let next = match self.look(urgent).await {
                Ok(()) => {
                    pause = BACK_OFF.0;
                    PERIOD
                }
                Err(error) => {
                    tracing::warn!(error = chain(&error), "failed to look after the fleet");
                    let now = pause;
                    pause = (pause * 2).min(BACK_OFF.1);
                    now
                }
            };
            urgent = tokio::select! {
                // What is stopped on purpose has not failed.
                biased;
                () = shutdown.asked() => return,
                () = changes.notified() => true,
                () = self.substrate.changed() => false,
                () = tokio::time::sleep(next) => false,
            };
        }
    }

    async fn look(&mut self, urgent: bool) -> Result<(), InventoryError> {
        // Before the deckies: each change that is known then concerns one of them.
        let open = self.db.lifecycle().open().await?;
        let entries = self.deployments.entries().await?;
        let staying = entries.iter().filter(|entry| entry.stays());
        let mut fleet: Vec<Decky> = staying.clone().map(|entry| entry.decky.clone()).collect();
        self.substrate.bring_about(&mut fleet, urgent);
        let changed: Vec<&Decky> = fleet
            .iter()
            .zip(staying)
            .filter(|(now, before)| **now != before.decky)
            .map(|(now, _)| now)
            .collect();
        self.note(&changed).await?;
        let now = self.clock.now();
        let observed = self.substrate.observe();
        let report = judge(&entries, observed.as_ref(), &open, now);
        let quiet = report.observed.is_empty() && report.gone.is_empty();
        if !quiet || !report.lifecycle.is_empty() {
            self.db.fleet().report(&report, now).await?;
            self.publish(&report, &entries, &open);
        }
        if let Some(observed) = observed {
            self.db.fleet().seen(now).await?;
            let ill = ill(&fleet, &observed);
            self.settled
                .send_modify(|settled| *settled = Settled { looks: settled.looks + 1, ill });
        }
        Ok(())
    }

    /// Keeps where clients reach the ports of `deckies`.
    async fn note(&self, deckies: &[&Decky]) -> Result<(), InventoryError> {
        if deckies.is_empty() {
            return Ok(());
        }
        let configs = self.deployments.configs(deckies)?;
        Ok(self.db.fleet().note_configs(configs).await?)
    }

    fn publish(&self, report: &FleetReport, entries: &[Entry], open: &[LifecycleRow]) {
        let before = |name: &str| {
            let entry = entries.iter().find(|entry| entry.decky.name == name);
            entry.map(|entry| entry.state.name())
        };
        for one in &report.observed {
            let payload = json!({
                "host_uuid": LOCAL_HOST, "name": one.name, "state": one.state, "source": "fleet",
                "transition": "state_changed", "previous_state": before(&one.name),
            });
            self.bus.publish(&format!("decky.{LOCAL_HOST}:{}.state", one.name), payload);
        }
        for name in &report.gone {
            let payload = json!({
                "host_uuid": LOCAL_HOST, "name": name, "state": "torn_down", "source": "fleet",
                "transition": "deleted", "previous_state": before(name),
            });
            self.bus.publish(&format!("decky.{LOCAL_HOST}:{name}.state"), payload);
        }
        for step in &report.lifecycle {
            let Some(row) = open.iter().find(|row| row.id == step.id) else { continue };
            let payload = json!({
                "lifecycle_id": step.id, "operation": row.operation, "status": step.status,
                "error": step.error,
            });
            self.bus.publish(&format!("decky.{}.lifecycle", row.decky_name), payload);
        }
    }
}

fn ill(fleet: &[Decky], observed: &Observed) -> Vec<(String, String)> {
    let why = |decky: &Decky| {
        let down = observed.down.get(&decky.id).and_then(|down| down.first());
        observed.all_down.as_ref().or(down).cloned()
    };
    fleet.iter().filter_map(|decky| Some((decky.name.clone(), why(decky)?))).collect()
}

/// An error with what led to it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
