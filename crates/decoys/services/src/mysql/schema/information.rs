//! The tables of `information_schema`.

use super::lists::{CHARSETS, PLUGINS, PRIVILEGES, engines};
use super::{
    columns, databases, key_of, kind, moment, processes, size, status, system_tables, text,
    user_tables, varchar,
};
use crate::mysql::world::Sight;
use crate::sql::{Column, Table, Type, Value};

pub(super) fn information(sight: &Sight<'_>, name: &str) -> Option<Table> {
    let maria = sight.server.persona.maria;
    let collation = if maria { "utf8mb4_general_ci" } else { "utf8mb4_0900_ai_ci" };
    let (columns, rows): (Vec<Column>, Vec<Vec<Value>>) = match name {
        "schemata" => (
            columns(&[
                "CATALOG_NAME",
                "SCHEMA_NAME",
                "DEFAULT_CHARACTER_SET_NAME",
                "DEFAULT_COLLATION_NAME",
                "SQL_PATH",
            ]),
            databases(sight)
                .into_iter()
                .map(|name| {
                    vec![text("def"), text(name), text("utf8mb4"), text(collation), Value::Null]
                })
                .collect(),
        ),
        "tables" => (tables_columns(), tables_rows(sight, collation)),
        "columns" => column_table(sight, maria, collation),
        "statistics" => (
            columns(&[
                "TABLE_SCHEMA",
                "TABLE_NAME",
                "NON_UNIQUE",
                "INDEX_NAME",
                "SEQ_IN_INDEX",
                "COLUMN_NAME",
                "CARDINALITY",
                "INDEX_TYPE",
            ]),
            keys(sight)
                .into_iter()
                .map(|(schema, table, index, column, rows)| {
                    vec![
                        text(schema),
                        text(table),
                        Value::Int(0),
                        text(index),
                        Value::Int(1),
                        text(column),
                        rows,
                        text("BTREE"),
                    ]
                })
                .collect(),
        ),
        "key_column_usage" | "table_constraints" => (
            columns(&[
                "CONSTRAINT_SCHEMA",
                "CONSTRAINT_NAME",
                "TABLE_SCHEMA",
                "TABLE_NAME",
                "COLUMN_NAME",
                "CONSTRAINT_TYPE",
                "ORDINAL_POSITION",
                "REFERENCED_TABLE_NAME",
                "REFERENCED_COLUMN_NAME",
            ]),
            keys(sight)
                .into_iter()
                .map(|(schema, table, index, column, _)| {
                    let kind = if index == "PRIMARY" { "PRIMARY KEY" } else { "UNIQUE" };
                    vec![
                        text(schema.clone()),
                        text(index),
                        text(schema),
                        text(table),
                        text(column),
                        text(kind),
                        Value::Int(1),
                        Value::Null,
                        Value::Null,
                    ]
                })
                .collect(),
        ),
        "user_privileges" => (
            columns(&["GRANTEE", "TABLE_CATALOG", "PRIVILEGE_TYPE", "IS_GRANTABLE"]),
            PRIVILEGES
                .iter()
                .filter(|_| sight.me.admin)
                .map(|privilege| {
                    vec![
                        Value::Text(format!("'{}'@'%'", sight.me.user)),
                        text("def"),
                        text(*privilege),
                        text("YES"),
                    ]
                })
                .collect(),
        ),
        "processlist" => (
            vec![
                Column::new("ID", Type::Big),
                varchar("USER"),
                varchar("HOST"),
                varchar("DB"),
                varchar("COMMAND"),
                Column::new("TIME", Type::Int),
                varchar("STATE"),
                Column::new("INFO", Type::Text),
            ],
            processes(sight),
        ),
        "global_variables" | "session_variables" => (
            columns(&["VARIABLE_NAME", "VARIABLE_VALUE"]),
            sight
                .server
                .persona
                .variables(sight.now)
                .into_iter()
                .map(|(name, value)| {
                    vec![text(name.to_uppercase()), text(sight.system(name).unwrap_or(value))]
                })
                .collect(),
        ),
        "global_status" | "session_status" => (
            columns(&["VARIABLE_NAME", "VARIABLE_VALUE"]),
            status(sight)
                .into_iter()
                .map(|(name, value)| vec![text(name.to_uppercase()), text(value)])
                .collect(),
        ),
        "engines" => (
            columns(&["ENGINE", "SUPPORT", "COMMENT", "TRANSACTIONS", "XA", "SAVEPOINTS"]),
            engines(maria),
        ),
        "plugins" => (
            columns(&[
                "PLUGIN_NAME",
                "PLUGIN_VERSION",
                "PLUGIN_STATUS",
                "PLUGIN_TYPE",
                "PLUGIN_LIBRARY",
                "PLUGIN_LICENSE",
            ]),
            PLUGINS
                .iter()
                .map(|(name, kind)| {
                    vec![
                        text(*name),
                        text("1.0"),
                        text("ACTIVE"),
                        text(*kind),
                        Value::Null,
                        text("GPL"),
                    ]
                })
                .collect(),
        ),
        "character_sets" => (
            columns(&["CHARACTER_SET_NAME", "DEFAULT_COLLATE_NAME", "DESCRIPTION", "MAXLEN"]),
            CHARSETS
                .iter()
                .map(|(name, collation, about, width)| {
                    vec![text(*name), text(*collation), text(*about), Value::Int(*width)]
                })
                .collect(),
        ),
        "collations" => (
            columns(&[
                "COLLATION_NAME",
                "CHARACTER_SET_NAME",
                "ID",
                "IS_DEFAULT",
                "IS_COMPILED",
                "SORTLEN",
            ]),
            CHARSETS
                .iter()
                .zip([45, 33, 8, 11, 63])
                .map(|((name, collation, ..), id)| {
                    vec![
                        text(*collation),
                        text(*name),
                        Value::Int(id),
                        text("Yes"),
                        text("Yes"),
                        Value::Int(1),
                    ]
                })
                .collect(),
        ),
        "files" => (
            columns(&[
                "FILE_NAME",
                "FILE_TYPE",
                "TABLESPACE_NAME",
                "LOGFILE_GROUP_NAME",
                "TOTAL_EXTENTS",
                "EXTENT_SIZE",
                "INITIAL_SIZE",
                "ENGINE",
                "EXTRA",
            ]),
            Vec::new(),
        ),
        "partitions" => (
            columns(&["TABLE_SCHEMA", "TABLE_NAME", "PARTITION_NAME", "TABLESPACE_NAME"]),
            Vec::new(),
        ),
        "routines" | "parameters" => (
            columns(&[
                "SPECIFIC_NAME",
                "ROUTINE_SCHEMA",
                "ROUTINE_NAME",
                "ROUTINE_TYPE",
                "ROUTINE_DEFINITION",
            ]),
            Vec::new(),
        ),
        "triggers" => (
            columns(&[
                "TRIGGER_SCHEMA",
                "TRIGGER_NAME",
                "EVENT_OBJECT_SCHEMA",
                "EVENT_OBJECT_TABLE",
            ]),
            Vec::new(),
        ),
        "events" => (columns(&["EVENT_SCHEMA", "EVENT_NAME", "DEFINER"]), Vec::new()),
        "views" => (columns(&["TABLE_SCHEMA", "TABLE_NAME", "VIEW_DEFINITION"]), Vec::new()),
        "schema_privileges" | "table_privileges" | "column_privileges" => (
            columns(&["GRANTEE", "TABLE_SCHEMA", "TABLE_NAME", "PRIVILEGE_TYPE", "IS_GRANTABLE"]),
            Vec::new(),
        ),
        "referential_constraints" => (
            columns(&[
                "CONSTRAINT_SCHEMA",
                "CONSTRAINT_NAME",
                "TABLE_NAME",
                "REFERENCED_TABLE_NAME",
            ]),
            Vec::new(),
        ),
        _ => return None,
    };
    Some(Table::of(columns, rows))
}

fn tables_columns() -> Vec<Column> {
    let mut out = columns(&["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ENGINE"]);
    for name in
        ["VERSION", "TABLE_ROWS", "AVG_ROW_LENGTH", "DATA_LENGTH", "INDEX_LENGTH", "AUTO_INCREMENT"]
    {
        out.push(Column::new(name, Type::Big));
    }
    out.push(varchar("ROW_FORMAT"));
    out.push(Column::new("CREATE_TIME", Type::Timestamp));
    out.push(Column::new("UPDATE_TIME", Type::Timestamp));
    out.extend(columns(&["TABLE_COLLATION", "CREATE_OPTIONS", "TABLE_COMMENT"]));
    out
}

fn tables_rows(sight: &Sight<'_>, collation: &str) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = user_tables(sight)
        .map(|(schema, name, table)| {
            let next = if table.columns.iter().any(|column| column.automatic) {
                Value::Int(table.next)
            } else {
                Value::Null
            };
            let average = if table.rows.is_empty() {
                0
            } else {
                16_384 / i64::try_from(table.rows.len()).unwrap_or(1)
            };
            vec![
                text("def"),
                text(schema.clone()),
                text(name.clone()),
                text("BASE TABLE"),
                text("InnoDB"),
                Value::Int(10),
                size(table.rows.len()),
                Value::Int(average),
                Value::Int(16_384),
                Value::Int(0),
                next,
                text("Dynamic"),
                moment(table.made),
                Value::Null,
                text(collation),
                text(""),
                text(""),
            ]
        })
        .collect();
    for database in ["information_schema", "mysql"] {
        if database == "mysql" && !sight.me.admin {
            continue;
        }
        let (kind, engine) = if database == "mysql" {
            ("BASE TABLE", text("Aria"))
        } else {
            ("SYSTEM VIEW", text("MEMORY"))
        };
        for name in system_tables(database) {
            let mut row = vec![
                text("def"),
                text(database),
                text(*name),
                text(kind),
                engine.clone(),
                Value::Int(10),
            ];
            row.extend(vec![Value::Null; 5]);
            row.extend([
                text("Page"),
                Value::Null,
                Value::Null,
                text("utf8mb3_general_ci"),
                text(""),
                text(""),
            ]);
            rows.push(row);
        }
    }
    rows
}

fn column_table(sight: &Sight<'_>, maria: bool, collation: &str) -> (Vec<Column>, Vec<Vec<Value>>) {
    let mut names = columns(&["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"]);
    names.push(Column::new("ORDINAL_POSITION", Type::Big));
    names.extend(columns(&["COLUMN_DEFAULT", "IS_NULLABLE", "DATA_TYPE"]));
    names.push(Column::new("CHARACTER_MAXIMUM_LENGTH", Type::Big));
    names.extend(columns(&[
        "CHARACTER_SET_NAME",
        "COLLATION_NAME",
        "COLUMN_TYPE",
        "COLUMN_KEY",
        "EXTRA",
        "PRIVILEGES",
        "COLUMN_COMMENT",
        "GENERATION_EXPRESSION",
    ]));
    let mut rows = Vec::new();
    for (schema, name, table) in user_tables(sight) {
        for (at, column) in table.columns.iter().enumerate() {
            let (full, first) = kind(column, maria);
            let texts = matches!(column.kind, Type::Varchar(_) | Type::Char(_) | Type::Text);
            let length = match column.kind {
                Type::Varchar(size) | Type::Char(size) => Value::Int(size.into()),
                Type::Text => Value::Int(65_535),
                _ => Value::Null,
            };
            let when = |value: &str| if texts { text(value) } else { Value::Null };
            rows.push(vec![
                text("def"),
                text(schema.clone()),
                text(name.clone()),
                text(column.name.clone()),
                size(at + 1),
                default_of(column, maria),
                text(if column.not_null { "NO" } else { "YES" }),
                text(first),
                length,
                when("utf8mb4"),
                when(collation),
                text(full),
                text(key_of(column)),
                text(if column.automatic { "auto_increment" } else { "" }),
                text("select,insert,update,references"),
                text(""),
                Value::Null,
            ]);
        }
    }
    (names, rows)
}

/// The default of a column as the catalogue has it: MariaDB writes `NULL` where there is none.
fn default_of(column: &Column, maria: bool) -> Value {
    match column.default.as_ref().and_then(Value::shown) {
        Some(value) => Value::Text(value),
        None if maria && !column.not_null => text("NULL"),
        None => Value::Null,
    }
}

pub(super) fn keys(sight: &Sight<'_>) -> Vec<(String, String, String, String, Value)> {
    let mut out = Vec::new();
    for (schema, name, table) in user_tables(sight) {
        for column in table.columns.iter().filter(|column| column.primary || column.unique) {
            let index = if column.primary { "PRIMARY".to_owned() } else { column.name.clone() };
            out.push((
                schema.clone(),
                name.clone(),
                index,
                column.name.clone(),
                size(table.rows.len()),
            ));
        }
    }
    out
}
