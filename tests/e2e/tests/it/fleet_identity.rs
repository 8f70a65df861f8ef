//! Twenty deckies of every archetype there is: known to a scanner for what they claim, the same after a
//! restart, and no two alike.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use e2e::{Decky, Decnet, Options, clients, missing};
use serde_json::Value;

/// A fleet of twenty, every archetype as often as the others.
fn fleet() -> String {
    let output =
        Command::new(e2e::binary()).args(["archetypes", "--json"]).output().expect("archetypes");
    let archetypes: Value = serde_json::from_slice(&output.stdout).unwrap();
    let slugs: Vec<_> = archetypes.as_array().unwrap().iter().map(|one| &one["slug"]).collect();
    assert!(slugs.len() >= 8, "{slugs:?}");
    let line = |n: usize| {
        let slug = slugs[n % slugs.len()].as_str().unwrap();
        format!("[{slug}-{n}]\narchetype={slug}\n")
    };
    (0..20).map(line).collect()
}

/// What nmap makes of every open port: address, port, and the `service` element.
fn scan(deckies: &[Decky]) -> Vec<(String, u16, String)> {
    let mut ports = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for decky in deckies {
        for service in decky.0["services"].as_array().unwrap() {
            ports.insert(service["port"].as_u64().unwrap().to_string());
            addresses.insert(service["address"].as_str().unwrap().to_owned());
        }
    }
    let ports = ports.into_iter().collect::<Vec<_>>().join(",");
    let output = Command::new("nmap")
        .args(["-n", "-Pn", "-sT", "-sV", "-T4", "-oX", "-", "-p", &ports])
        .args(&addresses)
        .output()
        .expect("nmap runs");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut found = Vec::new();
    for host in text.split("<host ").skip(1) {
        let address = between(host, "<address addr=\"", "\"").to_owned();
        for port in host.split("<port ").skip(1) {
            let port = port.split("</port>").next().unwrap();
            if port.contains("state=\"open\"") {
                let number = between(port, "portid=\"", "\"").parse().unwrap();
                found.push((
                    address.clone(),
                    number,
                    between(port, "<service ", "</service>").to_owned(),
                ));
            }
        }
    }
    found
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or(rest, |(found, _)| found)
}

/// What identifies a machine to somebody who gets in: by name of decky.
fn identities(deckies: &[Decky]) -> BTreeMap<String, Vec<String>> {
    let mut identities = BTreeMap::new();
    for decky in deckies {
        let services = decky.0["services"].as_array().unwrap();
        if !services.iter().any(|service| service["name"] == "ssh") {
            continue;
        }
        let line = "hostname; cat /etc/machine-id; stat -c %y /etc/hostname; \
                    cut -d. -f1 /proc/uptime; ls /tmp/kept 2>/dev/null";
        let output = clients::run(decky, line);
        let text = String::from_utf8(output.stdout).unwrap();
        let (address, port) = decky.endpoint("ssh");
        let keys = Command::new("ssh-keyscan")
            .args(["-t", "ed25519,rsa", "-p", &port.to_string(), &address])
            .output()
            .unwrap();
        let keys = String::from_utf8(keys.stdout).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert!(lines.len() >= 4, "{}: {text}", decky.name());
        let mut offered: Vec<_> = keys.lines().filter(|line| !line.starts_with('#')).collect();
        offered.sort_unstable();
        let shown = clients::run(decky, "cat /etc/ssh/ssh_host_*_key.pub");
        let shown = String::from_utf8(shown.stdout).unwrap();
        for line in &offered {
            let key = line.rsplit(' ').next().unwrap();
            assert!(shown.contains(key), "the machine shows another key: {shown}");
        }
        lines.extend(offered.iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()));
        identities.insert(decky.name(), lines);
    }
    identities
}

/// Which of those lines is the uptime.
const UPTIME: usize = 3;

#[test]
fn every_archetype_is_what_it_claims_and_stays_it() {
    if ["nmap", "sshpass", "ssh", "ssh-keyscan"].iter().any(|tool| missing(tool)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.ini");
    fs::write(&path, fleet()).unwrap();
    let more = vec!["--config".to_owned(), path.to_str().unwrap().to_owned()];
    let mut decnet = Decnet::start(Options { more, ..Options::default() });
    let deckies = decnet.deckies();
    assert_eq!(deckies.len(), 20);

    let known: BTreeMap<(String, u16), String> = deckies
        .iter()
        .flat_map(|decky| decky.0["services"].as_array().unwrap().clone())
        .map(|service| {
            let text = |key: &str| service[key].as_str().unwrap().to_owned();
            (
                (text("address"), u16::try_from(service["port"].as_u64().unwrap()).unwrap()),
                text("name"),
            )
        })
        .collect();
    let scanned = scan(&deckies);
    assert_eq!(scanned.len(), known.len(), "every port is open, and no other");
    for (address, port, service) in &scanned {
        let name = &known[&(address.clone(), *port)];
        // Of releases after its own, as ours are, nmap knows PostgreSQL and asks to be told the rest.
        if name != "postgres" {
            assert!(!service.contains("servicefp="), "{name} on {address}:{port}: {service}");
        }
        assert!(service.contains("product=\""), "{name} on {address}:{port}: {service}");
    }

    let first = identities(&deckies);
    assert!(first.len() >= 8, "{first:?}");
    for (at, one) in first.values().enumerate() {
        for other in first.values().skip(at + 1) {
            let shared = one.iter().zip(other).find(|(one, other)| one == other);
            assert_eq!(shared, None, "{one:?}\n{other:?}");
        }
    }
    for decky in deckies.iter().filter(|decky| first.contains_key(&decky.name())) {
        let output = clients::run(decky, "echo kept > /tmp/kept");
        assert!(output.status.success());
    }
    assert!(decnet.stop());
    decnet.start_again();
    let deckies = decnet.deckies();
    let second = identities(&deckies);
    assert!(first.keys().eq(second.keys()));
    for (before, after) in first.values().zip(second.values()) {
        let uptime = |lines: &[String]| lines[UPTIME].parse::<u64>().unwrap();
        assert!((uptime(before)..uptime(before) + 600).contains(&uptime(after)), "{after:?}");
        assert!(after.iter().any(|line| line == "/tmp/kept"), "{after:?}");
        let rest = |lines: &[String]| {
            let lines = lines.iter().enumerate();
            let stays = lines.filter(|(at, line)| *at != UPTIME && *line != "/tmp/kept");
            stays.map(|(_, line)| line.clone()).collect::<Vec<_>>()
        };
        assert_eq!(rest(before), rest(after));
    }
}
