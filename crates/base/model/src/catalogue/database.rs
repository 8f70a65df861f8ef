//! Databases: logins, statements and what was taken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Fact, Kind, STARTUP, file_captured};
use crate::catalogue::{COMMAND, Captured};
use crate::{Fields, Secret, Sha256Digest, Timestamp};

/// A login to a database was tried.
pub const AUTH: Kind = Kind::warning("auth");
/// A statement was run.
pub const QUERY: Kind = Kind::warning("query");
/// Rows of a table were read.
pub const EXFIL: Kind = Kind::warning("exfil");

/// Arguments of a key-value command that are listed one by one.
const LISTED_ARGS: usize = 8;
/// Longest statement or command inside the event; the whole of a longer one is a blob.
const TEXT_IN_EVENT: usize = 16 * 1024;

/// What a challenge–response login needs to be tested offline.
#[derive(Clone, Debug, Default)]
pub struct Challenge {
    /// Salt, nonce or whole authentication message that the response answers.
    pub bytes: Vec<u8>,
    /// The line a cracker takes.
    pub crack: Option<String>,
    /// The cracker's mode for it: a hashcat number, or the name of a format.
    pub crack_mode: Option<&'static str>,
}

/// What [`database_auth`] records.
#[derive(Clone, Debug, Default)]
pub struct DatabaseAuth<'a> {
    /// Who; none where the protocol has no users.
    pub principal: Option<&'a [u8]>,
    /// What was sent as proof; none when nothing was.
    pub secret: Option<Secret>,
    /// What it answers.
    pub challenge: Option<Challenge>,
    /// Authentication method as the protocol calls it.
    pub method: &'a str,
    /// Database asked for.
    pub database: Option<&'a [u8]>,
    /// Whether it was accepted.
    pub accepted: bool,
    /// What else the protocol carries, by field name.
    pub more: Fields,
}

/// A try to log in to a database.
#[must_use]
pub fn database_auth(auth: &DatabaseAuth<'_>) -> Fact {
    let mut fields = Fields::new();
    if let Some(principal) = auth.principal {
        fields = fields.bytes("username", principal).bytes("principal", principal);
    }
    if let Some(database) = auth.database {
        fields = fields.bytes("database", database);
    }
    if let Some(secret) = &auth.secret {
        for (key, value) in secret.fields().iter() {
            fields.set(key, value.clone());
        }
    }
    if let Some(challenge) = &auth.challenge {
        fields = fields
            .with("challenge_b64", STANDARD.encode(&challenge.bytes))
            .with_some("crack", challenge.crack.clone())
            .with_some("crack_mode", challenge.crack_mode);
    }
    for (key, value) in auth.more.iter() {
        fields.set(key, value.clone());
    }
    let outcome = if auth.accepted { "success" } else { "failure" };
    Fact::new(&AUTH, fields.with("method", auth.method).with("outcome", outcome))
}

/// What [`query`] records.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    /// The statement as sent.
    pub sql: &'a [u8],
    /// The whole statement, when it is too long for the event.
    pub blob: Option<Sha256Digest>,
    /// Who ran it.
    pub user: &'a [u8],
    /// In which database.
    pub database: &'a [u8],
    /// What was answered when it was refused: the product's code and text.
    pub error: Option<String>,
    /// Rows answered or changed.
    pub rows: Option<u64>,
    /// What the statement is good for beyond data, one word: `outfile`, `program`, `udf`, …
    pub lure: Option<&'static str>,
}

/// Whether `text` has to be kept as a blob beside its event.
#[must_use]
pub const fn needs_blob(text: &[u8]) -> bool {
    text.len() > TEXT_IN_EVENT
}

/// A statement was run.
#[must_use]
pub fn query(query: &Query<'_>) -> Fact {
    let fields = Fields::new()
        .bytes("sql", shown(query.sql))
        .with("sql_len", query.sql.len())
        .with_some("sql_sha256", query.blob.map(|blob| blob.to_string()))
        .bytes("username", query.user)
        .bytes("database", query.database)
        .with_some("error", query.error.clone())
        .with_some("rows", query.rows)
        .with_some("lure", query.lure);
    naming(Fact::new(&QUERY, fields), query.blob)
}

/// `rows` rows of `table` were read.
#[must_use]
pub fn exfil(table: &str, rows: u64, database: &[u8]) -> Fact {
    let fields = Fields::new().with("table", table).with("rows", rows).bytes("database", database);
    Fact::new(&EXFIL, fields)
}

/// What [`key_value_command`] records.
#[derive(Clone, Debug, Default)]
pub struct KeyValueCommand<'a> {
    /// The command and its arguments as sent.
    pub args: &'a [Vec<u8>],
    /// The whole of it, when it is too long for the event.
    pub blob: Option<Sha256Digest>,
    /// Number of the database.
    pub database: usize,
    /// Who ran it.
    pub user: &'a str,
    /// What was answered when it was refused.
    pub error: Option<String>,
}

/// A command of a key-value store.
#[must_use]
pub fn key_value_command(command: &KeyValueCommand<'_>) -> Fact {
    let name = command.args.first().map_or(&[][..], Vec::as_slice).to_ascii_uppercase();
    let listed = command.args.get(1..).unwrap_or_default().iter().take(LISTED_ARGS);
    let lossy = |bytes: &Vec<u8>| {
        let bytes = bytes.get(..TEXT_IN_EVENT).unwrap_or(bytes);
        Value::from(String::from_utf8_lossy(bytes).into_owned())
    };
    let exact =
        |bytes: &Vec<u8>| Value::from(STANDARD.encode(bytes.get(..TEXT_IN_EVENT).unwrap_or(bytes)));
    let binary = listed.clone().any(|arg| std::str::from_utf8(arg).is_err());
    let line = command.args.join(&b' ');
    let mut fields = Fields::new()
        .bytes("cmd", &name)
        .with("args", listed.clone().map(lossy).collect::<Vec<_>>());
    if binary {
        fields.set("args_b64", listed.map(exact).collect::<Vec<_>>());
    }
    let fields = fields
        .bytes("command", shown(&line))
        .with_some("command_sha256", command.blob.map(|blob| blob.to_string()))
        .with("db", command.database)
        .with("username", command.user)
        .with_some("error", command.error.clone());
    naming(Fact::new(&COMMAND, fields), command.blob)
}

/// A file that a database server wrote on request; `artifact` says by which of its features.
#[must_use]
pub fn database_file(at: Timestamp, file: &Captured<'_>, artifact: &str) -> Fact {
    let (kind, fields, blobs) = file_captured(at, file).into_parts();
    let fact = Fact::new(kind, fields.with("artifact", artifact));
    blobs.into_iter().fold(fact, Fact::naming)
}

/// The start-up packet of a PostgreSQL client with its `parameters`.
#[must_use]
pub fn postgres_startup(
    username: &[u8],
    database: &[u8],
    protocol: &str,
    parameters: &[(Vec<u8>, Vec<u8>)],
) -> Fact {
    let mut others = serde_json::Map::new();
    for (name, value) in parameters {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        others.insert(text(name), text(value).into());
    }
    let fields = Fields::new()
        .bytes("username", username)
        .bytes("database", database)
        .with("protocol", protocol)
        .with("parameters", Value::Object(others));
    Fact::new(&STARTUP, fields)
}

fn shown(text: &[u8]) -> &[u8] {
    let cut = text.get(..TEXT_IN_EVENT).unwrap_or(text);
    // A character is not cut in two.
    match std::str::from_utf8(cut) {
        Err(error) if cut.len() < text.len() && error.error_len().is_none() => {
            cut.get(..error.valid_up_to()).unwrap_or(cut)
        }
        _ => cut,
    }
}

fn naming(fact: Fact, blob: Option<Sha256Digest>) -> Fact {
    match blob {
        Some(blob) => fact.naming(blob),
        None => fact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKind;

    #[test]
    fn a_challenge_travels_with_its_response() {
        let fact = database_auth(&DatabaseAuth {
            principal: Some(b"root"),
            secret: Some(Secret { kind: SecretKind::MysqlNativePassword, bytes: vec![0xab; 20] }),
            challenge: Some(Challenge {
                bytes: vec![1; 20],
                crack: Some("$mysqlna$…".to_owned()),
                crack_mode: Some("11200"),
            }),
            method: "mysql_native_password",
            ..DatabaseAuth::default()
        });
        let fields = fact.fields();
        assert_eq!(fields.text("secret_kind"), Some("mysql_native_password"));
        assert_eq!(fields.text("secret_printable"), Some("ab".repeat(20).as_str()));
        assert_eq!(fields.text("crack_mode"), Some("11200"));
        assert_eq!(fields.text("outcome"), Some("failure"));
    }

    #[test]
    fn bytes_that_are_no_text_survive_in_a_command() {
        let args = [b"set".to_vec(), vec![0xff, 0x00], b"v".to_vec()];
        let fact =
            key_value_command(&KeyValueCommand { args: &args, ..KeyValueCommand::default() });
        assert_eq!(fact.fields().text("cmd"), Some("SET"));
        assert_eq!(fact.fields().get("args_b64").unwrap()[0], "/wA=");
        assert_eq!(fact.fields().exact("command"), Some(b"set \xff\0 v".to_vec()));
    }
}
