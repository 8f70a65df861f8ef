//! What the network tools tell of: the card, the neighbours, what listens, who is connected.

use std::net::IpAddr;

use base_model::Transport;

use crate::shell::Entry;
use crate::shell::proc::Proc;

/// A listening socket or a connection.
pub(super) struct Socket {
    pub(super) udp: bool,
    pub(super) local: String,
    pub(super) local_port: u16,
    /// Address and port of the other side; none while listening.
    pub(super) peer: Option<(String, u16)>,
    pub(super) program: String,
    pub(super) pid: u32,
}

/// The card as the tools show it.
pub(super) struct Card {
    pub(super) name: &'static str,
    pub(super) ip: String,
    pub(super) mac: String,
    /// The first three bytes of the address with a dot behind each.
    pub(super) net: String,
    pub(super) link_local: String,
    /// Bytes received and sent since the start.
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Card {
    pub(super) fn of(proc: &Proc) -> Self {
        let now = proc.io.now();
        proc.host.with(|machine| {
            let facts = machine.facts();
            let [a, b, c, d, e, f] = facts.mac;
            let ip = machine.decky().ip.to_string();
            let net = ip
                .rsplit_once('.')
                .map_or_else(|| "10.0.0.".to_owned(), |(net, _)| format!("{net}."));
            let up = u64::try_from(now.seconds() - facts.boot_time).unwrap_or(1);
            // Traffic grows with the uptime at a pace of the decky's own.
            let pace = 180 + u64::from(e) * 5;
            Self {
                name: if facts.disk == "vda" { "eth0" } else { "ens33" },
                mac: format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"),
                link_local: format!(
                    "fe80::{:x}:{:x}ff:fe{:02x}:{:x}",
                    u16::from(a ^ 2) << 8 | u16::from(b),
                    c,
                    d,
                    u16::from(e) << 8 | u16::from(f)
                ),
                ip,
                net,
                received: up * pace,
                sent: up * (pace / 3 + u64::from(f)),
            }
        })
    }

    pub(super) fn gateway(&self) -> String {
        format!("{}1", self.net)
    }

    pub(super) fn broadcast(&self) -> String {
        format!("{}255", self.net)
    }

    pub(super) fn network(&self) -> String {
        format!("{}0", self.net)
    }
}

/// Hardware address of the neighbour `ip`, which has no card of its own here.
pub(super) fn neighbour_mac(proc: &Proc, ip: &str) -> String {
    let digest = proc.host.choices().bytes::<3>(&format!("net.neighbour.{ip}"));
    let [a, b, c] = digest;
    let base = proc.host.with(|machine| machine.facts().mac);
    let [x, y, z, ..] = base;
    format!("{x:02x}:{y:02x}:{z:02x}:{a:02x}:{b:02x}:{c:02x}")
}

/// Everything open, listening ones first.
pub(super) fn sockets(proc: &Proc) -> Vec<Socket> {
    let now = proc.io.now();
    proc.host.with(|machine| {
        let table = machine.processes(now);
        let family = machine.facts().distro.family();
        let owner = |service: &str| {
            let other = family.listeners.get(service);
            let program = match service {
                "ssh" => "sshd",
                "http" | "https" => {
                    if table.iter().any(|p| p.name() == "nginx") {
                        "nginx"
                    } else {
                        family.listeners.get("apache").map_or("apache2", String::as_str)
                    }
                }
                "ftp" => match crate::persona::ftp_server(machine.decky()) {
                    crate::persona::FtpServer::Vsftpd => "vsftpd",
                    crate::persona::FtpServer::ProFtpd => "proftpd",
                    crate::persona::FtpServer::PureFtpd => "pure-ftpd",
                },
                _ if other.is_some() => other.map_or("", String::as_str),
                "mysql" => machine.facts().release.mysql_program(),
                "redis" => "redis-server",
                "smb" => "smbd",
                "smtp" => "master",
                "snmp" => "snmpd",
                "telnet" => "inetd",
                other => other,
            };
            let process = table.iter().find(|p| p.name() == program);
            (program.to_owned(), process.map_or(1, |p| p.pid))
        };
        let mut out = Vec::new();
        for service in &machine.decky().services {
            let (program, pid) = owner(&service.name);
            for port in &service.ports {
                // As their configuration binds them.
                let one = matches!(service.name.as_str(), "mysql" | "redis");
                let locals: &[&str] = if one { &["0.0.0.0"] } else { &["0.0.0.0", "::"] };
                for local in locals {
                    out.push(Socket {
                        udp: service.transport == Transport::Udp,
                        local: (*local).to_owned(),
                        local_port: port.number,
                        peer: None,
                        program: program.clone(),
                        pid,
                    });
                }
            }
        }
        out.sort_by_key(|socket| (socket.udp, socket.local.contains(':'), socket.local_port));
        let port = |service: &str, usual: u16| {
            let ports = machine.decky().service(service).map(|service| &service.ports);
            ports.and_then(|ports| ports.first()).map_or(usual, |port| port.number)
        };
        let here = machine.decky().ip.to_string();
        for session in machine.every_session() {
            let (local_port, program) = match session.entry {
                Entry::Ssh => (port("ssh", 22), format!("sshd: {}", session.user)),
                Entry::Telnet => (port("telnet", 23), "in.telnetd".to_owned()),
                Entry::Server => continue,
            };
            out.push(Socket {
                udp: false,
                local: here.clone(),
                local_port,
                peer: Some((session.from.clone(), session.port)),
                program,
                pid: session.pid.saturating_sub(2),
            });
        }
        out
    })
}

/// Whether `host` is this machine.
pub(super) fn is_here(proc: &Proc, host: &str) -> bool {
    let ip = host.parse::<IpAddr>().ok();
    let own = proc.host.with(|m| (m.decky().ip, m.facts().hostname.clone()));
    ip.is_some_and(|ip| ip.is_loopback() || ip == own.0) || host == "localhost" || host == own.1
}

/// Whether something listens on `port` of this machine.
pub(super) fn listens(proc: &Proc, port: u16) -> bool {
    sockets(proc).iter().any(|s| s.peer.is_none() && !s.udp && s.local_port == port)
}
