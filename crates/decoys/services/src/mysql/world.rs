//! What the product adds to SQL: its catalogues, functions and variables.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_host::Machine;
use decoys_host::fs::{Access, Creds};
use rand_core::Rng as _;

use super::auth;
use super::schema;
use super::server::Server;
use super::session::Me;
use crate::sql::{Dialect, Fault, Name, Table, Type, Value, World};

/// Longest file that `LOAD_FILE` gives.
const MAX_FILE: u64 = 1024 * 1024;
/// Longest wait of `SLEEP`, in microseconds.
const MAX_SLEEP: f64 = 300e6;

/// The server as one statement sees it.
pub(super) struct Sight<'w> {
    pub(super) server: &'w Server,
    pub(super) machine: &'w Machine,
    pub(super) me: &'w Me,
    pub(super) now: Timestamp,
    pub(super) rng: RefCell<&'w mut ChaCha12Rng>,
    /// Microseconds that the statement sleeps.
    pub(super) sleeps: Cell<u64>,
}

/// Whose rights the server has: those of the account its process runs under.
pub(super) fn creds(machine: &Machine) -> Creds {
    match machine.accounts().by_name("mysql") {
        Some(account) => Creds {
            uid: account.uid,
            gid: account.gid,
            groups: machine.accounts().groups_of(account),
        },
        // As Debian numbers the first daemons; nobody's rights but everybody's.
        None => Creds { uid: 110, gid: 117, groups: Vec::new() },
    }
}

impl Sight<'_> {
    /// The database that `schema`, or else the session, names.
    pub(super) fn database(&self, schema: Option<&str>) -> Result<String, Fault> {
        match schema.or(self.me.database.as_deref()) {
            Some(name) => Ok(name.to_owned()),
            None => Err(Fault::NoneChosen),
        }
    }

    fn file(&self, path: &str) -> Value {
        if !self.me.admin {
            return Value::Null;
        }
        let creds = creds(self.machine);
        let fs = self.machine.fs();
        let Ok(stat) = fs.stat(&creds, b"/var/lib/mysql", path.as_bytes(), true) else {
            return Value::Null;
        };
        let fits = stat.node.is_file()
            && stat.node.size() <= MAX_FILE
            && creds.may(&stat.node, Access::Read);
        let inside =
            self.server.persona.file_folder().is_none_or(|folder| path.starts_with(folder));
        if !fits || !inside {
            return Value::Null;
        }
        let bytes = fs.read(stat.ino, 0, usize::try_from(stat.node.size()).unwrap_or(0));
        match String::from_utf8(bytes) {
            Ok(text) => Value::Text(text),
            Err(error) => Value::Bytes(error.into_bytes()),
        }
    }

    /// The value of a system variable.
    pub(super) fn system(&self, name: &str) -> Option<String> {
        let lower = name.to_ascii_lowercase();
        if let Some(value) =
            self.me.variables.get(&lower).or_else(|| self.server.left.variables.get(&lower))
        {
            return Some(value.clone());
        }
        match lower.as_str() {
            "pseudo_thread_id" => return Some(self.me.id.to_string()),
            "last_insert_id" | "identity" => return Some(self.me.last_id.to_string()),
            "tx_isolation" => return Some("REPEATABLE-READ".to_owned()),
            "error_count" => {
                return Some(
                    self.me.warnings.iter().filter(|w| w.0 == "Error").count().to_string(),
                );
            }
            "warning_count" => return Some(self.me.warnings.len().to_string()),
            _ => {}
        }
        let table = self.server.persona.variables(self.now);
        table.into_iter().find(|(known, _)| *known == lower).map(|(_, value)| value)
    }
}

impl World for Sight<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    fn table(&self, name: &Name) -> Result<Cow<'_, Table>, Fault> {
        if name.schema.is_none() && name.name.eq_ignore_ascii_case("dual") {
            return Ok(Cow::Owned(Table::of(Vec::new(), vec![Vec::new()])));
        }
        let database = self.database(name.schema.as_deref())?;
        if let Some(table) = schema::table(self, &database, &name.name)? {
            return Ok(Cow::Owned(table));
        }
        let known = self.server.store.database(&database);
        if known.is_none() && !schema::is_system(&database) {
            return Err(Fault::NoDatabase(database));
        }
        known.and_then(|known| known.tables.get(&name.name)).map(Cow::Borrowed).ok_or_else(|| {
            Fault::NoTable { schema: Some(database.clone()), name: name.name.clone(), at: name.at }
        })
    }

    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, Fault>> {
        let text = |at: usize| args.get(at).and_then(Value::shown).unwrap_or_default();
        Some(Ok(match (name, args.len()) {
            ("version", 0) => Value::text(self.server.persona.version.clone()),
            ("database" | "schema", 0) => self.me.database.clone().map_or(Value::Null, Value::Text),
            ("user" | "session_user" | "system_user", 0) => {
                Value::Text(format!("{}@{}", self.me.user, self.me.host))
            }
            ("current_user", 0) => Value::Text(format!("{}@%", self.me.user)),
            ("current_role", 0) => {
                if self.server.persona.maria {
                    Value::Null
                } else {
                    Value::text("NONE")
                }
            }
            ("connection_id", 0) => Value::Int(i64::try_from(self.me.id).unwrap_or(0)),
            ("last_insert_id", 0) => Value::Int(self.me.last_id),
            ("row_count", 0) => Value::Int(self.me.row_count),
            ("found_rows", 0) => Value::Int(self.me.found_rows),
            ("load_file", 1) => self.file(&text(0)),
            ("sleep", 1) => {
                let micros = (args.first().map_or(0.0, Value::number) * 1e6).clamp(0.0, MAX_SLEEP);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped before"
                )]
                let micros = micros as u64;
                self.sleeps.set(self.sleeps.get().saturating_add(micros).min(300_000_000));
                Value::Int(0)
            }
            ("benchmark", 2) => Value::Int(0),
            ("get_lock" | "release_lock" | "is_free_lock", _) => Value::Int(1),
            ("password", 1) if self.server.persona.maria => Value::Text(if text(0).is_empty() {
                String::new()
            } else {
                auth::shown(&auth::stored(text(0).as_bytes()))
            }),
            ("charset", 1) => Value::text("utf8mb4"),
            ("collation", 1) => Value::text(if self.server.persona.maria {
                "utf8mb4_general_ci"
            } else {
                "utf8mb4_0900_ai_ci"
            }),
            ("extractvalue" | "updatexml", 2 | 3) => {
                // The way that injections read through an error.
                let path = text(1);
                if path.starts_with('/') || path.is_empty() {
                    Value::text("")
                } else {
                    let shown: String = path.chars().take(32).collect();
                    return Some(Err(Fault::Product(
                        "1105",
                        format!("XPATH syntax error: '{shown}'"),
                    )));
                }
            }
            (name, _) if self.server.left.functions.contains_key(name) => Value::Null,
            _ => return None,
        }))
    }

    fn rows_of(&self, _: &str, _: &[Value]) -> Option<Table> {
        None
    }

    fn variable(&self, name: &str) -> Result<Value, Fault> {
        if let Some(system) = name.strip_prefix("@@") {
            let lower = system.to_ascii_lowercase();
            let bare = ["global.", "session.", "local."]
                .iter()
                .find_map(|scope| lower.strip_prefix(scope))
                .unwrap_or(&lower);
            let Some(value) = self.system(bare) else {
                return Err(Fault::Product("1193", format!("Unknown system variable '{bare}'")));
            };
            return Ok(match value.as_str() {
                "ON" => Value::Int(1),
                "OFF" => Value::Int(0),
                text => text.parse().map_or_else(|_| Value::text(text), Value::Int),
            });
        }
        let own = name.trim_start_matches('@').to_ascii_lowercase();
        Ok(self.me.own.get(&own).cloned().unwrap_or(Value::Null))
    }

    fn returns(&self, name: &str) -> Option<Type> {
        match name {
            "connection_id" | "last_insert_id" | "found_rows" | "row_count" => Some(Type::Big),
            "sleep" | "benchmark" => Some(Type::Int),
            "now" | "sysdate" | "current_timestamp" => Some(Type::Timestamp),
            "avg" => Some(Type::Decimal(14, 4)),
            _ => None,
        }
    }

    fn micros(&self) -> i64 {
        self.now.micros()
    }

    fn random(&self) -> f64 {
        f64::from(self.rng.borrow_mut().next_u32()) / 4_294_967_296.0
    }
}
