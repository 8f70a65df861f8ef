//! Carries out queries.

mod items;
mod order;
mod sources;

use std::collections::BTreeSet;

use self::items::{check, expand, group, infer, title};
use self::order::{named, order_keys, sort, sort_keys};
use self::sources::{constant, tables};
use super::aggregate;
use super::ast::{Expr, Query, Select, SetKind};
use super::evaluate::{Scope, evaluate};
use super::fault::{Clause, Fault};
use super::store::{Column, Table};
use super::value::Value;

/// Most rows of a result, or on the way to one.
const MAX_ROWS: usize = 100_000;
/// Deepest nesting of queries that are carried out.
const MAX_DEPTH: u32 = 24;

/// A result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<Column>,
    /// The table each column is of, where it is of one.
    pub(crate) tables: Vec<Option<String>>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// Carries out `query` in a scope without tables.
pub(crate) fn select(query: &Query, scope: &Scope<'_>) -> Result<Rows, Fault> {
    select_in(query, scope)
}

/// Carries out `query` inside of `outer`.
pub(super) fn select_in(query: &Query, outer: &Scope<'_>) -> Result<Rows, Fault> {
    outer.budget.steps(10)?;
    if outer.depth >= MAX_DEPTH {
        return Err(Fault::TooComplex);
    }
    let mut with: Vec<(String, Table)> = outer.with.to_vec();
    for (name, query) in &query.with {
        let scope = Scope { with: &with, depth: outer.depth + 1, ..*outer };
        let rows = select_in(query, &scope)?;
        with.push((name.clone(), Table::of(rows.columns, rows.rows)));
    }
    let scope = Scope { with: &with, depth: outer.depth + 1, ..*outer };
    let alone = query.unions.is_empty();
    let (mut rows, mut keys) = body(&query.body, query, alone, &scope)?;
    for (kind, select) in &query.unions {
        let (other, _) = body(select, query, false, &scope)?;
        if other.columns.len() != rows.columns.len() {
            return Err(Fault::Columns { at: 0 });
        }
        rows.rows = combine(*kind, rows.rows, other.rows, &scope)?;
        keys.clear();
    }
    if !query.order.is_empty() {
        if keys.len() != rows.rows.len() {
            keys = sort_keys(&query.order, &rows, &scope)?;
        }
        sort(&mut rows.rows, keys, &query.order, scope.mysql());
    }
    let number = |expr: &Option<Expr>| -> Result<Option<usize>, Fault> {
        let Some(expr) = expr else { return Ok(None) };
        let value = evaluate(expr, &scope)?;
        Ok(if value.is_null() { None } else { Some(usize::try_from(value.int()).unwrap_or(0)) })
    };
    let skip = number(&query.offset)?.unwrap_or(0);
    let take = number(&query.limit)?.unwrap_or(usize::MAX);
    if skip > 0 || take < rows.rows.len() {
        rows.rows = rows.rows.into_iter().skip(skip).take(take).collect();
    }
    Ok(rows)
}

fn combine(
    kind: SetKind,
    left: Vec<Vec<Value>>,
    right: Vec<Vec<Value>>,
    scope: &Scope<'_>,
) -> Result<Vec<Vec<Value>>, Fault> {
    if left.len() + right.len() > MAX_ROWS {
        return Err(Fault::TooLong);
    }
    let key = |row: &Vec<Value>| format!("{row:?}");
    scope.budget.steps(u32::try_from(left.len() + right.len()).unwrap_or(u32::MAX))?;
    let other: BTreeSet<String> = right.iter().map(key).collect();
    Ok(match kind {
        SetKind::UnionAll => left.into_iter().chain(right).collect(),
        SetKind::Union => distinct(left.into_iter().chain(right).collect()),
        SetKind::Except => {
            distinct(left.into_iter().filter(|row| !other.contains(&key(row))).collect())
        }
        SetKind::Intersect => {
            distinct(left.into_iter().filter(|row| other.contains(&key(row))).collect())
        }
    })
}

fn distinct(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut seen = BTreeSet::new();
    rows.into_iter().filter(|row| seen.insert(format!("{row:?}"))).collect()
}

type Keys = Vec<Vec<Value>>;

/// One body: its result, and with `sorted` the keys of its order.
fn body(
    select: &Select,
    query: &Query,
    sorted: bool,
    scope: &Scope<'_>,
) -> Result<(Rows, Keys), Fault> {
    if let Some(nested) = &select.nested {
        return Ok((select_in(nested, scope)?, Vec::new()));
    }
    if let Some(values) = &select.values {
        return Ok((constant(values, scope)?, Vec::new()));
    }
    let (bound, mut rows) = tables(&select.from, select.filter.as_ref(), scope)?;
    let here = Scope { columns: &bound, outer: Some(scope), group: None, ..*scope };
    if let Some(filter) = &select.filter {
        let mut kept = Vec::new();
        for row in rows {
            let inner = Scope { row: &row, clause: Clause::Where, ..here };
            if evaluate(filter, &inner)?.truth() == Some(true) {
                kept.push(row);
            }
        }
        rows = kept;
    }
    let items = expand(&select.items, &bound, scope)?;
    let mut out = Rows::default();
    let mut keys = Vec::new();
    if rows.is_empty() {
        // Names are checked even when there is nothing to show.
        check(&items, select, &here)?;
    }
    let groups: Vec<Vec<Vec<Value>>> = if aggregate::needs_groups(select, query) {
        group(rows, select, &items, &here)?
    } else {
        rows.into_iter().map(|row| vec![row]).collect()
    };
    let grouped = aggregate::needs_groups(select, query);
    for members in &groups {
        let empty = vec![Value::Null; bound.len()];
        let row = members.first().unwrap_or(&empty);
        let inner = Scope { row, group: grouped.then_some(members.as_slice()), ..here };
        if let Some(having) = &select.having {
            let inner = Scope { clause: Clause::Having, ..inner };
            if evaluate(&named(having, &items), &inner)?.truth() != Some(true) {
                continue;
            }
        }
        let mut values = Vec::with_capacity(items.len());
        for (expr, ..) in &items {
            values.push(evaluate(expr, &inner)?);
        }
        if sorted {
            let inner = Scope { clause: Clause::Order, ..inner };
            keys.push(order_keys(&query.order, &values, &items, &inner)?);
        }
        out.rows.push(values);
        if out.rows.len() > MAX_ROWS {
            return Err(Fault::TooLong);
        }
    }
    for (at, (expr, name, text)) in items.iter().enumerate() {
        let shown = title(expr, name.as_deref(), text, scope.world.dialect());
        let kind = infer(expr, &here, out.rows.iter().filter_map(|row| row.get(at)));
        out.columns.push(Column::new(&shown, kind));
        out.tables.push(match expr {
            Expr::Column { table, name, .. } => {
                let place = here.find(table.as_deref(), name).ok().flatten();
                place.and_then(|place| bound.get(place)).map(|bound| bound.table.clone())
            }
            _ => None,
        });
    }
    if select.distinct {
        let mut seen = BTreeSet::new();
        let keep: Vec<bool> = out.rows.iter().map(|row| seen.insert(format!("{row:?}"))).collect();
        let mut keep_rows = keep.iter();
        out.rows.retain(|_| keep_rows.next().copied().unwrap_or(true));
        let mut keep_keys = keep.iter();
        keys.retain(|_| keep_keys.next().copied().unwrap_or(true));
    }
    Ok((out, keys))
}

type Named = (Expr, Option<String>, String);
