//! Brings about the desired state: machines, and listeners on the sockets the keeper handed over.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base_model::{DeckyId, catalogue};
use base_runtime::entropy;
use chacha20::ChaCha12Rng;
use decoys_kit::Settings;
use events_link::{Desired, Listening, Socket};
use rand_core::SeedableRng as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Service;
use crate::connection::{self, Endpoint};
use crate::data::DataPorts;
use crate::machine::Machine;
use crate::sensor::Sensor;
use crate::voice::{Bound, Voice};

/// Pause after a failed accept, so that a lack of descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often machines are looked after.
const TEND: Duration = Duration::from_secs(2);

/// Folder of machines' state.
pub(crate) const DECKIES: &str = "deckies";

/// What the process serves.
pub(crate) struct Fleet {
    sensor: Arc<Sensor>,
    services: &'static [&'static Service],
    root: PathBuf,
    sockets: BTreeMap<Socket, OwnedFd>,
    machines: BTreeMap<DeckyId, Arc<Machine>>,
    listeners: BTreeMap<Socket, (Listening, JoinHandle<()>)>,
}

impl Fleet {
    pub(crate) fn new(
        sensor: Arc<Sensor>,
        services: &'static [&'static Service],
        root: &Path,
    ) -> Self {
        Self {
            sensor,
            services,
            root: root.join(DECKIES),
            sockets: BTreeMap::new(),
            machines: BTreeMap::new(),
            listeners: BTreeMap::new(),
        }
    }

    /// Takes sockets for later.
    pub(crate) fn take(&mut self, sockets: impl IntoIterator<Item = (Socket, OwnedFd)>) {
        self.sockets.extend(sockets);
    }

    /// Makes `desired` so. Returns services this build does not have.
    pub(crate) async fn apply(&mut self, desired: Desired) -> Vec<(DeckyId, String)> {
        let wanted: BTreeSet<Socket> = desired.listening.iter().map(|one| one.socket).collect();
        self.listeners.retain(|socket, (_, task)| {
            let stays = wanted.contains(socket);
            if !stays {
                task.abort();
            }
            stays
        });
        self.machines.retain(|id, _| desired.deckies.iter().any(|decky| decky.id == *id));
        for decky in desired.deckies {
            let same = self.machines.get(&decky.id).is_some_and(|known| *known.decky == decky);
            if !same {
                self.machines.insert(decky.id, Arc::new(Machine::new(decky, &self.root)));
            }
        }
        let mut refused = Vec::new();
        for listening in desired.listening {
            if let Err(listening) = self.listen(listening).await {
                refused.push((listening.decky, listening.service));
            }
        }
        refused
    }

    async fn listen(&mut self, listening: Listening) -> Result<(), Listening> {
        if self.listeners.get(&listening.socket).is_some_and(|(known, _)| *known == listening) {
            return Ok(());
        }
        let machine = self.machines.get(&listening.decky).cloned();
        let service = self.services.iter().find(|one| one.spec.name == listening.service);
        let (Some(machine), Some(service)) = (machine, service) else { return Err(listening) };
        let Some(listener) = self.sockets.remove(&listening.socket).and_then(listener) else {
            return Err(listening);
        };
        let sockets = listening.data.iter();
        let data: Vec<(OwnedFd, u16)> =
            sockets.filter_map(|one| Some((self.sockets.remove(&one.socket)?, one.port))).collect();
        let given = machine.decky.service(service.spec.name).map(|one| one.settings.clone());
        let settings = Settings::parse(service.spec.settings, &given.unwrap_or_default());
        // Control validated them; what it let through wrongly falls back to the defaults.
        let settings = settings.map(|(settings, _)| settings).unwrap_or_default();
        let endpoint = Arc::new(Endpoint {
            sensor: Arc::clone(&self.sensor),
            machine,
            service,
            settings,
            local: listening.local,
            data: (!data.is_empty()).then(|| Arc::new(DataPorts::new(data))),
        });
        self.tell_startup(&endpoint).await;
        let task = tokio::spawn(accept(endpoint, listener));
        self.listeners.insert(listening.socket, (listening, task));
        Ok(())
    }

    async fn tell_startup(&self, endpoint: &Endpoint) {
        let bound = Bound {
            decky: Arc::clone(&endpoint.machine.decky),
            service: endpoint.service.spec.name,
            attacker: None,
            local: Some(endpoint.local),
            conn: None,
            session: None,
        };
        let seed = entropy::bytes().unwrap_or_default();
        let voice = Voice::new(Arc::clone(&self.sensor), bound, ChaCha12Rng::from_seed(seed));
        // A journal that takes nothing is reported by its state.
        drop(voice.emit(None, catalogue::startup(&[endpoint.local.port])).await);
    }

    /// Stops listening.
    pub(crate) fn stop(&mut self) {
        for (_, (_, task)) in std::mem::take(&mut self.listeners) {
            task.abort();
        }
    }

    /// Saves changed machines and lets idle ones go.
    pub(crate) async fn tend(machines: Vec<Arc<Machine>>, force: bool) {
        let tending = tokio::task::spawn_blocking(move || {
            machines.iter().for_each(|machine| machine.tend(force));
        });
        if tending.await.is_err() {
            tracing::error!("saving machine state panicked");
        }
    }

    /// All machines.
    pub(crate) fn machines(&self) -> Vec<Arc<Machine>> {
        self.machines.values().cloned().collect()
    }

    /// How often to call [`Fleet::tend`].
    pub(crate) const fn tend_every() -> Duration {
        TEND
    }
}

fn listener(socket: OwnedFd) -> Option<TcpListener> {
    let listener = std::net::TcpListener::from(socket);
    listener.set_nonblocking(true).ok()?;
    TcpListener::from_std(listener).ok()
}

async fn accept(endpoint: Arc<Endpoint>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(connection::serve(Arc::clone(&endpoint), stream, peer.into()));
            }
            Err(error) => {
                tracing::debug!(%error, "failed to accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
