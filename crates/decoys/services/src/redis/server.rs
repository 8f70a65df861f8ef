//! The state of one decky's server: what it keeps, who is connected, what it counts.

use std::collections::{BTreeMap, VecDeque};

use base_model::Timestamp;
use decoys_host::{Kept, Machine};
use decoys_kit::Choices;
use serde::{Deserialize, Serialize};

use super::acl::Users;
use super::bait;
use super::keyspace::Keyspace;
use super::persona::Persona;

/// Most connections that are listed; more are served unlisted.
const MAX_CLIENTS: usize = 4096;
/// Lines that `MONITOR` and subscribers may still fetch.
const MAX_TOLD: usize = 512;
/// Longest such line.
const MAX_LINE: usize = 16 * 1024;
/// Most settings that were changed.
const MAX_CHANGED: usize = 256;

/// A connection as `CLIENT LIST` shows it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) address: String,
    pub(super) local: String,
    pub(super) name: String,
    pub(super) since: i64,
    pub(super) last: i64,
    pub(super) db: usize,
    pub(super) command: String,
    pub(super) user: String,
    pub(super) subscriptions: (usize, usize),
    /// Commands queued in a transaction; -1 outside of one.
    pub(super) multi: i64,
    pub(super) three: bool,
    pub(super) monitor: bool,
    /// Somebody ended it.
    pub(super) killed: bool,
}

/// Something that other connections are to be told.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// A command, as `MONITOR` shows it.
    Command(String),
    /// A message on a channel.
    Message(Vec<u8>, Vec<u8>),
}

/// What is counted since the process started.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: u64,
    pub(super) commands: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) expired: u64,
    pub(super) reads: u64,
    /// Calls, rejected and failed calls by command.
    pub(super) by_command: BTreeMap<String, [u64; 3]>,
    pub(super) errors: BTreeMap<String, u64>,
}

/// The server of one machine.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) persona: Persona,
    pub(super) keys: Keyspace,
    pub(super) kept: Saved,
    pub(super) users: Users,
    pub(super) clients: BTreeMap<u64, Client>,
    pub(super) counts: Counts,
    /// Who listens to which channel; true for a pattern.
    pub(super) heard: BTreeMap<(u64, Vec<u8>), bool>,
    told: VecDeque<(u64, Told)>,
    next_told: u64,
    changes: u64,
}

/// What outlives the process beside keys and users.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Whether the first keys were laid.
    pub(super) laid: bool,
    /// Settings that differ from the configuration file.
    pub(super) config: BTreeMap<String, String>,
    /// Master it was told to follow.
    pub(super) master: Option<(String, u16)>,
    /// Seconds since the epoch.
    pub(super) last_save: i64,
    pub(super) saves: u64,
    /// The keyspace's changes at the last save.
    pub(super) saved_changes: u64,
    pub(super) next_client: u64,
}

#[derive(Deserialize)]
struct Snapshot {
    v: u16,
    keys: Keyspace,
    kept: Saved,
    users: Users,
}

#[derive(Serialize)]
struct SnapshotRef<'a> {
    v: u16,
    keys: &'a Keyspace,
    kept: &'a Saved,
    users: &'a Users,
}

/// Version of the saved form.
const SNAPSHOT: u16 = 1;

impl Kept for Server {
    const SLOT: &'static str = "redis";

    fn fresh(machine: &Machine) -> Self {
        let persona = Persona::of(machine);
        let choices = Choices::new(&machine.decky().secret);
        let seed = u64::from_le_bytes(choices.bytes::<8>("redis.hash"));
        let kept = Saved {
            laid: false,
            config: BTreeMap::new(),
            master: None,
            last_save: 0,
            saves: 0,
            saved_changes: 0,
            next_client: 0,
        };
        let users = Users::of(&persona);
        Self::with(persona, Keyspace::new(seed), kept, users)
    }

    fn restore(machine: &Machine, saved: &[u8]) -> Option<Self> {
        let Snapshot { v, keys, kept, users } = rmp_serde::from_slice(saved).ok()?;
        let sound = v == SNAPSHOT && keys.is_sound();
        sound.then(|| Self::with(Persona::of(machine), keys, kept, users))
    }

    fn save(&self) -> Vec<u8> {
        let snapshot =
            SnapshotRef { v: SNAPSHOT, keys: &self.keys, kept: &self.kept, users: &self.users };
        // Plain data always encodes; an empty snapshot restores to a fresh server.
        rmp_serde::to_vec(&snapshot).unwrap_or_default()
    }

    fn revision(&self) -> u64 {
        self.changes + self.keys.changes()
    }
}

impl Server {
    fn with(persona: Persona, keys: Keyspace, kept: Saved, users: Users) -> Self {
        Self {
            persona,
            keys,
            kept,
            users,
            clients: BTreeMap::new(),
            counts: Counts::default(),
            heard: BTreeMap::new(),
            told: VecDeque::new(),
            next_told: 0,
            changes: 0,
        }
    }

    /// Brings the server to `now`: its process, its first keys, what has expired.
    pub(super) fn wake(&mut self, machine: &Machine, now: Timestamp) {
        self.persona.find_process(machine, now);
        if !self.kept.laid {
            self.kept.laid = true;
            bait::lay(self, machine, now);
            let ago = i64::try_from(self.persona.save_age).unwrap_or(0);
            self.kept.last_save = (now.seconds() - ago).max(self.persona.started);
            self.kept.saved_changes = self.keys.changes();
        }
        self.counts.expired += self.keys.expire(now.micros() / 1000);
    }

    /// Notes that something changed that is saved.
    pub(super) const fn changed(&mut self) {
        self.changes += 1;
    }

    /// The value of setting `name` now.
    pub(super) fn setting(&self, name: &str) -> String {
        let changed = self.kept.config.get(name).cloned();
        changed.unwrap_or_else(|| self.persona.setting(name))
    }

    /// Changes a setting.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if self.kept.config.len() < MAX_CHANGED || self.kept.config.contains_key(name) {
            self.kept.config.insert(name.to_owned(), value.to_owned());
            self.changed();
        }
    }

    /// Whether clients must log in.
    pub(super) fn is_closed(&self) -> bool {
        self.users.needs_login()
    }

    /// Lets a client in and numbers it.
    pub(super) fn connect(&mut self, address: String, local: String, now: Timestamp) -> u64 {
        self.counts.connections += 1;
        let id = self.persona.connections(now).max(self.kept.next_client) + 1;
        self.kept.next_client = id;
        self.changed();
        let client = Client {
            id,
            address,
            local,
            name: String::new(),
            since: now.seconds(),
            last: now.seconds(),
            db: 0,
            command: "NULL".to_owned(),
            user: if self.is_closed() { "(superuser)" } else { "default" }.to_owned(),
            subscriptions: (0, 0),
            multi: -1,
            three: false,
            monitor: false,
            killed: false,
        };
        if self.clients.len() < MAX_CLIENTS {
            self.clients.insert(id, client);
        }
        id
    }

    /// Tells the other connections.
    pub(super) fn tell(&mut self, told: Told) {
        let short = match &told {
            Told::Command(line) => line.len() <= MAX_LINE,
            Told::Message(channel, message) => channel.len() + message.len() <= MAX_LINE,
        };
        if short {
            self.told.push_back((self.next_told, told));
            self.next_told += 1;
        }
        while self.told.len() > MAX_TOLD {
            self.told.pop_front();
        }
    }

    /// What was told since `from`, and where to go on.
    pub(super) fn told_since(&self, from: u64) -> (Vec<Told>, u64) {
        let new = self.told.iter().filter(|(at, _)| *at >= from).map(|(_, told)| told.clone());
        (new.collect(), self.next_told)
    }

    /// Whether anybody watches all commands.
    pub(super) fn is_monitored(&self) -> bool {
        self.clients.values().any(|client| client.monitor)
    }

    /// Notes that a snapshot was written.
    pub(super) fn saved(&mut self, now: Timestamp) {
        self.kept.last_save = now.seconds();
        self.kept.saves += 1;
        self.kept.saved_changes = self.keys.changes();
        self.changed();
    }
}
