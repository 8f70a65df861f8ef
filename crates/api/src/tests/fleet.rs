//! A fleet on a machine on which everything works at once.

use std::sync::Arc;

use base_model::Decky;
use base_runtime::{Clock, Shutdown};
use decoys_kit::{Fidelity, Listen, ServiceSpec, SettingKind, SettingSpec};
use operate_fleet::{
    Catalogue, Deployments, Network, Observed, Problem, Reconciler, SealingKey, Subnet, Substrate,
    Uplink,
};
use store_db::Db;

use crate::ApiParts;

static TOY: ServiceSpec = ServiceSpec {
    name: "toy",
    summary: "",
    fidelity: Fidelity::Low,
    listens: &[Listen::tcp(7)],
    settings: &[
        SettingSpec { key: "motto", label: "Motto", kind: SettingKind::Text, help: "" },
        SettingSpec { key: "secret", label: "Secret", kind: SettingKind::Password, help: "" },
    ],
    events: &[],
};

struct ThisMachine;

impl Uplink for ThisMachine {
    fn network(&self) -> Network {
        Network::of(Subnet::LOOPBACK)
    }

    fn refuses(&self, _: Subnet) -> Option<Problem> {
        None
    }

    fn too_much(&self, _: &[Decky]) -> Option<Problem> {
        None
    }
}

impl Substrate for ThisMachine {
    fn bring_about(&mut self, _: &mut [Decky], _: bool) {}

    fn observe(&self) -> Option<Observed> {
        Some(Observed::default())
    }

    async fn changed(&mut self) {
        std::future::pending().await
    }
}

pub(super) fn deployments(db: &Db, clock: Clock) -> Arc<Deployments> {
    let key = SealingKey::parse(&SealingKey::text([3; 32])).unwrap();
    let (catalogue, uplink) = (Catalogue::new(&[&TOY]), Box::new(ThisMachine));
    Arc::new(Deployments::new(db.clone(), key, catalogue, uplink, clock))
}

pub(super) fn bring_about(parts: &ApiParts, shutdown: Shutdown) {
    let (db, deployments) = (parts.db.clone(), Arc::clone(&parts.deployments));
    let reconciler = Reconciler::new(db, deployments, ThisMachine, parts.bus.clone(), parts.clock);
    tokio::spawn(reconciler.run(shutdown));
}
