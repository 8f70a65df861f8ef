//! Which server it is: version, process, configuration, and how busy it has been.
//!
//! Two of three deckies have no password, as so many servers that are reachable. Where there is
//! one, it is the bait password of `redis.conf`; the decky's own accounts are users of the server
//! too, with their passwords, and any of those passwords alone opens the default user: administrators
//! use one password again.

use std::sync::LazyLock;

use base_model::{Decky, Timestamp};
use decoys_host::Machine;
use decoys_kit::Choices;
use rand_core::Rng as _;

/// A setting of the configuration.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) seven: bool,
    /// `bool`, `int`, `memory`, `enum`, `text` or `immutable`.
    pub(super) kind: &'static str,
    /// What an `enum` may be.
    pub(super) allowed: &'static str,
    pub(super) value: &'static str,
}

/// All settings with their values on a server that listens to everybody.
pub(super) static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.splitn(5, '|');
        Some(Setting {
            name: parts.next()?,
            seven: parts.next()? == "7",
            kind: parts.next()?,
            allowed: parts.next()?,
            value: parts.next()?,
        })
    };
    include_str!("data/config.txt").lines().filter_map(line).collect()
});

/// One decky's server.
#[derive(Debug)]
pub(super) struct Persona {
    pub(super) version: String,
    pub(super) seven: bool,
    pub(super) os: String,
    pub(super) gcc: &'static str,
    pub(super) allocator: &'static str,
    pub(super) build: &'static str,
    pub(super) run_id: String,
    pub(super) replication_id: String,
    pub(super) password: Option<String>,
    /// Further users with their passwords.
    pub(super) users: Vec<(String, String)>,
    pub(super) pid: u32,
    /// Seconds since the epoch when the process started.
    pub(super) started: i64,
    pub(super) resident: u64,
    pub(super) memory_kb: u64,
    /// Clients of the decky's own application: number and port.
    pub(super) own: Vec<(u64, u16)>,
    /// Seconds since the last save when somebody looks first.
    pub(super) save_age: u64,
    seconds_per_connection: u64,
    commands_per_hundred_seconds: u64,
}

impl Persona {
    /// The server of `machine`.
    pub(super) fn of(machine: &Machine) -> Self {
        let decky = machine.decky();
        let facts = machine.facts();
        let choices = Choices::new(&decky.secret);
        let version = setting(decky, &["version", "redis_version"])
            .unwrap_or_else(|| facts.release.redis.clone());
        let seven = major(&version) >= 7;
        let boot = facts.boot_time;
        let own = choices.range("redis.own", 1, 3);
        // The machine's `redis.conf` tells of the same one.
        let password = facts.values.get("redis_password").filter(|p| !p.is_empty()).cloned();
        Self {
            os: setting(decky, &["os_string"])
                .unwrap_or_else(|| format!("Linux {} x86_64", facts.release.kernel)),
            gcc: if seven { "12.2.0" } else { "11.2.0" },
            allocator: if seven { "jemalloc-5.3.0" } else { "jemalloc-5.2.1" },
            build: if seven { "ae4d7c971a948f0" } else { "a3fdef44459b3ad6" },
            run_id: hex(&choices.bytes::<20>(&format!("redis.run.{boot}"))),
            replication_id: hex(&choices.bytes::<20>(&format!("redis.replication.{boot}"))),
            users: users(decky, password.is_some()),
            password,
            pid: 0,
            started: boot + 9,
            resident: 0,
            memory_kb: facts.memory_kb,
            own: (0..own)
                .map(|at| {
                    let port = choices.range(&format!("redis.own.port.{at}"), 32_800, 60_900);
                    (3 + at * 2, u16::try_from(port).unwrap_or(40_000))
                })
                .collect(),
            save_age: choices.range("redis.save.age", 40, 3300),
            seconds_per_connection: choices.range("redis.rate.connections", 30, 600),
            commands_per_hundred_seconds: choices.range("redis.rate.commands", 30, 900),
            version,
            seven,
        }
    }

    /// Takes number and start of the process from the machine's own table.
    pub(super) fn find_process(&mut self, machine: &Machine, now: Timestamp) {
        if self.pid != 0 {
            return;
        }
        let choices = Choices::new(&machine.decky().secret);
        self.pid = u32::try_from(choices.range("redis.pid", 420, 1300)).unwrap_or(700);
        self.resident = choices.range("redis.resident", 6_800, 13_000) * 1024;
        let table = machine.processes(now);
        if let Some(process) = table.iter().find(|process| process.command.contains("redis-server"))
        {
            self.pid = process.pid;
            self.started = process.started;
            self.resident = process.rss * 1024;
        }
    }

    /// Whether `setting` is one of this version.
    pub(super) const fn has(&self, setting: &Setting) -> bool {
        self.seven || !setting.seven
    }

    /// The value of setting `name` in the configuration file.
    pub(super) fn setting(&self, name: &str) -> String {
        if name == "requirepass" {
            return self.password.clone().unwrap_or_default();
        }
        let known = SETTINGS.iter().find(|setting| setting.name == name);
        known.map_or_else(String::new, |setting| setting.value.to_owned())
    }

    /// Seconds that the process has run.
    pub(super) fn uptime(&self, now: Timestamp) -> u64 {
        u64::try_from(now.seconds() - self.started).unwrap_or(0)
    }

    /// Connections that the decky's own application has made.
    pub(super) fn connections(&self, now: Timestamp) -> u64 {
        8 + self.uptime(now) / self.seconds_per_connection.max(1)
    }

    /// Commands that it has sent.
    pub(super) fn commands(&self, now: Timestamp) -> u64 {
        self.uptime(now).saturating_mul(self.commands_per_hundred_seconds) / 100
    }

    /// Commands that it sends each second.
    pub(super) const fn rate(&self) -> u64 {
        self.commands_per_hundred_seconds / 100
    }
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(7)
}

/// The operator's value of the first of `keys` that has one.
fn setting(decky: &Decky, keys: &[&str]) -> Option<String> {
    let service = decky.service("redis")?;
    let text = |key: &&str| service.settings.get(*key)?.as_str().filter(|t| !t.is_empty());
    keys.iter().find_map(text).map(str::to_owned)
}

/// Users beside the default one: the operator's, and with a password the decky's accounts.
fn users(decky: &Decky, closed: bool) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for pair in setting(decky, &["users"]).unwrap_or_default().split(',').take(64) {
        if let Some((user, password)) = pair.trim().split_once(':') {
            out.push((user.to_owned(), password.to_owned()));
        }
    }
    if closed {
        for account in decky.accounts.iter().take(64) {
            if out.iter().all(|(name, _)| *name != account.username) {
                out.push((account.username.clone(), account.password.clone()));
            }
        }
    }
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters and digits drawn for `label`.
pub(super) fn token(choices: &Choices<'_>, label: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    let mut stream = choices.stream(label);
    (0..length)
        .filter_map(|_| {
            let at = usize::try_from(stream.next_u32()).unwrap_or(0) % ALPHABET.len();
            ALPHABET.get(at).copied().map(char::from)
        })
        .collect()
}
