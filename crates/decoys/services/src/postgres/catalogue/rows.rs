//! The rows of each relation.

use super::information::{information, tables};
use super::roles::{activity, encryption, roles};
use super::types::TYPES;
use super::{
    CATALOG, Fields, INFORMATION, POSTGRES, PUBLIC, RELATIONS, Relation, TOAST, index_definition,
    int, objects, text,
};
use crate::postgres::replies::type_of;
use crate::postgres::world::Sight;
use crate::sql::{Column, Type, Value};

pub(super) fn rows(sight: &Sight<'_>, relation: &Relation) -> Vec<Fields> {
    if relation.schema == "information_schema" {
        return information(sight, relation.name);
    }
    match relation.name {
        "pg_namespace" => [
            (TOAST, "pg_toast"),
            (CATALOG, "pg_catalog"),
            (PUBLIC, "public"),
            (INFORMATION, "information_schema"),
        ]
        .map(|(oid, name)| {
            let acl = match name {
                "public" => Value::List(vec![
                    text("pg_database_owner=UC/pg_database_owner"),
                    text("=U/pg_database_owner"),
                ]),
                "pg_toast" => Value::Null,
                _ => Value::List(vec![text("postgres=UC/postgres"), text("=U/postgres")]),
            };
            let owner = if name == "public" { 6171 } else { POSTGRES };
            vec![
                ("oid", int(oid)),
                ("nspname", text(name)),
                ("nspowner", int(owner)),
                ("nspacl", acl),
            ]
        })
        .to_vec(),
        "pg_class" => classes(sight),
        "pg_attribute" => attributes(sight),
        "pg_attrdef" => sight
            .tables()
            .flat_map(|(name, table)| {
                let counted =
                    table.columns.iter().enumerate().filter(|(_, column)| column.automatic);
                counted.map(move |(at, column)| {
                    let default = format!("nextval('{name}_{}_seq'::regclass)", column.name);
                    vec![
                        ("oid", int(i64::from(table.id) + 1)),
                        ("adrelid", int(table.id)),
                        ("adnum", int(i64::try_from(at).unwrap_or(0) + 1)),
                        ("adbin", text(default)),
                    ]
                })
            })
            .collect(),
        "pg_index" => objects(sight)
            .iter()
            .filter(|object| object.kind == "i")
            .map(|object| {
                let keys = object
                    .table
                    .columns
                    .iter()
                    .enumerate()
                    .filter(|(_, c)| c.primary)
                    .map(|(at, _)| int(i64::try_from(at).unwrap_or(0) + 1));
                vec![
                    ("indexrelid", int(object.oid)),
                    ("indrelid", int(object.table.id)),
                    ("indnatts", int(1)),
                    ("indisunique", Value::Bool(true)),
                    ("indisprimary", Value::Bool(true)),
                    ("indimmediate", Value::Bool(true)),
                    ("indisvalid", Value::Bool(true)),
                    ("indisready", Value::Bool(true)),
                    ("indislive", Value::Bool(true)),
                    ("indkey", Value::List(keys.collect())),
                ]
            })
            .collect(),
        "pg_constraint" => objects(sight)
            .iter()
            .filter(|object| object.kind == "i")
            .map(|object| {
                vec![
                    ("oid", int(object.oid + 1)),
                    ("conname", text(object.name.clone())),
                    ("connamespace", int(PUBLIC)),
                    ("contype", text("p")),
                    ("conrelid", int(object.table.id)),
                    ("conindid", int(object.oid)),
                    ("convalidated", Value::Bool(true)),
                ]
            })
            .collect(),
        "pg_type" => TYPES
            .iter()
            .map(|[oid, name, length, kind, category, element, list, collation]| {
                let number = |text: &str| int(text.parse::<i64>().unwrap_or(0));
                vec![
                    ("oid", number(oid)),
                    ("typname", text(*name)),
                    ("typnamespace", int(CATALOG)),
                    ("typowner", int(POSTGRES)),
                    ("typlen", number(length)),
                    ("typtype", text(*kind)),
                    ("typcategory", text(*category)),
                    ("typisdefined", Value::Bool(true)),
                    ("typdelim", text(",")),
                    ("typelem", number(element)),
                    ("typarray", number(list)),
                    ("typcollation", number(collation)),
                    ("typtypmod", int(-1)),
                ]
            })
            .collect(),
        "pg_database" => databases(sight),
        "pg_roles" | "pg_authid" | "pg_user" | "pg_shadow" => roles(sight, relation.name),
        "pg_am" => [
            (2, "heap", "t"),
            (403, "btree", "i"),
            (405, "hash", "i"),
            (783, "gist", "i"),
            (2742, "gin", "i"),
            (4000, "spgist", "i"),
            (3580, "brin", "i"),
        ]
        .map(|(oid, name, kind)| {
            vec![("oid", int(oid)), ("amname", text(name)), ("amtype", text(kind))]
        })
        .to_vec(),
        "pg_tablespace" => [(1663, "pg_default"), (1664, "pg_global")]
            .map(|(oid, name)| {
                vec![("oid", int(oid)), ("spcname", text(name)), ("spcowner", int(POSTGRES))]
            })
            .to_vec(),
        "pg_language" => [(12, "internal"), (13, "c"), (14, "sql"), (13_563, "plpgsql")]
            .map(|(oid, name)| {
                vec![
                    ("oid", int(oid)),
                    ("lanname", text(name)),
                    ("lanowner", int(POSTGRES)),
                    ("lanispl", Value::Bool(name == "plpgsql")),
                    ("lanpltrusted", Value::Bool(name == "plpgsql" || name == "sql")),
                ]
            })
            .to_vec(),
        "pg_extension" => vec![vec![
            ("oid", int(13_560)),
            ("extname", text("plpgsql")),
            ("extowner", int(POSTGRES)),
            ("extnamespace", int(CATALOG)),
            ("extversion", text("1.0")),
        ]],
        "pg_available_extensions" => [
            ("plpgsql", "1.0"),
            ("dblink", "1.2"),
            ("pgcrypto", "1.3"),
            ("postgres_fdw", "1.1"),
            ("file_fdw", "1.0"),
            ("uuid-ossp", "1.1"),
            ("pg_stat_statements", "1.10"),
            ("adminpack", "2.1"),
        ]
        .map(|(name, version)| {
            vec![
                ("name", text(name)),
                ("default_version", text(version)),
                ("installed_version", if name == "plpgsql" { text(version) } else { Value::Null }),
            ]
        })
        .to_vec(),
        "pg_collation" => [(100, "default"), (950, "C"), (951, "POSIX")]
            .map(|(oid, name)| {
                vec![
                    ("oid", int(oid)),
                    ("collname", text(name)),
                    ("collnamespace", int(CATALOG)),
                    ("collowner", int(POSTGRES)),
                    ("collencoding", int(-1)),
                ]
            })
            .to_vec(),
        "pg_settings" => sight
            .server
            .persona
            .settings()
            .into_iter()
            .map(|(name, value, [unit, context, kind])| {
                let value =
                    sight.me.settings.get(&name.to_ascii_lowercase()).cloned().unwrap_or(value);
                vec![
                    ("name", text(name)),
                    ("setting", text(value.clone())),
                    ("unit", if unit.is_empty() { Value::Null } else { text(unit) }),
                    ("context", text(context)),
                    ("vartype", text(kind)),
                    ("source", text("default")),
                    ("boot_val", text(value.clone())),
                    ("reset_val", text(value)),
                ]
            })
            .collect(),
        "pg_stat_activity" => activity(sight),
        "pg_stat_ssl" => encryption(sight),
        "pg_tables" | "pg_stat_user_tables" | "pg_stat_all_tables" => tables(sight, relation.name),
        "pg_indexes" => objects(sight)
            .iter()
            .filter(|object| object.kind == "i")
            .map(|object| {
                vec![
                    ("schemaname", text("public")),
                    ("tablename", text(object.name.trim_end_matches("_pkey"))),
                    ("indexname", text(object.name.clone())),
                    (
                        "indexdef",
                        index_definition(sight, object.oid, false).map_or(Value::Null, Value::Text),
                    ),
                ]
            })
            .collect(),
        "pg_sequences" => objects(sight)
            .iter()
            .filter(|object| object.kind == "S")
            .map(|object| {
                vec![
                    ("schemaname", text("public")),
                    ("sequencename", text(object.name.clone())),
                    ("sequenceowner", text("postgres")),
                    ("last_value", int(object.table.next - 1)),
                ]
            })
            .collect(),
        "pg_sequence" => objects(sight)
            .iter()
            .filter(|object| object.kind == "S")
            .map(|object| {
                vec![
                    ("seqrelid", int(object.oid)),
                    ("seqtypid", int(23)),
                    ("seqstart", int(1)),
                    ("seqincrement", int(1)),
                    ("seqmax", int(2_147_483_647)),
                    ("seqmin", int(1)),
                    ("seqcache", int(1)),
                ]
            })
            .collect(),
        "pg_stat_database" => sight
            .server
            .store
            .databases()
            .map(|(name, database)| {
                vec![("datid", int(database.id)), ("datname", text(name.clone()))]
            })
            .collect(),
        "pg_largeobject_metadata" => sight
            .server
            .left
            .objects
            .keys()
            .map(|oid| vec![("oid", int(*oid)), ("lomowner", int(POSTGRES))])
            .collect(),
        _ => Vec::new(),
    }
}

fn classes(sight: &Sight<'_>) -> Vec<Fields> {
    let mut out: Vec<Fields> = RELATIONS
        .iter()
        .map(|relation| {
            let schema = if relation.schema == "pg_catalog" { CATALOG } else { INFORMATION };
            vec![
                ("oid", int(relation.oid)),
                ("relname", text(relation.name)),
                ("relnamespace", int(schema)),
                ("relowner", int(POSTGRES)),
                ("relam", int(if relation.kind == "r" { 2 } else { 0 })),
                ("relkind", text(relation.kind)),
                ("relpersistence", text("p")),
                ("relispopulated", Value::Bool(true)),
                ("relnatts", int(i64::try_from(relation.columns.len()).unwrap_or(0))),
                ("relreplident", text("n")),
            ]
        })
        .collect();
    for object in objects(sight) {
        let am = match object.kind {
            "r" => 2,
            "i" => 403,
            _ => 0,
        };
        let keyed = object.table.columns.iter().any(|column| column.primary);
        let rows = i64::try_from(object.table.rows.len()).unwrap_or(0);
        out.push(vec![
            ("oid", int(object.oid)),
            ("relname", text(object.name)),
            ("relnamespace", int(PUBLIC)),
            ("relowner", int(POSTGRES)),
            ("relam", int(am)),
            ("relfilenode", int(object.oid)),
            ("relpages", int(i64::from(rows > 0))),
            ("reltuples", Value::Int(rows)),
            ("relhasindex", Value::Bool(keyed && object.kind == "r")),
            ("relkind", text(object.kind)),
            ("relpersistence", text("p")),
            ("relispopulated", Value::Bool(true)),
            ("relnatts", int(i64::try_from(object.table.columns.len()).unwrap_or(0))),
            ("relreplident", text(if object.kind == "r" { "d" } else { "n" })),
        ]);
    }
    out
}

fn attributes(sight: &Sight<'_>) -> Vec<Fields> {
    let mut out = Vec::new();
    let mut add = |oid: i64, columns: &[Column]| {
        for (at, column) in columns.iter().enumerate() {
            let (kind, length, modifier) = type_of(column.kind);
            let collation = if matches!(column.kind, Type::Text | Type::Varchar(_) | Type::Char(_))
            {
                100
            } else {
                0
            };
            out.push(vec![
                ("attrelid", int(oid)),
                ("attname", text(column.name.clone())),
                ("atttypid", int(kind)),
                ("attstattarget", int(-1)),
                ("attlen", int(length)),
                ("attnum", int(i64::try_from(at).unwrap_or(0) + 1)),
                ("atttypmod", int(modifier)),
                ("attnotnull", Value::Bool(column.not_null)),
                ("atthasdef", Value::Bool(column.automatic)),
                ("attislocal", Value::Bool(true)),
                ("attcollation", int(collation)),
                ("attstorage", text(if length > 0 { "p" } else { "x" })),
                ("attalign", text("i")),
            ]);
        }
    };
    for (_, table) in sight.tables() {
        add(table.id.into(), &table.columns);
        let keys: Vec<Column> =
            table.columns.iter().filter(|column| column.primary).cloned().collect();
        add(i64::from(table.id) + 2, &keys);
    }
    for relation in RELATIONS.iter().filter(|relation| {
        [
            "pg_class",
            "pg_type",
            "pg_authid",
            "pg_database",
            "pg_shadow",
            "pg_user",
            "pg_roles",
            "pg_settings",
        ]
        .contains(&relation.name)
    }) {
        add(relation.oid, &relation.columns);
    }
    out
}

fn databases(sight: &Sight<'_>) -> Vec<Fields> {
    sight
        .server
        .store
        .databases()
        .map(|(name, database)| {
            let oid = match name.as_str() {
                "template1" => 1,
                "template0" => 4,
                "postgres" => 5,
                _ => i64::from(database.id),
            };
            let template = name.starts_with("template");
            let acl = if template {
                Value::List(vec![text("=c/postgres"), text("postgres=CTc/postgres")])
            } else {
                Value::Null
            };
            vec![
                ("oid", int(oid)),
                ("datname", text(name.clone())),
                ("datdba", int(POSTGRES)),
                ("encoding", int(6)),
                ("datlocprovider", text("c")),
                ("datistemplate", Value::Bool(template)),
                ("datallowconn", Value::Bool(name != "template0")),
                ("datconnlimit", int(-1)),
                ("datfrozenxid", text("717")),
                ("datminmxid", text("1")),
                ("dattablespace", int(1663)),
                ("datcollate", text("en_US.UTF-8")),
                ("datctype", text("en_US.UTF-8")),
                ("datacl", acl),
            ]
        })
        .collect()
}
