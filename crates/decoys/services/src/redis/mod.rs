//! A Redis server of the decky's own distribution, reachable by everybody as so many are.
//!
//! Speaks RESP2, RESP3 and inline commands. Keys of all common types have real state with expiry
//! that the next session meets again; the first ones are drawn from the persona secret (sessions,
//! caches, keys and passwords of the machine's application). `INFO` agrees with itself and with the
//! machine: process id and start are those of `ps`. Texts of errors are those of the version.
//!
//! What intruders come for works as far as a file goes: `CONFIG SET dir` and `dbfilename`, then
//! `SAVE`, write a snapshot into the machine's own file tree, where a shell finds it, and it is
//! captured (`artifact` `rdb_write`). `SLAVEOF` is noted and shown and never connects; `MODULE LOAD`
//! fails as for a file that is no module; `MIGRATE` finds nobody.
//!
//! Streams, geo, HyperLogLog, bitmap, blocking and scripting commands are switched off in the
//! default user's rules (`ACL LIST` shows it), so they are refused as by a real server (`NOPERM`).
//!
//! Who gets in: two of three deckies ask for no password. On the others the password of
//! `requirepass` (a bait value unless the operator sets one) opens the default user, and so does the
//! password of any account of the machine; the accounts are users of the server as well.
//!
//! Commands are rows of `table`, run by `commands`; `server` is the state that all sessions of a
//! machine share. No TLS: the product listens in clear text unless told otherwise.

mod acl;
mod bait;
mod commands;
mod keyspace;
mod parser;
mod persona;
mod rdb;
mod replies;
mod server;
mod session;
mod table;
#[cfg(test)]
mod tests;
mod value;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

const fn text(key: &'static str, label: &'static str, help: &'static str) -> SettingSpec {
    SettingSpec { key, label, kind: SettingKind::Text, help }
}

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "redis",
        summary: "Redis key-value store with state, open or behind a password",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(6379)],
        settings: &[
            text(
                "version",
                "Version",
                "as INFO shows it, e.g. 7.0.15; the distribution's when unset",
            ),
            text("redis_version", "Version (older name)", "same as version, which wins"),
            text("os_string", "Operating system", "as INFO shows it, e.g. Linux 5.15.0 x86_64"),
            SettingSpec {
                key: "requirepass",
                label: "Password",
                kind: SettingKind::Password,
                help: "password of the default user; \"none\" for an open server; drawn when unset",
            },
            SettingSpec {
                key: "users",
                label: "Users",
                kind: SettingKind::Password,
                help: "further users as user:password, separated by commas",
            },
            SettingSpec {
                key: "run_as",
                label: "Runs as",
                kind: SettingKind::Enum(&["root", "redis"]),
                help: "whose files it may write; root when unset, so that attacks go through",
            },
        ],
        events: &[
            &catalogue::AUTH,
            &catalogue::COMMAND,
            &catalogue::FILE_CAPTURED,
            &catalogue::LOGIN_SUCCESS,
            &catalogue::PROTOCOL_ERROR,
        ],
    },
    open: Open::Stream(|opening| Box::new(session::RedisSession::new(opening))),
};
