//! What the product adds to SQL: its catalogue and functions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_host::Machine;
use decoys_host::fs::{Access, Creds, Errno};
use decoys_kit::Choices;
use rand_core::Rng as _;

use super::auth;
use super::catalogue;
use super::functions;
use super::server::Server;
use super::session::Me;
use crate::sql::{Column, Dialect, Fault, Name, Table, Type, Value, World};

/// Longest file that is read.
const MAX_FILE: u64 = 1024 * 1024;

/// The server as one statement sees it.
pub(super) struct Sight<'w> {
    pub(super) server: &'w Server,
    pub(super) machine: &'w Machine,
    pub(super) me: &'w Me,
    pub(super) now: Timestamp,
    pub(super) rng: RefCell<&'w mut ChaCha12Rng>,
    /// Microseconds that the statement sleeps.
    pub(super) sleeps: Cell<u64>,
    /// What is to be done when the statement is through.
    pub(super) after: RefCell<Vec<After>>,
}

/// An effect of a function.
#[derive(Clone, Debug)]
pub(super) enum After {
    /// A large object gets content.
    Object(u32, Vec<u8>),
    /// A large object goes.
    Unlink(u32),
    /// A large object is written into a file.
    Export(u32, String),
    /// A connection is ended.
    Terminate(u64),
    /// A setting of the session changes.
    Set(String, String),
}

/// Microseconds since the epoch as an instant with zone.
pub(super) fn stamp(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (year, month, day) = crate::sql::day_of(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:06}+00",
        rest / 3600,
        rest / 60 % 60,
        rest % 60,
        micros.rem_euclid(1_000_000)
    )
}

/// Whose rights the server has: those of the account its process runs under.
pub(super) fn creds(machine: &Machine) -> Creds {
    match machine.accounts().by_name("postgres") {
        Some(account) => Creds {
            uid: account.uid,
            gid: account.gid,
            groups: machine.accounts().groups_of(account),
        },
        // As Debian numbers the first daemons; nobody's rights but everybody's.
        None => Creds { uid: 111, gid: 118, groups: Vec::new() },
    }
}

impl Sight<'_> {
    /// Tables of the session's database.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&String, &Table)> {
        self.server
            .store
            .database(&self.me.database)
            .into_iter()
            .flat_map(|database| &database.tables)
    }

    /// The verifier of a role's password, as tables of roles keep it.
    pub(super) fn verifier(&self, name: &str) -> String {
        let known = self
            .server
            .persona
            .roles
            .iter()
            .find(|role| role.name == name)
            .map(|role| role.password.clone());
        let password = known
            .or_else(|| self.server.left.roles.get(name).map(|(password, _)| password.clone()));
        let Some(password) = password else { return String::new() };
        let choices = Choices::new(&self.machine.decky().secret);
        let salt = choices.bytes::<16>(&format!("postgres.salt.{name}"));
        auth::verifier(password.as_bytes(), &salt)
    }

    /// Refuses `function` to those who may not touch the machine's files.
    pub(super) fn may_touch_files(&self, function: &str) -> Result<(), Fault> {
        if self.me.admin {
            return Ok(());
        }
        Err(Fault::Product("42501", format!("permission denied for function {function}")))
    }

    /// A file of the machine, as the server reads it for `function`.
    pub(super) fn file(&self, function: &str, path: &str) -> Result<Vec<u8>, Fault> {
        self.may_touch_files(function)?;
        let cwd = format!("/var/lib/postgresql/{}/main", self.server.persona.major());
        let creds = creds(self.machine);
        let fs = self.machine.fs();
        let fail = |errno: Errno| {
            let state = match errno {
                Errno::NoEntry => "58P01",
                Errno::Access | Errno::NotPermitted => "42501",
                _ => "58000",
            };
            Fault::Product(
                state,
                format!("could not open file \"{path}\" for reading: {}", errno.text()),
            )
        };
        let stat = fs.stat(&creds, cwd.as_bytes(), path.as_bytes(), true).map_err(fail)?;
        if stat.node.is_dir() {
            return Err(Fault::Product(
                "42809",
                format!("could not read file \"{path}\": Is a directory"),
            ));
        }
        if !creds.may(&stat.node, Access::Read) {
            return Err(fail(Errno::Access));
        }
        if stat.node.size() > MAX_FILE {
            return Err(Fault::Product("22000", "requested length too large".to_owned()));
        }
        Ok(fs.read(stat.ino, 0, usize::try_from(stat.node.size()).unwrap_or(0)))
    }

    fn folder(&self, path: &str) -> Option<Vec<String>> {
        let cwd = format!("/var/lib/postgresql/{}/main", self.server.persona.major());
        let creds = creds(self.machine);
        let fs = self.machine.fs();
        let ino = fs.find(&creds, cwd.as_bytes(), path.as_bytes(), true).ok()?;
        let entries = fs.list(&creds, ino).ok()?;
        Some(
            entries
                .into_iter()
                .map(|(name, _)| String::from_utf8_lossy(&name).into_owned())
                .collect(),
        )
    }

    /// The value of a setting in this session.
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        let lower = name.to_ascii_lowercase();
        if let Some(value) = self.me.settings.get(&lower) {
            return Some(value.clone());
        }
        match lower.as_str() {
            "is_superuser" => return Some(if self.me.admin { "on" } else { "off" }.to_owned()),
            "session_authorization" | "role" => return Some(self.me.user.clone()),
            "application_name" => return Some(self.me.application.clone()),
            _ => {}
        }
        self.server.persona.setting(&lower)
    }

    pub(super) fn size(&self, oid: i64) -> i64 {
        match catalogue::rows_in(self, oid) {
            Some(0) | None => 0,
            Some(rows) => (i64::try_from(rows).unwrap_or(0) / 40 + 1) * 8192,
        }
    }

    pub(super) fn oid_of(&self, value: Option<&Value>) -> i64 {
        match value {
            Some(Value::Text(text)) => {
                text.parse().ok().or_else(|| catalogue::number_of(self, text)).unwrap_or(0)
            }
            Some(other) => other.int(),
            None => 0,
        }
    }
}

pub(super) fn pretty(bytes: i64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut amount, mut at) = (bytes, 0);
    while amount.abs() >= 10_240 && at + 1 < units.len() {
        amount = (amount + 512) / 1024;
        at += 1;
    }
    format!("{amount} {}", units.get(at).copied().unwrap_or("bytes"))
}

impl World for Sight<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn table(&self, name: &Name) -> Result<Cow<'_, Table>, Fault> {
        let secret = matches!(name.name.as_str(), "pg_authid" | "pg_shadow");
        if secret && !self.me.admin {
            return Err(Fault::Product(
                "42501",
                format!(
                    "permission denied for {} {}",
                    if name.name == "pg_authid" { "table" } else { "view" },
                    name.name
                ),
            ));
        }
        catalogue::find(self, name.schema.as_deref(), &name.name).ok_or_else(|| Fault::NoTable {
            schema: name.schema.clone(),
            name: name.name.clone(),
            at: name.at,
        })
    }

    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, Fault>> {
        functions::call(self, name, args)
    }

    fn rows_of(&self, name: &str, args: &[Value]) -> Option<Table> {
        let text = |at: usize| args.get(at).and_then(Value::shown).unwrap_or_default();
        match name {
            "pg_ls_dir" if self.me.admin => {
                let names = self.folder(&text(0))?;
                let rows = names.into_iter().map(|name| vec![Value::Text(name)]).collect();
                Some(Table::of(vec![Column::new("pg_ls_dir", Type::Text)], rows))
            }
            "pg_options_to_table"
            | "aclexplode"
            | "pg_show_all_file_settings"
            | "pg_hba_file_rules" => Some(Table::of(
                vec![
                    Column::new("option_name", Type::Text),
                    Column::new("option_value", Type::Text),
                ],
                Vec::new(),
            )),
            "pg_get_keywords" => Some(Table::of(vec![Column::new("word", Type::Text)], Vec::new())),
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Result<Value, Fault> {
        Err(Fault::Syntax { at: 0, token: name.to_owned() })
    }

    fn returns(&self, name: &str) -> Option<Type> {
        Some(match name {
            "current_user"
            | "session_user"
            | "user"
            | "current_role"
            | "current_database"
            | "current_schema"
            | "current_catalog"
            | "pg_get_userbyid"
            | "pg_encoding_to_char"
            | "getpgusername" => Type::Name,
            "pg_backend_pid" | "inet_server_port" | "inet_client_port" | "lo_export"
            | "lo_unlink" => Type::Int,
            "lo_create" | "lo_creat" | "lo_from_bytea" | "lo_import" => Type::Oid,
            "pg_table_size"
            | "pg_relation_size"
            | "pg_total_relation_size"
            | "pg_database_size"
            | "nextval"
            | "currval"
            | "txid_current" => Type::Big,
            "pg_is_in_recovery"
            | "pg_table_is_visible"
            | "pg_terminate_backend"
            | "pg_cancel_backend"
            | "pg_reload_conf" => Type::Bool,
            "pg_postmaster_start_time" => Type::TimestampZone,
            "pg_read_binary_file" | "lo_get" => Type::Bytes,
            "version" | "pg_read_file" | "format_type" | "current_setting" | "set_config"
            | "pg_size_pretty" | "obj_description" | "col_description" | "shobj_description"
            | "pg_get_expr" | "pg_ls_dir" => Type::Text,
            "current_schemas" => Type::TextList,
            _ => return None,
        })
    }

    fn micros(&self) -> i64 {
        self.now.micros()
    }

    fn random(&self) -> f64 {
        f64::from(self.rng.borrow_mut().next_u32()) / 4_294_967_296.0
    }
}
