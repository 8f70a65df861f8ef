//! Functions that both products have.

mod cast;
mod list;
mod number;
mod text;
mod time;

pub(super) use self::cast::{cast, cast_title, type_name};
use self::list::list_function;
pub(super) use self::list::{json_get, rows_of};
use self::number::number_function;
use self::text::text_function;
pub(crate) use self::time::day_of;
use self::time::time_function;
pub(super) use self::time::{is_interval, shift};
use super::ast::Call;
use super::evaluate::Scope;
use super::fault::Fault;
use super::value::{Type, Value};

/// Longest text that is made by repeating or padding.
const MAX_MADE: usize = 1024 * 1024;

/// The fault that there is no function of this name for these arguments.
pub(super) fn unknown(call: &Call, args: &[Value], scope: &Scope<'_>) -> Fault {
    let types = args.iter().map(|value| type_name(value.kind())).collect();
    let name = match &call.schema {
        Some(schema) if !scope.mysql() => format!("{schema}.{}", call.name),
        _ => call.name.clone(),
    };
    Fault::NoFunction { name, types, at: call.at }
}

/// What a function of both products returns.
pub(super) fn returns(name: &str) -> Option<Type> {
    Some(match name {
        "count" => Type::Big,
        "length" | "char_length" | "character_length" | "octet_length" | "bit_length" | "ascii"
        | "position" | "strpos" | "instr" | "locate" | "array_length" | "cardinality"
        | "array_upper" | "array_lower" => Type::Int,
        "lower" | "upper" | "concat" | "concat_ws" | "substring" | "substr" | "left" | "right"
        | "trim" | "ltrim" | "rtrim" | "btrim" | "replace" | "reverse" | "md5" | "to_hex"
        | "encode" | "quote_ident" | "quote_literal" | "array_to_string" | "string_agg"
        | "group_concat" | "to_char" | "split_part" | "format" | "initcap" | "chr" | "repeat"
        | "lpad" | "rpad" | "hex" | "sha1" => Type::Text,
        "now"
        | "current_timestamp"
        | "clock_timestamp"
        | "statement_timestamp"
        | "transaction_timestamp" => Type::TimestampZone,
        "current_date" => Type::Date,
        "random" | "rand" | "sqrt" | "pi" => Type::Float,
        "array_agg" | "string_to_array" => Type::TextList,
        "avg" => Type::Decimal(38, 16),
        _ => return None,
    })
}

/// The value of function `name`; none when there is none of that name.
pub(super) fn run(name: &str, args: &[Value], scope: &Scope<'_>) -> Result<Option<Value>, Fault> {
    let mysql = scope.mysql();
    let strict = !matches!(
        name,
        "concat"
            | "concat_ws"
            | "nullif"
            | "greatest"
            | "least"
            | "isnull"
            | "format"
            | "field"
            | "elt"
            | "quote"
            | "quote_nullable"
            | "interval"
            | "array_to_string"
            | "rand"
            | "random"
            | "json_build_object"
    );
    let known = text_function(name, args, scope)
        .or_else(|| number_function(name, args, scope))
        .or_else(|| time_function(name, args, scope))
        .or_else(|| list_function(name, args, mysql));
    match known {
        Some(_) if strict && args.iter().any(Value::is_null) => Ok(Some(Value::Null)),
        Some(value) => value.map(Some),
        None => Ok(None),
    }
}

type Found = Option<Result<Value, Fault>>;

fn arg(args: &[Value], at: usize) -> String {
    args.get(at).and_then(Value::shown).unwrap_or_default()
}

fn int(args: &[Value], at: usize) -> i64 {
    args.get(at).map_or(0, Value::int)
}

fn number(args: &[Value], at: usize) -> f64 {
    args.get(at).map_or(0.0, Value::number)
}

fn bytes(args: &[Value], at: usize) -> Vec<u8> {
    match args.get(at) {
        Some(Value::Bytes(bytes)) => bytes.clone(),
        _ => arg(args, at).into_bytes(),
    }
}

fn count(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}
