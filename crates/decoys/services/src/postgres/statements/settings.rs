//! `SHOW` and `SET`.

use super::{Answer, Done, Run, one, sight};
use crate::postgres::errors::{self, Refusal, error};
use crate::sql::{Column, Fault, Rows, Type, Value};

pub(super) fn show(run: &mut Run<'_>, name: &str, second: &str) -> Done {
    let name = match (name, second) {
        ("time", "zone") => "TimeZone",
        ("transaction", "isolation") => "transaction_isolation",
        ("session", "authorization") => "session_authorization",
        (name, _) => name,
    };
    let seen = sight(run);
    if name == "all" {
        let rows: Vec<Vec<Value>> = seen
            .server
            .persona
            .settings()
            .into_iter()
            .map(|(name, value, _)| {
                vec![
                    Value::text(name),
                    Value::Text(seen.setting(name).unwrap_or(value)),
                    Value::text(""),
                ]
            })
            .collect();
        let columns =
            ["name", "setting", "description"].map(|name| Column::new(name, Type::Text)).to_vec();
        return Done::of(Answer::Rows(
            Rows { tables: vec![None; 3], columns, rows },
            "SHOW".to_owned(),
        ));
    }
    match seen.setting(name) {
        Some(value) => {
            let units = seen.server.persona.settings();
            let known = units.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
            let (title, unit) = known.map_or((name, ""), |(known, _, [unit, ..])| (*known, *unit));
            Done::of(one(title, with_unit(&value, unit), "SHOW"))
        }
        None => Done::refused(unknown_setting(name)),
    }
}

/// A setting with its unit as `SHOW` prints it.
fn with_unit(value: &str, unit: &str) -> String {
    let Ok(number) = value.parse::<i64>() else { return value.to_owned() };
    let kilobytes = match unit {
        "8kB" => number * 8,
        "kB" => number,
        "MB" => number * 1024,
        "ms" | "s" | "min" if number > 0 => {
            let ms = number
                * match unit {
                    "s" => 1000,
                    "min" => 60_000,
                    _ => 1,
                };
            for (name, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)]
            {
                if ms % size == 0 {
                    return format!("{}{name}", ms / size);
                }
            }
            return format!("{ms}ms");
        }
        _ => return value.to_owned(),
    };
    match kilobytes {
        n if n > 0 && n % 1_048_576 == 0 => format!("{}GB", n / 1_048_576),
        n if n > 0 && n % 1024 == 0 => format!("{}MB", n / 1024),
        n if n > 0 => format!("{n}kB"),
        n => n.to_string(),
    }
}

fn unknown_setting(name: &str) -> Refusal {
    error(
        "42704",
        format!("unrecognized configuration parameter \"{name}\""),
        ("guc.c", 5734, "find_option"),
    )
}

pub(super) fn set(run: &mut Run<'_>, text: &str, words: &[String]) -> Done {
    let mut words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    while matches!(words.first(), Some(&("session" | "local"))) && words.len() > 1 {
        words.remove(0);
    }
    let first = words.first().copied().unwrap_or_default();
    let (name, value) = match (first, words.get(1)) {
        ("transaction" | "characteristics" | "constraints", _) => return Done::tag("SET"),
        ("time", Some(&"zone")) => {
            ("timezone".to_owned(), words.get(2).copied().unwrap_or_default().to_owned())
        }
        ("names", Some(value)) => ("client_encoding".to_owned(), (*value).to_owned()),
        ("role" | "authorization", _) => return Done::tag("SET"),
        (name, Some(&".")) => (
            format!("{name}.{}", words.get(2).copied().unwrap_or_default()),
            words.get(4..).unwrap_or_default().concat(),
        ),
        (name, Some(&("=" | "to"))) => {
            (name.to_owned(), words.get(2..).unwrap_or_default().join(" ").replace(" , ", ", "))
        }
        (name, _) => {
            let at = text.find(name).unwrap_or(0) + name.len();
            return Done::refused(errors::say(
                &Fault::Syntax { at, token: String::new() },
                text,
                0,
            ));
        }
    };
    let known = name.contains('.') || sight(run).setting(&name).is_some();
    if !known {
        return Done::refused(unknown_setting(&name));
    }
    let setting = run
        .server
        .persona
        .settings()
        .into_iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(&name));
    if let Some((known, _, [_, context, _])) = setting {
        let refused = match context {
            "internal" => Some(error(
                "55P02",
                format!("parameter \"{known}\" cannot be changed"),
                ("guc.c", 7592, "set_config_option_ext"),
            )),
            "postmaster" => Some(error(
                "55P02",
                format!("parameter \"{known}\" cannot be changed without restarting the server"),
                ("guc.c", 7611, "set_config_option_ext"),
            )),
            "sighup" => Some(error(
                "55P02",
                format!("parameter \"{known}\" cannot be changed now"),
                ("guc.c", 7630, "set_config_option_ext"),
            )),
            _ => None,
        };
        if let Some(refused) = refused {
            return Done::refused(refused);
        }
    }
    if run.me.settings.len() < 128 && value.len() < 4096 {
        run.me.settings.insert(name.to_ascii_lowercase(), value.clone());
    }
    let mut done = Done::tag("SET");
    let shown = match name.to_ascii_lowercase().as_str() {
        "application_name" => {
            run.me.application.clone_from(&value);
            Some("application_name")
        }
        "client_encoding" => Some("client_encoding"),
        "datestyle" => Some("DateStyle"),
        "timezone" => Some("TimeZone"),
        "standard_conforming_strings" => Some("standard_conforming_strings"),
        _ => None,
    };
    if let Some(name) = shown {
        let value = if name == "DateStyle" { "ISO, MDY".to_owned() } else { value };
        done.told.push((name.to_owned(), value));
    }
    done
}
