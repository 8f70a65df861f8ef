//! Functions over the rows of a group.

use super::ast::{Call, Expr, Item, Query, Select};
use super::evaluate::{Scope, evaluate};
use super::fault::Fault;
use super::value::Value;

const NAMES: &[&str] = &[
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "group_concat",
    "string_agg",
    "array_agg",
    "bool_and",
    "bool_or",
    "every",
    "std",
    "stddev",
    "variance",
    "json_agg",
    "bit_and",
    "bit_or",
];

/// Most bytes of texts put together.
const MAX_TEXT: usize = 1024 * 1024;

/// Whether `call` is one.
pub(super) fn is(call: &Call) -> bool {
    NAMES.contains(&call.name.as_str())
}

/// Whether `select` works on groups.
pub(super) fn needs_groups(select: &Select, query: &Query) -> bool {
    let item = |item: &Item| match item {
        Item::All(_) => false,
        Item::One { expr, .. } => has(expr),
    };
    !select.group.is_empty()
        || select.items.iter().any(item)
        || select.having.as_ref().is_some_and(has)
        || query.order.iter().any(|sort| has(&sort.expr))
}

/// Whether `expr` has one, outside of queries within.
fn has(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => is(call) || call.args.iter().any(has),
        Expr::Not(a)
        | Expr::Negate(a)
        | Expr::BitNot(a)
        | Expr::IsNull(a, _)
        | Expr::IsTruth(a, ..)
        | Expr::Cast(a, ..)
        | Expr::InQuery(a, ..) => has(a),
        Expr::Binary(_, a, b)
        | Expr::IsDistinct(a, b, _)
        | Expr::At(a, b)
        | Expr::Quantified(_, a, _, b) => has(a) || has(b),
        Expr::Like { text, pattern, .. } | Expr::Regex { text, pattern, .. } => {
            has(text) || has(pattern)
        }
        Expr::Between(a, b, c, _) => has(a) || has(b) || has(c),
        Expr::Chain(_, items) | Expr::List(items) | Expr::Row(items) => items.iter().any(has),
        Expr::In(a, items, _) => has(a) || items.iter().any(has),
        Expr::Case { on, arms, other } => {
            on.as_deref().is_some_and(has)
                || arms.iter().any(|(when, then)| has(when) || has(then))
                || other.as_deref().is_some_and(has)
        }
        Expr::Literal(_)
        | Expr::Parameter(_)
        | Expr::Column { .. }
        | Expr::Variable(_)
        | Expr::Default
        | Expr::Exists(_)
        | Expr::Scalar(_)
        | Expr::ListQuery(_) => false,
    }
}

/// The value of `call` over the group of `scope`.
pub(super) fn run(call: &Call, scope: &Scope<'_>) -> Result<Value, Fault> {
    let Some(group) = scope.group else {
        return Err(if scope.mysql() {
            Fault::Product("1111", "Invalid use of group function".to_owned())
        } else {
            Fault::Product("42803", "aggregate functions are not allowed here".to_owned())
        });
    };
    let mut values: Vec<(Vec<Value>, Value, Option<String>)> = Vec::new();
    for row in group {
        scope.budget.step()?;
        let inner = Scope { row, group: None, ..*scope };
        if let Some(filter) = &call.filter
            && evaluate(filter, &inner)?.truth() != Some(true)
        {
            continue;
        }
        let value = match call.args.first() {
            Some(arg) if !call.star => evaluate(arg, &inner)?,
            _ => Value::Int(1),
        };
        let between = match call.args.get(1) {
            Some(arg) => evaluate(arg, &inner)?.shown(),
            None => None,
        };
        let mut keys = Vec::new();
        for sort in &call.order {
            keys.push(evaluate(&sort.expr, &inner)?);
        }
        if !value.is_null() || call.name == "array_agg" || call.name == "json_agg" {
            values.push((keys, value, between));
        }
    }
    values.sort_by(|(a, ..), (b, ..)| {
        let each = call.order.iter().zip(a.iter().zip(b)).map(|(sort, (a, b))| {
            let order = a.order(b, scope.mysql());
            if sort.descending { order.reverse() } else { order }
        });
        each.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let between = values.iter().find_map(|(_, _, between)| between.clone());
    let mut values: Vec<Value> = values.into_iter().map(|(_, value, _)| value).collect();
    if call.distinct {
        let mut seen: Vec<Value> = Vec::new();
        for value in values {
            scope.budget.steps(u32::try_from(seen.len() / 16).unwrap_or(0))?;
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        values = seen;
    }
    fold(call, values, between, scope)
}

fn fold(
    call: &Call,
    values: Vec<Value>,
    between: Option<String>,
    scope: &Scope<'_>,
) -> Result<Value, Fault> {
    let mysql = scope.mysql();
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let count = values.len() as f64;
    let whole = values.iter().all(|value| matches!(value, Value::Int(_)));
    let sum = || values.iter().map(Value::number).sum::<f64>();
    if call.name == "count" {
        return Ok(Value::Int(i64::try_from(values.len()).unwrap_or(i64::MAX)));
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    Ok(match call.name.as_str() {
        "sum" if whole => {
            let ints = values.iter().map(Value::int);
            Value::Int(ints.fold(0, i64::saturating_add))
        }
        "sum" => Value::Float(sum()),
        "avg" => Value::Text(if mysql {
            format!("{:.4}", sum() / count)
        } else {
            format!("{:.16}", sum() / count)
        }),
        "min" => values.iter().min_by(|a, b| a.order(b, mysql)).cloned().unwrap_or(Value::Null),
        "max" => values.iter().max_by(|a, b| a.order(b, mysql)).cloned().unwrap_or(Value::Null),
        "group_concat" | "string_agg" => {
            let between = call.separator.clone().or(between).unwrap_or_else(|| ",".to_owned());
            let mut out = String::new();
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push_str(&between);
                }
                out.push_str(&value.shown().unwrap_or_default());
                if out.len() > MAX_TEXT {
                    break;
                }
            }
            // `group_concat_max_len` is a megabyte in MariaDB, and 1024 bytes in MySQL.
            Value::Text(out)
        }
        "array_agg" => Value::List(values.into_iter().take(10_000).collect()),
        "json_agg" => {
            let items: Vec<String> =
                values.iter().map(|value| value.shown().unwrap_or("null".to_owned())).collect();
            Value::Text(format!("[{}]", items.join(", ")))
        }
        "bool_and" | "every" => scope.truth(values.iter().all(|value| value.truth() == Some(true))),
        "bool_or" => scope.truth(values.iter().any(|value| value.truth() == Some(true))),
        "bit_and" => Value::Int(values.iter().map(Value::int).fold(-1, |a, b| a & b)),
        "bit_or" => Value::Int(values.iter().map(Value::int).fold(0, |a, b| a | b)),
        _ => {
            let mean = sum() / count;
            let spread = values.iter().map(|v| (v.number() - mean).powi(2)).sum::<f64>() / count;
            Value::Float(if call.name == "variance" { spread } else { spread.sqrt() })
        }
    })
}
