//! What a query lists: stars, titles, types.

use super::Named;
use super::order::{named, position};
use crate::sql::ast::{Expr, Item, Select};
use crate::sql::evaluate::{Bound, Scope, evaluate};
use crate::sql::fault::{Clause, Fault};
use crate::sql::functions;
use crate::sql::lexer::Dialect;
use crate::sql::value::{Type, Value};

/// The columns of a result, stars spelled out.
pub(super) fn expand(
    items: &[Item],
    bound: &[Bound],
    scope: &Scope<'_>,
) -> Result<Vec<Named>, Fault> {
    let mut out = Vec::new();
    for item in items {
        match item {
            Item::One { expr, name, text } => out.push((expr.clone(), name.clone(), text.clone())),
            Item::All(table) => {
                let fits = |bound: &&Bound| match table {
                    Some(table) => bound.table.eq_ignore_ascii_case(table),
                    None => !bound.hidden,
                };
                let before = out.len();
                for bound in bound.iter().filter(fits) {
                    let table = Some(bound.table.clone());
                    let expr = Expr::Column { table, name: bound.name.clone(), at: 0 };
                    out.push((expr, Some(bound.name.clone()), bound.name.clone()));
                }
                if out.len() == before {
                    return Err(match (table, scope.mysql()) {
                        (Some(table), true) => {
                            Fault::Product("1051", format!("Unknown table '{table}'"))
                        }
                        (Some(table), false) => Fault::Product(
                            "42P01",
                            format!("missing FROM-clause entry for table \"{table}\""),
                        ),
                        (None, true) => Fault::Product("1096", "No tables used".to_owned()),
                        (None, false) => Fault::Product(
                            "42601",
                            "SELECT * with no tables specified is not valid".to_owned(),
                        ),
                    });
                }
            }
        }
    }
    Ok(out)
}

/// Looks at every name of a query that found no rows.
pub(super) fn check(items: &[Named], select: &Select, here: &Scope<'_>) -> Result<(), Fault> {
    let row = vec![Value::Null; here.columns.len()];
    let nothing: Vec<Vec<Value>> = Vec::new();
    let scope = Scope { row: &row, group: Some(&nothing), ..*here };
    let fatal = |fault: &Fault| {
        matches!(
            fault,
            Fault::NoColumn { .. }
                | Fault::Ambiguous { .. }
                | Fault::NoFunction { .. }
                | Fault::TooLong
        )
    };
    for expr in items.iter().map(|(expr, ..)| expr).chain(&select.filter) {
        let clause =
            if select.filter.as_ref() == Some(expr) { Clause::Where } else { Clause::Fields };
        if let Err(fault) = evaluate(expr, &Scope { clause, ..scope })
            && fatal(&fault)
        {
            return Err(fault);
        }
    }
    Ok(())
}

/// What the product calls a column without a name.
pub(super) fn title(expr: &Expr, name: Option<&str>, text: &str, dialect: Dialect) -> String {
    if let Some(name) = name {
        return name.to_owned();
    }
    match (dialect, expr) {
        (_, Expr::Column { name, .. }) => name.clone(),
        (Dialect::MySql, Expr::Literal(Value::Text(text))) => text.clone(),
        (Dialect::MySql, _) => text.to_owned(),
        (_, Expr::Call(call)) => call.name.clone(),
        (_, Expr::Case { .. }) => "case".to_owned(),
        (_, Expr::Exists(_)) => "exists".to_owned(),
        (_, Expr::List(_) | Expr::ListQuery(_)) => "array".to_owned(),
        (_, Expr::Row(_)) => "row".to_owned(),
        (_, Expr::Cast(inner, kind, _)) => match title(inner, None, text, dialect).as_str() {
            "?column?" => functions::cast_title(*kind).to_owned(),
            title => title.to_owned(),
        },
        (_, Expr::Scalar(query)) => match query.body.items.first() {
            Some(Item::One { expr, name, text }) => title(expr, name.as_deref(), text, dialect),
            _ => "?column?".to_owned(),
        },
        (_, Expr::At(inner, _)) => title(inner, None, text, dialect),
        _ => "?column?".to_owned(),
    }
}

/// The type of a column of a result.
pub(super) fn infer<'v>(
    expr: &Expr,
    scope: &Scope<'_>,
    values: impl Iterator<Item = &'v Value>,
) -> Type {
    let known = match expr {
        Expr::Column { table, name, .. } => {
            let mut here = Some(scope);
            let mut found = None;
            while let (Some(scope), None) = (here, found) {
                let place = scope.find(table.as_deref(), name).ok().flatten();
                found = place.and_then(|place| scope.columns.get(place)).map(|bound| bound.kind);
                here = scope.outer;
            }
            found
        }
        Expr::Cast(_, kind, _) => Some(*kind),
        // Numbers with a point are exact in PostgreSQL.
        Expr::Literal(Value::Float(_)) if !scope.mysql() => Some(Type::Decimal(38, 16)),
        Expr::Call(call) => {
            scope.world.returns(&call.name).or_else(|| functions::returns(&call.name))
        }
        Expr::Chain(..)
        | Expr::Not(_)
        | Expr::IsNull(..)
        | Expr::Exists(_)
        | Expr::Like { .. }
        | Expr::Regex { .. } => Some(if scope.mysql() { Type::Int } else { Type::Bool }),
        _ => None,
    };
    match known {
        Some(Type::Unknown) | None => {
            values.map(Value::kind).find(|kind| *kind != Type::Unknown).unwrap_or(Type::Text)
        }
        Some(kind) => kind,
    }
}

/// Rows put into groups; without `GROUP BY` all are one group, even when there are none.
pub(super) fn group(
    rows: Vec<Vec<Value>>,
    select: &Select,
    items: &[Named],
    here: &Scope<'_>,
) -> Result<Vec<Vec<Vec<Value>>>, Fault> {
    if select.group.is_empty() {
        return Ok(vec![rows]);
    }
    let mut order: Vec<String> = Vec::new();
    let mut groups: std::collections::BTreeMap<String, Vec<Vec<Value>>> =
        std::collections::BTreeMap::new();
    for row in rows {
        let inner = Scope { row: &row, clause: Clause::Group, ..*here };
        let mut key = Vec::new();
        for expr in &select.group {
            key.push(evaluate(
                &position(expr, items).unwrap_or_else(|| named(expr, items)),
                &inner,
            )?);
        }
        let key = format!("{key:?}");
        if !groups.contains_key(&key) {
            order.push(key.clone());
        }
        groups.entry(key).or_default().push(row);
    }
    Ok(order.into_iter().filter_map(|key| groups.remove(&key)).collect())
}
