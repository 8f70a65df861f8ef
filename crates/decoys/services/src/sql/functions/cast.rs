//! Conversions.

use super::text::unhex;
use super::time::{instant, stamp};
use crate::sql::evaluate::Scope;
use crate::sql::fault::Fault;
use crate::sql::value::{Type, Value};

/// `value` as a `kind`.
pub(in crate::sql) fn cast(
    value: Value,
    kind: Type,
    name: &str,
    scope: &Scope<'_>,
) -> Result<Value, Fault> {
    let mysql = scope.mysql();
    if value.is_null() {
        return Ok(value);
    }
    let bad = |kind: &'static str, text: String| {
        if mysql { Ok(Value::Int(0)) } else { Err(Fault::Input { kind, text }) }
    };
    if kind == Type::Oid
        && let Value::Text(text) = &value
        && let Some(known) =
            scope.world.function("cast to oid", &[Value::text(name), Value::text(text.clone())])
    {
        return known;
    }
    let named =
        kind == Type::Oid && name.starts_with("reg") || kind == Type::Text && name.contains("reg");
    if named
        && let Some(known) = scope.world.function("show oid", &[Value::text(name), value.clone()])
    {
        return known;
    }
    Ok(match kind {
        Type::Small | Type::Int | Type::Big | Type::Oid => match &value {
            Value::Int(_) => value,
            Value::Text(text) => {
                let trimmed = text.trim();
                match trimmed.parse::<i64>() {
                    Ok(number) => Value::Int(number),
                    Err(_) if mysql => Value::Int(value.int()),
                    Err(_) => {
                        let names = match kind {
                            Type::Small => "smallint",
                            Type::Big => "bigint",
                            Type::Oid => "oid",
                            _ => "integer",
                        };
                        return bad(names, text.clone());
                    }
                }
            }
            other => Value::Int(other.int()),
        },
        Type::Float => match &value {
            Value::Text(text) if !mysql && text.trim().parse::<f64>().is_err() => {
                return bad("double precision", text.clone());
            }
            other => Value::Float(other.number()),
        },
        Type::Decimal(_, places) => match &value {
            Value::Text(text) if !mysql && text.trim().parse::<f64>().is_err() => {
                return bad("numeric", text.clone());
            }
            Value::Int(_) if places == 0 => value,
            Value::Float(_) if places == 0 && !mysql => value,
            other => Value::Text(format!("{:.*}", usize::from(places), other.number())),
        },
        Type::Bool => match &value {
            Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "1" | "yes" | "on" | "y" => Value::Bool(true),
                "f" | "false" | "0" | "no" | "off" | "n" => Value::Bool(false),
                _ => return bad("boolean", text.clone()),
            },
            other => Value::Bool(other.truth() == Some(true)),
        },
        Type::Varchar(size) | Type::Char(size) if size > 0 => {
            let text = text_of(&value, mysql);
            Value::Text(text.chars().take(usize::try_from(size).unwrap_or(usize::MAX)).collect())
        }
        Type::Text
        | Type::Varchar(_)
        | Type::Char(_)
        | Type::Name
        | Type::Json
        | Type::Uuid
        | Type::Byte => Value::Text(text_of(&value, mysql)),
        Type::Date => {
            let text = text_of(&value, mysql);
            match instant(&text) {
                Some(at) => {
                    Value::Text(stamp(at, false, false).get(..10).unwrap_or_default().to_owned())
                }
                None if mysql => Value::Text(text),
                None => return bad("date", text),
            }
        }
        Type::Timestamp | Type::TimestampZone => {
            let text = text_of(&value, mysql);
            match instant(&text) {
                Some(at) => Value::Text(stamp(at, true, kind == Type::TimestampZone)),
                None if mysql => Value::Text(text),
                None => return bad("timestamp", text),
            }
        }
        Type::Bytes => match value {
            Value::Text(text) if !mysql => match text.strip_prefix("\\x").map(unhex) {
                Some(Some(bytes)) => Value::Bytes(bytes),
                Some(None) => return bad("bytea", text),
                None => Value::Bytes(text.into_bytes()),
            },
            other => other,
        },
        Type::TextList | Type::OidList => match value {
            Value::Text(text) => {
                let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
                let items = inner.split(',').map(|item| item.trim().trim_matches('"'));
                Value::List(items.filter(|item| !item.is_empty()).map(Value::text).collect())
            }
            other => other,
        },
        Type::Time | Type::Unknown => value,
    })
}

fn text_of(value: &Value, mysql: bool) -> String {
    match value {
        Value::Bool(truth) if !mysql => if *truth { "true" } else { "false" }.to_owned(),
        other => other.shown().unwrap_or_default(),
    }
}

/// What PostgreSQL calls a column that is a cast of a value.
pub(in crate::sql) const fn cast_title(kind: Type) -> &'static str {
    match kind {
        Type::Bool => "bool",
        Type::Small => "int2",
        Type::Int => "int4",
        Type::Big => "int8",
        Type::Float => "float8",
        Type::Decimal(..) => "numeric",
        Type::Varchar(_) => "varchar",
        Type::Char(_) => "bpchar",
        Type::Name => "name",
        Type::Oid => "oid",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::TimestampZone => "timestamptz",
        Type::Bytes => "bytea",
        _ => "text",
    }
}

/// What PostgreSQL calls the type of an argument.
pub(in crate::sql) const fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Bool => "boolean",
        Type::Small => "smallint",
        Type::Int => "integer",
        Type::Big => "bigint",
        Type::Float => "double precision",
        Type::Decimal(..) => "numeric",
        Type::Bytes => "bytea",
        Type::Date => "date",
        Type::Timestamp => "timestamp without time zone",
        Type::TimestampZone => "timestamp with time zone",
        Type::TextList | Type::OidList => "text[]",
        _ => "unknown",
    }
}
