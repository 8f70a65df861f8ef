//! `information_schema` and the tables of `mysql`.

mod information;
mod lists;
mod own;

use self::information::information;
pub(super) use self::lists::{CHARSETS, PRIVILEGES, engines};
use self::own::own;
use super::world::Sight;
use crate::sql::{Column, Database, Fault, Table, Type, Value};

/// Databases that come with the server.
pub(super) const SYSTEM: &[&str] = &["information_schema", "mysql", "performance_schema", "sys"];

/// Tables of `information_schema` that are made here or are empty.
const TABLES: &[&str] = &[
    "CHARACTER_SETS",
    "COLLATIONS",
    "COLUMNS",
    "COLUMN_PRIVILEGES",
    "ENGINES",
    "EVENTS",
    "FILES",
    "GLOBAL_STATUS",
    "GLOBAL_VARIABLES",
    "KEY_COLUMN_USAGE",
    "PARAMETERS",
    "PARTITIONS",
    "PLUGINS",
    "PROCESSLIST",
    "REFERENTIAL_CONSTRAINTS",
    "ROUTINES",
    "SCHEMATA",
    "SCHEMA_PRIVILEGES",
    "SESSION_STATUS",
    "SESSION_VARIABLES",
    "STATISTICS",
    "TABLES",
    "TABLE_CONSTRAINTS",
    "TABLE_PRIVILEGES",
    "TRIGGERS",
    "USER_PRIVILEGES",
    "VIEWS",
];
/// Tables of `mysql`.
const MYSQL: &[&str] = &[
    "columns_priv",
    "db",
    "event",
    "func",
    "general_log",
    "global_priv",
    "gtid_slave_pos",
    "help_topic",
    "plugin",
    "proc",
    "procs_priv",
    "proxies_priv",
    "roles_mapping",
    "servers",
    "slow_log",
    "tables_priv",
    "time_zone",
    "user",
];

pub(super) fn is_system(database: &str) -> bool {
    SYSTEM.iter().any(|system| database.eq_ignore_ascii_case(system))
}

/// Names of tables of a system database.
pub(super) fn system_tables(database: &str) -> &'static [&'static str] {
    match database.to_ascii_lowercase().as_str() {
        "information_schema" => TABLES,
        "mysql" => MYSQL,
        _ => &[],
    }
}

/// Databases that a user sees.
pub(super) fn databases(sight: &Sight<'_>) -> Vec<String> {
    let own = sight.server.store.databases().map(|(name, _)| name.clone());
    let system = SYSTEM.iter().filter(|name| sight.me.admin || **name == "information_schema");
    let mut out: Vec<String> = own.chain(system.map(|name| (*name).to_owned())).collect();
    out.sort();
    out
}

fn varchar(name: &str) -> Column {
    Column::new(name, Type::Varchar(64))
}

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| varchar(name)).collect()
}

/// A system table; none when `database` is none of the server's own or has no such table.
pub(super) fn table(sight: &Sight<'_>, database: &str, name: &str) -> Result<Option<Table>, Fault> {
    match database.to_ascii_lowercase().as_str() {
        "information_schema" => {
            Ok(Some(information(sight, &name.to_ascii_lowercase()).ok_or_else(|| {
                Fault::Product("1109", format!("Unknown table '{}' in information_schema", name))
            })?))
        }
        "mysql" if !sight.me.admin => Err(Fault::Product(
            "1142",
            format!(
                "SELECT command denied to user '{}'@'{}' for table `mysql`.`{name}`",
                sight.me.user, sight.me.host
            ),
        )),
        "mysql" => Ok(own(sight, &name.to_ascii_lowercase())),
        _ => Ok(None),
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::text(text)
}

fn size(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The type of a column as `SHOW COLUMNS` writes it, and its first word.
pub(super) fn kind(column: &Column, maria: bool) -> (String, String) {
    let int =
        |name: &str, width: u32| if maria { format!("{name}({width})") } else { name.to_owned() };
    let full = match column.kind {
        Type::Bool | Type::Small => int("tinyint", 4),
        Type::Int | Type::Oid => int("int", 11),
        Type::Big => int("bigint", 20),
        Type::Float => "double".to_owned(),
        Type::Decimal(digits, places) => format!("decimal({digits},{places})"),
        Type::Varchar(size) => format!("varchar({})", if size == 0 { 255 } else { size }),
        Type::Char(size) => format!("char({})", size.max(1)),
        Type::Date => "date".to_owned(),
        Type::Timestamp | Type::TimestampZone => "datetime".to_owned(),
        Type::Time => "time".to_owned(),
        Type::Bytes => "blob".to_owned(),
        Type::Json => if maria { "longtext" } else { "json" }.to_owned(),
        _ => "text".to_owned(),
    };
    let first = full.split('(').next().unwrap_or_default().to_owned();
    (full, first)
}

/// The tables of all databases a statement may see.
fn user_tables<'s>(
    sight: &'s Sight<'_>,
) -> impl Iterator<Item = (&'s String, &'s String, &'s Table)> {
    let each = |(name, database): (&'s String, &'s Database)| {
        database.tables.iter().map(move |(table, content)| (name, table, content))
    };
    sight.server.store.databases().flat_map(each)
}

pub(super) fn moment(seconds: i64) -> Value {
    let (year, month, day) = crate::sql::day_of(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    Value::Text(format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    ))
}

pub(super) const fn key_of(column: &Column) -> &'static str {
    match (column.primary, column.unique) {
        (true, _) => "PRI",
        (false, true) => "UNI",
        (false, false) => "",
    }
}

/// Rows of the list of connections.
pub(super) fn processes(sight: &Sight<'_>) -> Vec<Vec<Value>> {
    let seen = |connection: &&super::server::Connection| {
        sight.me.admin || connection.user == sight.me.user
    };
    let each = sight
        .server
        .connections
        .iter()
        .filter(|(_, connection)| !connection.killed && seen(connection));
    each.map(|(id, connection)| {
        let idle = connection.info.is_none();
        vec![
            Value::Int(i64::try_from(*id).unwrap_or(0)),
            text(connection.user.clone()),
            text(connection.host.clone()),
            connection.database.clone().map_or(Value::Null, Value::Text),
            text(if idle { "Sleep" } else { "Query" }),
            Value::Int((sight.now.seconds() - connection.since).max(0)),
            text(if idle { "" } else { "starting" }),
            connection.info.clone().map_or(Value::Null, Value::Text),
        ]
    })
    .collect()
}

/// Status counters.
pub(super) fn status(sight: &Sight<'_>) -> Vec<(&'static str, String)> {
    let persona = &sight.server.persona;
    let queries = persona.queries(sight.now) + sight.server.queries;
    let agreed = |part: fn(&decoys_kit::TlsFacts) -> &String| {
        sight.me.tls.as_ref().map(|tls| part(tls).clone()).unwrap_or_default()
    };
    super::persona::Persona::status()
        .iter()
        .map(|(name, fixed)| {
            let value = match *name {
                "Uptime" | "Uptime_since_flush_status" => persona.uptime(sight.now).to_string(),
                "Queries" | "Questions" => queries.to_string(),
                "Com_select" => (queries * 7 / 10).to_string(),
                "Com_insert" => (queries / 14).to_string(),
                "Com_update" => (queries / 19).to_string(),
                "Bytes_received" => (queries * 131).to_string(),
                "Bytes_sent" => (queries * 797).to_string(),
                "Connections" => sight.server.left.next_connection.max(sight.me.id).to_string(),
                "Threads_connected" => (sight.server.connections.len() + 1).to_string(),
                "Ssl_cipher" => agreed(|tls| &tls.cipher),
                "Ssl_version" => agreed(|tls| &tls.version),
                "Threads_running" => "1".to_owned(),
                "Threads_created" => (sight.server.connections.len() + 6).to_string(),
                _ => (*fixed).to_owned(),
            };
            (*name, value)
        })
        .collect()
}
