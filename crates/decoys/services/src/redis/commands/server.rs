//! The server itself: saving, following a master, emptying, and what it tells of itself.

use decoys_host::Machine;
use decoys_host::fs::{Creds, Errno};

use super::{Answer, Call, Reply, Written, syntax};
use crate::redis::keyspace::DATABASES;
use crate::redis::parser;
use crate::redis::rdb::{self, Stamp};

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let seven = call.server.persona.seven;
    match name {
        "acl" => super::security::run(call),
        "config" => super::config::run(call),
        "info" => Ok(super::info::run(call)),
        "command" => super::docs::run(call),
        "dbsize" => {
            let now = call.ms();
            let database = call.server.keys.database(call.me.db);
            let live = database.values().filter(|e| e.expires.is_none_or(|at| at > now));
            Ok(Reply::count(live.count()))
        }
        "flushdb" | "flushall" => {
            match (call.args.len(), call.word(1).as_str()) {
                (1, _) | (2, "async" | "sync") => {}
                _ => return Err(syntax()),
            }
            if name == "flushdb" {
                call.server.keys.flush(call.me.db);
            } else {
                (0..DATABASES).for_each(|db| call.server.keys.flush(db));
            }
            Ok(Reply::ok())
        }
        "save" => save(call).map(|()| Reply::ok()),
        "bgsave" => match (call.args.len(), call.word(1).as_str()) {
            (1, _) | (2, "schedule") => {
                // The child writes on its own; what it could not write shows in INFO only.
                drop(save(call));
                Ok(Reply::Simple("Background saving started".to_owned()))
            }
            _ => Err(syntax()),
        },
        "bgrewriteaof" => {
            Ok(Reply::Simple("Background append only file rewriting started".to_owned()))
        }
        "lastsave" => Ok(Reply::Int(call.server.kept.last_save)),
        "slaveof" | "replicaof" => follow(call),
        "role" => Ok(role(call)),
        "time" => {
            let micros = call.now.micros().rem_euclid(1_000_000);
            Ok(Reply::bulks([
                call.now.seconds().to_string().into_bytes(),
                micros.to_string().into_bytes(),
            ]))
        }
        "monitor" => {
            call.me.monitor = true;
            Ok(Reply::ok())
        }
        "shutdown" => shutdown(call),
        "slowlog" => match call.word(1).as_str() {
            "get" => {
                if call.args.len() > 2 {
                    call.int(2)?;
                }
                Ok(Reply::Array(Vec::new()))
            }
            "len" => Ok(Reply::Int(0)),
            "reset" => Ok(Reply::ok()),
            _ => Ok(super::docs::help(call, "slowlog")),
        },
        "latency" => latency(call),
        "memory" => memory(call),
        "module" => module(call),
        "debug" if seven => Err(Reply::error(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
        )),
        "debug" => debug(call),
        "swapdb" => {
            let (a, b) = (super::keys::database(call, 1)?, super::keys::database(call, 2)?);
            call.server.keys.swap(a, b);
            Ok(Reply::ok())
        }
        "lolwut" => {
            let version = &call.server.persona.version;
            Ok(Reply::Verbatim(format!("Redis ver. {version}\n")))
        }
        "failover" => Err(Reply::error("ERR FAILOVER requires connected replicas.")),
        "replconf" => Ok(Reply::ok()),
        "psync" => Ok(sync(call, true)),
        "sync" => Ok(sync(call, false)),
        "cluster" | "readonly" | "readwrite" | "asking" => {
            Err(Reply::error("ERR This instance has cluster support disabled"))
        }
        _ => Err(syntax()),
    }
}

/// Whose rights the server has: those of the account its process runs under.
pub(super) fn creds(machine: &Machine) -> Creds {
    let decky = machine.decky();
    let as_redis = decky
        .service("redis")
        .and_then(|service| service.settings.get("run_as"))
        .and_then(|user| user.as_str())
        .is_some_and(|user| user == "redis");
    match machine.accounts().by_name("redis").filter(|_| as_redis) {
        Some(account) => {
            let groups = machine.accounts().groups_of(account);
            Creds { uid: account.uid, gid: account.gid, groups }
        }
        None => Creds::root(),
    }
}

/// Writes a file as the server and notes it for the report.
pub(super) fn write_file(
    call: &mut Call<'_>,
    path: Vec<u8>,
    content: Vec<u8>,
) -> Result<(), Errno> {
    let creds = creds(call.machine);
    let now = call.now;
    let ino = call.machine.fs.create(&creds, b"/", &path, 0o644, now)?;
    call.machine.fs.truncate(ino, 0, now)?;
    call.machine.fs.write(ino, 0, &content, now)?;
    call.outcome.written.push(Written { path, content, uid: creds.uid });
    Ok(())
}

/// Writes the snapshot where the settings say.
fn save(call: &mut Call<'_>) -> Result<(), Reply> {
    let dir = call.server.setting("dir").into_bytes();
    let name = call.server.setting("dbfilename").into_bytes();
    let path = decoys_host::fs::absolute(&dir, &name);
    let persona = &call.server.persona;
    let stamp = Stamp {
        version: &persona.version,
        seven: persona.seven,
        at: call.now.seconds(),
        used_memory: super::info::used_memory(call),
    };
    let content = rdb::dump(&call.server.keys, stamp, call.ms());
    write_file(call, path, content).map_err(|_| Reply::error("ERR"))?;
    call.server.saved(call.now);
    Ok(())
}

/// Notes the master; nothing is ever connected to.
fn follow(call: &mut Call<'_>) -> Answer {
    if call.word(1) == "no" && call.word(2) == "one" {
        if call.server.kept.master.take().is_some() {
            call.server.changed();
        }
        return Ok(Reply::ok());
    }
    let port = parser::number(call.arg(2)).and_then(|port| u16::try_from(port).ok());
    let Some(port) = port else {
        return Err(if parser::number(call.arg(2)).is_some() || call.server.persona.seven {
            Reply::error("ERR Invalid master port")
        } else {
            super::not_integer()
        });
    };
    let host = String::from_utf8_lossy(call.arg(1).get(..256).unwrap_or(call.arg(1))).into_owned();
    if call.server.kept.master.as_ref() == Some(&(host.clone(), port)) {
        return Ok(Reply::Simple("OK Already connected to specified master".to_owned()));
    }
    call.server.kept.master = Some((host, port));
    call.server.changed();
    Ok(Reply::ok())
}

fn role(call: &Call<'_>) -> Reply {
    match &call.server.kept.master {
        None => Reply::Array(vec![Reply::text("master"), Reply::Int(0), Reply::Array(Vec::new())]),
        Some((host, port)) => Reply::Array(vec![
            Reply::text("slave"),
            Reply::text(host.clone()),
            Reply::Int(i64::from(*port)),
            Reply::text("connecting"),
            Reply::Int(-1),
        ]),
    }
}

/// A replica gets the snapshot, and then nothing: no stream of changes follows.
fn sync(call: &mut Call<'_>, partial: bool) -> Reply {
    if call.server.kept.master.is_some() {
        return Reply::error("NOMASTERLINK Can't SYNC while not connected with my master");
    }
    let persona = &call.server.persona;
    let stamp = Stamp {
        version: &persona.version,
        seven: persona.seven,
        at: call.now.seconds(),
        used_memory: super::info::used_memory(call),
    };
    let file = rdb::dump(&call.server.keys, stamp, call.ms());
    let head = Reply::Simple(format!("FULLRESYNC {} 0", persona.replication_id));
    let file = Reply::File(file);
    Reply::Many(if partial { vec![head, file] } else { vec![file] })
}

fn shutdown(call: &mut Call<'_>) -> Answer {
    let words = ["nosave", "save", "now", "force"];
    let abort = call.from(1).iter().any(|word| word.eq_ignore_ascii_case(b"abort"));
    if abort && call.args.len() == 2 && call.server.persona.seven {
        return Err(Reply::error("ERR No shutdown in progress."));
    }
    let fits =
        |word: &Vec<u8>| words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    if !call.from(1).iter().all(fits) {
        return Err(syntax());
    }
    // The service manager starts it again at once; who asked only sees the connection end.
    call.outcome.close = true;
    Ok(Reply::None)
}

fn latency(call: &Call<'_>) -> Answer {
    Ok(match call.word(1).as_str() {
        "latest" | "history" => Reply::Array(Vec::new()),
        "reset" => Reply::Int(0),
        "graph" => {
            return Err(Reply::error(format!(
                "ERR No samples available for event '{}'",
                String::from_utf8_lossy(call.arg(2))
            )));
        }
        "histogram" => Reply::Map(Vec::new()),
        "doctor" => Reply::Verbatim(
            "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. If we weren't in a deep space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n"
                .to_owned(),
        ),
        _ => super::docs::help(call, "latency"),
    })
}

fn memory(call: &mut Call<'_>) -> Answer {
    match call.word(1).as_str() {
        "usage" => {
            let key = call.arg(2).to_vec();
            let found = call.peek(&key).map(|entry| entry.value.weight());
            // Name, value and entry as the allocator rounds them.
            let size = |weight: usize| (54 + key.len() + weight).div_ceil(8) * 8;
            Ok(found.map_or(Reply::Null, |weight| Reply::count(size(weight))))
        }
        "doctor" => Ok(Reply::Verbatim(
            "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to our programming as soon as I finished rebooting.\n"
                .to_owned(),
        )),
        "purge" => Ok(Reply::ok()),
        "malloc-stats" => Ok(Reply::Verbatim("___ Begin jemalloc statistics ___\n--- End jemalloc statistics ---\n".to_owned())),
        "stats" => Ok(super::info::memory_stats(call)),
        _ => Ok(super::docs::help(call, "memory")),
    }
}

fn module(call: &Call<'_>) -> Answer {
    match call.word(1).as_str() {
        "list" => Ok(Reply::Array(Vec::new())),
        // Whatever file it names, it does not load.
        "load" | "loadex" => {
            Err(Reply::error("ERR Error loading the extension. Please check the server logs."))
        }
        "unload" => Err(Reply::error("ERR Error unloading module: no such module with that name")),
        _ => Ok(super::docs::help(call, "module")),
    }
}

/// `DEBUG` of Redis 6, where it is open to everybody.
fn debug(call: &mut Call<'_>) -> Answer {
    match (call.word(1).as_str(), call.args.len()) {
        ("object", 3) => {
            let key = call.arg(2);
            let now = call.now.seconds();
            let Some(entry) = call.peek(key) else { return Err(Reply::error("ERR no such key")) };
            let serialized = rdb::one(&entry.value, false).len().saturating_sub(10);
            Ok(Reply::Simple(format!(
                "Value at:0x7f{:010x} refcount:1 encoding:{} serializedlength:{serialized} lru:{} lru_seconds_idle:{}",
                key.iter()
                    .fold(0x3b_u64, |sum, byte| (sum * 131 + u64::from(*byte)) % 0xff_ffff_fff0),
                entry.value.encoding(false),
                entry.touched & 0xff_ffff,
                (now - entry.touched).max(0),
            )))
        }
        ("segfault" | "panic" | "restart" | "crash-and-recover" | "oom" | "assert", _) => {
            call.outcome.close = true;
            Ok(Reply::None)
        }
        (
            "sleep"
            | "set-active-expire"
            | "jmap"
            | "reload"
            | "loadaof"
            | "lua-always-replicate-commands",
            _,
        ) => Ok(Reply::ok()),
        _ => Err(Reply::error("ERR DEBUG subcommand not supported. Try DEBUG HELP.")),
    }
}
