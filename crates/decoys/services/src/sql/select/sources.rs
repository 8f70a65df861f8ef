//! What a query reads: tables, joins, subqueries.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{MAX_ROWS, Rows, select_in};
use crate::sql::ast::{Expr, From, Join, Joined};
use crate::sql::evaluate::{Bound, Scope, evaluate};
use crate::sql::fault::{Clause, Fault};
use crate::sql::functions;
use crate::sql::store::{Column, Table};
use crate::sql::value::{Type, Value};

/// The tables of a `FROM`, joined: their columns and rows. Rows that `filter` rules out are left out
/// as early as they can be told.
pub(super) fn tables(
    from: &[Joined],
    filter: Option<&Expr>,
    scope: &Scope<'_>,
) -> Result<(Vec<Bound>, Vec<Vec<Value>>), Fault> {
    // A right join makes rows up that no earlier table had.
    let early = from.iter().all(|joined| joined.join != Join::Right);
    let mut open = if early { parts(filter) } else { Vec::new() };
    let mut bound: Vec<Bound> = Vec::new();
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for joined in from {
        let before = bound.len();
        // A function or query may look at the tables before it.
        let lateral = !matches!(joined.table, From::Table(_)) && before > 0;
        let left_scope_columns = bound.clone();
        let fetch = |row: &[Value]| -> Result<Table, Fault> {
            let here = Scope {
                columns: &left_scope_columns,
                row,
                outer: Some(scope),
                group: None,
                ..*scope
            };
            source(&joined.table, &here).map(Cow::into_owned)
        };
        let fixed = if lateral { None } else { Some(source(&joined.table, scope)?) };
        let shape = match &fixed {
            Some(table) => table.columns.clone(),
            None => fetch(rows.first().map_or(&[][..], Vec::as_slice))?.columns,
        };
        let alias = joined.alias.clone().unwrap_or_else(|| match &joined.table {
            From::Table(name) => name.name.clone(),
            From::Function { name, .. } => name.clone(),
            From::Query(_) => String::new(),
        });
        for (at, column) in shape.iter().enumerate() {
            let single = matches!(joined.table, From::Function { .. }) && shape.len() == 1;
            let name = match joined.columns.get(at) {
                Some(name) => name.clone(),
                None if single && joined.alias.is_some() => alias.clone(),
                None => column.name.clone(),
            };
            let hidden = joined.using.iter().any(|using| using.eq_ignore_ascii_case(&name));
            bound.push(Bound { table: alias.clone(), name, kind: column.kind, hidden });
        }
        let width = shape.len();
        let (now, later): (Vec<&Expr>, Vec<&Expr>) =
            open.into_iter().partition(|part| is_local(part, &bound));
        open = later;
        let passes = |row: &[Value]| -> Result<bool, Fault> {
            let here = Scope {
                columns: &bound,
                row,
                outer: Some(scope),
                clause: Clause::Where,
                group: None,
                ..*scope
            };
            for part in &now {
                if evaluate(part, &here)?.truth() != Some(true) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let mut next = Vec::new();
        let mut matched: BTreeSet<usize> = BTreeSet::new();
        for left in &rows {
            let right = match &fixed {
                Some(table) => Cow::Borrowed(&**table),
                None => Cow::Owned(fetch(left)?),
            };
            let mut hit = false;
            for (at, other) in right.rows.iter().enumerate() {
                scope.budget.step()?;
                let row: Vec<Value> = left.iter().chain(other).cloned().collect();
                let here = Scope {
                    columns: &bound,
                    row: &row,
                    outer: Some(scope),
                    clause: Clause::On,
                    group: None,
                    ..*scope
                };
                if joins(joined, before, &here)? {
                    hit = true;
                    matched.insert(at);
                    if passes(&row)? {
                        next.push(row);
                    }
                    if next.len() > MAX_ROWS {
                        return Err(Fault::TooLong);
                    }
                }
            }
            if !hit && joined.join == Join::Left {
                let row: Vec<Value> =
                    left.iter().cloned().chain(std::iter::repeat_n(Value::Null, width)).collect();
                if passes(&row)? {
                    next.push(row);
                }
            }
        }
        if joined.join == Join::Right
            && let Some(table) = &fixed
        {
            for (at, other) in table.rows.iter().enumerate() {
                if !matched.contains(&at) {
                    next.push(
                        std::iter::repeat_n(Value::Null, before)
                            .chain(other.iter().cloned())
                            .collect(),
                    );
                }
            }
        }
        rows = next;
    }
    Ok((bound, rows))
}

/// Whether the row of `scope` fits the condition of `joined`, whose columns start at `before`.
fn joins(joined: &Joined, before: usize, scope: &Scope<'_>) -> Result<bool, Fault> {
    if let Some(on) = &joined.on {
        return Ok(evaluate(on, scope)?.truth() == Some(true));
    }
    for name in &joined.using {
        let left = scope.columns.get(..before).unwrap_or_default();
        let right = scope.columns.get(before..).unwrap_or_default();
        let place =
            |columns: &[Bound]| columns.iter().position(|b| b.name.eq_ignore_ascii_case(name));
        let (Some(a), Some(b)) = (place(left), place(right)) else {
            return Err(Fault::NoColumn {
                table: None,
                name: name.clone(),
                clause: Clause::On,
                at: 0,
            });
        };
        let (a, b) = (scope.row.get(a), scope.row.get(before + b));
        let same = matches!((a, b), (Some(a), Some(b)) if !a.is_null() && a.order(b, scope.mysql()).is_eq());
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn source<'s>(from: &From, scope: &'s Scope<'_>) -> Result<Cow<'s, Table>, Fault> {
    match from {
        From::Table(name) => {
            let with =
                scope.with.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(&name.name));
            match with.filter(|_| name.schema.is_none()) {
                Some((_, table)) => Ok(Cow::Borrowed(table)),
                None => scope.world.table(name),
            }
        }
        From::Query(query) => {
            let rows = select_in(query, scope)?;
            Ok(Cow::Owned(Table::of(rows.columns, rows.rows)))
        }
        From::Function { name, args, at } => {
            let mut values = Vec::new();
            for arg in args {
                values.push(evaluate(arg, scope)?);
            }
            if let Some(table) = scope.world.rows_of(name, &values) {
                return Ok(Cow::Owned(table));
            }
            if let Some(table) = functions::rows_of(name, &values, scope.budget)? {
                return Ok(Cow::Owned(table));
            }
            let known = match scope.world.function(name, &values) {
                Some(value) => Some(value?),
                None => functions::run(name, &values, scope)?,
            };
            let Some(value) = known else {
                let types = values.iter().map(|value| functions::type_name(value.kind())).collect();
                return Err(Fault::NoFunction { name: name.clone(), types, at: *at });
            };
            let column =
                Column::new(name, scope.world.returns(name).unwrap_or_else(|| value.kind()));
            Ok(Cow::Owned(Table::of(vec![column], vec![vec![value]])))
        }
    }
}

/// Parts of a condition that must all hold.
fn parts(filter: Option<&Expr>) -> Vec<&Expr> {
    match filter {
        Some(Expr::Chain(false, items)) => items.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    }
}

/// Whether `expr` is made of columns of `columns` and plain operators alone, so that it can be
/// looked at before all tables are joined.
fn is_local(expr: &Expr, columns: &[Bound]) -> bool {
    let all = |items: &[&Expr]| items.iter().all(|item| is_local(item, columns));
    match expr {
        Expr::Literal(_) | Expr::Parameter(_) => true,
        Expr::Column { table, name, .. } => {
            let fits = |bound: &&Bound| {
                bound.name.eq_ignore_ascii_case(name)
                    && table.as_ref().is_none_or(|table| bound.table.eq_ignore_ascii_case(table))
            };
            columns.iter().filter(fits).count() == 1
        }
        Expr::Not(a) | Expr::IsNull(a, _) | Expr::Cast(a, ..) => is_local(a, columns),
        Expr::Binary(op, a, b) => {
            use crate::sql::ast::Op;
            let plain = matches!(
                op,
                Op::Equal
                    | Op::NotEqual
                    | Op::Less
                    | Op::LessEqual
                    | Op::Greater
                    | Op::GreaterEqual
            );
            plain && all(&[a, b])
        }
        Expr::In(a, items, _) => {
            is_local(a, columns) && items.iter().all(|item| is_local(item, columns))
        }
        Expr::Like { text, pattern, .. } | Expr::Regex { text, pattern, .. } => {
            all(&[text, pattern])
        }
        _ => false,
    }
}

/// Rows of `VALUES`.
pub(super) fn constant(values: &[Vec<Expr>], scope: &Scope<'_>) -> Result<Rows, Fault> {
    let mut rows = Vec::new();
    for row in values {
        rows.push(row.iter().map(|expr| evaluate(expr, scope)).collect::<Result<Vec<_>, _>>()?);
    }
    let width = rows.first().map_or(0, Vec::len);
    let columns: Vec<Column> = (0..width)
        .map(|at| {
            let kind = rows
                .iter()
                .filter_map(|row| row.get(at))
                .map(Value::kind)
                .find(|k| *k != Type::Unknown);
            Column::new(&format!("column{}", at + 1), kind.unwrap_or(Type::Text))
        })
        .collect();
    Ok(Rows { tables: vec![None; columns.len()], columns, rows })
}
