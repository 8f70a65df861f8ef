//! `information_schema` and the views of tables.

use super::types::{TYPES, type_name};
use super::{Fields, RELATIONS, int, text};
use crate::postgres::replies::type_of;
use crate::postgres::world::Sight;
use crate::sql::{Type, Value};

pub(super) fn tables(sight: &Sight<'_>, view: &str) -> Vec<Fields> {
    let mut out: Vec<Fields> = sight
        .tables()
        .map(|(name, table)| {
            let keyed = table.columns.iter().any(|column| column.primary);
            vec![
                ("schemaname", text("public")),
                ("tablename", text(name.clone())),
                ("relname", text(name.clone())),
                ("relid", int(table.id)),
                ("tableowner", text("postgres")),
                ("hasindexes", Value::Bool(keyed)),
                ("n_live_tup", int(i64::try_from(table.rows.len()).unwrap_or(0))),
            ]
        })
        .collect();
    if view == "pg_tables" {
        out.extend(RELATIONS.iter().filter(|relation| relation.kind == "r").map(|relation| {
            vec![
                ("schemaname", text(relation.schema)),
                ("tablename", text(relation.name)),
                ("tableowner", text("postgres")),
                ("hasindexes", Value::Bool(true)),
            ]
        }));
    }
    out
}

pub(super) fn information(sight: &Sight<'_>, name: &str) -> Vec<Fields> {
    let database = sight.me.database.clone();
    match name {
        "tables" => {
            let own = sight.tables().map(|(name, _)| ("public", name.as_str(), "BASE TABLE"));
            let system = RELATIONS.iter().map(|relation| {
                (
                    relation.schema,
                    relation.name,
                    if relation.kind == "r" { "BASE TABLE" } else { "VIEW" },
                )
            });
            own.chain(system)
                .map(|(schema, name, kind)| {
                    vec![
                        ("table_catalog", text(database.clone())),
                        ("table_schema", text(schema)),
                        ("table_name", text(name)),
                        ("table_type", text(kind)),
                        ("is_insertable_into", text("YES")),
                        ("is_typed", text("NO")),
                    ]
                })
                .collect()
        }
        "columns" => sight
            .tables()
            .flat_map(|(name, table)| {
                let database = database.clone();
                table.columns.iter().enumerate().map(move |(at, column)| {
                    let (kind, _, _) = type_of(column.kind);
                    let length = match column.kind {
                        Type::Varchar(size) | Type::Char(size) if size > 0 => int(size),
                        _ => Value::Null,
                    };
                    let default = if column.automatic {
                        text(format!("nextval('{name}_{}_seq'::regclass)", column.name))
                    } else {
                        Value::Null
                    };
                    vec![
                        ("table_catalog", text(database.clone())),
                        ("table_schema", text("public")),
                        ("table_name", text(name.clone())),
                        ("column_name", text(column.name.clone())),
                        ("ordinal_position", int(i64::try_from(at).unwrap_or(0) + 1)),
                        ("column_default", default),
                        ("is_nullable", text(if column.not_null { "NO" } else { "YES" })),
                        ("data_type", text(type_name(kind.into(), -1))),
                        ("character_maximum_length", length),
                        ("udt_name", text(udt(kind))),
                    ]
                })
            })
            .collect(),
        "schemata" => ["public", "information_schema", "pg_catalog", "pg_toast"]
            .map(|name| {
                vec![
                    ("catalog_name", text(database.clone())),
                    ("schema_name", text(name)),
                    ("schema_owner", text("postgres")),
                ]
            })
            .to_vec(),
        _ => Vec::new(),
    }
}

fn udt(oid: u32) -> &'static str {
    TYPES.iter().find(|[number, ..]| number.parse() == Ok(oid)).map_or("text", |[_, name, ..]| name)
}
