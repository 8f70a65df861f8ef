//! `systemctl` and `service`, over the daemons of the process table.

use crate::processes::Process;
use crate::shell::proc::{Outcome, Proc};

/// A unit that is there, with its main process while it runs.
pub(super) struct Unit {
    pub(super) name: &'static str,
    program: &'static str,
    description: &'static str,
    pub(super) main: Option<Process>,
}

pub(super) fn units(proc: &Proc) -> Vec<Unit> {
    let now = proc.io.now();
    let (table, all) = proc.host.with(|m| (m.processes(now), m.installed_daemons()));
    let unit = |line: &'static str| {
        let mut parts = line.splitn(3, '|');
        let (name, program, description) = (parts.next()?, parts.next()?, parts.next()?);
        all.iter().any(|known| known == program).then(|| Unit {
            name,
            program,
            description,
            main: table.iter().find(|p| p.name() == program && p.tty == "?").cloned(),
        })
    };
    proc.host.distro().family().units.lines().filter_map(unit).collect()
}

pub(super) fn find<'u>(proc: &Proc, units: &'u [Unit], name: &str) -> Option<&'u Unit> {
    let name = name.strip_suffix(".service").unwrap_or(name);
    let aliases = &proc.host.distro().family().unit_aliases;
    let name = aliases.get(name).map_or(name, String::as_str);
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
                let unit = find(proc, &units, name);
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
                let Some(unit) = find(proc, &units, name) else {
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
pub(super) fn act(proc: &Proc, unit: &Unit, verb: &str, now_too: bool) {
    let stops = matches!(verb, "stop" | "kill") || (verb == "disable" && now_too);
    let starts =
        matches!(verb, "start" | "restart" | "reload-or-restart") || (verb == "enable" && now_too);
    let program = unit.program;
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
        let Some(unit) = find(proc, units, name) else {
            proc.err(format!("Unit {plain}.service could not be found.\n")).await;
            worst = 4;
            continue;
        };
        let text = told(proc, unit);
        if unit.main.is_none() {
            worst = 3;
        }
        proc.out(text).await?;
    }
    Ok(worst)
}

/// What `systemctl status` says of `unit`, in the form of the distribution's version: 230 began to
/// account for resources, 250 to call presets so.
fn told(proc: &Proc, unit: &Unit) -> String {
    let distro = proc.host.distro();
    let version = distro.package("systemd");
    let number: u32 =
        version.split(['.', '-', '~']).next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let (pad, short) = if number < 240 { ("   ", " ") } else { ("     ", "   ") };
    let preset = if number < 250 { "vendor preset" } else { "preset" };
    let on = if distro.family().unit_presets { "enabled" } else { "disabled" };
    let Unit { name, description, .. } = unit;
    let head = format!(
        "{pad}Loaded: loaded ({}/{name}.service; enabled; {preset}: {on})\n",
        distro.family().unit_directory
    );
    let Some(main) = &unit.main else {
        let mark = if number < 246 { "●" } else { "○" };
        return format!(
            "{mark} {name}.service - {description}\n{head}{pad}Active: inactive (dead)\n"
        );
    };
    let at = base_model::Timestamp::from_micros(main.started.saturating_mul(1_000_000));
    let since = crate::clock::format(at, "%a %Y-%m-%d %H:%M:%S UTC");
    let age = (proc.io.now().seconds() - main.started).max(0);
    let ago = match (age / 86_400, age / 3600 % 24, age / 60 % 60) {
        (0, 0, minutes) => format!("{minutes}min ago"),
        (0, hours, minutes) => format!("{hours}h {minutes}min ago"),
        (days, ..) => format!("{days} {} ago", if days == 1 { "day" } else { "days" }),
    };
    let used = if number < 230 {
        String::new()
    } else {
        let (whole, tenth) = (main.rss / 1024, main.rss % 1024 * 10 / 1024);
        let cpu = main.cpu_seconds;
        let cpu = if number < 246 { String::new() } else { format!("{pad}   CPU: {cpu}s\n") };
        format!("{pad} Tasks: 1 (limit: 4643)\n{pad}Memory: {whole}.{tenth}M\n{cpu}")
    };
    format!(
        "● {name}.service - {description}\n{head}\
         {pad}Active: active (running) since {since}; {ago}\n\
         {short}Main PID: {} ({})\n{used}\
         {pad}CGroup: /system.slice/{name}.service\n{pad}        └─{} {}\n",
        main.pid,
        main.name(),
        main.pid,
        main.command
    )
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
            let Some(unit) = find(proc, &units, name) else {
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
