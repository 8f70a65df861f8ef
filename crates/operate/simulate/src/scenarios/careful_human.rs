//! A person at a terminal over SSH: types at human speed with slips, reads what comes, looks
//! around without breaking anything, and leaves.

use super::{Scenario, Script};
use crate::draw::Draw;
use crate::lists::{self, HUMAN};
use crate::plan::{Act, SshClient, SshVisit, SshWork, Typed};
use crate::world::World;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "careful-human",
    summary: "a person at an SSH terminal who types, slips, reads, looks around and leaves",
    write,
};

/// Half of the answers are read in less.
const READING: std::time::Duration = std::time::Duration::from_millis(1700);
const SPREAD: f64 = 0.6;
/// Lines of one visit, the last of which is `exit`.
const LINES: usize = 9;
const LONGEST_READING: u64 = 9_000;

fn write(world: &World, draw: &mut Draw) -> Script {
    let mut script = Script::default();
    let Some(door) = script.door(world, "ssh", draw) else { return script };
    let Some(login) = draw.pick(world.logins(&door)).cloned() else { return script };
    let clients = [SshClient::OpenSsh, SshClient::Putty];
    let client = draw.pick(&clients).copied().unwrap_or(SshClient::OpenSsh);
    let blocks = lists::blocks(HUMAN);
    let block = draw.pick(&blocks).cloned().unwrap_or_default();
    let last = block.last().copied();
    let lines = block.iter().take(block.len().min(LINES) - usize::from(last.is_some())).copied();
    let lines = lines.chain(last).map(|line| typed(line, draw)).collect();
    let (term, size) = match client {
        SshClient::Putty => ("xterm", (80, 24)),
        SshClient::Go | SshClient::Libssh | SshClient::OpenSsh => ("xterm-256color", (132, 38)),
    };
    let work = vec![SshWork::Terminal { term: term.to_owned(), size, lines }];
    // Half of them mistype the password they were given first.
    let mut passwords = vec![login.password.clone()];
    if draw.chance(50) {
        passwords.insert(0, format!("{} ", login.password));
    }
    let visit = SshVisit { door, client, username: login.username, passwords, work };
    script.roles.push(vec![Act::Ssh(visit)]);
    script
}

fn typed(line: &str, draw: &mut Draw) -> Typed {
    let read = draw.log_normal(READING, SPREAD).as_millis();
    let read_ms = u64::try_from(read).unwrap_or(LONGEST_READING).min(LONGEST_READING);
    Typed { line: line.to_owned(), rhythm: draw.number(), read_ms }
}
