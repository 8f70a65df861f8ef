//! `systemctl` and `service`, over the daemons of the process table.

use crate::processes::Process;
use crate::shell::proc::{Outcome, Proc};

/// A unit: name, program, description.
const UNITS: &[(&str, &str, &str)] = &[
    ("apache2", "apache2", "The Apache HTTP Server"),
    ("cron", "cron", "Regular background program processing daemon"),
    ("dbus", "dbus-daemon", "D-Bus System Message Bus"),
    ("mariadb", "mariadbd", "MariaDB database server"),
    ("mysql", "mysqld", "MySQL Community Server"),
    ("nginx", "nginx", "A high performance web server and a reverse proxy server"),
    ("postfix", "master", "Postfix Mail Transport Agent"),
    ("postgresql", "postgres", "PostgreSQL RDBMS"),
    ("redis-server", "redis-server", "Advanced key-value store"),
    ("rsyslog", "rsyslogd", "System Logging Service"),
    ("smbd", "smbd", "Samba SMB Daemon"),
    ("snmpd", "snmpd", "Simple Network Management Protocol (SNMP) Daemon."),
    ("ssh", "sshd", "OpenBSD Secure Shell server"),
    ("systemd-journald", "systemd-journal", "Journal Service"),
    ("systemd-logind", "systemd-logind", "User Login Management"),
    ("systemd-timesyncd", "systemd-timesyn", "Network Time Synchronization"),
    ("systemd-udevd", "systemd-udevd", "Rule-based Manager for Device Events and Files"),
    ("vsftpd", "vsftpd", "vsftpd FTP server"),
];

/// A unit that is there, with its main process while it runs.
struct Unit {
    name: &'static str,
    description: &'static str,
    main: Option<Process>,
}

fn units(proc: &Proc) -> Vec<Unit> {
    let now = proc.io.now();
    let (table, all) = proc.host.with(|m| (m.processes(now), m.installed_daemons()));
    UNITS
        .iter()
        .filter(|(_, program, _)| all.iter().any(|known| known == program))
        .map(|(name, program, description)| Unit {
            name,
            description,
            main: table.iter().find(|p| p.name() == *program && p.tty == "?").cloned(),
        })
        .collect()
}

fn find<'u>(units: &'u [Unit], name: &str) -> Option<&'u Unit> {
    let name = name.strip_suffix(".service").unwrap_or(name);
    let name = if name == "sshd" { "ssh" } else { name };
    units.iter().find(|unit| unit.name == name)
}

/// `systemctl`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments: Vec<String> =
        proc.arguments().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let now_too = arguments.iter().any(|a| a == "--now");
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    let units = units(proc);
    let (verb, names) = words.split_first().map_or(("list-units", &[][..]), |(v, n)| (*v, n));
    match verb {
        "list-units" | "list-unit-files" => {
            let mut out =
                String::from("  UNIT                      LOAD   ACTIVE SUB     DESCRIPTION\n");
            let running: Vec<&Unit> = units.iter().filter(|unit| unit.main.is_some()).collect();
            for unit in &running {
                let name = format!("{}.service", unit.name);
                out.push_str(&format!("  {name:<25} loaded active running {}\n", unit.description));
            }
            out.push_str(&format!("\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n{} loaded units listed. Pass --all to see loaded but inactive units, too.\nTo show all installed unit files use 'systemctl list-unit-files'.\n", running.len()));
            proc.out(out).await?;
            Ok(0)
        }
        "daemon-reload" | "daemon-reexec" | "reset-failed" => {
            privileged(proc, "Reload daemon failed").await
        }
        "is-active" | "is-enabled" | "is-failed" => {
            let mut status = 0;
            for name in names {
                let unit = find(&units, name);
                let word = match (verb, unit) {
                    ("is-enabled", Some(_)) => "enabled",
                    ("is-enabled", None) => {
                        let shown = name.strip_suffix(".service").unwrap_or(name);
                        proc.err(format!("Failed to get unit file state for {shown}.service: No such file or directory\n")).await;
                        status = 1;
                        continue;
                    }
                    (_, Some(Unit { main: Some(_), .. })) => "active",
                    _ => {
                        status = 3;
                        "inactive"
                    }
                };
                proc.out(format!("{word}\n")).await?;
            }
            Ok(status)
        }
        "status" => status(proc, &units, names).await,
        "start" | "stop" | "restart" | "reload" | "enable" | "disable" | "mask" | "unmask"
        | "kill" | "try-restart" | "reload-or-restart" => {
            if names.is_empty() {
                proc.err("Too few arguments.\n").await;
                return Ok(1);
            }
            let mut status = 0;
            for name in names {
                let plain = name.strip_suffix(".service").unwrap_or(name);
                if proc.user.creds.uid != 0 {
                    proc.err(format!("Failed to {verb} {plain}.service: Interactive authentication required.\nSee system logs and 'systemctl status {plain}.service' for details.\n")).await;
                    status = 1;
                    continue;
                }
                let Some(unit) = find(&units, name) else {
                    let text = match verb {
                        "enable" | "disable" => format!(
                            "Failed to {verb} unit: Unit file {plain}.service does not exist.\n"
                        ),
                        "mask" => format!(
                            "Unit {plain}.service does not exist, proceeding anyway.\nCreated symlink /etc/systemd/system/{plain}.service → /dev/null.\n"
                        ),
                        _ => format!(
                            "Failed to {verb} {plain}.service: Unit {plain}.service not found.\n"
                        ),
                    };
                    proc.err(text).await;
                    status = if verb == "mask" {
                        0
                    } else if matches!(verb, "enable" | "disable") {
                        1
                    } else {
                        5
                    };
                    continue;
                };
                act(proc, unit, verb, now_too);
            }
            Ok(status)
        }
        other => {
            proc.err(format!("Unknown command verb {other}.\n")).await;
            Ok(1)
        }
    }
}

async fn privileged(proc: &Proc, what: &str) -> Outcome {
    if proc.user.creds.uid == 0 {
        return Ok(0);
    }
    proc.err(format!("{what}: Interactive authentication required.\n")).await;
    Ok(1)
}

/// Stops or starts the daemon of a unit.
fn act(proc: &Proc, unit: &Unit, verb: &str, now_too: bool) {
    let stops = matches!(verb, "stop" | "kill") || (verb == "disable" && now_too);
    let starts =
        matches!(verb, "start" | "restart" | "reload-or-restart") || (verb == "enable" && now_too);
    let program = UNITS.iter().find(|(name, ..)| *name == unit.name).map_or("", |(_, p, _)| p);
    let now = proc.io.now();
    proc.host.with(|machine| {
        if stops {
            for process in machine.processes(now) {
                if process.name() == program && process.tty == "?" {
                    // Root may signal anybody.
                    let _ = machine.send_signal(&process, 15, 0, "root");
                }
            }
        } else if starts {
            machine.revive(program);
        }
    });
}

async fn status(proc: &Proc, units: &[Unit], names: &[&str]) -> Outcome {
    if names.is_empty() {
        let host = proc.host.with(|m| m.facts().hostname.clone());
        proc.out(format!("● {host}\n    State: running\n    Units: {} loaded (incl. loaded aliases)\n     Jobs: 0 queued\n   Failed: 0 units\n", units.len() + 214)).await?;
        return Ok(0);
    }
    let mut worst = 0;
    for name in names {
        let plain = name.strip_suffix(".service").unwrap_or(name);
        let Some(unit) = find(units, name) else {
            proc.err(format!("Unit {plain}.service could not be found.\n")).await;
            worst = 4;
            continue;
        };
        let head = format!(
            "     Loaded: loaded (/lib/systemd/system/{}.service; enabled; preset: enabled)\n",
            unit.name
        );
        let text = match &unit.main {
            Some(main) => {
                let at = base_model::Timestamp::from_micros(main.started.saturating_mul(1_000_000));
                let since = crate::clock::format(at, "%a %Y-%m-%d %H:%M:%S UTC");
                let age = (proc.io.now().seconds() - main.started).max(0);
                let ago = match (age / 86_400, age / 3600 % 24, age / 60 % 60) {
                    (0, 0, minutes) => format!("{minutes}min ago"),
                    (0, hours, minutes) => format!("{hours}h {minutes}min ago"),
                    (days, ..) => {
                        format!("{} {} ago", days, if days == 1 { "day" } else { "days" })
                    }
                };
                format!(
                    "● {}.service - {}\n{head}     Active: active (running) since {since}; {ago}\n   Main PID: {} ({})\n      Tasks: 1 (limit: {})\n     Memory: {}.{}M\n        CPU: {}s\n     CGroup: /system.slice/{}.service\n             └─{} {}\n",
                    unit.name,
                    unit.description,
                    main.pid,
                    main.name(),
                    4643,
                    main.rss / 1024,
                    main.rss % 1024 * 10 / 1024,
                    main.cpu_seconds,
                    unit.name,
                    main.pid,
                    main.command
                )
            }
            None => {
                worst = 3;
                format!(
                    "○ {}.service - {}\n{head}     Active: inactive (dead)\n",
                    unit.name, unit.description
                )
            }
        };
        proc.out(text).await?;
    }
    Ok(worst)
}

/// `service`.
pub(in crate::shell::commands) async fn service(proc: &mut Proc) -> Outcome {
    let arguments: Vec<String> =
        proc.arguments().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let units = units(proc);
    match arguments.as_slice() {
        [all] if all == "--status-all" => {
            let line = |unit: &Unit| {
                let mark = if unit.main.is_some() { '+' } else { '-' };
                format!(" [ {mark} ]  {}\n", unit.name)
            };
            let lines = units.iter().filter(|u| !u.name.starts_with("systemd")).map(line);
            proc.out(lines.collect::<String>()).await?;
            Ok(0)
        }
        [name, verb, ..] => {
            let Some(unit) = find(&units, name) else {
                if verb == "status" {
                    proc.err(format!("Unit {name}.service could not be found.\n")).await;
                    return Ok(4);
                }
                proc.err(format!(
                    "Failed to {verb} {name}.service: Unit {name}.service not found.\n"
                ))
                .await;
                return Ok(5);
            };
            if verb == "status" {
                return status(proc, &units, &[unit.name]).await;
            }
            if proc.user.creds.uid != 0 {
                proc.err(format!("Failed to {verb} {name}.service: Interactive authentication required.\nSee system logs and 'systemctl status {name}.service' for details.\n")).await;
                return Ok(1);
            }
            act(proc, unit, verb, false);
            Ok(0)
        }
        _ => {
            proc.err("Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n").await;
            Ok(1)
        }
    }
}
