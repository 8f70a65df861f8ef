//! What is told once everything answers: a box for people, a file for programs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use operate_fleet::Entry;
use serde::Serialize;

use super::admin::FirstLogin;

/// Deckies listed in the box.
const SHOWN: usize = 10;

/// The content of the ready file.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    api: String,
    user: String,
    /// Null once it was changed.
    password: Option<String>,
    deckies: Vec<DeckyReport>,
}

#[derive(Debug, Serialize)]
struct DeckyReport {
    name: String,
    state: &'static str,
    /// What does not run, and why.
    error: Option<String>,
    ip: String,
    /// Of its network card, and who made it.
    mac: Option<String>,
    mac_vendor: Option<String>,
    archetype: String,
    os: String,
    logins: Vec<Login>,
    services: Vec<ServiceReport>,
}

#[derive(Debug, Serialize)]
struct Login {
    username: String,
    password: String,
}

#[derive(Debug, Serialize)]
struct ServiceReport {
    name: String,
    transport: &'static str,
    address: String,
    port: u16,
}

impl Report {
    pub(crate) fn new(api: SocketAddr, login: &FirstLogin, entries: &[Entry]) -> Self {
        Self {
            api: format!("http://{api}"),
            user: login.user.clone(),
            password: login.password.clone(),
            deckies: entries.iter().map(DeckyReport::new).collect(),
        }
    }

    /// Prints the box.
    #[expect(clippy::print_stdout, reason = "this is what the command is for")]
    pub(crate) fn show(&self) {
        let lines = self.lines();
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let bar = "─".repeat(width + 2);
        println!("╭{bar}╮");
        for line in lines {
            println!("│ {line}{} │", " ".repeat(width - line.chars().count()));
        }
        println!("╰{bar}╯");
    }

    fn lines(&self) -> Vec<String> {
        let mut lines =
            vec![format!("DECNET is up: {} deckies", self.deckies.len()), String::new()];
        lines.push(format!("API       {}", self.api));
        lines.push(match &self.password {
            Some(password) => {
                format!("login     {} / {password}   (to be changed at first login)", self.user)
            }
            None => format!("login     {} (with the password you chose)", self.user),
        });
        lines.push(String::new());
        for decky in self.deckies.iter().take(SHOWN) {
            let ports: Vec<_> = decky
                .services
                .iter()
                .map(|service| format!("{} {}", service.name, service.port))
                .collect();
            lines.push(format!("{:<10}{:<14}{}", decky.name, decky.ip, ports.join(", ")));
        }
        if self.deckies.len() > SHOWN {
            lines.push(format!("… and {} more", self.deckies.len() - SHOWN));
        }
        for decky in &self.deckies {
            if let Some(error) = &decky.error {
                lines.push(format!("! {} is {}: {error}", decky.name, decky.state));
            }
        }
        lines.push(String::new());
        lines.push("Try it as an attacker:".into());
        for decky in self.deckies.iter().take(1) {
            for service in &decky.services {
                lines.extend(attack(decky, service).map(|line| format!("  {line}")));
            }
        }
        lines.push(String::new());
        lines.push("Then look at what was caught:".into());
        lines.push(format!("  curl {}/api/v1/health   (after login; see the README)", self.api));
        lines.push("Ctrl-C ends it; everything is kept in the state folder.".into());
        lines
    }
}

fn attack(decky: &DeckyReport, service: &ServiceReport) -> Option<String> {
    let (address, port) = (&service.address, service.port);
    match service.name.as_str() {
        "ssh" => {
            let login = decky.logins.first()?;
            Some(format!(
                "ssh -p {port} {}@{address}        (password: {})",
                login.username, login.password
            ))
        }
        "http" => Some(format!("curl -u admin:secret http://{address}:{port}/admin")),
        "https" => Some(format!("curl -k -u admin:secret https://{address}:{port}/admin")),
        _ => None,
    }
}

impl DeckyReport {
    fn new(entry: &Entry) -> Self {
        let decky = &entry.decky;
        let logins = decky
            .accounts
            .iter()
            .map(|account| Login {
                username: account.username.clone(),
                password: account.password.clone(),
            })
            .collect();
        let services = decky
            .services
            .iter()
            .flat_map(|service| service.ports.iter().map(move |port| (service, port)))
            .map(|(service, port)| ServiceReport {
                name: service.name.clone(),
                transport: service.transport.name(),
                address: decky.ip.to_string(),
                port: port.reached_at,
            })
            .collect();
        Self {
            name: decky.name.clone(),
            state: entry.state.name(),
            error: entry.last_error.clone(),
            ip: decky.ip.to_string(),
            mac: decky.mac.map(|mac| mac.to_string()),
            mac_vendor: decky.mac_vendor.clone(),
            archetype: decky.archetype.clone(),
            os: decky.os.clone(),
            logins,
            services,
        }
    }
}

/// The ready file; removed when dropped.
pub(crate) struct File(PathBuf);

impl File {
    /// Writes `report` to `path`: whole or not at all, readable by this user only.
    pub(crate) fn write(path: &Path, report: &Report) -> anyhow::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let write = || {
            // A leftover may have another mode.
            match fs::remove_file(&part) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file =
                OpenOptions::new().create_new(true).write(true).mode(0o600).open(&part)?;
            file.write_all(serde_json::to_string_pretty(report)?.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&part, path)
        };
        write().with_context(|| format!("failed to write the ready file `{}`", path.display()))?;
        Ok(Self(path.to_path_buf()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, "failed to remove the ready file");
        }
    }
}
