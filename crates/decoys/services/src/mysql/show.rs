//! `SHOW` and `DESCRIBE`.

use super::auth;
use super::schema;
use super::world::Sight;
use crate::sql::{Column, Fault, Name, Table, Type, Value, like};

/// The result of a `SHOW` whose words are `words`; none when there is no such form.
pub(super) fn show(sight: &Sight<'_>, words: &[String]) -> Result<Option<Table>, Fault> {
    let mut rest: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let full = take(&mut rest, "full");
    let _ = take(&mut rest, "global")
        || take(&mut rest, "session")
        || take(&mut rest, "local")
        || take(&mut rest, "extended");
    let maria = sight.server.persona.maria;
    let pattern =
        rest.iter().position(|word| *word == "like").and_then(|at| rest.get(at + 1)).copied();
    let equals = rest.iter().position(|word| *word == "=").and_then(|at| rest.get(at + 1)).copied();
    let from = rest.iter().position(|word| *word == "from" || *word == "in");
    let named =
        |at: Option<usize>| at.and_then(|at| rest.get(at + 1)).map(|name| (*name).to_owned());
    let wanted = |name: &str| {
        pattern.is_none_or(|pattern| like(name, pattern, true))
            && (pattern.is_some()
                || equals.is_none_or(|equals| {
                    equals.eq_ignore_ascii_case(name) || !rest.contains(&"where")
                }))
    };
    let table = match rest.first().copied().unwrap_or_default() {
        "databases" | "schemas" => {
            let title =
                pattern.map_or("Database".to_owned(), |pattern| format!("Database ({pattern})"));
            listed(&title, schema::databases(sight).into_iter().filter(|name| wanted(name)))
        }
        "tables" => tables(sight, named(from), full, pattern)?,
        "columns" | "fields" => {
            let (table, database) = table_of(&rest, from);
            columns(sight, database, &table, full, pattern)?
        }
        "index" | "indexes" | "keys" => {
            let (table, database) = table_of(&rest, from);
            index(sight, database, &table)?
        }
        "create" => create(sight, &rest)?,
        "variables" => pairs(
            sight
                .server
                .persona
                .variables(sight.now)
                .into_iter()
                .filter(|(name, _)| wanted(name))
                .map(|(name, value)| (name.to_owned(), sight.system(name).unwrap_or(value))),
        ),
        "status" => pairs(
            schema::status(sight)
                .into_iter()
                .filter(|(name, _)| wanted(name))
                .map(|(name, value)| (name.to_owned(), value)),
        ),
        "processlist" => processes(sight, maria),
        "grants" => grants(sight, &rest)?,
        "warnings" | "errors" => {
            let rows = sight.me.warnings.iter().map(|(level, code, text)| {
                vec![Value::text(*level), Value::Int((*code).into()), Value::text(text.clone())]
            });
            Table::of(
                vec![
                    varchar("Level"),
                    Column::needed("Code", Type::Int),
                    Column::new("Message", Type::Varchar(512)),
                ],
                rows.collect(),
            )
        }
        "engines" => Table::of(
            ["Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"]
                .map(varchar)
                .to_vec(),
            schema::engines(maria),
        ),
        "charset" => charsets(pattern),
        "character" if rest.get(1) == Some(&"set") => charsets(pattern),
        "collation" => Table::of(
            vec![
                varchar("Collation"),
                varchar("Charset"),
                Column::new("Id", Type::Big),
                varchar("Default"),
                varchar("Compiled"),
                Column::new("Sortlen", Type::Big),
            ],
            schema::CHARSETS
                .iter()
                .zip([45, 33, 8, 11, 63])
                .filter(|((_, collation, ..), _)| wanted(collation))
                .map(|((name, collation, ..), id)| {
                    vec![
                        Value::text(*collation),
                        Value::text(*name),
                        Value::Int(id),
                        Value::text("Yes"),
                        Value::text("Yes"),
                        Value::Int(1),
                    ]
                })
                .collect(),
        ),
        "plugins" => {
            let name = Name {
                schema: Some("information_schema".to_owned()),
                name: "PLUGINS".to_owned(),
                at: 0,
            };
            schema::table(sight, "information_schema", &name.name)?.unwrap_or_default()
        }
        "privileges" => Table::of(
            ["Privilege", "Context", "Comment"].map(varchar).to_vec(),
            schema::PRIVILEGES
                .iter()
                .map(|name| vec![Value::text(*name), Value::text("Server Admin"), Value::text("")])
                .collect(),
        ),
        "table" if rest.get(1) == Some(&"status") => table_status(sight, named(from), pattern)?,
        "open" | "triggers" | "events" | "function" | "procedure" | "profiles" | "profile"
        | "binary" | "master" | "slave" | "replica" | "replicas" | "relaylog" | "all" => {
            empty(rest.first().copied().unwrap_or_default())
        }
        _ => return Ok(None),
    };
    Ok(Some(table))
}

fn take(rest: &mut Vec<&str>, word: &str) -> bool {
    let is = rest.first() == Some(&word);
    if is {
        rest.remove(0);
    }
    is
}

fn varchar(name: &str) -> Column {
    Column::needed(name, Type::Varchar(64))
}

fn listed(title: &str, names: impl Iterator<Item = String>) -> Table {
    Table::of(vec![varchar(title)], names.map(|name| vec![Value::Text(name)]).collect())
}

fn pairs(pairs: impl Iterator<Item = (String, String)>) -> Table {
    Table::of(
        vec![varchar("Variable_name"), Column::needed("Value", Type::Varchar(2048))],
        pairs.map(|(name, value)| vec![Value::Text(name), Value::Text(value)]).collect(),
    )
}

fn empty(what: &str) -> Table {
    let columns: &[&str] = match what {
        "open" => &["Database", "Table", "In_use", "Name_locked"],
        "triggers" => {
            &["Trigger", "Event", "Table", "Statement", "Timing", "Created", "sql_mode", "Definer"]
        }
        "events" => &["Db", "Name", "Definer", "Time zone", "Type", "Status"],
        "master" => &["File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"],
        "binary" => &["Log_name", "File_size"],
        "profiles" | "profile" => &["Query_ID", "Duration", "Query"],
        "function" | "procedure" => {
            &["Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment"]
        }
        _ => &["Slave_IO_State", "Master_Host", "Master_User"],
    };
    Table::of(columns.iter().map(|name| varchar(name)).collect(), Vec::new())
}

fn charsets(pattern: Option<&str>) -> Table {
    Table::of(
        vec![
            varchar("Charset"),
            varchar("Description"),
            varchar("Default collation"),
            Column::new("Maxlen", Type::Big),
        ],
        schema::CHARSETS
            .iter()
            .filter(|(name, ..)| pattern.is_none_or(|pattern| like(name, pattern, true)))
            .map(|(name, collation, about, width)| {
                vec![
                    Value::text(*name),
                    Value::text(*about),
                    Value::text(*collation),
                    Value::Int(*width),
                ]
            })
            .collect(),
    )
}

/// The table after `FROM`, and its database.
fn table_of(rest: &[&str], from: Option<usize>) -> (String, Option<String>) {
    let Some(from) = from else { return (String::new(), None) };
    let word = |at: usize| rest.get(at).map(|word| (*word).to_owned());
    let first = word(from + 1).unwrap_or_default();
    match (rest.get(from + 2), rest.get(from + 3)) {
        (Some(&"."), Some(table)) => ((*table).to_owned(), Some(first)),
        (Some(&("from" | "in")), Some(database)) => (first, Some((*database).to_owned())),
        _ => (first, None),
    }
}

/// Names of the tables of a database.
pub(super) fn names(sight: &Sight<'_>, database: &str) -> Result<Vec<String>, Fault> {
    if schema::is_system(database) {
        return Ok(schema::system_tables(database).iter().map(|name| (*name).to_owned()).collect());
    }
    let known = sight.server.store.database(database);
    let known = known.ok_or_else(|| Fault::NoDatabase(database.to_owned()))?;
    Ok(known.tables.keys().cloned().collect())
}

fn tables(
    sight: &Sight<'_>,
    database: Option<String>,
    full: bool,
    pattern: Option<&str>,
) -> Result<Table, Fault> {
    let database = sight.database(database.as_deref())?;
    let names = names(sight, &database)?;
    let title = match pattern {
        Some(pattern) => format!("Tables_in_{database} ({pattern})"),
        None => format!("Tables_in_{database}"),
    };
    let names =
        names.into_iter().filter(|name| pattern.is_none_or(|pattern| like(name, pattern, true)));
    if !full {
        return Ok(listed(&title, names));
    }
    let kind = if database.eq_ignore_ascii_case("information_schema") {
        "SYSTEM VIEW"
    } else {
        "BASE TABLE"
    };
    Ok(Table::of(
        vec![varchar(&title), varchar("Table_type")],
        names.map(|name| vec![Value::Text(name), Value::text(kind)]).collect(),
    ))
}

fn find(sight: &Sight<'_>, database: Option<String>, table: &str) -> Result<Table, Fault> {
    use crate::sql::World as _;
    let name = Name { schema: database, name: table.to_owned(), at: 0 };
    sight.table(&name).map(std::borrow::Cow::into_owned)
}

/// `SHOW COLUMNS` and `DESCRIBE`.
pub(super) fn columns(
    sight: &Sight<'_>,
    database: Option<String>,
    table: &str,
    full: bool,
    pattern: Option<&str>,
) -> Result<Table, Fault> {
    let maria = sight.server.persona.maria;
    let found = find(sight, database, table)?;
    let collation = if maria { "utf8mb4_general_ci" } else { "utf8mb4_0900_ai_ci" };
    let mut names = vec![varchar("Field"), Column::needed("Type", Type::Text)];
    if full {
        names.push(Column::new("Collation", Type::Varchar(64)));
    }
    names.extend([
        varchar("Null"),
        varchar("Key"),
        Column::new("Default", Type::Text),
        varchar("Extra"),
    ]);
    if full {
        names.extend([varchar("Privileges"), varchar("Comment")]);
    }
    let wanted = |column: &&Column| pattern.is_none_or(|pattern| like(&column.name, pattern, true));
    let rows = found.columns.iter().filter(wanted).map(|column| {
        let texts = matches!(column.kind, Type::Varchar(_) | Type::Char(_) | Type::Text);
        let mut row =
            vec![Value::text(column.name.clone()), Value::Text(schema::kind(column, maria).0)];
        if full {
            row.push(if texts { Value::text(collation) } else { Value::Null });
        }
        row.extend([
            Value::text(if column.not_null { "NO" } else { "YES" }),
            Value::text(schema::key_of(column)),
            column.default.clone().unwrap_or(Value::Null),
            Value::text(if column.automatic { "auto_increment" } else { "" }),
        ]);
        if full {
            row.extend([Value::text("select,insert,update,references"), Value::text("")]);
        }
        row
    });
    Ok(Table::of(names, rows.collect()))
}

fn index(sight: &Sight<'_>, database: Option<String>, table: &str) -> Result<Table, Fault> {
    let found = find(sight, database, table)?;
    let names = [
        "Table",
        "Non_unique",
        "Key_name",
        "Seq_in_index",
        "Column_name",
        "Collation",
        "Cardinality",
        "Sub_part",
        "Packed",
        "Null",
        "Index_type",
        "Comment",
        "Index_comment",
    ];
    let rows =
        found.columns.iter().filter(|column| column.primary || column.unique).map(|column| {
            let key = if column.primary { "PRIMARY".to_owned() } else { column.name.clone() };
            vec![
                Value::text(table),
                Value::Int(0),
                Value::Text(key),
                Value::Int(1),
                Value::text(column.name.clone()),
                Value::text("A"),
                Value::Int(i64::try_from(found.rows.len()).unwrap_or(0)),
                Value::Null,
                Value::Null,
                Value::text(""),
                Value::text("BTREE"),
                Value::text(""),
                Value::text(""),
            ]
        });
    Ok(Table::of(names.map(varchar).to_vec(), rows.collect()))
}

fn create(sight: &Sight<'_>, rest: &[&str]) -> Result<Table, Fault> {
    let maria = sight.server.persona.maria;
    let collation = if maria { "utf8mb4_general_ci" } else { "utf8mb4_0900_ai_ci" };
    let name = rest.get(2).copied().unwrap_or_default();
    if matches!(rest.get(1), Some(&("database" | "schema"))) {
        if sight.server.store.database(name).is_none() && !schema::is_system(name) {
            return Err(Fault::NoDatabase(name.to_owned()));
        }
        let more = if maria { "" } else { " /*!80016 DEFAULT ENCRYPTION='N' */" };
        let text = format!(
            "CREATE DATABASE `{name}` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE {collation} */{more}"
        );
        return Ok(Table::of(
            vec![varchar("Database"), Column::needed("Create Database", Type::Varchar(1024))],
            vec![vec![Value::text(name), Value::Text(text)]],
        ));
    }
    let (table, database) = match (rest.get(3), rest.get(4)) {
        (Some(&"."), Some(table)) => (*table, Some(name.to_owned())),
        _ => (name, None),
    };
    let found = find(sight, database, table)?;
    let mut lines = Vec::new();
    for column in &found.columns {
        let mut line = format!("  `{}` {}", column.name, schema::kind(column, maria).0);
        if column.not_null {
            line.push_str(" NOT NULL");
        }
        match column.default.as_ref().and_then(Value::shown) {
            Some(default) => line.push_str(&format!(" DEFAULT '{default}'")),
            None if !column.not_null && column.kind != Type::Text => line.push_str(" DEFAULT NULL"),
            None => {}
        }
        if column.automatic {
            line.push_str(" AUTO_INCREMENT");
        }
        lines.push(line);
    }
    let keys: Vec<String> = found
        .columns
        .iter()
        .filter(|column| column.primary)
        .map(|column| format!("`{}`", column.name))
        .collect();
    if !keys.is_empty() {
        lines.push(format!("  PRIMARY KEY ({})", keys.join(",")));
    }
    for column in found.columns.iter().filter(|column| column.unique && !column.primary) {
        lines.push(format!("  UNIQUE KEY `{0}` (`{0}`)", column.name));
    }
    let counts = found.columns.iter().any(|column| column.automatic);
    let next = if counts && found.next > 1 {
        format!(" AUTO_INCREMENT={}", found.next)
    } else {
        String::new()
    };
    let text = format!(
        "CREATE TABLE `{table}` (\n{}\n) ENGINE=InnoDB{next} DEFAULT CHARSET=utf8mb4 COLLATE={collation}",
        lines.join(",\n")
    );
    Ok(Table::of(
        vec![varchar("Table"), Column::needed("Create Table", Type::Varchar(1024))],
        vec![vec![Value::text(table), Value::Text(text)]],
    ))
}

fn processes(sight: &Sight<'_>, maria: bool) -> Table {
    let mut names = vec![
        Column::needed("Id", Type::Big),
        varchar("User"),
        varchar("Host"),
        Column::new("db", Type::Varchar(64)),
        varchar("Command"),
        Column::needed("Time", Type::Int),
        Column::new("State", Type::Varchar(30)),
        Column::new("Info", Type::Varchar(100)),
    ];
    let mut rows = schema::processes(sight);
    if maria {
        names.push(Column::needed("Progress", Type::Decimal(7, 3)));
        rows.iter_mut().for_each(|row| row.push(Value::text("0.000")));
    }
    Table::of(names, rows)
}

fn grants(sight: &Sight<'_>, rest: &[&str]) -> Result<Table, Fault> {
    let maria = sight.server.persona.maria;
    let asked = match (rest.get(1), rest.get(2)) {
        (Some(&"for"), Some(name)) if !name.starts_with("current_user") => (*name).to_owned(),
        _ => sight.me.user.clone(),
    };
    let known = sight.server.persona.users.iter().find(|user| user.name == asked);
    let made = sight.server.left.users.get(&asked);
    if known.is_none() && made.is_none() {
        return Err(Fault::Product(
            "1141",
            format!("There is no such grant defined for user '{asked}' on host '%'"),
        ));
    }
    let admin = known.is_none_or(|user| user.admin);
    let stored = match (known.and_then(|user| user.stored.as_ref()), maria) {
        (Some(stored), true) => format!(" IDENTIFIED BY PASSWORD '{}'", auth::shown(stored)),
        _ => String::new(),
    };
    let mut lines = Vec::new();
    if admin {
        lines.push(format!(
            "GRANT ALL PRIVILEGES ON *.* TO `{asked}`@`%`{stored} WITH GRANT OPTION"
        ));
    } else {
        lines.push(format!("GRANT USAGE ON *.* TO `{asked}`@`%`{stored}"));
        lines.push(format!(
            "GRANT ALL PRIVILEGES ON `{}`.* TO `{asked}`@`%`",
            sight.server.persona.database
        ));
    }
    Ok(listed(&format!("Grants for {asked}@%"), lines.into_iter()))
}

fn table_status(
    sight: &Sight<'_>,
    database: Option<String>,
    pattern: Option<&str>,
) -> Result<Table, Fault> {
    let database = sight.database(database.as_deref())?;
    let names = names(sight, &database)?;
    let titles = [
        "Name",
        "Engine",
        "Version",
        "Row_format",
        "Rows",
        "Avg_row_length",
        "Data_length",
        "Max_data_length",
        "Index_length",
        "Data_free",
        "Auto_increment",
        "Create_time",
        "Update_time",
        "Check_time",
        "Collation",
        "Checksum",
        "Create_options",
        "Comment",
    ];
    let collation =
        if sight.server.persona.maria { "utf8mb4_general_ci" } else { "utf8mb4_0900_ai_ci" };
    let rows = names
        .into_iter()
        .filter(|name| pattern.is_none_or(|pattern| like(name, pattern, true)))
        .map(|name| {
            let table = sight.server.store.table(&database, &name);
            let count = table.map_or(0, |table| i64::try_from(table.rows.len()).unwrap_or(0));
            let next = table
                .filter(|table| table.columns.iter().any(|column| column.automatic))
                .map_or(Value::Null, |table| Value::Int(table.next));
            vec![
                Value::Text(name),
                Value::text("InnoDB"),
                Value::Int(10),
                Value::text("Dynamic"),
                Value::Int(count),
                Value::Int(if count > 0 { 16_384 / count } else { 0 }),
                Value::Int(16_384),
                Value::Int(0),
                Value::Int(0),
                Value::Int(0),
                next,
                table.map_or(Value::Null, |table| schema::moment(table.made)),
                Value::Null,
                Value::Null,
                Value::text(collation),
                Value::Null,
                Value::text(""),
                Value::text(""),
            ]
        });
    Ok(Table::of(titles.map(varchar).to_vec(), rows.collect()))
}
