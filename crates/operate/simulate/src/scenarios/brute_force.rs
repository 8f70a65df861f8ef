//! A bot that guesses passwords over SSH, and one that goes through factory logins over Telnet.
//!
//! Several short connections at once, a few guesses on each, as most bots do to stay below the
//! server's limit; in the end one guess fits, and the bot looks at what it got.

use super::{Scenario, Script, token};
use crate::draw::Draw;
use crate::lists::{self, DEVICE_GUESSES, DEVICE_SHELL, GUESSES, RECON};
use crate::plan::{Act, Login, SshClient, SshVisit, SshWork, TelnetVisit};
use crate::world::{Door, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "brute-force",
    summary: "bots that guess passwords over SSH and Telnet until one fits",
    write,
};

/// Connections at once, and guesses on each.
const CONNECTIONS: usize = 4;
const GUESSES_EACH: usize = 3;

fn write(world: &World, draw: &mut Draw) -> Script {
    let mut script = Script::default();
    if let Some(door) = script.door(world, "ssh", draw) {
        script.roles.push(over_ssh(world, door, draw));
    }
    if let Some(door) = script.door(world, "telnet", draw) {
        script.roles.push(over_telnet(world, door, draw));
    }
    script
}

fn over_ssh(world: &World, door: Door, draw: &mut Draw) -> Vec<Act> {
    let client = draw.pick(&[SshClient::Go, SshClient::Libssh]).copied().unwrap_or(SshClient::Go);
    let known = world.logins(&door);
    let guesses: Vec<Login> =
        lists::logins(GUESSES).into_iter().filter(|guess| !known.contains(guess)).collect();
    let mut users: Vec<&str> = guesses.iter().map(|guess| guess.username.as_str()).collect();
    users.sort_unstable();
    users.dedup();
    // Two in three guesses are for root, as everywhere.
    let mut visits = Vec::new();
    for number in 0..CONNECTIONS {
        let user = if number < 2 { "root" } else { draw.word(&users) };
        let words: Vec<_> = guesses.iter().map(|guess| guess.password.clone()).collect();
        visits.push(Act::Ssh(SshVisit {
            door: door.clone(),
            client,
            username: user.to_owned(),
            passwords: unknown(&draw.some(&words, GUESSES_EACH + 4), user, known),
            work: Vec::new(),
        }));
    }
    let mut acts = vec![Act::Together(visits), Act::Pause(draw.between(400, 1500))];
    if let Some(hit) = draw.pick(known).cloned() {
        let words: Vec<_> = guesses.iter().map(|guess| guess.password.clone()).collect();
        let mut passwords = unknown(&draw.some(&words, 4), &hit.username, known);
        passwords.truncate(1);
        passwords.push(hit.password);
        let work = draw.some(&lists::entries(RECON), 2);
        let work = work.into_iter().map(|line| SshWork::Exec(line.to_owned())).collect();
        acts.push(Act::Ssh(SshVisit { door, client, username: hit.username, passwords, work }));
    }
    acts
}

/// The first few of `words` that are not `user`'s password.
fn unknown(words: &[String], user: &str, known: &[Login]) -> Vec<String> {
    let fits = |word: &str| known.iter().any(|login| *login == Login::new(user, word));
    words.iter().filter(|word| !fits(word)).take(GUESSES_EACH).cloned().collect()
}

fn over_telnet(world: &World, door: Door, draw: &mut Draw) -> Vec<Act> {
    let guesses = lists::logins(DEVICE_GUESSES);
    let visit = |logins, lines| TelnetVisit { door: door.clone(), logins, lines };
    let tries = (0..2).map(|_| Act::Telnet(visit(draw.some(&guesses, 2), Vec::new()))).collect();
    let mut acts = vec![Act::Together(tries)];
    if let Some(hit) = draw.pick(world.logins(&door)).cloned() {
        let mut logins = draw.some(&guesses, 1);
        logins.push(hit);
        let token = token(draw, 5).to_ascii_uppercase();
        let lines = lists::entries(DEVICE_SHELL).into_iter();
        let lines = lines.map(|line| line.replace("{token}", &token)).collect();
        acts.push(Act::Telnet(visit(logins, lines)));
    }
    acts
}
