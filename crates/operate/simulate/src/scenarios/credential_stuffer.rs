//! One who has a few logins from a leak and tries the same ones at every service of a machine.

use super::web_scanner::{form, json};
use super::{Scenario, Script, token};
use crate::draw::Draw;
use crate::lists::{self, BROWSERS, LEAKED};
use crate::payload::Payload;
use crate::plan::{
    Act, DatabaseVisit, FtpVisit, FtpWork, HttpVisit, Login, Mail, RedisVisit, SmtpVisit,
    SshClient, SshVisit, SshWork, TelnetVisit,
};
use crate::world::{Door, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "credential-stuffer",
    summary: "the same few leaked logins at ssh, ftp, smtp, telnet, http and databases",
    write,
};

/// Logins of the leak that are tried; one more is right, where one is known.
const LOGINS: usize = 3;
const SERVICES: &[&str] = &["ssh", "ftp", "smtp", "telnet", "http", "redis", "mysql", "postgres"];

fn write(world: &World, draw: &mut Draw) -> Script {
    let mut script = Script::default();
    let mut logins = draw.some(&lists::logins(LEAKED), LOGINS);
    let mut visits = Vec::new();
    let mut reused = None;
    let home = draw.pick(world.deckies());
    for service in SERVICES {
        // All on one machine, and elsewhere what that does not offer.
        let door = match home.and_then(|home| home.door(service)) {
            Some(door) => door,
            None => match script.door(world, service, draw) {
                Some(door) => door,
                None => continue,
            },
        };
        // The login that people used everywhere: that of the first machine looked at.
        if reused.is_none() {
            reused = draw.pick(world.logins(&door)).cloned();
            logins.extend(reused.clone());
        }
        visits.extend(visit(door, &logins, draw));
    }
    if !visits.is_empty() {
        script.roles.push(vec![Act::Together(visits)]);
    }
    script
}

fn visit(door: Door, logins: &[Login], draw: &mut Draw) -> Vec<Act> {
    let all = logins.to_vec();
    match door.service.as_str() {
        "ssh" => logins.iter().map(|login| over_ssh(door.clone(), login)).collect(),
        "ftp" => {
            let notes = Payload::text(&format!("{}.txt", token(draw, 5)), "was here");
            let work = vec![
                FtpWork::Command("SYST".into()),
                FtpWork::Command("PWD".into()),
                FtpWork::List,
                FtpWork::Store(notes),
            ];
            // Servers hang up at the third refusal.
            let visit = |logins: &[Login]| FtpVisit {
                door: door.clone(),
                logins: logins.to_vec(),
                work: work.clone(),
            };
            logins.chunks(2).map(|logins| Act::Ftp(visit(logins))).collect()
        }
        "smtp" => {
            let mail = Mail {
                from: "billing@customers.example".into(),
                to: format!("{}@mailbox.example", token(draw, 8)),
                subject: format!("relay test {}", token(draw, 6)),
                text: "This mail shows whether the server relays for a stolen login. It is \
                       harmless."
                    .into(),
            };
            let helo = format!("win-{}", token(draw, 8));
            vec![Act::Smtp(SmtpVisit { door, helo, logins: all, mail: Some(mail) })]
        }
        "telnet" => {
            let lines = vec!["id".into(), "exit".into()];
            vec![Act::Telnet(TelnetVisit { door, logins: all, lines })]
        }
        "http" => {
            let sent = logins.iter().map(|login| match draw.chance(50) {
                true => form("/login", ("username", "password"), login.clone()),
                false => json("/api/auth/login", login.clone()),
            });
            let requests = sent.collect();
            let user_agent = draw.word(&lists::entries(BROWSERS)).to_owned();
            vec![Act::Http(HttpVisit { door, user_agent, requests })]
        }
        "redis" => {
            let words = [&["PING"][..], &["INFO"], &["CONFIG", "GET", "dir"], &["KEYS", "*"]];
            let commands =
                words.iter().map(|words| words.iter().map(|&word| word.into()).collect());
            vec![Act::Redis(RedisVisit { door, logins: all, commands: commands.collect() })]
        }
        "mysql" => {
            let queries = ["SELECT VERSION()", "SHOW DATABASES", "SELECT USER()"];
            let queries = queries.map(str::to_owned).to_vec();
            vec![Act::Mysql(DatabaseVisit { door, logins: all, queries })]
        }
        "postgres" => {
            let queries = ["SELECT version()", "SELECT datname FROM pg_database"];
            let queries = queries.map(str::to_owned).to_vec();
            vec![Act::Postgres(DatabaseVisit { door, logins: all, queries })]
        }
        _ => Vec::new(),
    }
}

/// Servers take one user a connection.
fn over_ssh(door: Door, login: &Login) -> Act {
    Act::Ssh(SshVisit {
        door,
        client: SshClient::Libssh,
        username: login.username.clone(),
        passwords: vec![login.password.clone()],
        work: vec![SshWork::Exec("id".into())],
    })
}
