//! What the disk does to us: power cuts, no room, no writing, garbage. Nothing answered is lost.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::attackers::{ATTACKERS, Answered, round, rounds, tools, verify};
use e2e::{Decnet, LossyFs, Options, until};
use rustix::process::{Pid, Signal, kill_process};

/// How long a stall is watched.
const WATCHED: Duration = Duration::from_secs(2);
/// Longer than a refused password, once told, waits for its answer.
const REFUSAL: Duration = Duration::from_secs(3);

fn on(fs: &LossyFs) -> Options {
    Options { deckies: Some(1), state_dir: Some(fs.path("decnet")), ..Options::default() }
}

#[test]
fn what_was_answered_survives_a_power_cut() {
    let Some(fs) = tools().then(LossyFs::mount).flatten() else { return };
    let mut decnet = Decnet::start(on(&fs));
    let endpoint = decnet.decky().endpoint("ssh");
    // Its signing key and the changed password have to survive too.
    decnet.token();
    let answered = Arc::default();
    for number in 0..rounds() {
        round(&mut decnet, number, &answered, |decnet| {
            kill_both(decnet, number % 4 < 2);
            // Every second time the disk was writing behind our back.
            fs.power_cut((number % 2 == 1).then_some(number as u64));
        });
        decnet.start_again();
        assert_eq!(decnet.decky().endpoint("ssh"), endpoint, "clients must find the same port");
    }
    verify(&mut decnet, &answered.lock().unwrap());
    assert_eq!(decnet.api("/health")["status"], "healthy");
}

#[test]
fn a_full_disk_stalls_sessions_and_loses_nothing() {
    let Some(fs) = tools().then(LossyFs::mount).flatten() else { return };
    let mut decnet = Decnet::start(on(&fs));
    decnet.token();
    let answered: Arc<Mutex<Answered>> = Arc::default();
    round(&mut decnet, 0, &answered, |decnet| {
        fs.leave_room(Some(0));
        until("health to say so", || stalled(decnet).then_some(()));
        let counts = || answered.lock().unwrap().counts();
        // A refused password is told first and answered up to 2.5 seconds later, as PAM does.
        let at_stall: usize = counts().iter().sum();
        std::thread::sleep(REFUSAL);
        let under_way = counts().iter().sum::<usize>() - at_stall;
        assert!(under_way <= ATTACKERS, "{under_way} answers though nothing can be kept");
        let (before, begun) = (counts(), busy(decnet));
        std::thread::sleep(WATCHED);
        assert_eq!(counts(), before, "clients are answered though nothing can be kept");
        assert!(stalled(decnet), "{}", decnet.get("/health").json());
        for (pid, ticks) in begun {
            let spent = ticks_of(pid).saturating_sub(ticks);
            let most = rustix::param::clock_ticks_per_second() * WATCHED.as_secs() / 5;
            assert!(spent < most, "process {pid} spent {spent} ticks on waiting");
        }
        fs.leave_room(None);
        until("attackers to be answered again", || {
            counts().iter().zip(before).all(|(now, before)| *now > before).then_some(())
        });
    });
    verify(&mut decnet, &answered.lock().unwrap());
    until("health again", || (decnet.get("/health").status == 200).then_some(()));
    assert_eq!(decnet.api("/health")["status"], "healthy");
    let journal = fs::read_dir(decnet.state_dir().join("decoy/journal")).unwrap().flatten();
    let empty = journal.filter(|entry| entry.metadata().unwrap().len() == 0).count();
    assert_eq!(empty, 0, "failed tries leave files behind");
}

#[test]
fn every_stall_is_named_and_ends() {
    let Some(fs) = tools().then(LossyFs::mount).flatten() else { return };
    let mut decnet = Decnet::start(on(&fs));
    decnet.token();
    let answered: Arc<Mutex<Answered>> = Arc::default();
    round(&mut decnet, 0, &answered, |decnet| {
        for stall in 1..=3 {
            fs.leave_room(Some(0));
            until(&format!("health to name stall {stall}"), || {
                let journal = decnet.get("/health").json()["components"]["journal"].clone();
                (journal["status"] == "failing").then_some(())
            });
            fs.leave_room(None);
            until(&format!("the end of stall {stall}"), || {
                (decnet.get("/health").status == 200).then_some(())
            });
        }
    });
    verify(&mut decnet, &answered.lock().unwrap());
}

#[test]
fn a_read_only_state_folder_is_said_plainly() {
    let Some(fs) = LossyFs::mount() else { return };
    let mut decnet = Decnet::start(on(&fs));
    assert!(decnet.stop());
    fs.read_only(true);
    for folder in ["decnet", "new"] {
        decnet.options.state_dir = Some(fs.path(folder));
        let Output { status, stderr, .. } = decnet.command().output().unwrap();
        let told = String::from_utf8_lossy(&stderr).into_owned();
        assert_eq!(status.code(), Some(6), "{told}");
        let path = fs.path(folder).display().to_string();
        for text in [&path, "Read-only file system", "hint: ", "--state-dir"] {
            assert!(told.contains(text), "should say \"{text}\":\n{told}");
        }
    }
    fs.read_only(false);
    decnet.options.state_dir = Some(fs.path("decnet"));
    decnet.start_again();
    assert_eq!(decnet.deckies().len(), 1);
}

#[test]
fn a_corrupted_journal_tail_costs_only_what_was_never_answered() {
    if !tools() {
        return;
    }
    let (mut decnet, answered) = dead_with_a_full_journal();
    let mut newest = fs::File::options().append(true).open(newest_segment(&decnet)).unwrap();
    newest.write_all(&[0xee; 37]).unwrap();
    // A frame of 100 bytes of which 10 came.
    newest.write_all(&[100, 0, 0, 0, 1, 2, 3, 4]).unwrap();
    newest.write_all(&[0x81; 10]).unwrap();
    drop(newest);
    decnet.start_again();
    verify(&mut decnet, &answered);
    assert_eq!(decnet.api("/health")["status"], "healthy");
    let told = decnet.diagnostics();
    assert_eq!(told.matches("journal segment ends with garbage").count(), 1, "{told}");
}

#[test]
fn a_record_that_cannot_be_read_is_set_aside_and_said() {
    if !tools() {
        return;
    }
    let (mut decnet, answered) = dead_with_a_full_journal();
    // A whole frame with its checksum, as a version to come might write it.
    let payload = [0, 0xc1, 7];
    let mut newest = fs::File::options().append(true).open(newest_segment(&decnet)).unwrap();
    newest.write_all(&3_u32.to_le_bytes()).unwrap();
    newest.write_all(&crc32fast::hash(&payload).to_le_bytes()).unwrap();
    newest.write_all(&payload).unwrap();
    drop(newest);
    decnet.start_again();
    verify(&mut decnet, &answered);
    let set_aside = until("health to say so", || {
        let health = decnet.api("/health");
        (health["status"] == "degraded").then(|| health["components"]["quarantine"].clone())
    });
    let told = "1 records could not be stored; see table quarantine";
    assert_eq!(set_aside, serde_json::json!({"status": "failing", "detail": told}));
    // It is acknowledged: nothing sends it again.
    decnet.stop();
    decnet.start_again();
    assert_eq!(decnet.api("/health")["status"], "healthy");
}

/// A DECNET whose processes were killed while the journal held what control had not taken, and what
/// clients were answered.
fn dead_with_a_full_journal() -> (Decnet, Answered) {
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    decnet.token();
    let answered: Arc<Mutex<Answered>> = Arc::default();
    round(&mut decnet, 0, &answered, |decnet| {
        // Control takes nothing any more: what is answered now is in the journal only.
        let control = Pid::from_raw(decnet.control_pid() as i32).unwrap();
        kill_process(control, Signal::STOP).unwrap();
        let before = answered.lock().unwrap().counts();
        until("answers without control", || {
            let now = answered.lock().unwrap().counts();
            now.iter().zip(before).all(|(now, before)| *now > before).then_some(())
        });
        kill_both(decnet, true);
    });
    let answered = std::mem::take(&mut *answered.lock().unwrap());
    (decnet, answered)
}

/// Kills both processes at once and waits until they are gone.
fn kill_both(decnet: &mut Decnet, decoy_first: bool) {
    let decoy = decnet.decoy_pid();
    if let (Some(decoy), true) = (decoy, decoy_first) {
        Decnet::kill(decoy);
    }
    decnet.kill_control();
    if let Some(decoy) = decoy {
        Decnet::kill(decoy);
        until("the decoy process's end", || {
            let stat = fs::read_to_string(format!("/proc/{decoy}/stat")).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        });
    }
}

/// Whether health says that events cannot be kept.
fn stalled(decnet: &mut Decnet) -> bool {
    let health = decnet.get("/health").json();
    let failing = |name: &&str| health["components"][*name]["status"] == "failing";
    health["status"] == "unhealthy" && ["journal", "ingestion_worker"].iter().any(failing)
}

/// Both processes and the processor time they have spent.
fn busy(decnet: &Decnet) -> Vec<(u32, u64)> {
    let pids = [Some(decnet.control_pid()), decnet.decoy_pid()];
    pids.into_iter().flatten().map(|pid| (pid, ticks_of(pid))).collect()
}

fn ticks_of(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    after.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap_or(0)).sum()
}

fn newest_segment(decnet: &Decnet) -> PathBuf {
    let files = fs::read_dir(decnet.state_dir().join("decoy/journal")).unwrap().flatten();
    let newest = files.max_by_key(|file| file.metadata().unwrap().modified().unwrap());
    newest.expect("a segment").path()
}
