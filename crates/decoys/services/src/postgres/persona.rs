//! Which server it is: its release, roles, databases and settings.
//!
//! `postgres` has the password of the machine's root. The decky's accounts are roles with their
//! passwords, and so is the role of the machine's application, whose password stands in its `.env`.

use std::sync::LazyLock;

use base_model::{Decky, Timestamp};
use decoys_host::Machine;
use decoys_host::persona::fill;
use decoys_kit::Choices;

/// Sets of databases that installations have.
const SETS: &[&[&str]] = &[
    &["app", "app_prod"],
    &["webapp", "sessions"],
    &["erp", "erp_hist"],
    &["django", "django_cache"],
    &["rails_production"],
    &["wordpress"],
    &["gitlabhq_production"],
    &["metrics", "grafana"],
];

type Setting = [&'static str; 5];

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.splitn(5, '|');
        Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?])
    };
    include_str!("data/settings.txt").lines().filter_map(line).collect()
});

/// How a password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Scram,
    Md5,
    Clear,
}

/// A role that logs in.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) admin: bool,
}

/// One decky's server.
#[derive(Debug)]
pub(super) struct Persona {
    /// As `server_version` shows it, with the package.
    pub(super) version: String,
    pub(super) roles: Vec<Role>,
    pub(super) databases: Vec<String>,
    pub(super) method: Method,
    pub(super) pid: u32,
    /// Seconds since the epoch when the process started.
    pub(super) started: i64,
    /// Whether it speaks TLS: Debian's and Ubuntu's packages switch it on with the certificate that
    /// `ssl-cert` made; others leave it off.
    pub(super) tls: bool,
    /// What built it: compiler and machine.
    built: (&'static str, &'static str),
    /// Directories of data and configuration.
    directories: [String; 2],
    /// Name of the cluster; empty where the distribution gives none.
    cluster: String,
    first_pid: u64,
    seconds_per_process: u64,
}

impl Persona {
    /// The server of `machine`.
    pub(super) fn of(machine: &Machine) -> Self {
        let decky = machine.decky();
        let facts = machine.facts();
        let choices = Choices::new(&decky.secret);
        let given = setting(decky, &["version", "pg_version"]);
        let version = given.unwrap_or_else(|| facts.release.postgres.clone());
        let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(15);
        let method = match setting(decky, &["auth_method"]).as_deref() {
            Some("md5") => Method::Md5,
            Some("password") => Method::Clear,
            Some("scram-sha-256") => Method::Scram,
            _ if major >= 14 => Method::Scram,
            _ => Method::Md5,
        };
        let value = |name: &str| facts.values.get(name).cloned().unwrap_or_default();
        let databases = choices.pick("postgres.databases", SETS).copied().unwrap_or(&["app"]);
        Self {
            roles: roles(decky, &value("db_user"), &value("db_pass")),
            databases: databases.iter().map(|name| (*name).to_owned()).collect(),
            method,
            pid: 0,
            started: facts.boot_time + 9,
            tls: facts.distro.family == "debian",
            built: (&facts.distro.compiler, &facts.distro.bash_machine),
            directories: [&facts.distro.postgres().data, &facts.distro.postgres().config]
                .map(|text| fill(text, &facts.values)),
            cluster: fill(&facts.distro.postgres().title, &facts.values)
                .trim_end_matches(": ")
                .to_owned(),
            first_pid: choices.range("postgres.first.pid", 2_000, 60_000),
            seconds_per_process: choices.range("postgres.rate.processes", 2, 20),
            version,
        }
    }

    /// Takes number and start of the process from the machine's own table.
    pub(super) fn find_process(&mut self, machine: &Machine, now: Timestamp) {
        if self.pid != 0 {
            return;
        }
        let choices = Choices::new(&machine.decky().secret);
        self.pid = u32::try_from(choices.range("postgres.pid", 420, 1300)).unwrap_or(700);
        let table = machine.processes(now);
        // Its workers have other titles.
        if let Some(process) =
            table.iter().find(|p| p.user == "postgres" && p.command.contains(" -D "))
        {
            self.pid = process.pid;
            self.started = process.started;
        }
    }

    pub(super) fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|number| number.parse().ok()).unwrap_or(15)
    }

    fn minor(&self) -> u32 {
        let digits = self.version.split(['.', ' ']).nth(1);
        digits.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// What `version()` says.
    pub(super) fn banner(&self) -> String {
        let (compiler, machine) = self.built;
        format!("PostgreSQL {} on {machine}, compiled by {compiler}, 64-bit", self.version)
    }

    /// The process of the next connection: the machine's own work takes numbers too.
    pub(super) fn next_pid(&self, now: Timestamp) -> u64 {
        let up = u64::try_from(now.seconds() - self.started).unwrap_or(0);
        self.first_pid + up / self.seconds_per_process.max(1) % 3_000_000
    }

    /// All settings: name, value, unit, context, type.
    pub(super) fn settings(&self) -> Vec<(&'static str, String, [&'static str; 3])> {
        let [data, config] = &self.directories;
        let value = |name: &str, fixed: &str| match name {
            "server_version" => self.version.clone(),
            "server_version_num" => (self.major() * 10_000 + self.minor()).to_string(),
            "cluster_name" => self.cluster.clone(),
            "config_file" => format!("{config}/postgresql.conf"),
            "hba_file" => format!("{config}/pg_hba.conf"),
            "ident_file" => format!("{config}/pg_ident.conf"),
            "data_directory" => data.clone(),
            "external_pid_file" if self.cluster.is_empty() => String::new(),
            "external_pid_file" => format!("/var/run/postgresql/{}-main.pid", self.major()),
            "log_timezone" => "Etc/UTC".to_owned(),
            "TimeZone" => "Etc/UTC".to_owned(),
            "port" => "5432".to_owned(),
            "application_name" => String::new(),
            "ssl" if self.tls => "on".to_owned(),
            "ssl_cert_file" if self.tls => "/etc/ssl/certs/ssl-cert-snakeoil.pem".to_owned(),
            "ssl_key_file" if self.tls => "/etc/ssl/private/ssl-cert-snakeoil.key".to_owned(),
            name if name.starts_with("lc_") => "en_US.UTF-8".to_owned(),
            _ => fixed.to_owned(),
        };
        SETTINGS
            .iter()
            .map(|[name, fixed, unit, context, kind]| {
                (*name, value(name, fixed), [*unit, *context, *kind])
            })
            .collect()
    }

    /// The value of one setting.
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        self.settings()
            .into_iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(name))
            .map(|(_, value, _)| value)
    }
}

/// The operator's value of the first of `keys` that has one.
fn setting(decky: &Decky, keys: &[&str]) -> Option<String> {
    let service = decky.service("postgres")?;
    let text = |key: &&str| service.settings.get(*key)?.as_str().filter(|t| !t.is_empty());
    keys.iter().find_map(text).map(str::to_owned)
}

fn roles(decky: &Decky, app: &str, app_password: &str) -> Vec<Role> {
    let mut out: Vec<Role> = Vec::new();
    let mut add = |name: &str, password: &str, admin: bool| {
        if out.iter().all(|role| role.name != name) && !name.is_empty() && !password.is_empty() {
            out.push(Role { name: name.to_owned(), password: password.to_owned(), admin });
        }
    };
    for pair in setting(decky, &["users"]).unwrap_or_default().split(',').take(64) {
        if let Some((user, password)) = pair.trim().split_once(':') {
            add(user, password, user == "postgres");
        }
    }
    let root = decky.accounts.iter().find(|account| account.username == "root");
    match (setting(decky, &["postgres_password"]), root) {
        (Some(password), _) => add("postgres", &password, true),
        (None, Some(root)) => add("postgres", &root.password, true),
        (None, None) => {}
    }
    add(app, app_password, false);
    for account in decky.accounts.iter().take(64) {
        if account.username != "root" {
            add(&account.username, &account.password, false);
        }
    }
    out
}
