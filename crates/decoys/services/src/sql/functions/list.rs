//! Functions of lists and documents, and those that give rows.

use super::text::{quote_ident, size};
use super::{Found, arg, count};
use crate::sql::evaluate::Budget;
use crate::sql::fault::Fault;
use crate::sql::store::{Column, Table};
use crate::sql::value::{Type, Value};

pub(super) fn list_function(name: &str, args: &[Value], mysql: bool) -> Found {
    if mysql {
        return None;
    }
    let items = || match args.first() {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    Some(Ok(match (name, args.len()) {
        ("array_length" | "array_upper", 2) if items().is_empty() => Value::Null,
        ("array_length" | "array_upper", 2) | ("cardinality", 1) => count(items().len()),
        ("array_lower", 2) => Value::Int(1),
        ("array_to_string", 2 | 3) => {
            let shown = |value: Value| value.shown().or_else(|| args.get(2).and_then(Value::shown));
            let items: Vec<String> = items().into_iter().filter_map(shown).collect();
            Value::Text(items.join(&arg(args, 1)))
        }
        ("string_to_array", 2) => {
            let text = arg(args, 0);
            Value::List(text.split(&arg(args, 1)).take(10_000).map(Value::text).collect())
        }
        ("array_append", 2) => {
            Value::List(items().into_iter().chain(args.get(1).cloned()).collect())
        }
        ("array_position", 2) => {
            let hit = items().iter().position(|item| Some(item) == args.get(1));
            hit.map_or(Value::Null, |at| count(at + 1))
        }
        ("format", 1..) => {
            let mut rest = args.iter().skip(1);
            let mut out = String::new();
            let text = arg(args, 0);
            let mut chars = text.chars();
            while let Some(c) = chars.next() {
                match (c, if c == '%' { chars.next() } else { None }) {
                    ('%', Some('s')) => {
                        out.push_str(&rest.next().and_then(Value::shown).unwrap_or_default())
                    }
                    ('%', Some('I')) => out.push_str(&quote_ident(
                        &rest.next().and_then(Value::shown).unwrap_or_default(),
                    )),
                    ('%', Some('L')) => {
                        let text = rest.next().and_then(Value::shown);
                        out.push_str(
                            &text.map_or("NULL".to_owned(), |t| {
                                format!("'{}'", t.replace('\'', "''"))
                            }),
                        );
                    }
                    ('%', Some(other)) => out.push(other),
                    (c, _) => out.push(c),
                }
            }
            Value::Text(out)
        }
        _ => return None,
    }))
}

/// Functions that make rows.
pub(in crate::sql) fn rows_of(
    name: &str,
    args: &[Value],
    budget: &Budget,
) -> Result<Option<Table>, Fault> {
    let table = |values: Vec<Value>| {
        let kind = values
            .iter()
            .map(Value::kind)
            .find(|kind| *kind != Type::Unknown)
            .unwrap_or(Type::Text);
        Table::of(
            vec![Column::new(name, kind)],
            values.into_iter().map(|value| vec![value]).collect(),
        )
    };
    Ok(match (name, args) {
        ("generate_series", [from, to, rest @ ..]) => {
            let (from, to) = (from.int(), to.int());
            let step = rest.first().map_or(1, Value::int);
            if step == 0 {
                return Err(Fault::Product("22023", "step size cannot equal zero".to_owned()));
            }
            let mut values = Vec::new();
            let mut at = from;
            while (step > 0 && at <= to || step < 0 && at >= to) && values.len() < size(MAX_ROWS) {
                budget.step()?;
                values.push(Value::Int(at));
                at = at.saturating_add(step);
            }
            Some(table(values))
        }
        ("unnest", [Value::List(items)]) => Some(table(items.clone())),
        ("unnest", [Value::Null]) => Some(table(Vec::new())),
        ("generate_subscripts", [Value::List(items), ..]) => {
            Some(table((1..=items.len()).map(count).collect()))
        }
        ("regexp_split_to_table" | "string_to_table", [text, between]) => {
            let text = text.shown().unwrap_or_default();
            let between = between.shown().unwrap_or_default();
            Some(table(text.split(&between).take(10_000).map(Value::text).collect()))
        }
        _ => None,
    })
}

/// A member of a JSON object or list.
pub(in crate::sql) fn json_get(json: &Value, key: &Value, text: bool) -> Value {
    let source = json.shown().unwrap_or_default();
    let Ok(parsed) = serde_json::from_str::<serde_json::Value>(&source) else { return Value::Null };
    let found = match key {
        Value::Int(at) => usize::try_from(*at).ok().and_then(|at| parsed.get(at)),
        other => parsed.get(other.shown().unwrap_or_default().trim_start_matches("$.")),
    };
    match found {
        None | Some(serde_json::Value::Null) => Value::Null,
        Some(serde_json::Value::String(inner)) if text => Value::Text(inner.clone()),
        Some(other) => Value::Text(other.to_string()),
    }
}

/// Most rows that a function makes.
const MAX_ROWS: i64 = 10_000;
