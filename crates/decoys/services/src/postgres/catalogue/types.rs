//! Types by number and name.

use std::sync::LazyLock;

/// Types: number, name, length, and the number of their lists.
pub(super) static TYPES: LazyLock<Vec<[&'static str; 8]>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.splitn(8, '|');
        let mut next = || parts.next();
        Some([next()?, next()?, next()?, next()?, next()?, next()?, next()?, next()?])
    };
    include_str!("../data/types.txt").lines().filter_map(line).collect()
});

/// The name of type number `oid`, as `format_type` writes it.
pub(in crate::postgres) fn type_name(oid: i64, modifier: i64) -> String {
    let size = modifier - 4;
    match oid {
        16 => "boolean".to_owned(),
        18 => "\"char\"".to_owned(),
        20 => "bigint".to_owned(),
        21 => "smallint".to_owned(),
        23 => "integer".to_owned(),
        700 => "real".to_owned(),
        701 => "double precision".to_owned(),
        1042 if size > 0 => format!("character({size})"),
        1042 => "character".to_owned(),
        1043 if size > 0 => format!("character varying({size})"),
        1043 => "character varying".to_owned(),
        1082 => "date".to_owned(),
        1083 => "time without time zone".to_owned(),
        1114 => "timestamp without time zone".to_owned(),
        1184 => "timestamp with time zone".to_owned(),
        1700 if size > 0 => format!("numeric({},{})", size >> 16, size & 0xffff),
        1700 => "numeric".to_owned(),
        oid => {
            let known = TYPES.iter().find(|[number, ..]| number.parse() == Ok(oid));
            match known {
                Some([_, name, ..]) => match name.strip_prefix('_') {
                    Some(inner) => format!("{inner}[]"),
                    None => (*name).to_owned(),
                },
                None => "???".to_owned(),
            }
        }
    }
}

/// The number of the type called `name`.
pub(in crate::postgres) fn type_number(name: &str) -> Option<i64> {
    let name = match name {
        "integer" | "int" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "character varying" => "varchar",
        other => other,
    };
    TYPES.iter().find(|[_, known, ..]| *known == name).and_then(|[number, ..]| number.parse().ok())
}
