//! The MySQL server of the decky's distribution: MariaDB on Debian, MySQL 8 on Ubuntu.
//!
//! Greets, authenticates and answers statements as the product does. Tables are bait drawn from the
//! persona secret; what an intruder inserts, changes or drops is there (or gone) for the next.
//! `information_schema`, the tables of `mysql` and all common `SHOW` forms are answered from the
//! same state.
//!
//! Proof of a password is asked for in the form that can be tested offline: MySQL 8 announces
//! `caching_sha2_password` and switches to `mysql_native_password`, so that each try yields salt and
//! response and a line for hashcat (mode 11200). Of a client that leaves there, the first answer is
//! kept with its salt, for which no cracker has a mode. Inside TLS, which MySQL 8 speaks, a client of
//! `caching_sha2_password` is asked for the password itself, as by a server that has not seen it yet.
//!
//! Who gets in: `root` with its password on the machine (on one of four deckies without any), the
//! decky's accounts with theirs, and the machine's application user, whose password its `.env` tells.
//!
//! `INTO OUTFILE` and `DUMPFILE` write into the machine's files with the rights of the server's
//! account and are captured; `LOAD DATA LOCAL` asks the client for its file when the operator wants
//! so; functions of libraries are refused as for a library that is not there.
//!
//! `statements` decides what a statement is, `world` is what the product adds to the engine of
//! `crate::sql`, `session` speaks the protocol. Not here: client certificates, compression,
//! replication.

mod auth;
mod errors;
mod parser;
mod persona;
mod replies;
mod schema;
mod server;
mod session;
mod show;
mod statements;
#[cfg(test)]
mod tests;
mod world;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

const fn text(key: &'static str, label: &'static str, help: &'static str) -> SettingSpec {
    SettingSpec { key, label, kind: SettingKind::Text, help }
}

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "mysql",
        summary: "MariaDB or MySQL 8 with bait tables and logins",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(3306)],
        settings: &[
            text(
                "version",
                "Version",
                "as version() gives it, e.g. 8.0.36; the distribution's when unset",
            ),
            text("mysql_version", "Version (older name)", "same as version, which wins"),
            text("mysql_banner", "Banner", "same as version, as the server greets"),
            SettingSpec {
                key: "root_password",
                label: "Password of root",
                kind: SettingKind::Password,
                help: "\"none\" for no password; that of the machine's root when unset",
            },
            SettingSpec {
                key: "users",
                label: "Users",
                kind: SettingKind::Password,
                help: "further users as user:password, separated by commas",
            },
            SettingSpec {
                key: "load_data_local",
                label: "Ask for files",
                kind: SettingKind::Bool,
                help: "LOAD DATA LOCAL asks the client for its file; no when unset",
            },
        ],
        events: &[
            &catalogue::AUTH,
            &catalogue::EXFIL,
            &catalogue::FILE_CAPTURED,
            &catalogue::LOGIN_SUCCESS,
            &catalogue::PROTOCOL_ERROR,
            &catalogue::QUERY,
        ],
    },
    open: Open::Stream(|opening| Box::new(session::MysqlSession::new(opening))),
};
