//! The state of one decky's server: databases, who is connected, what it counts.

use std::collections::BTreeMap;

use base_model::Timestamp;
use decoys_host::{Kept, Machine};
use decoys_kit::Choices;
use serde::{Deserialize, Serialize};

use super::persona::Persona;
use crate::sql::{Bait, Store, lay};

/// Most connections that are listed.
const MAX_CONNECTIONS: usize = 4096;
/// Most functions, users and variables that intruders leave.
const MAX_LEFT: usize = 256;

/// A connection as `SHOW PROCESSLIST` shows it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) user: String,
    pub(super) host: String,
    pub(super) database: Option<String>,
    /// What it runs.
    pub(super) info: Option<String>,
    pub(super) since: i64,
    /// Somebody ended it.
    pub(super) killed: bool,
}

/// What is saved beside databases.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Left {
    laid: bool,
    pub(super) next_connection: u64,
    /// Functions of libraries: name, library.
    pub(super) functions: BTreeMap<String, String>,
    /// Users made by intruders: name, stored password in hexadecimal digits.
    pub(super) users: BTreeMap<String, String>,
    /// Global variables that were changed.
    pub(super) variables: BTreeMap<String, String>,
}

/// The server of one machine.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) persona: Persona,
    pub(super) store: Store,
    pub(super) left: Left,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) queries: u64,
    changes: u64,
}

/// Version of the saved form.
const SNAPSHOT: u16 = 1;

impl Kept for Server {
    const SLOT: &'static str = "mysql";

    fn fresh(machine: &Machine) -> Self {
        Self::with(Persona::of(machine), Store::new(1200), Left::default())
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
        Self { persona, store, left, connections: BTreeMap::new(), queries: 0, changes: 0 }
    }

    /// Brings the server to `now`: its process and its first tables.
    pub(super) fn wake(&mut self, machine: &Machine, now: Timestamp) {
        self.persona.find_process(machine, now);
        if self.left.laid {
            return;
        }
        self.left.laid = true;
        let facts = machine.facts();
        let database = self.persona.database.clone();
        let domain = format!("{}.local", facts.hostname.to_lowercase());
        let bait = Bait::new(
            Choices::new(&machine.decky().secret),
            "mysql.bait",
            &domain,
            facts.installed,
            now.seconds(),
        );
        // The first tables are far from filling it.
        let _ = self
            .store
            .add_database(&database)
            .and_then(|()| lay(&mut self.store, &database, &bait));
        self.changes += 1;
    }

    /// Notes that something changed that is saved.
    pub(super) const fn changed(&mut self) {
        self.changes += 1;
    }

    /// Whether there is room for one more thing to be left.
    pub(super) fn has_room(&self) -> bool {
        self.left.functions.len() + self.left.users.len() + self.left.variables.len() < MAX_LEFT
    }

    /// Numbers a connection.
    pub(super) fn connect(&mut self, host: String, now: Timestamp) -> u64 {
        let id = self.persona.connections(now).max(self.left.next_connection) + 1;
        self.left.next_connection = id;
        self.changed();
        if self.connections.len() < MAX_CONNECTIONS {
            let user = "unauthenticated user".to_owned();
            let since = now.seconds();
            let connection =
                Connection { user, host, database: None, info: None, since, killed: false };
            self.connections.insert(id, connection);
        }
        id
    }
}
