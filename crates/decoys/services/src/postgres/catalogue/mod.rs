//! `pg_catalog` and `information_schema`, as one database sees them.
//!
//! The shape of every system relation is recorded from the product; rows are made from the tables
//! of the database, its roles and its connections. Relations without rows here are empty.

mod information;
mod roles;
mod rows;
mod types;

use std::borrow::Cow;
use std::sync::LazyLock;

pub(super) use self::roles::role_numbers;
use self::rows::rows;
pub(super) use self::types::{type_name, type_number};
use super::world::Sight;
use crate::sql::{Column, Table, Type, Value};

/// Numbers of the schemas.
const CATALOG: i64 = 11;
const TOAST: i64 = 99;
const PUBLIC: i64 = 2200;
const INFORMATION: i64 = 13_207;
/// The first role.
const POSTGRES: i64 = 10;

/// A system relation.
pub(super) struct Relation {
    pub(super) schema: &'static str,
    pub(super) name: &'static str,
    oid: i64,
    kind: &'static str,
    columns: Vec<Column>,
}

static RELATIONS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    let kind = |name: &str| match name {
        "bool" => Type::Bool,
        "int2" => Type::Small,
        "int4" => Type::Int,
        "int8" => Type::Big,
        "oid" => Type::Oid,
        "name" => Type::Name,
        "char" => Type::Byte,
        "float4" | "float8" => Type::Float,
        "timestamptz" => Type::TimestampZone,
        "_text" => Type::TextList,
        "oidvector" | "int2vector" => Type::OidList,
        _ => Type::Text,
    };
    let line = |line: &'static str| {
        let mut parts = line.splitn(5, '|');
        let (schema, name) = (parts.next()?, parts.next()?);
        let (oid, relkind) = (parts.next()?.parse().ok()?, parts.next()?);
        let columns = parts.next()?.split(',').filter_map(|column| column.split_once(':'));
        let columns = columns.map(|(name, of)| Column::new(name, kind(of))).collect();
        Some(Relation { schema, name, oid, kind: relkind, columns })
    };
    include_str!("../data/catalogue.txt").lines().filter_map(line).collect()
});

/// Fields of a row by column name.
type Fields = Vec<(&'static str, Value)>;

fn int(number: impl Into<i64>) -> Value {
    Value::Int(number.into())
}

fn text(text: impl Into<String>) -> Value {
    Value::text(text)
}

/// The system relation `name` of `schema`, or of `pg_catalog` when none is named.
pub(super) fn relation(sight: &Sight<'_>, schema: Option<&str>, name: &str) -> Option<Table> {
    let schema = schema.unwrap_or("pg_catalog");
    let relation =
        RELATIONS.iter().find(|relation| relation.schema == schema && relation.name == name)?;
    let rows = rows(sight, relation).into_iter().map(|fields| {
        relation
            .columns
            .iter()
            .map(|column| {
                let found = fields.iter().find(|(name, _)| *name == column.name);
                found.map_or_else(|| blank(column.kind, &column.name), |(_, value)| value.clone())
            })
            .collect()
    });
    Some(Table {
        id: u32::try_from(relation.oid).unwrap_or(0),
        ..Table::of(relation.columns.clone(), rows.collect())
    })
}

/// What a column holds that nothing is said of.
fn blank(kind: Type, name: &str) -> Value {
    match kind {
        Type::Bool => Value::Bool(false),
        Type::Small | Type::Int | Type::Oid if !name.ends_with("pid") && name != "client_port" => {
            Value::Int(0)
        }
        Type::Byte => text(""),
        _ => Value::Null,
    }
}

/// A relation of the database: number, name, kind, and the table it is or belongs to.
struct Object<'s> {
    oid: i64,
    name: String,
    kind: &'static str,
    table: &'s Table,
}

/// Tables, their sequences and their indexes.
fn objects<'s>(sight: &'s Sight<'_>) -> Vec<Object<'s>> {
    let mut out = Vec::new();
    for (name, table) in sight.tables() {
        let oid = i64::from(table.id);
        out.push(Object { oid, name: name.clone(), kind: "r", table });
        for column in &table.columns {
            if column.automatic {
                out.push(Object {
                    oid: oid - 1,
                    name: format!("{name}_{}_seq", column.name),
                    kind: "S",
                    table,
                });
            }
            if column.primary {
                out.push(Object { oid: oid + 2, name: format!("{name}_pkey"), kind: "i", table });
            }
        }
    }
    out
}

/// The number of the relation called `name`.
pub(super) fn number_of(sight: &Sight<'_>, name: &str) -> Option<i64> {
    let bare = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
    let own =
        objects(sight).into_iter().find(|object| object.name == bare).map(|object| object.oid);
    own.or_else(|| {
        RELATIONS.iter().find(|relation| relation.name == bare).map(|relation| relation.oid)
    })
}

/// The name of relation number `oid`.
pub(super) fn name_of(sight: &Sight<'_>, oid: i64) -> Option<String> {
    let own = objects(sight).into_iter().find(|object| object.oid == oid).map(|object| object.name);
    own.or_else(|| {
        RELATIONS
            .iter()
            .find(|relation| relation.oid == oid)
            .map(|relation| relation.name.to_owned())
    })
}

/// Whether the relation with number `oid` is found without naming its schema.
pub(super) fn is_visible(oid: i64) -> bool {
    !RELATIONS.iter().any(|relation| relation.oid == oid && relation.schema == "information_schema")
}

/// Rows of the table with number `oid`.
pub(super) fn rows_in(sight: &Sight<'_>, oid: i64) -> Option<usize> {
    sight.tables().find(|(_, table)| i64::from(table.id) == oid).map(|(_, table)| table.rows.len())
}

/// The definition of the index or key with number `oid`.
pub(super) fn index_definition(sight: &Sight<'_>, oid: i64, key: bool) -> Option<String> {
    let object =
        objects(sight).into_iter().find(|object| object.oid == oid && object.kind == "i")?;
    let table = object.name.trim_end_matches("_pkey").to_owned();
    let columns: Vec<&str> =
        object.table.columns.iter().filter(|c| c.primary).map(|c| c.name.as_str()).collect();
    let columns = columns.join(", ");
    Some(if key {
        format!("PRIMARY KEY ({columns})")
    } else {
        format!("CREATE UNIQUE INDEX {} ON public.{table} USING btree ({columns})", object.name)
    })
}

/// The table of a name, of the database or of a catalogue.
pub(super) fn find<'s>(
    sight: &'s Sight<'_>,
    schema: Option<&str>,
    name: &str,
) -> Option<Cow<'s, Table>> {
    if let Some(table) = relation(sight, schema, name) {
        return Some(Cow::Owned(table));
    }
    if schema.is_some_and(|schema| schema != "public") {
        return None;
    }
    if let Some(object) =
        objects(sight).into_iter().find(|object| object.kind == "S" && object.name == name)
    {
        let columns = vec![
            Column::new("last_value", Type::Big),
            Column::new("log_cnt", Type::Big),
            Column::new("is_called", Type::Bool),
        ];
        return Some(Cow::Owned(Table::of(
            columns,
            vec![vec![int(object.table.next - 1), int(0), Value::Bool(true)]],
        )));
    }
    sight.server.store.table(&sight.me.database, name).map(Cow::Borrowed)
}
