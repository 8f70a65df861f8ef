//! Brings about the desired state: machines, and listeners on the sockets the keeper handed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base_model::{Decky, DeckyId, catalogue};
use base_runtime::{Shutdown, entropy};
use chacha20::ChaCha12Rng;
use decoys_kit::Settings;
use events_link::{DataSocket, Desired, Listening, Socket};
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
/// How long connections of a decky that changes may take to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// Pause between looks at them.
const FAREWELL_STEP: Duration = Duration::from_millis(10);
/// How often machines are looked after.
const TEND: Duration = Duration::from_secs(2);

/// Folder of machines' state.
pub(crate) const DECKIES: &str = "deckies";

/// What the process serves.
pub(crate) struct Fleet {
    sensor: Arc<Sensor>,
    services: &'static [&'static Service],
    root: PathBuf,
    /// Sockets that nothing listens on.
    sockets: BTreeMap<Socket, OwnedFd>,
    machines: BTreeMap<DeckyId, Arc<Machine>>,
    open: BTreeMap<Socket, OpenPort>,
    /// Whether the folder may hold machines that are not to be.
    unswept: bool,
}

/// A port that is listened on.
struct OpenPort {
    listening: Listening,
    stop: Shutdown,
    task: JoinHandle<TcpListener>,
    data: Option<Arc<DataPorts>>,
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
            open: BTreeMap::new(),
            unswept: true,
        }
    }

    /// Takes sockets for later.
    pub(crate) fn take(&mut self, sockets: impl IntoIterator<Item = (Socket, OwnedFd)>) {
        self.sockets.extend(sockets);
    }

    /// Makes `desired` so. Deckies that stay as they are notice nothing. Returns services this build
    /// does not have.
    pub(crate) async fn apply(&mut self, desired: Desired) -> Vec<(DeckyId, String)> {
        let deckies: BTreeMap<DeckyId, Decky> =
            desired.deckies.into_iter().map(|decky| (decky.id, decky)).collect();
        let same = |id: &DeckyId, machine: &Machine| deckies.get(id) == Some(&*machine.decky);
        let changed: BTreeSet<DeckyId> =
            self.machines.iter().filter(|(id, it)| !same(id, it)).map(|(id, _)| *id).collect();
        let wanted: BTreeMap<Socket, &Listening> =
            desired.listening.iter().map(|one| (one.socket, one)).collect();
        let stays = |port: &OpenPort| {
            let listening = &port.listening;
            wanted.get(&listening.socket) == Some(&listening) && !changed.contains(&listening.decky)
        };
        let closing: Vec<Socket> =
            self.open.iter().filter(|(_, port)| !stays(port)).map(|(it, _)| *it).collect();
        let closed = self.close(closing).await;
        self.unswept |= changed.iter().any(|id| !deckies.contains_key(id));
        self.let_go(changed).await;
        for data in closed.into_iter().flatten() {
            self.sockets.extend(data.into_sockets());
        }
        let held: BTreeSet<Socket> = desired
            .listening
            .iter()
            .flat_map(|one| one.data.iter().map(|data| data.socket).chain([one.socket]))
            .collect();
        self.sockets.retain(|socket, _| held.contains(socket));
        for (id, decky) in deckies {
            let machine = || Arc::new(Machine::new(decky, &self.root));
            self.machines.entry(id).or_insert_with(machine);
        }
        self.sweep().await;
        let mut refused = Vec::new();
        for listening in desired.listening {
            if let Err(listening) = self.listen(listening).await {
                refused.push((listening.decky, listening.service));
            }
        }
        refused
    }

    /// Stops listening on `ports` and keeps their sockets. Returns their data ports, which
    /// connections may still use.
    async fn close(&mut self, ports: Vec<Socket>) -> Vec<Option<Arc<DataPorts>>> {
        let closing: Vec<OpenPort> =
            ports.iter().filter_map(|socket| self.open.remove(socket)).collect();
        closing.iter().for_each(|port| port.stop.ask());
        let mut data = Vec::new();
        for port in closing {
            // One that panicked took its socket along; control hears of it as refused.
            if let Ok(Ok(listener)) = port.task.await.map(TcpListener::into_std) {
                self.sockets.insert(port.listening.socket, listener.into());
            }
            data.push(port.data);
        }
        data
    }

    /// Ends the machines of `deckies`: their connections, then their memory, saved.
    async fn let_go(&mut self, deckies: BTreeSet<DeckyId>) {
        let leaving: Vec<Arc<Machine>> =
            deckies.iter().filter_map(|id| self.machines.remove(id)).collect();
        leaving.iter().for_each(|machine| machine.gone.ask());
        let mut waited = Duration::ZERO;
        // Every connection holds its machine.
        while leaving.iter().any(|machine| Arc::strong_count(machine) > 1) && waited < FAREWELL {
            tokio::time::sleep(FAREWELL_STEP).await;
            waited += FAREWELL_STEP;
        }
        Self::tend(leaving, true).await;
    }

    /// Removes what is kept of machines that are not to be any more.
    async fn sweep(&mut self) {
        if !std::mem::take(&mut self.unswept) {
            return;
        }
        let root = self.root.clone();
        let kept: BTreeSet<String> = self.machines.keys().map(ToString::to_string).collect();
        let sweeping = tokio::task::spawn_blocking(move || {
            for entry in fs::read_dir(&root)?.flatten() {
                let name = entry.file_name();
                if !name.to_str().is_some_and(|name| kept.contains(name)) {
                    fs::remove_dir_all(entry.path())?;
                }
            }
            io::Result::Ok(())
        });
        if let Ok(Err(error)) = sweeping.await {
            tracing::warn!(%error, "failed to remove the state of a decky that is gone");
        }
    }

    async fn listen(&mut self, listening: Listening) -> Result<(), Listening> {
        if self.open.contains_key(&listening.socket) {
            return Ok(());
        }
        let machine = self.machines.get(&listening.decky).cloned();
        let service = self.services.iter().find(|one| one.spec.name == listening.service);
        let (Some(machine), Some(service)) = (machine, service) else { return Err(listening) };
        let Some(listener) = self.sockets.remove(&listening.socket).and_then(listener) else {
            return Err(listening);
        };
        let sockets = listening.data.iter();
        let data: Vec<(DataSocket, OwnedFd)> =
            sockets.filter_map(|one| Some((*one, self.sockets.remove(&one.socket)?))).collect();
        let data = (!data.is_empty()).then(|| Arc::new(DataPorts::new(data)));
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
            data: data.clone(),
        });
        self.tell_startup(&endpoint).await;
        let stop = Shutdown::default();
        let task = tokio::spawn(accept(endpoint, listener, stop.clone()));
        self.open.insert(listening.socket, OpenPort { listening, stop, task, data });
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
        for (_, port) in std::mem::take(&mut self.open) {
            port.task.abort();
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

/// Serves who connects until `stop`; then gives the socket back.
async fn accept(endpoint: Arc<Endpoint>, listener: TcpListener, stop: Shutdown) -> TcpListener {
    let stopped = stop.asked();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            () = &mut stopped => return listener,
            accepted = listener.accept() => accepted,
        };
        match accepted {
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
