//! What runs the deckies of this machine: ports bound here, served by the decoy process.

use std::collections::BTreeMap;
use std::sync::Arc;

use base_model::{Decky, DeckyId};
use operate_fleet::{Observed, Substrate};
use tokio::sync::watch;

use super::bindings::{Bindings, Bound};

/// What the decoy process is to serve.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Grows with every change; 0 before the first.
    pub(crate) generation: u64,
    pub(crate) deckies: Vec<Decky>,
    pub(crate) ports: Vec<Arc<Bound>>,
}

/// How the decoy process is.
#[derive(Clone, Debug, Default)]
pub(crate) enum Actual {
    /// It was never there.
    #[default]
    Starting,
    /// This generation is in force, and these services it does not have.
    InForce { generation: u64, refused: Vec<(DeckyId, String)> },
    /// It is not there, though it was.
    Down,
}

impl Actual {
    const fn generation(&self) -> u64 {
        match self {
            Self::InForce { generation, .. } => *generation,
            Self::Starting | Self::Down => 0,
        }
    }
}

/// The loopback uplink with one decoy process.
pub(crate) struct OneProcess {
    bindings: Bindings,
    wanted: watch::Sender<Arc<Wanted>>,
    actual: watch::Receiver<Actual>,
}

impl OneProcess {
    pub(crate) fn new(wanted: watch::Sender<Arc<Wanted>>, actual: watch::Receiver<Actual>) -> Self {
        Self { bindings: Bindings::default(), wanted, actual }
    }
}

impl Substrate for OneProcess {
    fn bring_about(&mut self, fleet: &mut [Decky], urgent: bool) {
        let now = Arc::clone(&self.wanted.borrow());
        let next = now.generation + 1;
        // A process that is not there holds nothing.
        let in_force = match &*self.actual.borrow() {
            Actual::InForce { generation, .. } => *generation,
            Actual::Starting | Actual::Down => u64::MAX,
        };
        let changed = self.bindings.converge(fleet, urgent, (in_force, next));
        if changed || now.generation == 0 || now.deckies != fleet {
            let (deckies, ports) = (fleet.to_vec(), self.bindings.bound());
            self.wanted.send_replace(Arc::new(Wanted { generation: next, deckies, ports }));
        }
    }

    fn observe(&self) -> Option<Observed> {
        let actual = self.actual.borrow();
        let refused = match &*actual {
            Actual::Starting => return None,
            Actual::Down => {
                let why = "the decoy process ended and is being started again".to_owned();
                return Some(Observed { all_down: Some(why), down: BTreeMap::new() });
            }
            Actual::InForce { refused, .. } => refused,
        };
        let settled = actual.generation() == self.wanted.borrow().generation;
        if !settled || self.bindings.is_waiting() {
            return None;
        }
        let mut down = self.bindings.failed();
        for (decky, service) in refused {
            let why = format!("{service}: this build does not have the service");
            down.entry(*decky).or_default().push(why);
        }
        Some(Observed { all_down: None, down })
    }

    async fn changed(&mut self) {
        let retry = self.bindings.retry();
        let due = async {
            match retry {
                Some(retry) => tokio::time::sleep_until(retry).await,
                None => std::future::pending().await,
            }
        };
        let told = async {
            if self.actual.changed().await.is_err() {
                // Nothing will be told any more.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = due => {}
            () = told => {}
        }
    }
}
