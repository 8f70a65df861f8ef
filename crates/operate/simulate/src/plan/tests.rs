//! Plans are what they were, and hold what they promise.

use std::collections::BTreeSet;

use super::*;
use crate::scenarios::{ALL, find};

/// Two machines with every service there is.
pub(crate) fn world() -> World {
    let services = [
        ("ftp", 21),
        ("http", 80),
        ("mysql", 3306),
        ("postgres", 5432),
        ("redis", 6379),
        ("smtp", 25),
        ("ssh", 22),
        ("telnet", 23),
    ];
    let deckies: Vec<_> = (1..=3)
        .map(|number| {
            let ip = format!("127.1.0.{number}");
            let services: Vec<_> = services
                .iter()
                .map(|(name, port)| serde_json::json!({"name": name, "address": ip, "port": port}))
                .collect();
            let logins =
                serde_json::json!([{"username": "root", "password": format!("pw{number}")}]);
            let name = format!("decky-0{number}");
            serde_json::json!({"name": name, "ip": ip, "logins": logins, "services": services})
        })
        .collect();
    let ready = serde_json::json!({ "api": "http://127.0.0.1:8000", "deckies": deckies });
    World::read(ready.to_string().as_bytes()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_plan_and_another_another() {
    let plan = |seed| Plan::new(&world(), seed, ALL, 2);
    assert_eq!(plan(7), plan(7));
    assert_eq!(plan(7).to_string(), plan(7).to_string());
    assert_ne!(plan(7), plan(8));
}

#[test]
fn a_scenario_does_the_same_whatever_others_there_are() {
    let alone = Plan::new(&world(), 7, &[find("miner-dropper").unwrap()], 1);
    let all = Plan::new(&world(), 7, ALL, 1);
    assert!(!alone.actors.is_empty());
    assert!(alone.actors.iter().all(|actor| all.actors.contains(actor)));
}

#[test]
fn actors_have_addresses_and_names_of_their_own_and_none_is_a_deckys() {
    let plan = Plan::new(&world(), 7, ALL, 20);
    let sources: BTreeSet<_> = plan.actors.iter().map(|actor| actor.source).collect();
    let names: BTreeSet<_> = plan.actors.iter().map(|actor| &actor.name).collect();
    assert_eq!((sources.len(), names.len()), (plan.actors.len(), plan.actors.len()));
    assert!(plan.actors.len() >= 20 * 8);
    assert!(sources.iter().all(|source| source.octets().starts_with(&SOURCES)));
    assert!(sources.is_disjoint(&world().addresses()));
}

#[test]
fn what_no_decky_offers_is_left_out_and_said_once() {
    let deckies = world().deckies().to_vec();
    let without = deckies.into_iter().map(|mut decky| {
        decky.services.retain(|service| service.name == "http");
        decky
    });
    let world = World::new(Vec::new(), without.collect()).unwrap();
    let plan = Plan::new(&world, 7, ALL, 3);
    assert!(plan.skipped.contains(&"careful-human: no decky offers ssh".to_owned()));
    let once: BTreeSet<_> = plan.skipped.iter().collect();
    assert_eq!(once.len(), plan.skipped.len());
    let names: BTreeSet<_> =
        plan.actors.iter().map(|actor| actor.name.rsplit_once('-').unwrap().0).collect();
    assert_eq!(names, ["credential-stuffer", "web-scanner"].into());
}

#[test]
fn every_scenario_has_its_mark_in_the_plan() {
    let text = Plan::new(&world(), 7, ALL, 1).to_string();
    for mark in [
        "ssh decky-0",
        "telnet decky-0",
        "redis decky-0",
        "mysql decky-0",
        "postgres decky-0",
        "run pkill -9 -f xmrig",
        "type exit",
        "jndi:ldap",
        "knock at ssh",
        "mail to ",
        "crontab -",
    ] {
        assert!(text.contains(mark), "{mark} is not in:\n{text}");
    }
}

#[test]
fn brute_force_hits_last_and_with_the_right_password_alone() {
    let plan = Plan::new(&world(), 7, &[find("brute-force").unwrap()], 5);
    for actor in plan.actors.iter().filter(|actor| actor.name.starts_with("brute")) {
        let text = actor.to_string();
        let hits = text.matches("pw").count();
        let last = text.lines().rfind(|line| line.contains("decky-0")).unwrap();
        assert!(hits == 1 && last.contains("pw"), "{text}");
    }
}

#[test]
fn the_traveller_visits_every_machine_with_one_tool() {
    let plan = Plan::new(&world(), 7, &[find("traveller").unwrap()], 1);
    let mut digests = BTreeSet::new();
    let mut deckies = BTreeSet::new();
    for act in &plan.actors[0].acts {
        let Act::Ssh(visit) = act else { continue };
        deckies.insert(&visit.door.decky);
        for work in &visit.work {
            if let SshWork::Sftp { payload, .. } = work {
                digests.insert(payload.sha256());
            }
        }
    }
    assert_eq!((deckies.len(), digests.len()), (3, 1));
}

/// The plan of seed 7, as `decnet simulate --dry-run` prints it. A change of it changes what every
/// seed means: write it anew with `UPDATE=1` and say so in the changelog.
#[test]
fn the_plan_of_seed_7_is_the_golden_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plan/seed-7.txt");
    let plan = Plan::new(&world(), 7, ALL, 1).to_string();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &plan).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert!(plan == golden, "the plan changed:\n{plan}");
}
