//! Simulated attackers are a world that can be had again, and all of it is in the API.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use e2e::{Decnet, Options, until};
use serde_json::Value;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(e2e::binary()).arg("simulate").args(arguments).output().unwrap()
}

/// Plays seed 7 against `decnet`, much faster than life, and waits until all of it is stored.
/// Returns the summary and how often each fact is stored.
fn play(decnet: &mut Decnet, connections_before: u64) -> (Value, BTreeMap<String, u64>) {
    let ready = decnet.path("ready");
    let ready = ready.to_str().unwrap();
    let pace = ["--seed", "7", "--speed", "50", "--rate", "6000", "--at-once", "32", "--json"];
    let output = simulate(&[&["--target", ready][..], &pace].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let made = summary["total"]["connections"].as_u64().unwrap() + connections_before;
    until("the end of every connection", || {
        (decnet.api("/logs?limit=1&search=event:disconnect")["total"] == made).then_some(())
    });
    let logs = all_logs(decnet);
    let mut facts = BTreeMap::new();
    for log in &logs {
        *facts.entry(fact(log)).or_default() += 1;
    }
    (summary, facts)
}

fn all_logs(decnet: &mut Decnet) -> Vec<Value> {
    let mut logs = Vec::new();
    loop {
        let page = decnet.api(&format!("/logs?limit=1000&offset={}", logs.len()));
        let rows = page["data"].as_array().unwrap();
        logs.extend(rows.iter().filter(|row| row["event_type"] != "startup").cloned());
        if rows.len() < 1000 {
            return logs;
        }
    }
}

/// What a log entry says, without times, ports and ids.
fn fact(log: &Value) -> String {
    const SAID: &[&str] = &[
        "username",
        "secret_b64",
        "outcome",
        "command",
        "method",
        "path",
        "query",
        "sha256",
        "orig_path",
        "url",
        "domain",
        "value",
        "subject",
        "client_banner",
        "kex_algorithms",
    ];
    let fields: Value = serde_json::from_str(log["fields"].as_str().unwrap()).unwrap();
    let mut fact = ["attacker_ip", "decky", "service", "event_type"]
        .map(|key| log[key].as_str().unwrap_or_default().to_owned())
        .join(" ");
    // Files that attackers add to grow with every visit; their own are the same again.
    let path = fields["orig_path"].as_str().unwrap_or_default();
    let own = ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|folder| path.starts_with(folder));
    // What answers a challenge is another each time.
    let plain = fields["secret_kind"] == "plaintext";
    let same = |key: &str| (own || key != "sha256") && (plain || key != "secret_b64");
    for key in SAID.iter().filter(|key| same(key)) {
        if let Some(value) = fields.get(*key) {
            fact.push_str(&format!(" {key}={value}"));
        }
    }
    fact
}

/// Facts of `source` of kind `event` at `service`.
fn count(facts: &BTreeMap<String, u64>, source: &str, event: &str) -> u64 {
    let of = facts.iter().filter(|(fact, _)| {
        let mut words = fact.split(' ');
        words.next() == Some(source) && words.nth(2) == Some(event)
    });
    of.map(|(_, count)| count).sum()
}

#[test]
fn every_scenario_is_in_the_api_and_the_same_seed_does_the_same_again() {
    let mut decnet = Decnet::start(Options { deckies: Some(3), ..Options::default() });
    let (summary, first) = play(&mut decnet, 0);
    let actors = summary["actors"].as_array().unwrap().clone();
    let source = |name: &str| {
        let actor = actors.iter().find(|actor| actor["name"] == name);
        actor.expect(name)["source"].as_str().unwrap().to_owned()
    };

    let page = decnet.api("/attackers?limit=100");
    let attackers: BTreeMap<String, Value> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["ip"].as_str().unwrap().to_owned(), one.clone()))
        .collect();
    let sources: BTreeMap<_, _> =
        actors.iter().map(|one| (one["source"].as_str().unwrap(), one)).collect();
    assert!(sources.len() == actors.len() && actors.len() >= 8);
    assert!(attackers.keys().eq(sources.keys()), "{:?}", attackers.keys());

    // What clients were answered is what is stored, actor by actor.
    for (source, actor) in &sources {
        let stored = |event| count(&first, source, event);
        let name = &actor["name"];
        assert_eq!(stored("connect"), actor["connections"], "{name}");
        assert_eq!(stored("request"), actor["requests"], "{name}");
        if actor["requests"] == 0 {
            assert_eq!(stored("auth_attempt"), actor["logins_tried"], "{name}");
        }
        assert_eq!(actor["errors"], 0, "{name}");
    }

    let told = |event: &str, text: &str| {
        first.keys().any(|fact| fact.contains(&format!(" {event} ")) && fact.contains(text))
    };
    let [miner, human, traveller] =
        ["miner-dropper-1", "careful-human-1", "traveller-1"].map(source);
    for (event, text) in [
        ("command", "pkill -9 -f xmrig"),
        ("command", "crontab -"),
        ("request", "jndi:ldap"),
        ("download_attempt", "198.51.100.23"),
        ("message_stored", "relay test"),
        ("auth_attempt", "\"success\""),
    ] {
        assert!(told(event, text), "no {event} with {text} in {first:#?}");
    }
    let of = |decnet: &mut Decnet, source: &str, what: &str| {
        let uuid = attackers[source]["uuid"].as_str().unwrap();
        decnet.api(&format!("/attackers/{uuid}/{what}?limit=100"))["data"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert!(of(&mut decnet, &miner, "artifacts").len() >= 2);
    assert!(of(&mut decnet, &miner, "commands").len() > 10);
    assert_eq!(of(&mut decnet, &human, "transcripts").len(), 1);
    let journey = &attackers[&traveller];
    assert_eq!((&journey["is_traversal"], &journey["decky_count"]), (&true.into(), &3.into()));
    let tools = first.keys().filter(|fact| {
        fact.starts_with(&format!("{traveller} ")) && fact.contains(" file_captured ")
    });
    let digests: Vec<_> =
        tools.map(|fact| fact.split("sha256=").nth(1).unwrap().split(' ').next()).collect();
    assert!(digests.len() == 3 && digests.iter().all(|digest| *digest == digests[0]));

    let connections = summary["total"]["connections"].as_u64().unwrap();
    let (again, both) = play(&mut decnet, connections);
    assert_eq!(again["total"], summary["total"]);
    for (fact, times) in &both {
        assert_eq!(first.get(fact).map(|before| before * 2), Some(*times), "{fact}");
    }
    assert_eq!(first.len(), both.len());
    assert_eq!(decnet.api("/attackers")["total"], actors.len());
}

#[test]
fn targets_are_loopback_deckies_that_answer() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let with = |address: &str| {
        let services = format!(r#"[{{"name": "ssh", "address": "{address}", "port": 9}}]"#);
        let login = r#"[{"username": "root", "password": "x"}]"#;
        format!(
            r#"{{"api": "http://127.0.0.1:1", "deckies": [{{"name": "a", "ip": "{address}", "logins": {login}, "services": {services}}}]}}"#
        )
    };
    let target = ready.to_str().unwrap();
    fs::write(&ready, with("192.0.2.7")).unwrap();
    let refused = simulate(&["--target", target]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("`a` is at 192.0.2.7, outside 127.0.0.0/8"), "{told}");

    fs::write(&ready, with("127.99.88.77")).unwrap();
    let planned = simulate(&["--target", target, "--seed", "7", "--dry-run"]);
    assert!(planned.status.success());
    let same = simulate(&["--target", target, "--seed", "7", "--dry-run"]);
    assert_eq!(planned.stdout, same.stdout);
    assert!(String::from_utf8_lossy(&planned.stdout).contains("miner-dropper-1 from 127.66."));

    let alone = simulate(&["--target", target, "--rate", "6000", "--speed", "100"]);
    let told = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert_eq!(alone.status.code(), Some(7), "{told}");
    assert!(
        told.contains("error: no running DECNET answers\nhint: is `decnet up` still"),
        "{told}"
    );

    let absent = simulate(&["--target", "/nowhere/ready.json"]);
    assert_eq!(absent.status.code(), Some(4));
}
