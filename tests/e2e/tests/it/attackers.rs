//! Attackers at work while harm is done, and what must be stored of them afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::{Decky, Decnet, clients, missing, until};
use serde_json::Value;

/// Attackers at work at once.
pub(crate) const ATTACKERS: usize = 3;

/// What clients were answered for.
#[derive(Default)]
pub(crate) struct Answered {
    commands: Vec<String>,
    passwords: Vec<String>,
    files: Vec<String>,
}

impl Answered {
    /// Commands, passwords and files so far.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.commands.len(), self.passwords.len(), self.files.len()]
    }
}

/// Rounds of a test: few by default, as many as `DECNET_CRASH_ROUNDS` says.
pub(crate) fn rounds() -> usize {
    std::env::var("DECNET_CRASH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

/// Attacks until told to stop, and notes what was answered.
fn attack(
    decky: &Decky,
    number: usize,
    round: usize,
    stop: &AtomicBool,
    answered: &Mutex<Answered>,
) {
    let folder = tempfile::tempdir().unwrap();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let name = format!("r{round}a{number}t{turn}");
        match turn % 3 {
            0 => {
                let password = format!("wrong-{name}");
                let (user, _) = decky.login();
                let output = clients::ssh(decky, &user, &password, &["true"], b"");
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                if told.contains("Permission denied") {
                    answered.lock().unwrap().passwords.push(password);
                }
            }
            1 => {
                let output = clients::run(decky, &format!("echo {name}"));
                if output.stdout == format!("{name}\n").as_bytes() {
                    answered.lock().unwrap().commands.push(format!("echo {name}"));
                }
            }
            _ => {
                let file = folder.path().join(&name);
                fs::write(&file, name.repeat(5000)).unwrap();
                let copied = clients::scp(decky, file.to_str().unwrap(), "/tmp/", true);
                if copied.status.success() {
                    answered.lock().unwrap().files.push(name);
                }
            }
        }
    }
}

/// Runs attackers while `strike` does harm, then has `mend` make everything run again.
pub(crate) fn round(
    decnet: &mut Decnet,
    number: usize,
    answered: &Arc<Mutex<Answered>>,
    strike: impl FnOnce(&mut Decnet),
) {
    let stop = Arc::new(AtomicBool::new(false));
    let decky = decnet.decky();
    let attackers: Vec<_> = (0..ATTACKERS)
        .map(|attacker| {
            let (decky, stop, answered) = (decky.clone(), Arc::clone(&stop), Arc::clone(answered));
            std::thread::spawn(move || attack(&decky, attacker, number, &stop, &answered))
        })
        .collect();
    let before = answered.lock().unwrap().counts();
    until("attackers at work", || {
        let now = answered.lock().unwrap().counts();
        now.iter().zip(before).all(|(now, before)| *now > before).then_some(())
    });
    // Any instant will do: this spreads them over the work in progress.
    std::thread::sleep(Duration::from_millis((number as u64 * 137) % 400));
    strike(decnet);
    stop.store(true, Ordering::Relaxed);
    attackers.into_iter().for_each(|attacker| attacker.join().unwrap());
}

/// Everything answered is stored, and nothing is stored twice.
pub(crate) fn verify(decnet: &mut Decnet, answered: &Answered) {
    assert!(!answered.commands.is_empty() && !answered.passwords.is_empty());
    let commands = until_stored(decnet, "event:command", "command", &answered.commands);
    let echoes = commands.iter().filter(|(line, _)| line.starts_with("echo "));
    assert!(echoes.clone().all(|(_, count)| *count == 1), "twice: {commands:?}");
    let passwords = &answered.passwords;
    let attempts = until_stored(decnet, "event:auth_attempt", "secret_printable", passwords);
    let wrong = attempts.iter().filter(|(secret, _)| secret.starts_with("wrong-"));
    assert!(wrong.clone().all(|(_, count)| *count == 1), "twice: {attempts:?}");
    let paths: Vec<_> = answered.files.iter().map(|name| format!("/tmp/{name}")).collect();
    until_stored(decnet, "event:file_captured", "orig_path", &paths);
    for name in &answered.files {
        let log = decnet.api(&format!("/logs?search=event:file_captured%20orig_path:/tmp/{name}"));
        let fields: Value =
            serde_json::from_str(log["data"][0]["fields"].as_str().unwrap()).unwrap();
        let stored = fields["stored_as"].as_str().unwrap();
        let path = format!("/artifacts/{}/{stored}?service=ssh", decnet.decky().name());
        assert!(decnet.get(&path).body == name.repeat(5000).as_bytes(), "{name} is damaged");
    }
}

/// Waits until every one of `wanted` is stored, and counts what is.
fn until_stored(
    decnet: &mut Decnet,
    search: &str,
    field: &str,
    wanted: &[String],
) -> BTreeMap<String, usize> {
    until(&format!("everything answered to be stored as {search}"), || {
        let stored = counted(decnet, search, field);
        wanted.iter().all(|one| stored.contains_key(one)).then_some(stored)
    })
}

/// How often each value of `field` is stored.
fn counted(decnet: &mut Decnet, search: &str, field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = decnet.api(&format!("/logs?limit=1000&offset={offset}&search={search}"));
        let rows = page["data"].as_array().unwrap();
        for row in rows {
            let fields: Value = serde_json::from_str(row["fields"].as_str().unwrap()).unwrap();
            if let Some(value) = fields[field].as_str() {
                *counts.entry(value.to_owned()).or_default() += 1;
            }
        }
        if rows.len() < 1000 {
            return counts;
        }
        offset += 1000;
    }
}

/// Whether the attackers' tools are here.
pub(crate) fn tools() -> bool {
    !["ssh", "sshpass", "scp"].iter().any(|tool| missing(tool))
}
