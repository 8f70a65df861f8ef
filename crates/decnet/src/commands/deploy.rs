//! `decnet deploy`: what a fleet file or flags would make, told without making it.

use std::process::ExitCode;

use anyhow::Context as _;
use base_model::Decky;
use base_runtime::{Clock, entropy};
use decoys_kit::SettingKind;
use operate_fleet::ini::General;
use operate_fleet::{
    Catalogue, Flags, Mode, Network, Place, Plan, Problem, Request, Wish, from_flags, plan,
};
use serde_json::{Value, json};

use super::table::table;
use super::{answer, wanted};
use crate::cli::Deploy;
use crate::refusal::{Exit, Refusal};

/// Runs the command.
pub(crate) fn run(options: &Deploy) -> ExitCode {
    answer(deploy(options))
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
    let (general, wishes, mut warnings) = wishes(options, &catalogue)?;
    let mut general = general;
    if let Some(subnet) = options.subnet {
        general.net = Some((subnet, Place { line: 0, column: 0 }));
    }
    let network = wanted::loopback()
        .with(&general, options.ip_start)
        .map_err(|problem| wanted::refuse(Exit::Usage, "the command line", &problem.into()))?;
    let count = wishes.iter().map(|wish| wish.names.len()).sum();
    let secrets: Result<Vec<[u8; 32]>, _> = (0..count).map(|_| entropy::bytes()).collect();
    let request = Request {
        wishes: &wishes,
        mode: Mode::Add,
        existing: &[],
        network: &network,
        catalogue: &catalogue,
        limit: None,
        now: Clock::start().now(),
    };
    let mut plan = plan(&request, secrets.context("no random bytes")?)
        .map_err(|problems| wanted::refuse(Exit::Conflict, "the fleet", &problems))?;
    warnings.append(&mut plan.warnings);
    plan.warnings = warnings;
    if !options.dry_run {
        let hint = "see the plan with --dry-run; start it with `decnet up --config FILE`";
        let what = "deploy cannot change a running fleet in this build";
        return Err(Refusal::new(Exit::Failed, what, hint).into());
    }
    if options.json {
        return Ok(serde_json::to_string_pretty(&as_json(&plan, &network, &catalogue))? + "\n");
    }
    Ok(as_text(&plan, &network))
}

type Wanted<'c> = (General, Vec<Wish<'c>>, Vec<Problem>);

fn wishes<'c>(options: &Deploy, catalogue: &'c Catalogue) -> anyhow::Result<Wanted<'c>> {
    if let Some(path) = &options.config {
        let (file, warnings) = wanted::read_file(path, catalogue)?;
        return Ok((file.general, file.wishes, warnings));
    }
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
    let wishes = from_flags(&flags, &[], catalogue)
        .map_err(|problems| wanted::refuse(Exit::Usage, "the command line", &problems))?;
    Ok((General::default(), wishes, Vec::new()))
}

/// What is drawn is drawn again at deployment, so that it is not told.
fn as_text(plan: &Plan, network: &Network) -> String {
    let row = |decky: &Decky| {
        let services: Vec<_> = decky.services.iter().map(|it| it.name.as_str()).collect();
        vec![
            format!("+ {}", decky.name),
            decky.ip.to_string(),
            decky.archetype.clone(),
            decky.distro.clone(),
            decky.os.clone(),
            services.join(", "),
        ]
    };
    let rows: Vec<_> = plan.add.iter().map(row).collect();
    let title = format!("Plan on {}: {} deckies to add", network.subnet, plan.add.len());
    let headers = ["Decky", "IP", "Archetype", "Distro", "OS", "Services"];
    let mut out = table(&title, &headers, &rows);
    for (heading, lines) in notes(plan) {
        out.push_str(&format!("\n{heading}:\n"));
        lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
    }
    out.push_str("\nNothing was changed.\n");
    out
}

fn notes(plan: &Plan) -> Vec<(&'static str, Vec<String>)> {
    let warnings = plan.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
    let contradictions = plan.contradictions.iter().map(ToString::to_string).collect::<Vec<_>>();
    [("Warnings", warnings), ("Contradictions", contradictions)]
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .collect()
}

fn as_json(plan: &Plan, network: &Network, catalogue: &Catalogue) -> Value {
    let deckies: Vec<_> = plan.add.iter().map(|decky| decky_json(decky, catalogue)).collect();
    let warnings: Vec<_> = plan
        .warnings
        .iter()
        .map(|one| json!({ "line": one.at.map(|at| at.line), "text": one.text }))
        .collect();
    let contradictions: Vec<_> = plan
        .contradictions
        .iter()
        .map(|one| json!({ "decky": one.decky, "setting": one.setting, "text": one.text }))
        .collect();
    json!({
        "subnet": network.subnet.to_string(),
        "gateway": network.gateway.map(|gw| gw.to_string()),
        "add": deckies,
        "change": [],
        "remove": [],
        "keep": [],
        "warnings": warnings,
        "contradictions": contradictions,
    })
}

fn decky_json(decky: &Decky, catalogue: &Catalogue) -> Value {
    let services: Vec<_> = decky
        .services
        .iter()
        .map(|service| {
            let specs = catalogue.service(&service.name).map_or(&[][..], |spec| spec.settings);
            let secret = |key: &str| {
                specs.iter().any(|spec| spec.key == key && spec.kind == SettingKind::Password)
            };
            let settings: serde_json::Map<String, Value> = service
                .settings
                .iter()
                .map(|(key, value)| {
                    (key.clone(), if secret(key) { "***".into() } else { value.clone() })
                })
                .collect();
            let ports: Vec<_> = service.ports.iter().map(|port| port.number).collect();
            json!({ "name": service.name, "ports": ports, "settings": settings })
        })
        .collect();
    json!({
        "name": decky.name,
        "ip": decky.ip.to_string(),
        "archetype": decky.archetype,
        "distro": decky.distro,
        "nmap_os": decky.os,
        "services": services,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn run(arguments: &[&str]) -> anyhow::Result<String> {
        let command = ["decnet", "deploy"].iter().chain(arguments);
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
        assert!(refused(&["-n", "2", "--services", "ssh"]).contains("cannot change a running"));
        assert!(
            refused(&["-n", "9", "--services", "ssh", "--dry-run", "--subnet", "10.0.0.0/29"])
                .ends_with("Not enough free IPs in 10.0.0.0/29 for 9 deckies (found 6).")
        );
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
        assert!(shown.starts_with("Plan on 192.168.1.0/24: 2 deckies to add\n"), "{shown}");
        assert!(shown.contains("+ web-01  192.168.1.1  linux-server  debian  linux  http, ssh"));
        assert!(shown.contains("line 6, column 6: [web] vlan= has no effect in this build"));
        assert!(shown.contains("[web-02] ssh.ssh_version: Debian 12 (Bookworm) ships"), "{shown}");
        let answered = run(&["--dry-run", "--json", "--config", file]).unwrap();
        assert!(!answered.contains("hunter2"), "secrets are not told");
        let answered: Value = serde_json::from_str(&answered).unwrap();
        assert_eq!(answered["add"][1]["ip"], "192.168.1.2");
        assert_eq!(answered["add"][1]["services"][1]["settings"]["ssh_version"], "OpenSSH_7.4");
        assert_eq!(answered["warnings"][0]["line"], 6);
    }
}
