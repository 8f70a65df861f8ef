//! Changes written by [`Deployments`], brought about on a machine that does what a test says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use store_db::testing::{TestDb, databases};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::ini::{self, Source};
use crate::testing::catalogue;
use crate::{
    DeckyState, DeployError, Mode, Network, Order, Problem, Receipt, SealingKey, Subnet, Uplink,
};

struct AnyNetwork;

impl Uplink for AnyNetwork {
    fn network(&self) -> Network {
        Network::of("127.0.0.0/8".parse().unwrap())
    }

    fn refuses(&self, subnet: Subnet) -> Option<Problem> {
        (!subnet.address().is_loopback()).then(|| Problem::new(None, "not of this machine"))
    }

    fn too_much(&self, fleet: &[Decky]) -> Option<Problem> {
        (fleet.len() > 5).then(|| Problem::new(None, "5 deckies fit"))
    }
}

/// What a test lets happen, and what was asked of the machine.
#[derive(Clone, Default)]
struct Stage(Arc<Mutex<Acts>>, Arc<Notify>);

#[derive(Default)]
struct Acts {
    fleet: Vec<Decky>,
    /// `None` while everything is under way.
    observed: Option<Observed>,
    urgent: usize,
    /// Ports by name of decky that clients reach elsewhere.
    moved: BTreeSet<String>,
}

impl Stage {
    fn act(&self, act: impl FnOnce(&mut Acts)) {
        act(&mut self.0.lock().unwrap());
        self.1.notify_one();
    }

    fn fleet(&self) -> Vec<String> {
        self.0.lock().unwrap().fleet.iter().map(|decky| decky.name.clone()).collect()
    }
}

impl Substrate for Stage {
    fn bring_about(&mut self, fleet: &mut [Decky], urgent: bool) {
        let mut acts = self.0.lock().unwrap();
        for decky in fleet.iter_mut().filter(|decky| acts.moved.contains(&decky.name)) {
            decky.services[0].ports[0].reached_at = 20_080;
        }
        acts.fleet = fleet.to_vec();
        acts.urgent += usize::from(urgent);
    }

    fn observe(&self) -> Option<Observed> {
        self.0.lock().unwrap().observed.clone()
    }

    async fn changed(&mut self) {
        self.1.notified().await;
    }
}

struct World {
    test: TestDb,
    deployments: Arc<Deployments>,
    stage: Stage,
    settled: watch::Receiver<Settled>,
    shutdown: Shutdown,
    task: JoinHandle<()>,
    bus: Bus,
}

impl World {
    fn on(test: TestDb) -> Self {
        let key = SealingKey::parse(&SealingKey::text([1; 32])).unwrap();
        let clock = Clock::start();
        let uplink = Box::new(AnyNetwork);
        let deployments =
            Arc::new(Deployments::new(test.db.clone(), key, catalogue(), uplink, clock));
        let stage = Stage::default();
        stage.act(|acts| acts.observed = Some(Observed::default()));
        let bus = Bus::new();
        let reconciler = Reconciler::new(
            test.db.clone(),
            Arc::clone(&deployments),
            stage.clone(),
            bus.clone(),
            clock,
        );
        let (settled, shutdown) = (reconciler.settled(), Shutdown::default());
        let task = tokio::spawn(reconciler.run(shutdown.clone()));
        Self { test, deployments, stage, settled, shutdown, task, bus }
    }

    /// The same database, everything else anew.
    async fn restarted(self) -> Self {
        self.task.abort();
        drop(self.task.await);
        Self::on(self.test)
    }

    async fn order(&self, text: &str, mode: Mode) -> Result<Receipt, DeployError> {
        let (file, _) = ini::read(text, Source::Api, self.deployments.catalogue()).unwrap();
        let (general, wishes) = (&file.general, &file.wishes[..]);
        let order = Order { general, wishes, mode, start: None, limit: Some(4) };
        self.deployments.deploy(&order).await
    }

    /// Waits for `holds` of the deckies and their states.
    async fn until(&mut self, holds: impl Fn(&[(String, DeckyState)]) -> bool) {
        loop {
            let entries = self.deployments.entries().await.unwrap();
            let states: Vec<_> =
                entries.into_iter().map(|one| (one.decky.name, one.state)).collect();
            if holds(&states) {
                return;
            }
            self.settled.changed().await.unwrap();
        }
    }

    async fn running(&mut self, names: &[&str]) {
        self.until(|states| {
            states.len() == names.len()
                && states
                    .iter()
                    .zip(names)
                    .all(|(one, name)| one.0 == *name && one.1 == DeckyState::Running)
        })
        .await;
    }

    /// What became of changes, by name of decky, once they are `status`.
    async fn are(&mut self, receipt: &[(uuid::Uuid, String)], status: &str) -> Vec<Option<String>> {
        let ids: Vec<_> = receipt.iter().map(|(id, _)| id.to_string()).collect();
        loop {
            let mut rows = self.test.db.lifecycle().by_ids(&ids).await.unwrap();
            assert_eq!(rows.len(), ids.len());
            if rows.iter().all(|row| row.status == status) {
                rows.sort_by(|one, other| one.decky_name.cmp(&other.decky_name));
                return rows.into_iter().map(|row| row.error).collect();
            }
            let ended = |row: &LifecycleRow| row.completed_at.is_some() && row.status != status;
            assert!(!rows.iter().any(ended), "{rows:?}");
            self.settled.changed().await.unwrap();
        }
    }
}

const TWO: &str = "[a]\nservices=ssh\n[b]\nservices=ssh,http\n";

#[tokio::test]
async fn what_is_deployed_runs_and_what_is_torn_down_goes_and_the_rest_is_untouched() {
    for test in databases().await {
        let mut world = World::on(test);
        let mut told = world.bus.subscribe("decky.>");
        let receipt = world.order(TWO, Mode::Add).await.unwrap();
        world.running(&["a", "b"]).await;
        world.are(&receipt.lifecycle, "succeeded").await;
        let topic = |message: events_bus::Message| message.topic.to_string();
        let topics: BTreeSet<_> = std::iter::from_fn(|| told.try_recv().map(topic)).collect();
        let both = ["decky.a.lifecycle", "decky.b.lifecycle"];
        let states = ["decky.local:a.state", "decky.local:b.state"];
        assert!(topics.iter().eq(both.iter().chain(&states)), "{topics:?}");
        let before = world.deployments.entries().await.unwrap();
        let more = world.order("[c]\nservices=http\n", Mode::Add).await.unwrap();
        assert_eq!(more.lifecycle.len(), 1, "only what is touched is told");
        world.running(&["a", "b", "c"]).await;
        let gone = world.deployments.tear_down(&["c".into(), "a".into()]).await.unwrap();
        world.running(&["b"]).await;
        assert_eq!(world.stage.fleet(), ["b"]);
        world.are(&gone, "succeeded").await;
        let after = world.deployments.entries().await.unwrap();
        assert_eq!(after[0].decky, before[1].decky);
        let none = world.deployments.tear_down(&["b".into(), "x".into()]).await.unwrap_err();
        assert_eq!(none.to_string(), "there is no decky called x");
        world.running(&["b"]).await;
    }
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    for test in databases().await {
        let mut world = World::on(test);
        let first = world.order(TWO, Mode::Add).await.unwrap();
        world.are(&first.lifecycle, "succeeded").await;
        for (text, why) in [
            (
                TWO,
                "line 1, column 2: decky 'a' already exists; submit with replace_fleet=true to \
                 overwrite the fleet\nline 3, column 2: decky 'b' already exists; submit with \
                 replace_fleet=true to overwrite the fleet",
            ),
            (
                "[c]\nservices=ssh\namount=3\n",
                "Deployment would result in 5 deckies, exceeding the configured limit of 4 (set another with `decnet config set deployment-limit N`)",
            ),
            (
                "[general]\nnet=127.5.0.0/16\n[c]\nservices=ssh\n",
                "line 2, column 5: net=127.5.0.0/16: the fleet is on 127.0.0.0/8 (leave net= out, or \
                 replace the fleet)",
            ),
        ] {
            let refused = world.order(text, Mode::Add).await.unwrap_err();
            assert_eq!(refused.to_string(), why);
        }
        let other = "[general]\nnet=10.0.0.0/8\n[c]\nservices=ssh\n";
        let refused = world.order(other, Mode::Replace).await.unwrap_err();
        assert_eq!(refused.to_string(), "not of this machine");
        world.running(&["a", "b"]).await;
        assert_eq!(world.test.db.lifecycle().open().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_port_that_is_not_to_be_had_is_one_deckys_failure_and_heals() {
    for test in databases().await {
        let mut world = World::on(test);
        let first = world.order(TWO, Mode::Add).await.unwrap();
        world.running(&["a", "b"]).await;
        let id = first.plan.add[1].id;
        let why = "ssh: the port is taken".to_owned();
        let down = BTreeMap::from([(id, vec![why.clone()])]);
        world.stage.act(|acts| acts.observed = Some(Observed { all_down: None, down }));
        world.until(|states| states[1].1 == DeckyState::Degraded).await;
        let entries = world.deployments.entries().await.unwrap();
        assert_eq!((entries[0].state, &entries[1].last_error), (DeckyState::Running, &Some(why)));
        let urgent = world.stage.0.lock().unwrap().urgent;
        let again = world.deployments.redeploy().await.unwrap();
        assert_eq!(again.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["b"]);
        let why = world.are(&again, "failed").await;
        assert_eq!(why, [Some("ssh: the port is taken".to_owned())]);
        assert!(world.stage.0.lock().unwrap().urgent > urgent, "it was tried at once");
        world.stage.act(|acts| acts.observed = Some(Observed::default()));
        world.running(&["a", "b"]).await;
        let entries = world.deployments.entries().await.unwrap();
        assert_eq!(entries[1].last_error, None);
    }
}

#[tokio::test]
async fn while_nothing_runs_that_is_said_and_changes_wait() {
    for test in databases().await {
        let mut world = World::on(test);
        let all_down = Some("the decoy process is starting again".to_owned());
        let down = Observed { all_down: all_down.clone(), down: BTreeMap::new() };
        world.stage.act(|acts| acts.observed = Some(down));
        let receipt = world.order(TWO, Mode::Add).await.unwrap();
        world.until(|states| states.iter().all(|one| one.1 == DeckyState::Failed)).await;
        assert_eq!(world.deployments.entries().await.unwrap()[0].last_error, all_down);
        world.are(&receipt.lifecycle, "running").await;
        world.stage.act(|acts| acts.observed = Some(Observed::default()));
        world.running(&["a", "b"]).await;
        world.are(&receipt.lifecycle, "succeeded").await;
    }
}

#[tokio::test]
async fn killed_anywhere_it_goes_on_from_what_is_written() {
    for test in databases().await {
        let world = World::on(test);
        world.stage.act(|acts| acts.observed = None);
        let deployed = world.order(TWO, Mode::Add).await.unwrap();
        let mut world = world.restarted().await;
        world.running(&["a", "b"]).await;
        world.are(&deployed.lifecycle, "succeeded").await;
        world.stage.act(|acts| acts.observed = None);
        let gone = world.deployments.tear_down(&["a".into()]).await.unwrap();
        let mut world = world.restarted().await;
        world.running(&["b"]).await;
        world.are(&gone, "succeeded").await;
        world.shutdown.ask();
        world.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_name_is_free_again_once_its_decky_is_gone() {
    for test in databases().await {
        let mut world = World::on(test);
        world.order(TWO, Mode::Add).await.unwrap();
        world.running(&["a", "b"]).await;
        let before = world.deployments.entries().await.unwrap()[0].decky.clone();
        world.deployments.tear_down(&["a".into()]).await.unwrap();
        let receipt = world.order("[a]\nservices=http\n", Mode::Add).await.unwrap();
        assert_ne!(receipt.plan.add[0].secret, before.secret);
        world.running(&["a", "b"]).await;
    }
}

#[tokio::test]
async fn where_clients_reach_a_port_is_kept() {
    for test in databases().await {
        let mut world = World::on(test);
        world.stage.act(|acts| acts.moved.extend(["b".to_owned()]));
        world.order(TWO, Mode::Add).await.unwrap();
        world.running(&["a", "b"]).await;
        let entries = world.deployments.entries().await.unwrap();
        let reached = |at: usize| entries[at].decky.services[0].ports[0].reached_at;
        assert_eq!((reached(0), reached(1)), (22, 20_080));
    }
}
