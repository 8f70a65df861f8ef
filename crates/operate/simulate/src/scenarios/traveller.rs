//! One who gets into a machine and goes on from there: looks for the next, knocks at its door,
//! tries the login that worked last, and brings the same tool.
//!
//! Every connection comes from the traveller's own address, as through a tunnel: nothing leaves a
//! decky.

use super::{Scenario, Script, token};
use crate::draw::Draw;
use crate::lists::{self, NEIGHBOURS, RECON};
use crate::payload::Payload;
use crate::plan::{Act, Login, SshClient, SshVisit, SshWork};
use crate::world::{Door, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "traveller",
    summary: "gets into a decky and moves on to the next with the same tool and what it found",
    write,
};

/// Machines on one journey, and doors knocked at from each.
const MOST_STOPS: usize = 6;
const MOST_KNOCKS: usize = 12;

fn write(world: &World, draw: &mut Draw) -> Script {
    let mut script = Script::default();
    let doors = world.doors("ssh");
    if doors.is_empty() {
        script.absent.push("ssh");
        return script;
    }
    let tool = Payload::elf(&format!("nb-{}", token(draw, 4)), draw.number());
    let mut acts = Vec::new();
    let mut last: Option<Login> = None;
    for door in draw.some(&doors, MOST_STOPS) {
        let Some(login) = draw.pick(world.logins(&door)).cloned() else { continue };
        if last.is_some() {
            acts.push(Act::Together(sweep(world, &door, draw)));
            acts.push(Act::Pause(draw.between(600, 2400)));
        }
        acts.extend(stop(&door, last.as_ref(), &login, &tool, draw));
        last = Some(login);
    }
    script.roles.push(acts);
    script
}

/// Knocks at the door and at some others, to find which is open.
fn sweep(world: &World, door: &Door, draw: &mut Draw) -> Vec<Act> {
    let mut doors = vec![door.clone()];
    for service in ["ssh", "ftp", "smtp", "telnet"] {
        doors.extend(world.doors(service).into_iter().filter(|other| other.decky == door.decky));
    }
    doors.dedup();
    let others = world.doors("ssh").into_iter().filter(|other| other.decky != door.decky);
    doors.extend(draw.some(&others.collect::<Vec<_>>(), MOST_KNOCKS));
    doors.truncate(MOST_KNOCKS);
    doors.into_iter().map(Act::Knock).collect()
}

/// One machine: in with the login found before or its own, then work.
fn stop(
    door: &Door,
    last: Option<&Login>,
    own: &Login,
    tool: &Payload,
    draw: &mut Draw,
) -> Vec<Act> {
    let path = format!("/tmp/.{}", tool.name);
    let [a, b, c, _] = door.address.ip().octets();
    let mut work = vec![run("id; hostname"), run(draw.word(&lists::entries(RECON)))];
    work.extend(lists::entries(NEIGHBOURS).into_iter().map(run));
    work.push(SshWork::Sftp { path: path.clone(), payload: tool.clone() });
    work.push(run(&format!("chmod +x {path} && {path} -t {a}.{b}.{c}.0/24 -p 22,23,80,445")));
    work.push(run(&format!("ls -la {path}; cat /etc/hostname")));
    let visit = |username: &str, passwords, work| {
        let client = SshClient::OpenSsh;
        Act::Ssh(SshVisit {
            door: door.clone(),
            client,
            username: username.into(),
            passwords,
            work,
        })
    };
    let mut acts = Vec::new();
    let mut passwords = vec![own.password.clone()];
    match last {
        Some(last) if last == own => {}
        Some(last) if last.username == own.username => passwords.insert(0, last.password.clone()),
        Some(last) => acts.push(visit(&last.username, vec![last.password.clone()], Vec::new())),
        None => {}
    }
    acts.push(visit(&own.username, passwords, work));
    acts
}

fn run(line: &str) -> SshWork {
    SshWork::Exec(line.to_owned())
}
