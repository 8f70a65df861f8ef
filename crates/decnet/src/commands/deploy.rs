//! `decnet deploy`: from a fleet file or flags to deckies.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use api::PlanBody;
use base_runtime::{Clock, entropy};
use operate_fleet::ini::Source;
use operate_fleet::{Catalogue, Flags, Mode, Request, from_flags, plan};
use serde_json::{Value, json};

use super::daemon::{at, block_on, client, is_unreachable, list, refused, text};
use super::table::table;
use super::{answer_as, lifecycle, print, wanted};
use crate::cli::Deploy;
use crate::refusal::{Exit, Refusal};

/// Runs the command.
pub(crate) fn run(options: &Deploy) -> ExitCode {
    answer_as(options.local.json, deploy(options))
}

fn deploy(options: &Deploy) -> anyhow::Result<String> {
    match options.mode.as_str() {
        "unihost" => {}
        "swarm" => {
            let hint = "leave --mode out";
            return Err(Refusal::new(Exit::Usage, "this build has no swarm", hint).into());
        }
        _ => {
            let what = "--mode must be 'unihost' or 'swarm'";
            return Err(Refusal::new(Exit::Usage, what, "leave --mode out").into());
        }
    }
    let catalogue = wanted::catalogue();
    block_on(async {
        let client = client(&options.local);
        let (taken, there) = match client.get("/deckies").await {
            Ok(deckies) => (names(&deckies), true),
            Err(error) if options.dry_run && is_unreachable(&error) => (Vec::new(), false),
            Err(error) => return Err(refused(error).into()),
        };
        let ini = fleet_file(options, &taken, &catalogue)?;
        if !there {
            return shown(options, &offline(options, &ini, &catalogue)?);
        }
        let request = json!({
            "ini_content": ini,
            "replace_fleet": options.replace,
            "dry_run": options.dry_run,
            "ip_start": options.ip_start,
        });
        let answer = client.post("/deckies/deploy", &request).await.map_err(refused)?;
        let told = shown(options, &answer)?;
        if options.dry_run || options.no_wait {
            return Ok(told);
        }
        lifecycle::follow(&client, &lifecycle::ids(&answer)).await?;
        Ok(told)
    })
}

fn names(deckies: &Value) -> Vec<String> {
    let deckies = deckies.as_array().into_iter().flatten();
    deckies.map(|one| text(one, "name").to_owned()).collect()
}

/// The fleet file that is given, or one that says what the flags say.
fn fleet_file(options: &Deploy, taken: &[String], catalogue: &Catalogue) -> anyhow::Result<String> {
    let mut ini = match &options.config {
        Some(path) => wanted::read_text(path)?,
        None => from_options(options, taken, catalogue)?,
    };
    if let Some(subnet) = options.subnet {
        // The later of two wins.
        let _ = write!(ini, "\n[general]\nnet={subnet}\n");
    } else if let Some(path) = &options.config {
        wanted::understand(path, &ini, catalogue)?;
    }
    Ok(ini)
}

fn from_options(
    options: &Deploy,
    taken: &[String],
    catalogue: &Catalogue,
) -> anyhow::Result<String> {
    let count = options.deckies.filter(|count| *count > 0).ok_or_else(|| {
        let what = "--deckies is required when --config is not used.";
        Refusal::new(Exit::Usage, what, "give --deckies 1 or more, or --config FILE")
    })?;
    let flags = Flags {
        count,
        services: options.services.as_deref(),
        archetype: options.archetype.as_deref(),
        randomize_services: options.randomize_services,
        distros: options.distro.as_deref(),
        randomize_distros: options.randomize_distros,
    };
    let wishes = from_flags(&flags, taken, catalogue)
        .map_err(|problems| wanted::refuse(Exit::Usage, "the command line", &problems))?;
    let mut ini = String::new();
    for (at, name) in wishes.iter().flat_map(|wish| &wish.names).enumerate() {
        let _ = writeln!(ini, "[{name}]");
        if let Some(services) = &options.services {
            let _ = writeln!(ini, "services={}", services.join(","));
        }
        if let Some(archetype) = &options.archetype {
            let _ = writeln!(ini, "archetype={archetype}");
        }
        let distros = options.distro.as_deref().unwrap_or_default();
        match distros.get(at % distros.len().max(1)) {
            Some(distro) => {
                let _ = writeln!(ini, "distro={distro}");
            }
            None if options.randomize_distros => ini.push_str("distro=random\n"),
            None => {}
        }
    }
    Ok(ini)
}

/// The plan of a fleet that is not there yet, as a daemon would answer it.
fn offline(options: &Deploy, ini: &str, catalogue: &Catalogue) -> anyhow::Result<Value> {
    let (file, read) = operate_fleet::ini::read(ini, Source::Api, catalogue)
        .map_err(|problems| wanted::refuse(Exit::Usage, "the fleet", &problems))?;
    let network = wanted::loopback()
        .with(&file.general, options.ip_start)
        .map_err(|problem| wanted::refuse(Exit::Usage, "the command line", &problem.into()))?;
    let count = file.wishes.iter().map(|wish| wish.names.len()).sum();
    let secrets: Result<Vec<[u8; 32]>, _> = (0..count).map(|_| entropy::bytes()).collect();
    let request = Request {
        wishes: &file.wishes,
        mode: Mode::Add,
        existing: &[],
        network: &network,
        domain: file.general.domain.as_deref(),
        catalogue,
        limit: None,
        now: Clock::start().now(),
    };
    let plan = plan(&request, secrets.context("no random bytes")?)
        .map_err(|problems| wanted::refuse(Exit::Conflict, "the fleet", &problems))?;
    Ok(json!({
        "message": "Nothing was changed. No daemon answers, so this is the plan of a new fleet",
        "mode": "unihost",
        "lifecycle_ids": [],
        "plan": PlanBody::new(&plan, &network, catalogue, &read),
    }))
}

fn shown(options: &Deploy, answer: &Value) -> anyhow::Result<String> {
    if options.local.json {
        return print(answer);
    }
    let plan = at(answer, "plan");
    let mut rows = Vec::new();
    for (mark, key) in [("+", "add"), ("~", "change")] {
        for decky in list(plan, key) {
            let services = list(decky, "services").iter().filter_map(Value::as_str);
            rows.push(vec![
                format!("{mark} {}", text(decky, "name")),
                text(decky, "ip").to_owned(),
                text(decky, "archetype").to_owned(),
                text(decky, "distro").to_owned(),
                text(decky, "nmap_os").to_owned(),
                services.collect::<Vec<_>>().join(", "),
            ]);
        }
    }
    let removed = list(plan, "remove").iter().filter_map(Value::as_str);
    rows.extend(removed.map(|name| vec![format!("- {name}")]));
    let title = format!(
        "Plan on {}: {} to add, {} to change, {} to remove, {} to keep",
        text(plan, "subnet"),
        list(plan, "add").len(),
        list(plan, "change").len(),
        list(plan, "remove").len(),
        list(plan, "keep").len(),
    );
    let headers = ["Decky", "IP", "Archetype", "Distro", "OS", "Services"];
    let mut out = table(&title, &headers, &rows);
    for (heading, key) in [("Warnings", "warnings"), ("Contradictions", "contradictions")] {
        let lines = list(plan, key);
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{heading}:");
            for one in lines {
                let _ = writeln!(out, "  {}", text(one, "text"));
            }
        }
    }
    let _ = writeln!(out, "\n{}.", text(answer, "message"));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn run(arguments: &[&str]) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let state = ["--state-dir", folder.path().to_str().unwrap()];
        let command = ["decnet", "deploy"].iter().chain(arguments).chain(&state);
        let Command::Deploy(options) = Cli::try_parse_from(command).unwrap().command else {
            panic!("another command");
        };
        deploy(&options)
    }

    fn refused(arguments: &[&str]) -> String {
        run(arguments).unwrap_err().to_string()
    }

    #[test]
    fn flags_that_say_too_little_are_refused_as_the_specification_has_it() {
        assert_eq!(
            refused(&["--dry-run", "--services", "ssh"]),
            "--deckies is required when --config is not used."
        );
        assert_eq!(refused(&["--mode", "both"]), "--mode must be 'unihost' or 'swarm'");
        assert!(
            refused(&["-n", "2", "--dry-run"])
                .ends_with("Specify --services, --archetype, or --randomize-services.")
        );
        assert!(refused(&["-n", "2", "--services", "ssh"]).starts_with("no DECNET runs on"));
        assert!(
            refused(&["-n", "9", "--services", "ssh", "--dry-run", "--subnet", "10.0.0.0/29"])
                .contains("Not enough free IPs in 10.0.0.0/29 for decky 'decky-07' (found 6).")
        );
    }

    #[test]
    fn flags_say_what_a_file_would() {
        let answered = run(&[
            "--dry-run",
            "--json",
            "-n",
            "3",
            "--archetype",
            "web-server",
            "--distro",
            "debian,ubuntu22",
            "--ip-start",
            "127.3.0.1",
        ])
        .unwrap();
        let answered: Value = serde_json::from_str(&answered).unwrap();
        let deckies = answered["plan"]["add"].as_array().unwrap();
        let told: Vec<_> = deckies
            .iter()
            .map(|one| {
                (
                    one["name"].as_str().unwrap(),
                    one["ip"].as_str().unwrap(),
                    one["distro"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("decky-01", "127.3.0.1", "debian"),
                ("decky-02", "127.3.0.2", "ubuntu22"),
                ("decky-03", "127.3.0.3", "debian")
            ]
        );
        let random = run(&["--dry-run", "-n", "1", "--randomize-services", "--randomize-distros"]);
        assert!(random.unwrap().contains("1 to add, 0 to change"));
    }

    #[test]
    fn a_plan_is_told_as_table_and_as_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.ini");
        let text = "[general]\nnet=192.168.1.0/24\n[web]\nservices=ssh,http\namount=2\nvlan=3\n\
                    distro=debian\n[web.ssh]\npassword=hunter2\nssh_version=OpenSSH_7.4\n";
        std::fs::write(&path, text).unwrap();
        let file = path.to_str().unwrap();
        let shown = run(&["--dry-run", "--config", file]).unwrap();
        assert!(shown.starts_with("Plan on 192.168.1.0/24: 2 to add, "), "{shown}");
        assert!(shown.contains("+ web-01  192.168.1.1  linux-server  debian  linux  http, ssh"));
        assert!(shown.contains("line 6, column 6: [web] vlan= has no effect in this build"));
        assert!(shown.contains("[web-02] ssh.ssh_version: Debian 12 (Bookworm) ships"), "{shown}");
        let answered = run(&["--dry-run", "--json", "--config", file]).unwrap();
        assert!(!answered.contains("hunter2"), "secrets are not told");
        let answered: Value = serde_json::from_str(&answered).unwrap();
        assert_eq!(answered["plan"]["add"][1]["ip"], "192.168.1.2");
        let ssh = &answered["plan"]["add"][1]["service_config"]["ssh"];
        assert_eq!(ssh["ssh_version"], "OpenSSH_7.4");
        assert_eq!(answered["plan"]["warnings"][0]["line"], 6);
    }
}
