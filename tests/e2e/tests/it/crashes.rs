//! `kill -9` of anything at any instant: what a client was answered for is stored exactly once.

use std::sync::Arc;
use std::time::Duration;

use e2e::{Decnet, MariaDb, Options, missing, until};

use crate::attackers::{round, rounds, tools, verify};

#[test]
fn killing_the_decoy_process_loses_nothing_and_doubles_nothing() {
    if !tools() {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let answered = Arc::default();
    for number in 0..rounds() {
        round(&mut decnet, number, &answered, |decnet| {
            let killed = until("the decoy process", || decnet.decoy_pid());
            Decnet::kill(killed);
            until("its successor", || decnet.decoy_pid().filter(|pid| *pid != killed));
        });
    }
    verify(&mut decnet, &answered.lock().unwrap());
    assert_eq!(decnet.api("/health")["status"], "healthy");
}

#[test]
fn killing_control_or_both_loses_nothing_and_doubles_nothing() {
    if !tools() {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let endpoint = decnet.decky().endpoint("ssh");
    let answered = Arc::default();
    for number in 0..rounds() * 2 {
        round(&mut decnet, number, &answered, |decnet| {
            let decoy = decnet.decoy_pid();
            decnet.kill_control();
            if number % 2 == 1
                && let Some(decoy) = decoy
            {
                Decnet::kill(decoy);
            }
        });
        decnet.start_again();
        assert_eq!(decnet.decky().endpoint("ssh"), endpoint, "clients must find the same port");
    }
    verify(&mut decnet, &answered.lock().unwrap());
}

#[test]
fn killing_the_database_loses_nothing_and_doubles_nothing() {
    if !tools() || missing("mariadbd") {
        return;
    }
    let mut server = MariaDb::start();
    let options = Options { deckies: Some(1), db: Some(server.url()), ..Options::default() };
    let mut decnet = Decnet::start(options);
    let answered = Arc::default();
    for number in 0..rounds() {
        round(&mut decnet, number, &answered, |_| {
            server.kill();
            // Attackers go on while it is away.
            std::thread::sleep(Duration::from_millis(500));
            server.start_again();
        });
    }
    verify(&mut decnet, &answered.lock().unwrap());
}
