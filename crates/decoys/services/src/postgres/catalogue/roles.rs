//! Roles, and who is connected.

use super::{Fields, POSTGRES, int, text};
use crate::postgres::world::Sight;
use crate::sql::Value;

/// Roles with their numbers: the product's, the persona's, those made later.
pub(in crate::postgres) fn role_numbers(sight: &Sight<'_>) -> Vec<(String, i64, bool, bool)> {
    const OWN: &[(&str, i64)] = &[
        ("pg_monitor", 3373),
        ("pg_read_all_settings", 3374),
        ("pg_read_all_stats", 3375),
        ("pg_stat_scan_tables", 3377),
        ("pg_signal_backend", 4200),
        ("pg_checkpoint", 4544),
        ("pg_read_server_files", 4569),
        ("pg_write_server_files", 4570),
        ("pg_execute_server_program", 4571),
        ("pg_database_owner", 6171),
        ("pg_read_all_data", 6181),
        ("pg_write_all_data", 6182),
    ];
    let mut out = vec![("postgres".to_owned(), POSTGRES, true, true)];
    out.extend(OWN.iter().map(|(name, oid)| ((*name).to_owned(), *oid, false, false)));
    let later = sight
        .server
        .persona
        .roles
        .iter()
        .filter(|role| role.name != "postgres")
        .map(|role| (role.name.clone(), role.admin));
    let made = sight.server.left.roles.iter().map(|(name, (_, admin))| (name.clone(), *admin));
    for (at, (name, admin)) in later.chain(made).enumerate() {
        out.push((name, 16_384 + i64::try_from(at).unwrap_or(0), admin, true));
    }
    out
}

pub(super) fn roles(sight: &Sight<'_>, view: &str) -> Vec<Fields> {
    let mut out = Vec::new();
    for (name, oid, admin, login) in role_numbers(sight) {
        let hidden = text("********");
        let secret = match (view, sight.me.admin) {
            ("pg_authid" | "pg_shadow", true) if login => text(sight.verifier(&name)),
            ("pg_authid" | "pg_shadow", _) => Value::Null,
            _ => hidden,
        };
        if view == "pg_user" || view == "pg_shadow" {
            if login {
                out.push(vec![
                    ("usename", text(name)),
                    ("usesysid", int(oid)),
                    ("usecreatedb", Value::Bool(admin)),
                    ("usesuper", Value::Bool(admin)),
                    ("userepl", Value::Bool(admin)),
                    ("usebypassrls", Value::Bool(admin)),
                    ("passwd", secret),
                ]);
            }
            continue;
        }
        out.push(vec![
            ("oid", int(oid)),
            ("rolname", text(name)),
            ("rolsuper", Value::Bool(admin)),
            ("rolinherit", Value::Bool(true)),
            ("rolcreaterole", Value::Bool(admin)),
            ("rolcreatedb", Value::Bool(admin)),
            ("rolcanlogin", Value::Bool(login)),
            ("rolreplication", Value::Bool(admin)),
            ("rolconnlimit", int(-1)),
            ("rolpassword", secret),
            ("rolbypassrls", Value::Bool(admin)),
        ]);
    }
    out
}

pub(super) fn activity(sight: &Sight<'_>) -> Vec<Fields> {
    let numbers = role_numbers(sight);
    let number = |name: &str| {
        numbers.iter().find(|(known, ..)| known == name).map_or(POSTGRES, |(_, oid, ..)| *oid)
    };
    let mut out = Vec::new();
    for (name, gap) in [("autovacuum launcher", 4), ("logical replication launcher", 5)] {
        out.push(vec![
            ("pid", int(sight.server.persona.pid + gap)),
            ("backend_type", text(name)),
            (
                "backend_start",
                text(crate::postgres::world::stamp(sight.server.persona.started * 1_000_000)),
            ),
            ("wait_event_type", text("Activity")),
        ]);
    }
    for (pid, connection) in
        sight.server.connections.iter().filter(|(_, connection)| !connection.killed)
    {
        let visible = sight.me.admin || connection.user == sight.me.user;
        let query =
            if visible { connection.query.clone() } else { "<insufficient privilege>".to_owned() };
        let database =
            sight.server.store.database(&connection.database).map_or(5, |database| database.id);
        out.push(vec![
            ("datid", int(database)),
            ("datname", text(connection.database.clone())),
            ("pid", int(i64::try_from(*pid).unwrap_or(0))),
            ("usesysid", int(number(&connection.user))),
            ("usename", text(connection.user.clone())),
            ("application_name", text(connection.application.clone())),
            ("client_addr", text(connection.address.clone())),
            ("client_port", int(connection.port)),
            ("backend_start", text(crate::postgres::world::stamp(connection.since.micros()))),
            ("query_start", text(crate::postgres::world::stamp(connection.query_since.micros()))),
            ("state_change", text(crate::postgres::world::stamp(connection.query_since.micros()))),
            ("state", text(if connection.active { "active" } else { "idle" })),
            ("query", text(query)),
            ("backend_type", text("client backend")),
        ]);
    }
    out
}

/// Which connections are encrypted, and how.
pub(super) fn encryption(sight: &Sight<'_>) -> Vec<Fields> {
    let connections = sight.server.connections.iter().filter(|(_, one)| !one.killed);
    connections
        .map(|(pid, connection)| {
            let mut row = vec![
                ("pid", int(i64::try_from(*pid).unwrap_or(0))),
                ("ssl", Value::Bool(connection.tls.is_some())),
            ];
            if let Some(tls) = &connection.tls {
                let bits = if tls.cipher.contains("128") { 128 } else { 256 };
                row.push(("version", text(tls.version.clone())));
                row.push(("cipher", text(tls.cipher.clone())));
                row.push(("bits", int(bits)));
            }
            row
        })
        .collect()
}
