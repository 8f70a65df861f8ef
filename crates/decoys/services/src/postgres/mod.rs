//! The PostgreSQL server of the decky's distribution.
//!
//! Proof of a password as the release asks for it (SCRAM-SHA-256 from 14 on, MD5 before), then
//! simple and extended queries over bait tables drawn from the persona secret; what an intruder
//! inserts, changes or drops is there (or gone) for the next. `pg_catalog` has the shape of the
//! product's, so that what psql's `\d`, `\l`, `\du` and the like send is answered by the same engine
//! as everything else. Errors carry file, line and routine of the source.
//!
//! Who gets in: `postgres` with the password of the machine's root, the decky's accounts with
//! theirs, and the machine's application role, whose password its `.env` tells. The database is
//! looked for after that, as by the product.
//!
//! `COPY … PROGRAM` runs its line in the machine's simulated shell and is told as a command;
//! `COPY … TO` a file and `lo_export` write into the machine's files and are captured, as is what
//! goes into large objects. A transaction that is rolled back is not undone.
//!
//! `statements` decides what a statement is, `world` and `catalogue` are what the product adds to
//! the engine of `crate::sql`, `session` speaks the protocol. TLS where the distribution's package
//! switches it on. Not here: client certificates, replication, functions in SQL or PL/pgSQL.

mod auth;
mod catalogue;
mod errors;
mod functions;
mod parser;
mod persona;
mod program;
mod replies;
mod server;
mod session;
mod statements;
#[cfg(test)]
mod tests;
mod world;

use base_model::catalogue as events;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

const fn text(key: &'static str, label: &'static str, help: &'static str) -> SettingSpec {
    SettingSpec { key, label, kind: SettingKind::Text, help }
}

const fn password(key: &'static str, label: &'static str, help: &'static str) -> SettingSpec {
    SettingSpec { key, label, kind: SettingKind::Password, help }
}

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "postgres",
        summary: "PostgreSQL with bait tables and logins",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(5432)],
        settings: &[
            text(
                "version",
                "Version",
                "as server_version shows it, e.g. 15.10; the distribution's when unset",
            ),
            text("pg_version", "Version (older name)", "same as version, which wins"),
            SettingSpec {
                key: "auth_method",
                label: "Authentication",
                kind: SettingKind::Enum(&["scram-sha-256", "md5", "password"]),
                help: "how a password is asked for; that of the release when unset, password shows it in clear",
            },
            password(
                "postgres_password",
                "Password of postgres",
                "that of the machine's root when unset",
            ),
            password("users", "Users", "further roles as user:password, separated by commas"),
        ],
        events: &[
            &events::AUTH,
            &events::COMMAND,
            &events::DOWNLOAD_ATTEMPT,
            &events::EXFIL,
            &events::FILE_CAPTURED,
            &events::LOGIN_SUCCESS,
            &events::PROTOCOL_ERROR,
            &events::QUERY,
            &events::STARTUP,
        ],
    },
    open: Open::Stream(|opening| Box::new(session::PostgresSession::new(opening))),
};
