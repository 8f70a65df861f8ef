//! Functions of libraries, users and other things beside tables.

use super::{Answer, Done, Run, ok, rows};
use crate::mysql::auth;
use crate::mysql::errors::refusal;
use crate::mysql::world::creds;
use crate::sql::{Column, Table, Value};

/// `CREATE FUNCTION … SONAME`: a function of a library.
pub(super) fn create_function(run: &mut Run<'_>, words: &[String]) -> Done {
    let library =
        words.iter().position(|word| word == "soname").and_then(|at| words.get(at + 1)).cloned();
    let name = words
        .iter()
        .position(|word| word == "function")
        .and_then(|at| words.get(at + 1))
        .cloned()
        .unwrap_or_default();
    let Some(library) = library else { return Done::of(ok()) };
    let answer = if !run.me.admin {
        Answer::Refused(refusal(
            1044,
            format!("Access denied for user '{}'@'%' to database 'mysql'", run.me.user),
        ))
    } else if library.contains('/') {
        Answer::Refused(refusal(1124, "No paths allowed for shared library"))
    } else {
        let path = format!("/usr/lib/mysql/plugin/{library}");
        let there = run.machine.fs().find(&creds(run.machine), b"/", path.as_bytes(), true).is_ok();
        if there && run.server.has_room() {
            run.server.left.functions.insert(name.to_ascii_lowercase(), library);
            run.server.changed();
            ok()
        } else {
            Answer::Refused(refusal(
                1126,
                format!(
                    "Can't open shared library '{library}' (errno: 2, cannot open shared object file: No such file or directory)"
                ),
            ))
        }
    };
    Done { lure: Some("udf"), ..Done::of(answer) }
}

pub(super) fn create_user(run: &mut Run<'_>, words: &[String]) -> Done {
    if !run.me.admin {
        return Done::of(Answer::Refused(refusal(
            1227,
            "Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation",
        )));
    }
    let at = if words.get(2).is_some_and(|word| word == "if") { 5 } else { 2 };
    let name = words.get(at).cloned().unwrap_or_default();
    let password = words.iter().position(|word| word == "by").and_then(|at| words.get(at + 1));
    let known = run.server.persona.users.iter().any(|user| user.name == name)
        || run.server.left.users.contains_key(&name);
    if known {
        return Done::of(Answer::Refused(refusal(
            1396,
            format!("Operation CREATE USER failed for '{name}'@'%'"),
        )));
    }
    if run.server.has_room() && name.len() <= 80 {
        let stored = password.map(|password| auth::hex(&auth::stored(password.as_bytes())));
        run.server.left.users.insert(name, stored.unwrap_or_default());
        run.server.changed();
    }
    Done::of(ok())
}

pub(super) fn drop_other(run: &mut Run<'_>, words: &[String]) -> Done {
    let at = if words.get(2).is_some_and(|word| word == "if") { 4 } else { 2 };
    let name = words.get(at).cloned().unwrap_or_default();
    let kind = words.get(1).map_or("", String::as_str);
    let gone = match kind {
        "function" => run.server.left.functions.remove(&name.to_ascii_lowercase()).is_some(),
        "user" => run.server.left.users.remove(&name).is_some(),
        _ => false,
    };
    if gone {
        run.server.changed();
    }
    if gone || at == 4 {
        return Done::of(ok());
    }
    Done::of(Answer::Refused(match kind {
        "user" => refusal(1396, format!("Operation DROP USER failed for '{name}'@'%'")),
        "view" => refusal(
            4092,
            format!("Unknown VIEW: '{}.{name}'", run.me.database.clone().unwrap_or_default()),
        ),
        kind => refusal(
            1305,
            format!(
                "{} {}.{name} does not exist",
                kind.to_uppercase(),
                run.me.database.clone().unwrap_or_default()
            ),
        ),
    }))
}

pub(super) fn kill(run: &mut Run<'_>, words: &[String]) -> Done {
    let id = words.iter().find_map(|word| word.parse::<u64>().ok()).unwrap_or(0);
    let own = run.me.user.clone();
    match run.server.connections.get_mut(&id) {
        Some(connection) if run.me.admin || connection.user == own => {
            connection.killed = true;
            Done::of(ok())
        }
        Some(_) => {
            Done::of(Answer::Refused(refusal(1095, format!("You are not owner of thread {id}"))))
        }
        None => Done::of(Answer::Refused(refusal(1094, format!("Unknown thread id: {id}")))),
    }
}

pub(super) fn maintain(run: &mut Run<'_>, words: &[String]) -> Done {
    let names = ["Table", "Op", "Msg_type", "Msg_text"];
    let columns = names.map(|name| Column::new(name, crate::sql::Type::Varchar(128))).to_vec();
    let database = run.me.database.clone().unwrap_or_default();
    let table = words.last().cloned().unwrap_or_default();
    let there = run.server.store.table(&database, &table).is_some();
    let op = words.first().cloned().unwrap_or_default();
    let full = Value::Text(format!("{database}.{table}"));
    let row = if there {
        vec![full, Value::Text(op), Value::text("status"), Value::text("OK")]
    } else {
        vec![
            full,
            Value::Text(op),
            Value::text("Error"),
            Value::Text(format!("Table '{database}.{table}' doesn't exist")),
        ]
    };
    Done::of(rows(Table::of(columns, vec![row])))
}
