//! The order of rows.

use super::{Keys, Named, Rows};
use crate::sql::ast::{Expr, Sort};
use crate::sql::evaluate::{Bound, Scope, evaluate};
use crate::sql::fault::{Clause, Fault};
use crate::sql::value::Value;

/// The column of the result that a number in an order or group means.
pub(super) fn position(expr: &Expr, items: &[Named]) -> Option<Expr> {
    let Expr::Literal(Value::Int(number)) = expr else { return None };
    let at = usize::try_from(number - 1).ok()?;
    items.get(at).map(|(expr, ..)| expr.clone())
}

/// `expr`, or what the result calls by that name.
pub(super) fn named(expr: &Expr, items: &[Named]) -> Expr {
    if let Expr::Column { table: None, name, .. } = expr {
        let alias = items
            .iter()
            .find(|(_, alias, _)| alias.as_ref().is_some_and(|a| a.eq_ignore_ascii_case(name)));
        if let Some((inner, ..)) = alias {
            return inner.clone();
        }
    }
    expr.clone()
}

pub(super) fn order_keys(
    order: &[Sort],
    values: &[Value],
    items: &[Named],
    scope: &Scope<'_>,
) -> Result<Vec<Value>, Fault> {
    let mut keys = Vec::new();
    for sort in order {
        let at = match &sort.expr {
            Expr::Literal(Value::Int(number)) => usize::try_from(number - 1).ok(),
            Expr::Column { table: None, name, .. } => items.iter().position(|(_, alias, _)| {
                alias.as_ref().is_some_and(|a| a.eq_ignore_ascii_case(name))
            }),
            _ => None,
        };
        keys.push(match at.and_then(|at| values.get(at)) {
            Some(value) => value.clone(),
            None if matches!(sort.expr, Expr::Literal(Value::Int(_))) => {
                let Expr::Literal(Value::Int(number)) = sort.expr else { continue };
                return Err(if scope.mysql() {
                    Fault::NoColumn {
                        table: None,
                        name: number.to_string(),
                        clause: Clause::Order,
                        at: 0,
                    }
                } else {
                    Fault::Product(
                        "42P10",
                        format!("ORDER BY position {number} is not in select list"),
                    )
                });
            }
            None => evaluate(&sort.expr, scope)?,
        });
    }
    Ok(keys)
}

/// Keys over a result alone, as after a union.
pub(super) fn sort_keys(order: &[Sort], rows: &Rows, scope: &Scope<'_>) -> Result<Keys, Fault> {
    let bound: Vec<Bound> = rows
        .columns
        .iter()
        .map(|column| Bound {
            table: String::new(),
            name: column.name.clone(),
            kind: column.kind,
            hidden: false,
        })
        .collect();
    let mut keys = Vec::new();
    for row in &rows.rows {
        let inner = Scope {
            columns: &bound,
            row,
            outer: Some(scope),
            clause: Clause::Order,
            group: None,
            ..*scope
        };
        keys.push(order_keys(order, row, &[], &inner)?);
    }
    Ok(keys)
}

pub(super) fn sort(rows: &mut Vec<Vec<Value>>, keys: Keys, order: &[Sort], mysql: bool) {
    let mut both: Vec<(Vec<Value>, Vec<Value>)> =
        keys.into_iter().zip(std::mem::take(rows)).collect();
    both.sort_by(|(a, _), (b, _)| {
        for (sort, (a, b)) in order.iter().zip(a.iter().zip(b)) {
            let nulls_first = sort.nulls_first.unwrap_or(mysql != sort.descending);
            let order = match (a.is_null(), b.is_null()) {
                (true, false) => {
                    if nulls_first {
                        std::cmp::Ordering::Less
                    } else {
                        std::cmp::Ordering::Greater
                    }
                }
                (false, true) => {
                    if nulls_first {
                        std::cmp::Ordering::Greater
                    } else {
                        std::cmp::Ordering::Less
                    }
                }
                _ => {
                    let order = a.order(b, mysql);
                    if sort.descending { order.reverse() } else { order }
                }
            };
            if order.is_ne() {
                return order;
            }
        }
        std::cmp::Ordering::Equal
    });
    *rows = both.into_iter().map(|(_, row)| row).collect();
}
