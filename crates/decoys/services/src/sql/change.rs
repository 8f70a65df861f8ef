//! Carries out statements that change tables.

use super::ast::{Conflict, Definition, Insert, Item, Name, Source, Statement};
use super::evaluate::{Bound, Scope, evaluate};
use super::fault::{Clause, Fault};
use super::functions;
use super::select::{Rows, select};
use super::store::{Column, Store, Table};
use super::value::{Type, Value};

/// What a change came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changed {
    /// Rows changed.
    pub(crate) rows: u64,
    /// Last number that a column gave itself.
    pub(crate) last_id: i64,
    /// Rows of `RETURNING`.
    pub(crate) returned: Option<Rows>,
    /// Something that was to be dropped, or made, was not there, or was there.
    pub(crate) note: Option<String>,
}

/// Finds the database and table that a name means.
pub(crate) type Finder<'f> = dyn Fn(&Name) -> Result<(String, String), Fault> + 'f;

/// A change worked out, to be put into the store.
#[derive(Debug)]
pub(crate) enum Plan {
    Table(String, String, Table, Changed),
    Add(String, String, Table),
    Rename(String, String, String, Table),
    Empty(Vec<(String, String, Table)>),
    DropTables(Vec<(String, String)>, Option<String>),
    AddDatabase(String, bool),
    DropDatabase(String, bool),
    Nothing(Changed),
}

/// Works out what `statement` changes in `read`. `place` finds the database and table that a name
/// means.
///
/// # Errors
/// Whatever the product would refuse.
pub(crate) fn plan(
    statement: &Statement,
    scope: &Scope<'_>,
    place: &Finder<'_>,
    read: &Store,
) -> Result<Plan, Fault> {
    let table = |name: &Name| -> Result<(String, String, Table), Fault> {
        let (database, table) = place(name)?;
        match read.table(&database, &table) {
            Some(found) => Ok((database, table, found.clone())),
            None => Err(missing(name)),
        }
    };
    Ok(match statement {
        Statement::Insert(insert) => {
            let (database, name, mut target) = table(&insert.table)?;
            let changed = add_rows(insert, &name, &mut target, scope)?;
            Plan::Table(database, name, target, changed)
        }
        Statement::Update { table: name, set, filter, returning } => {
            let (database, at, mut target) = table(name)?;
            let changed = update(&at, set, filter.as_ref(), returning, &mut target, scope)?;
            Plan::Table(database, at, target, changed)
        }
        Statement::Delete { table: name, filter, returning } => {
            let (database, at, mut target) = table(name)?;
            let mut gone = Vec::new();
            let mut kept = Vec::new();
            let bound = bind(&at, &target);
            for row in std::mem::take(&mut target.rows) {
                let hit = match filter {
                    None => true,
                    Some(filter) => {
                        let inner =
                            Scope { columns: &bound, row: &row, clause: Clause::Where, ..*scope };
                        evaluate(filter, &inner)?.truth() == Some(true)
                    }
                };
                if hit { gone.push(row) } else { kept.push(row) }
            }
            target.rows = kept;
            let returned = returned(returning, &bound, &gone, scope)?;
            let changed = Changed { rows: gone.len() as u64, returned, ..Changed::default() };
            Plan::Table(database, at, target, changed)
        }
        Statement::CreateTable { name, columns, unless_there, query } => {
            let (database, at) = place(name)?;
            if read.table(&database, &at).is_some() {
                if *unless_there {
                    return Ok(Plan::Nothing(Changed { note: Some(at), ..Changed::default() }));
                }
                return Err(Fault::TableExists(at));
            }
            let mut made =
                Table { next: 1, made: scope.world.micros() / 1_000_000, ..Table::default() };
            for column in columns {
                made.columns.push(define(column, scope)?);
            }
            if let Some(query) = query {
                let rows = select(query, scope)?;
                if made.columns.is_empty() {
                    made.columns = rows.columns;
                }
                made.rows = rows.rows;
            }
            Plan::Add(database, at, made)
        }
        Statement::AddColumn { table: name, column } => {
            let (database, at, mut target) = table(name)?;
            let column = define(column, scope)?;
            if target.column(&column.name).is_some() {
                return Err(if scope.mysql() {
                    Fault::Product("1060", format!("Duplicate column name '{}'", column.name))
                } else {
                    Fault::Product(
                        "42701",
                        format!("column \"{}\" of relation \"{at}\" already exists", column.name),
                    )
                });
            }
            let value = column.default.clone().unwrap_or(Value::Null);
            target.columns.push(column);
            target.rows.iter_mut().for_each(|row| row.push(value.clone()));
            Plan::Table(database, at, target, Changed::default())
        }
        Statement::DropColumn { table: name, column } => {
            let (database, at, mut target) = table(name)?;
            let Some(place) = target.column(column) else {
                return Err(if scope.mysql() {
                    Fault::Product(
                        "1091",
                        format!("Can't DROP COLUMN `{column}`; check that it exists"),
                    )
                } else {
                    Fault::Product(
                        "42703",
                        format!("column \"{column}\" of relation \"{at}\" does not exist"),
                    )
                });
            };
            target.columns.remove(place);
            for row in &mut target.rows {
                if place < row.len() {
                    row.remove(place);
                }
            }
            Plan::Table(database, at, target, Changed::default())
        }
        Statement::RenameTable { table: name, to } => {
            let (database, at, target) = table(name)?;
            Plan::Rename(database, at, to.clone(), target)
        }
        Statement::Truncate(names) => {
            let mut targets = Vec::new();
            for name in names {
                targets.push(table(name)?);
            }
            for (_, _, target) in &mut targets {
                target.rows.clear();
                target.next = 1;
            }
            Plan::Empty(targets)
        }
        Statement::DropTable { names, if_there } => {
            let mut note = None;
            let mut targets = Vec::new();
            for name in names {
                let (database, at) = place(name)?;
                if read.table(&database, &at).is_some() {
                    targets.push((database, at));
                } else if *if_there {
                    note = Some(at);
                } else {
                    return Err(missing(name));
                }
            }
            Plan::DropTables(targets, note)
        }
        Statement::CreateDatabase { name, unless_there } => {
            Plan::AddDatabase(name.clone(), *unless_there)
        }
        Statement::DropDatabase { name, if_there } => Plan::DropDatabase(name.clone(), *if_there),
        Statement::Query(_) | Statement::Other(_) => Plan::Nothing(Changed::default()),
    })
}

/// Puts what was worked out into `store`.
///
/// # Errors
/// There is no room, or a database is not (or already) there.
pub(crate) fn apply(plan: Plan, store: &mut Store) -> Result<Changed, Fault> {
    match plan {
        Plan::Table(database, name, table, changed) => {
            store.put_table(&database, &name, table)?;
            Ok(changed)
        }
        Plan::Add(database, name, table) => {
            let rows = table.rows.len() as u64;
            store.add_table(&database, &name, table)?;
            Ok(Changed { rows, ..Changed::default() })
        }
        Plan::Rename(database, from, to, table) => {
            if store.table(&database, &to).is_some() {
                return Err(Fault::TableExists(to));
            }
            store.drop_table(&database, &from);
            store.add_table(&database, &to, table)?;
            Ok(Changed::default())
        }
        Plan::Empty(tables) => {
            for (database, name, table) in tables {
                store.put_table(&database, &name, table)?;
            }
            Ok(Changed::default())
        }
        Plan::DropTables(tables, note) => {
            for (database, name) in &tables {
                store.drop_table(database, name);
            }
            Ok(Changed { note, ..Changed::default() })
        }
        Plan::AddDatabase(name, unless_there) => match store.add_database(&name) {
            Ok(()) => Ok(Changed { rows: 1, ..Changed::default() }),
            Err(Fault::DatabaseExists(name)) if unless_there => {
                Ok(Changed { rows: 1, note: Some(name), ..Changed::default() })
            }
            Err(fault) => Err(fault),
        },
        Plan::DropDatabase(name, if_there) => match store.drop_database(&name) {
            Ok(tables) => Ok(Changed { rows: tables as u64, ..Changed::default() }),
            Err(Fault::NoDatabase(name)) if if_there => {
                Ok(Changed { note: Some(name), ..Changed::default() })
            }
            Err(fault) => Err(fault),
        },
        Plan::Nothing(changed) => Ok(changed),
    }
}

fn missing(name: &Name) -> Fault {
    Fault::NoTable { schema: name.schema.clone(), name: name.name.clone(), at: name.at }
}

fn bind(name: &str, table: &Table) -> Vec<Bound> {
    let bound = |column: &Column| Bound {
        table: name.to_owned(),
        name: column.name.clone(),
        kind: column.kind,
        hidden: false,
    };
    table.columns.iter().map(bound).collect()
}

fn define(column: &Definition, scope: &Scope<'_>) -> Result<Column, Fault> {
    let default = column.default.as_ref().and_then(|expr| evaluate(expr, scope).ok());
    Ok(Column {
        name: column.name.clone(),
        kind: column.kind,
        not_null: column.not_null,
        primary: column.primary,
        unique: column.unique,
        automatic: column.automatic,
        default,
    })
}

fn returned(
    items: &[Item],
    bound: &[Bound],
    rows: &[Vec<Value>],
    scope: &Scope<'_>,
) -> Result<Option<Rows>, Fault> {
    if items.is_empty() {
        return Ok(None);
    }
    let mut out = Rows::default();
    for item in items {
        match item {
            Item::All(_) => {
                for bound in bound {
                    out.columns.push(Column::new(&bound.name, bound.kind));
                }
            }
            Item::One { expr, name, text } => {
                let inner = Scope { columns: bound, ..*scope };
                let (title, kind) = match expr {
                    super::ast::Expr::Column { table, name: column, .. } => {
                        let place = inner.find(table.as_deref(), column).ok().flatten();
                        let kind =
                            place.and_then(|at| bound.get(at)).map_or(Type::Text, |b| b.kind);
                        (column.clone(), kind)
                    }
                    _ => (text.clone(), Type::Text),
                };
                out.columns.push(Column::new(name.as_ref().unwrap_or(&title), kind));
            }
        }
    }
    out.tables = vec![None; out.columns.len()];
    for row in rows {
        let inner = Scope { columns: bound, row, ..*scope };
        let mut values = Vec::new();
        for item in items {
            match item {
                Item::All(_) => values.extend(row.iter().cloned()),
                Item::One { expr, .. } => values.push(evaluate(expr, &inner)?),
            }
        }
        out.rows.push(values);
    }
    Ok(Some(out))
}

fn no_column(name: &str, table: &str, scope: &Scope<'_>) -> Fault {
    if scope.mysql() {
        Fault::NoColumn { table: None, name: name.to_owned(), clause: Clause::Fields, at: 0 }
    } else {
        Fault::Product("42703", format!("column \"{name}\" of relation \"{table}\" does not exist"))
    }
}

fn add_rows(
    insert: &Insert,
    name: &str,
    table: &mut Table,
    scope: &Scope<'_>,
) -> Result<Changed, Fault> {
    let mut places = Vec::new();
    for column in &insert.columns {
        places.push(table.column(column).ok_or_else(|| no_column(column, name, scope))?);
    }
    if insert.columns.is_empty() {
        places = (0..table.columns.len()).collect();
    }
    let mut rows: Vec<Vec<Option<Value>>> = Vec::new();
    match &insert.source {
        Source::Values(values) => {
            for row in values {
                scope.budget.step()?;
                let mut out = Vec::new();
                for expr in row {
                    out.push(match expr {
                        super::ast::Expr::Default => None,
                        expr => Some(evaluate(expr, scope)?),
                    });
                }
                rows.push(out);
            }
        }
        Source::Query(query) => {
            let found = select(query, scope)?;
            rows.extend(found.rows.into_iter().map(|row| row.into_iter().map(Some).collect()));
        }
    }
    let mut changed = Changed::default();
    let mut new = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        let too_many = row.len() > places.len();
        let too_few = row.len() < places.len()
            && !row.is_empty()
            && (scope.mysql() || !insert.columns.is_empty());
        if too_many || too_few {
            return Err(if scope.mysql() {
                Fault::Product(
                    "1136",
                    format!("Column count doesn't match value count at row {}", number + 1),
                )
            } else if too_many {
                Fault::Product(
                    "42601",
                    "INSERT has more expressions than target columns".to_owned(),
                )
            } else {
                Fault::Product(
                    "42601",
                    "INSERT has more target columns than expressions".to_owned(),
                )
            });
        }
        let mut given: Vec<Option<Value>> = vec![None; table.columns.len()];
        for (place, value) in places.iter().zip(row) {
            if let Some(slot) = given.get_mut(*place) {
                *slot = value;
            }
        }
        // Looking for the key of a row takes as long as the table is.
        scope.budget.steps(u32::try_from(table.rows.len() / 32).unwrap_or(u32::MAX))?;
        let row = complete(given, name, table, scope, &mut changed)?;
        if let Some(at) = clash(&row, table) {
            match insert.conflict {
                Conflict::Skip => continue,
                Conflict::Replace => {
                    table.rows.remove(at.0);
                    changed.rows += 1;
                }
                Conflict::Refuse => {
                    let column = table.columns.get(at.1);
                    let key = column.map_or(String::new(), |c| {
                        if c.primary { "PRIMARY".to_owned() } else { c.name.clone() }
                    });
                    let value = row.get(at.1).and_then(Value::shown).unwrap_or_default();
                    return Err(Fault::Duplicate { table: name.to_owned(), key, value });
                }
            }
        }
        table.rows.push(row.clone());
        new.push(row);
        changed.rows += 1;
    }
    let bound = bind(name, table);
    changed.returned = returned(&insert.returning, &bound, &new, scope)?;
    Ok(changed)
}

/// A whole row of what was given.
fn complete(
    given: Vec<Option<Value>>,
    name: &str,
    table: &mut Table,
    scope: &Scope<'_>,
    changed: &mut Changed,
) -> Result<Vec<Value>, Fault> {
    let mut row = Vec::with_capacity(given.len());
    for (column, value) in table.columns.iter().zip(given) {
        let counts = column.automatic && value.as_ref().is_none_or(Value::is_null);
        let value = match value {
            _ if counts => {
                let id = table.next.max(1);
                table.next = id + 1;
                if changed.last_id == 0 {
                    changed.last_id = id;
                }
                Value::Int(id)
            }
            Some(value) => functions::cast(value, column.kind, "", scope)?,
            None => column.default.clone().unwrap_or(Value::Null),
        };
        if column.automatic {
            table.next = table.next.max(value.int().saturating_add(1));
        }
        if column.not_null && value.is_null() {
            return Err(Fault::NotNull { table: name.to_owned(), column: column.name.clone() });
        }
        row.push(value);
    }
    Ok(row)
}

/// The row and column where the key of `row` is there already.
fn clash(row: &[Value], table: &Table) -> Option<(usize, usize)> {
    let keys =
        table.columns.iter().enumerate().filter(|(_, column)| column.primary || column.unique);
    let single = table.columns.iter().filter(|column| column.primary).count() <= 1;
    for (place, _) in keys.filter(|(_, column)| column.unique || single) {
        let value = row.get(place)?;
        if value.is_null() {
            continue;
        }
        // Rows that count themselves are in order, the last is the likeliest.
        if let Some(at) = table.rows.iter().rposition(|known| known.get(place) == Some(value)) {
            return Some((at, place));
        }
    }
    None
}

fn update(
    name: &str,
    set: &[(String, super::ast::Expr)],
    filter: Option<&super::ast::Expr>,
    returning: &[Item],
    table: &mut Table,
    scope: &Scope<'_>,
) -> Result<Changed, Fault> {
    let mut places = Vec::new();
    for (column, expr) in set {
        let place = table.column(column).ok_or_else(|| no_column(column, name, scope))?;
        places.push((place, expr));
    }
    let bound = bind(name, table);
    let kinds: Vec<Type> = table.columns.iter().map(|column| column.kind).collect();
    let mut changed = Changed::default();
    let mut new = Vec::new();
    for row in &mut table.rows {
        let before = row.clone();
        let inner = Scope { columns: &bound, row: &before, clause: Clause::Where, ..*scope };
        if let Some(filter) = filter
            && evaluate(filter, &inner)?.truth() != Some(true)
        {
            continue;
        }
        let inner = Scope { clause: Clause::Fields, ..inner };
        for (place, expr) in &places {
            let kind = kinds.get(*place).copied().unwrap_or(Type::Text);
            let value = functions::cast(evaluate(expr, &inner)?, kind, "", scope)?;
            if let Some(slot) = row.get_mut(*place) {
                *slot = value;
            }
        }
        if *row != before || !scope.mysql() {
            changed.rows += 1;
        }
        new.push(row.clone());
    }
    changed.returned = returned(returning, &bound, &new, scope)?;
    Ok(changed)
}
