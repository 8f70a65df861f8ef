//! `CONFIG`.

use std::collections::BTreeSet;

use decoys_host::fs::Errno;

use super::{Answer, Call, Reply, glob};
use crate::redis::persona::{SETTINGS, Setting};
use crate::redis::server::Server;

pub(super) fn run(call: &mut Call<'_>) -> Answer {
    match call.word(1).as_str() {
        "get" => Ok(get(call)),
        "set" => set(call),
        "resetstat" => {
            call.server.counts.reset();
            Ok(Reply::ok())
        }
        "rewrite" => rewrite(call),
        _ => Ok(super::docs::help(call, "config")),
    }
}

fn get(call: &Call<'_>) -> Reply {
    let patterns = call.from(2);
    let server = &*call.server;
    let shown = SETTINGS.iter().filter(|setting| {
        let name = setting.name.as_bytes();
        server.persona.has(setting)
            && patterns.iter().any(|pattern| glob(&pattern.to_ascii_lowercase(), name))
    });
    Reply::Map(
        shown
            .map(|setting| (Reply::text(setting.name), Reply::text(server.setting(setting.name))))
            .collect(),
    )
}

/// How the version words a refusal.
fn refuse(seven: bool, name: &str, value: &str, why: &str) -> Reply {
    Reply::error(if seven {
        format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
    } else if why.is_empty() {
        format!("ERR Invalid argument '{value}' for CONFIG SET '{name}'")
    } else {
        format!("ERR Invalid argument '{value}' for CONFIG SET '{name}' - {why}")
    })
}

fn set(call: &mut Call<'_>) -> Answer {
    let seven = call.server.persona.seven;
    let pairs = call.from(2);
    if pairs.len() % 2 == 1 || !seven && pairs.len() != 2 {
        return Err(Reply::error(if seven {
            "ERR syntax error"
        } else {
            "ERR Unknown subcommand or wrong number of arguments for 'set'. Try CONFIG HELP."
        }));
    }
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for (name, value) in pairs.iter().step_by(2).zip(pairs.iter().skip(1).step_by(2)) {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value).into_owned();
        let known = SETTINGS.iter().find(|known| known.name == name);
        let Some(setting) = known.filter(|known| call.server.persona.has(known)) else {
            return Err(Reply::error(if seven {
                format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
            } else {
                format!("ERR Unsupported CONFIG parameter: {name}")
            }));
        };
        if !seen.insert(name.clone()) {
            return Err(refuse(seven, &name, &value, "duplicate parameter"));
        }
        let new = check(call, setting, &value)?;
        changes.push((setting.name, new));
    }
    for (name, value) in changes {
        apply(call.server, name, &value);
    }
    Ok(Reply::ok())
}

/// The value as it will be kept.
fn check(call: &Call<'_>, setting: &Setting, value: &str) -> Result<String, Reply> {
    let seven = call.server.persona.seven;
    let name = setting.name;
    let no = |why: &str| Err(refuse(seven, name, value, why));
    match setting.kind {
        "immutable" if seven => return no("can't set immutable config"),
        "immutable" => {
            return Err(Reply::error(format!("ERR Unsupported CONFIG parameter: {name}")));
        }
        "bool" if !matches!(value.to_ascii_lowercase().as_str(), "yes" | "no") => {
            return no("argument must be 'yes' or 'no'");
        }
        "bool" => return Ok(value.to_ascii_lowercase()),
        "enum" => {
            let lower = value.to_ascii_lowercase();
            if setting.allowed.split(", ").any(|allowed| allowed == lower) {
                return Ok(lower);
            }
            return no(&format!("argument(s) must be one of the following: {}", setting.allowed));
        }
        "int" if value.parse::<i64>().is_err() => {
            return no("argument couldn't be parsed into an integer");
        }
        "memory" => {
            return match memory(value) {
                Some(bytes) => Ok(bytes.to_string()),
                None if seven => no("argument must be a memory value"),
                None => no("argument must be a memory value"),
            };
        }
        _ => {}
    }
    match name {
        "dir" => {
            if let Err(errno) = folder(call, value.as_bytes()) {
                return Err(if seven {
                    refuse(seven, name, value, errno.text())
                } else {
                    Reply::error(format!("ERR Changing directory: {}", errno.text()))
                });
            }
        }
        "dbfilename" if value.contains('/') => {
            return no("dbfilename can't be a path, just a filename");
        }
        "port" if value != "6379" => {
            return no("Unable to listen on this port. Check server logs.");
        }
        _ => {}
    }
    Ok(value.to_owned())
}

/// Whether the server may change into `path`, which is made absolute.
fn folder(call: &Call<'_>, path: &[u8]) -> Result<(), Errno> {
    let cwd = call.server.setting("dir").into_bytes();
    let creds = super::server::creds(call.machine);
    let stat = call.machine.fs().stat(&creds, &cwd, path, true)?;
    if !stat.node.is_dir() {
        return Err(Errno::NotDirectory);
    }
    if creds.may(&stat.node, decoys_host::fs::Access::Execute) {
        Ok(())
    } else {
        Err(Errno::Access)
    }
}

fn apply(server: &mut Server, name: &str, value: &str) {
    match name {
        "requirepass" => server.users.require(value),
        "dir" => {
            let cwd = server.setting("dir").into_bytes();
            let path = decoys_host::fs::absolute(&cwd, value.as_bytes());
            let path = String::from_utf8_lossy(&path).into_owned();
            return server.set("dir", &path);
        }
        _ => {}
    }
    server.set(name, value);
}

/// A number with a unit of memory.
fn memory(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1024,
        "m" => 1_000_000,
        "mb" => 1024 * 1024,
        "g" => 1_000_000_000,
        "gb" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// Writes what was changed into the configuration file, where a shell can read it.
fn rewrite(call: &mut Call<'_>) -> Answer {
    const PATH: &[u8] = b"/etc/redis/redis.conf";
    let fs = call.machine.fs();
    let creds = super::server::creds(call.machine);
    let fail = |errno: Errno| Reply::error(format!("ERR Rewriting config file: {}", errno.text()));
    let ino = fs.find(&creds, b"/", PATH, true).map_err(fail)?;
    let text = String::from_utf8_lossy(&fs.read(ino, 0, 1024 * 1024)).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut added = Vec::new();
    for (name, value) in &call.server.kept.config {
        let value = if value.is_empty() { "\"\"" } else { value };
        let line = format!("{name} {value}");
        let prefix = format!("{name} ");
        match lines.iter_mut().find(|known| known.starts_with(&prefix)) {
            Some(known) => *known = line,
            None => added.push(line),
        }
    }
    if !added.is_empty() && !lines.iter().any(|line| line == "# Generated by CONFIG REWRITE") {
        lines.push("# Generated by CONFIG REWRITE".to_owned());
    }
    lines.extend(added);
    let new = lines.join("\n") + "\n";
    super::server::write_file(call, PATH.to_vec(), new.into_bytes()).map_err(fail)?;
    Ok(Reply::ok())
}
