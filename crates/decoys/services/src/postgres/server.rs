//! The state of one decky's server: databases, roles made later, who is connected.

use std::collections::BTreeMap;

use base_model::Timestamp;
use decoys_host::{Kept, Machine};
use decoys_kit::{Choices, TlsFacts};
use serde::{Deserialize, Serialize};

use super::persona::Persona;
use crate::sql::{Bait, Store, lay};

/// Most connections that are listed.
const MAX_CONNECTIONS: usize = 4096;
/// Most roles and large objects that intruders leave, and bytes of the latter.
const MAX_LEFT: usize = 256;
const MAX_OBJECTS: usize = 8 * 1024 * 1024;

/// A connection as `pg_stat_activity` shows it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) user: String,
    pub(super) database: String,
    pub(super) application: String,
    pub(super) address: String,
    /// What was agreed if it is encrypted.
    pub(super) tls: Option<TlsFacts>,
    pub(super) port: u16,
    pub(super) since: Timestamp,
    pub(super) query_since: Timestamp,
    pub(super) query: String,
    pub(super) active: bool,
    /// Somebody ended it.
    pub(super) killed: bool,
}

/// What is saved beside databases.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Left {
    laid: bool,
    pub(super) next_pid: u64,
    /// Roles made by intruders: password, whether they may do everything.
    pub(super) roles: BTreeMap<String, (String, bool)>,
    /// Large objects by number.
    pub(super) objects: BTreeMap<u32, Vec<u8>>,
    pub(super) next_object: u32,
}

/// The server of one machine.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) persona: Persona,
    pub(super) store: Store,
    pub(super) left: Left,
    pub(super) connections: BTreeMap<u64, Connection>,
    changes: u64,
}

/// Version of the saved form.
const SNAPSHOT: u16 = 1;

impl Kept for Server {
    const SLOT: &'static str = "postgres";

    fn fresh(machine: &Machine) -> Self {
        Self::with(Persona::of(machine), Store::new(16_384), Left::default())
    }

    fn restore(machine: &Machine, saved: &[u8]) -> Option<Self> {
        let (v, store, left): (u16, Store, Left) = rmp_serde::from_slice(saved).ok()?;
        (v == SNAPSHOT).then(|| Self::with(Persona::of(machine), store, left))
    }

    fn save(&self) -> Vec<u8> {
        // Plain data always encodes; an empty snapshot restores to a fresh server.
        rmp_serde::to_vec(&(SNAPSHOT, &self.store, &self.left)).unwrap_or_default()
    }

    fn revision(&self) -> u64 {
        self.changes + self.store.changes()
    }
}

impl Server {
    const fn with(persona: Persona, store: Store, left: Left) -> Self {
        Self { persona, store, left, connections: BTreeMap::new(), changes: 0 }
    }

    /// Brings the server to `now`: its process and its first tables.
    pub(super) fn wake(&mut self, machine: &Machine, now: Timestamp) {
        self.persona.find_process(machine, now);
        if self.left.laid {
            return;
        }
        self.left.laid = true;
        self.left.next_object = 16_500;
        let facts = machine.facts();
        let domain = format!("{}.local", facts.hostname.to_lowercase());
        for name in ["postgres", "template0", "template1"] {
            // Empty ones always fit.
            let _ = self.store.add_database(name);
        }
        for name in self.persona.databases.clone() {
            let label = format!("postgres.bait.{name}");
            let bait = Bait::new(
                Choices::new(&machine.decky().secret),
                &label,
                &domain,
                facts.installed,
                now.seconds(),
            );
            // The first tables are far from filling it.
            let _ =
                self.store.add_database(&name).and_then(|()| lay(&mut self.store, &name, &bait));
        }
        self.changes += 1;
    }

    /// Notes that something changed that is saved.
    pub(super) const fn changed(&mut self) {
        self.changes += 1;
    }

    /// Whether there is room for one more thing to be left, of `bytes`.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let held: usize = self.left.objects.values().map(Vec::len).sum();
        self.left.roles.len() + self.left.objects.len() < MAX_LEFT && held + bytes <= MAX_OBJECTS
    }

    /// Numbers a process for a connection.
    pub(super) fn fork(&mut self, now: Timestamp) -> u64 {
        let pid = self.persona.next_pid(now).max(self.left.next_pid) + 1;
        self.left.next_pid = pid;
        self.changed();
        pid
    }

    /// Lists a connection.
    pub(super) fn list(&mut self, pid: u64, connection: Connection) {
        if self.connections.len() < MAX_CONNECTIONS {
            self.connections.insert(pid, connection);
        }
    }
}
