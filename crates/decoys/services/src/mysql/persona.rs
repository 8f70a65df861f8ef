//! Which server it is: MariaDB on Debian, MySQL 8 on Ubuntu; its users and variables.
//!
//! `root` has the password it has on the machine; on one of four deckies none, as so many that are
//! scanned for. The decky's accounts are users with their passwords, and so is the user of the
//! machine's application, whose password stands in its `.env`.

use std::sync::LazyLock;

use base_model::{Decky, Timestamp};
use decoys_host::Machine;
use decoys_kit::Choices;

use super::auth::{Stored, hex, stored};

type Pairs = Vec<(&'static str, &'static str)>;

fn pairs(text: &'static str) -> Pairs {
    text.lines().filter_map(|line| line.split_once('|')).collect()
}

static MARIA: LazyLock<Pairs> = LazyLock::new(|| pairs(include_str!("data/variables.txt")));
static MYSQL: LazyLock<Pairs> = LazyLock::new(|| pairs(include_str!("data/variables8.txt")));
static STATUS: LazyLock<Pairs> = LazyLock::new(|| pairs(include_str!("data/status.txt")));

/// A user and what proves it; none lets in without a password.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) host: &'static str,
    pub(super) stored: Option<Stored>,
    /// May do everything.
    pub(super) admin: bool,
}

/// One decky's server.
#[derive(Debug)]
pub(super) struct Persona {
    /// As `version()` gives it.
    pub(super) version: String,
    pub(super) maria: bool,
    /// Whether it speaks TLS: MySQL makes itself a certificate at its first start, Debian's MariaDB
    /// has none until its administrator gives it one.
    pub(super) tls: bool,
    /// What its distribution had it say of itself.
    built_by: &'static str,
    pub(super) users: Vec<User>,
    /// Database of the machine's application.
    pub(super) database: String,
    pub(super) hostname: String,
    pub(super) pid: u32,
    /// Seconds since the epoch when the process started.
    pub(super) started: i64,
    uuid: String,
    seconds_per_connection: u64,
    first_connection: u64,
    queries_per_hundred_seconds: u64,
}

impl Persona {
    /// The server of `machine`.
    pub(super) fn of(machine: &Machine) -> Self {
        let decky = machine.decky();
        let facts = machine.facts();
        let choices = Choices::new(&decky.secret);
        let given = setting(decky, &["version", "mysql_version", "mysql_banner"]);
        let version = given.unwrap_or_else(|| facts.release.mysql.clone());
        let version = version.trim_start_matches("5.5.5-").to_owned();
        let value = |name: &str| facts.values.get(name).cloned().unwrap_or_default();
        let mut uuid = hex(&choices.bytes::<16>("mysql.uuid"));
        for at in [20, 16, 12, 8] {
            uuid.insert(at, '-');
        }
        Self {
            maria: version.contains("MariaDB"),
            tls: !version.contains("MariaDB") && !version.starts_with("5.5"),
            built_by: facts.distro.package("mysql_comment"),
            users: users(decky, &choices, &value("db_user"), &value("db_pass")),
            database: value("db_name"),
            hostname: facts.hostname.clone(),
            pid: 0,
            started: facts.boot_time + 9,
            uuid,
            seconds_per_connection: choices.range("mysql.rate.connections", 7, 90),
            first_connection: choices.range("mysql.first.connection", 17, 64_000),
            queries_per_hundred_seconds: choices.range("mysql.rate.queries", 40, 2600),
            version,
        }
    }

    /// Takes number and start of the process from the machine's own table.
    pub(super) fn find_process(&mut self, machine: &Machine, now: Timestamp) {
        if self.pid != 0 {
            return;
        }
        let choices = Choices::new(&machine.decky().secret);
        self.pid = u32::try_from(choices.range("mysql.pid", 420, 1300)).unwrap_or(700);
        let named = |command: &str| command.contains("mariadbd") || command.contains("mysqld");
        let table = machine.processes(now);
        if let Some(process) = table.iter().find(|process| named(&process.command)) {
            self.pid = process.pid;
            self.started = process.started;
        }
    }

    /// As the server greets.
    pub(super) fn greeting(&self) -> String {
        // What MariaDB says since 10, so that old replicas take it.
        let ten = self.maria && self.numbers().0 >= 10;
        if ten { format!("5.5.5-{}", self.version) } else { self.version.clone() }
    }

    /// Parts of the version.
    pub(super) fn numbers(&self) -> (u32, u32, u32) {
        let mut parts = self.version.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    /// Number of the server's collation.
    pub(super) const fn charset(&self) -> u8 {
        if self.maria { 45 } else { 255 }
    }

    pub(super) fn comment(&self) -> String {
        match self.built_by {
            "" if self.maria => "MariaDB Server".to_owned(),
            "" => "MySQL Community Server - GPL".to_owned(),
            text => text.to_owned(),
        }
    }

    /// Where dumped files may go; none means anywhere.
    pub(super) const fn file_folder(&self) -> Option<&'static str> {
        if self.maria { None } else { Some("/var/lib/mysql-files/") }
    }

    pub(super) fn uptime(&self, now: Timestamp) -> u64 {
        u64::try_from(now.seconds() - self.started).unwrap_or(0)
    }

    /// Connections that the decky's own application has made.
    pub(super) fn connections(&self, now: Timestamp) -> u64 {
        self.first_connection + self.uptime(now) / self.seconds_per_connection.max(1)
    }

    /// Statements that it has sent.
    pub(super) fn queries(&self, now: Timestamp) -> u64 {
        self.uptime(now).saturating_mul(self.queries_per_hundred_seconds) / 100
    }

    /// All system variables with their values.
    pub(super) fn variables(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let table = if self.maria { &*MARIA } else { &*MYSQL };
        let value = |name: &str, fixed: &str| match name {
            "version" | "innodb_version" if !self.maria => {
                self.version.split('-').next().unwrap_or_default().to_owned()
                    + if name == "version" {
                        self.version
                            .get(self.version.find('-').unwrap_or(self.version.len())..)
                            .unwrap_or_default()
                    } else {
                        ""
                    }
            }
            "version" => self.version.clone(),
            "innodb_version" => self.version.split('-').next().unwrap_or_default().to_owned(),
            "hostname" => self.hostname.clone(),
            "timestamp" => format!("{}.{:06}", now.seconds(), now.micros().rem_euclid(1_000_000)),
            "server_uuid" | "server_uid" => self.uuid.clone(),
            "general_log_file" => format!("/var/lib/mysql/{}.log", self.hostname),
            "slow_query_log_file" => format!("/var/lib/mysql/{}-slow.log", self.hostname),
            "version_comment" => self.comment(),
            "have_ssl" | "have_openssl" if self.tls => "YES".to_owned(),
            "ssl_ca" if self.tls => "ca.pem".to_owned(),
            "ssl_cert" if self.tls => "server-cert.pem".to_owned(),
            "ssl_key" if self.tls => "server-key.pem".to_owned(),
            _ => fixed.to_owned(),
        };
        table.iter().map(|(name, fixed)| (*name, value(name, fixed))).collect()
    }

    /// Status counters that are not counted here.
    pub(super) fn status() -> &'static [(&'static str, &'static str)] {
        &STATUS
    }
}

/// The operator's value of the first of `keys` that has one.
pub(super) fn setting(decky: &Decky, keys: &[&str]) -> Option<String> {
    let service = decky.service("mysql")?;
    let text = |key: &&str| service.settings.get(*key)?.as_str().filter(|t| !t.is_empty());
    keys.iter().find_map(text).map(str::to_owned)
}

fn users(decky: &Decky, choices: &Choices<'_>, app: &str, app_password: &str) -> Vec<User> {
    let mut out: Vec<User> = Vec::new();
    let mut add = |name: &str, password: Option<&str>, admin: bool| {
        if out.iter().all(|user| user.name != name) && !name.is_empty() {
            let stored = password.map(|password| stored(password.as_bytes()));
            out.push(User { name: name.to_owned(), host: "%", stored, admin });
        }
    };
    for pair in setting(decky, &["users"]).unwrap_or_default().split(',').take(64) {
        if let Some((user, password)) = pair.trim().split_once(':') {
            add(user, Some(password).filter(|p| !p.is_empty()), user == "root");
        }
    }
    let root = decky.accounts.iter().find(|account| account.username == "root");
    let open = choices.range("mysql.open", 0, 3) == 0;
    match (setting(decky, &["root_password"]).as_deref(), root) {
        (Some("none"), _) => add("root", None, true),
        (Some(password), _) => add("root", Some(password), true),
        (None, _) if open => add("root", None, true),
        (None, Some(root)) => add("root", Some(&root.password), true),
        (None, None) => {}
    }
    add(app, Some(app_password), false);
    for account in decky.accounts.iter().take(64) {
        add(&account.username, Some(&account.password), false);
    }
    out
}
