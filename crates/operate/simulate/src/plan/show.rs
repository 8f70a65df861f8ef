//! A plan as text.

use std::fmt::{self, Display, Formatter};

use super::{Act, Actor, Login, Plan, SshClient, SshVisit, SshWork};
use crate::plan::FtpWork;
use crate::world::Door;

/// Longest line of what actors say.
const MOST: usize = 110;

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Plan of seed {}: {} actors", self.seed, self.actors.len())?;
        for actor in &self.actors {
            write!(f, "\n{actor}")?;
        }
        for line in &self.skipped {
            write!(f, "\nskipped {line}")?;
        }
        if self.skipped.is_empty() { Ok(()) } else { writeln!(f) }
    }
}

impl Display for Actor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} from {}", self.name, self.source)?;
        self.acts.iter().try_for_each(|act| show(f, act, 1))
    }
}

fn show(f: &mut Formatter<'_>, act: &Act, depth: usize) -> fmt::Result {
    match act {
        Act::Pause(ms) => line(f, depth, &format!("pause {ms} ms")),
        Act::Together(acts) => {
            line(f, depth, "at once")?;
            acts.iter().try_for_each(|act| show(f, act, depth + 1))
        }
        Act::Knock(door) => line(f, depth, &format!("knock at {door}")),
        Act::Ssh(visit) => ssh(f, visit, depth),
        Act::Telnet(visit) => {
            line(f, depth, &tries(&visit.door, &visit.logins))?;
            visit.lines.iter().try_for_each(|text| line(f, depth + 1, &format!("type {text}")))
        }
        Act::Ftp(visit) => {
            line(f, depth, &tries(&visit.door, &visit.logins))?;
            visit.work.iter().try_for_each(|work| {
                let text = match work {
                    FtpWork::Command(command) => command.clone(),
                    FtpWork::List => "LIST".to_owned(),
                    FtpWork::Store(payload) => format!("STOR {payload:?}"),
                };
                line(f, depth + 1, &text)
            })
        }
        Act::Smtp(visit) => {
            line(f, depth, &tries(&visit.door, &visit.logins))?;
            let mail = visit.mail.iter();
            mail.map(|mail| format!("mail to {}: {}", mail.to, mail.subject))
                .try_for_each(|text| line(f, depth + 1, &text))
        }
        Act::Http(visit) => {
            line(f, depth, &format!("{}: {}", visit.door, visit.user_agent))?;
            visit.requests.iter().try_for_each(|request| {
                let login = request.login.as_ref().map(|login| format!("  as {login}"));
                let text = format!("{} {}", request.method, request.path);
                line(f, depth + 1, &(text + &login.unwrap_or_default()))
            })
        }
        Act::Redis(visit) => {
            line(f, depth, &tries(&visit.door, &visit.logins))?;
            let commands = visit.commands.iter();
            commands.map(|words| words.join(" ")).try_for_each(|text| line(f, depth + 1, &text))
        }
        Act::Mysql(visit) | Act::Postgres(visit) => {
            line(f, depth, &tries(&visit.door, &visit.logins))?;
            visit.queries.iter().try_for_each(|query| line(f, depth + 1, query))
        }
    }
}

fn ssh(f: &mut Formatter<'_>, visit: &SshVisit, depth: usize) -> fmt::Result {
    let passwords = visit.passwords.join(", ");
    let client = visit.client;
    line(f, depth, &format!("{} with {client}: {} / {passwords}", visit.door, visit.username))?;
    for work in &visit.work {
        match work {
            SshWork::Pause(ms) => line(f, depth + 1, &format!("pause {ms} ms"))?,
            SshWork::Exec(command) => line(f, depth + 1, &format!("run {command}"))?,
            SshWork::Scp { path, payload } => {
                line(f, depth + 1, &format!("scp {payload:?} to {path}"))?;
            }
            SshWork::Sftp { path, payload } => {
                line(f, depth + 1, &format!("sftp {payload:?} to {path}"))?;
            }
            SshWork::Terminal { lines, .. } => {
                for typed in lines {
                    line(f, depth + 1, &format!("type {}", typed.line))?;
                }
            }
        }
    }
    Ok(())
}

fn tries(door: &Door, logins: &[Login]) -> String {
    let logins: Vec<_> = logins.iter().map(ToString::to_string).collect();
    format!("{door}: {}", logins.join(", "))
}

/// A line, cut where it is too long and with control characters made visible.
fn line(f: &mut Formatter<'_>, depth: usize, text: &str) -> fmt::Result {
    let short: String = text.chars().take(MOST).collect();
    let cut = if short.len() < text.len() { " …" } else { "" };
    let shown = short.chars().map(|char| match char {
        char if char.is_control() => char.escape_debug().to_string(),
        char => char.to_string(),
    });
    writeln!(f, "{:indent$}{}{cut}", "", shown.collect::<String>(), indent = depth * 2)
}

impl Display for Door {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.service, self.decky, self.address)
    }
}

impl Display for Login {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.username, self.password)
    }
}

impl Display for SshClient {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Go => "a Go bot",
            Self::Libssh => "a libssh bot",
            Self::OpenSsh => "OpenSSH",
            Self::Putty => "PuTTY",
        })
    }
}
