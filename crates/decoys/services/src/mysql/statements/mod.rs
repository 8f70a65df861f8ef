//! Carries out statements: which ones the product does on its own, and what they come to.

mod describe;
mod files;
mod objects;
mod prepared;
mod set;

use std::cell::{Cell, RefCell};

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_host::Machine;

use self::describe::describe;
use self::files::{load, outfile};
use self::objects::{create_function, create_user, drop_other, kill, maintain};
use self::prepared::prepared;
pub(super) use self::prepared::shape;
use self::set::set;
use super::errors::{self, Product, Refusal, refusal};
use super::server::Server;
use super::session::Me;
use super::world::Sight;
use super::{schema, show};
use crate::sql::{
    Budget, Dialect, Fault, Name, Rows, Scope, Statement, Table, Value, apply, parse, plan, select,
    words,
};

/// What a statement came to.
#[derive(Debug)]
pub(super) enum Answer {
    Ok {
        rows: u64,
        id: u64,
        schema: Option<String>,
        charset: Option<String>,
    },
    Rows(Rows),
    Refused(Refusal),
    /// The client is asked for a file.
    Fetch(String),
}

/// Everything of a statement.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) answer: Answer,
    /// Tables that were read, with how many rows came out.
    pub(super) read: Vec<(String, u64)>,
    /// A file that was written.
    pub(super) written: Option<(Vec<u8>, Vec<u8>)>,
    /// What it is good for beyond data.
    pub(super) lure: Option<&'static str>,
    /// Microseconds before the answer.
    pub(super) sleeps: u64,
}

/// Where a statement runs.
pub(super) struct Run<'r> {
    pub(super) server: &'r mut Server,
    pub(super) machine: &'r mut Machine,
    pub(super) me: &'r mut Me,
    pub(super) now: Timestamp,
    pub(super) rng: &'r mut ChaCha12Rng,
    /// Steps for all that the client asked for at once.
    pub(super) budget: &'r Budget,
}

impl Done {
    fn of(answer: Answer) -> Self {
        Self { answer, read: Vec::new(), written: None, lure: None, sleeps: 0 }
    }
}

fn ok() -> Answer {
    Answer::Ok { rows: 0, id: 0, schema: None, charset: None }
}

/// Runs one statement with `parameters` in the place of its question marks.
pub(super) fn run(run: &mut Run<'_>, statement: &str, parameters: &[Value]) -> Done {
    let words = words(statement, Dialect::MySql);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    run.me.fresh_warnings = Vec::new();
    let database = run.me.database.clone().unwrap_or_default();
    let persona = &run.server.persona;
    let product = Product {
        maria: persona.maria,
        names_clauses: persona.maria && persona.numbers() >= (10, 11, 12),
        database: &database,
        statement,
    };
    let done = match word(0) {
        "" => match parse(statement, Dialect::MySql) {
            Err(fault) => Ok(Done::of(Answer::Refused(errors::say(&fault, product)))),
            Ok(_) => Ok(Done::of(Answer::Refused(refusal(1065, "Query was empty")))),
        },
        "show" => show_what(run, statement, &words, product),
        "use" => use_database(run, word(1)).map(Done::of),
        "desc" | "describe" | "explain" => describe(run, statement, &words, product),
        "set" => set(run, statement, &words),
        "load" => Ok(load(run, statement, &words)),
        "create"
            if matches!(word(1), "function" | "aggregate")
                || (word(1) == "or" && word(3) == "function") =>
        {
            Ok(create_function(run, &words))
        }
        "create" if word(1) == "user" => Ok(create_user(run, &words)),
        "drop"
            if matches!(
                word(1),
                "function" | "user" | "view" | "trigger" | "procedure" | "index" | "event" | "role"
            ) =>
        {
            Ok(drop_other(run, &words))
        }
        "create"
            if matches!(
                word(1),
                "index"
                    | "unique"
                    | "view"
                    | "trigger"
                    | "procedure"
                    | "event"
                    | "role"
                    | "definer"
            ) =>
        {
            Ok(Done::of(ok()))
        }
        "grant" | "revoke" if !run.me.admin => Ok(Done::of(Answer::Refused(refusal(
            1045,
            format!(
                "Access denied for user '{}'@'{}' (using password: YES)",
                run.me.user, run.me.host
            ),
        )))),
        "grant" | "revoke" | "flush" | "commit" | "rollback" | "savepoint" | "release" | "lock"
        | "unlock" | "begin" | "start" | "do" | "xa" | "alter"
            if word(0) != "alter" || word(1) != "table" =>
        {
            match word(0) {
                "begin" | "start" => run.me.in_transaction = true,
                "commit" | "rollback" => run.me.in_transaction = false,
                _ => {}
            }
            Ok(Done::of(ok()))
        }
        "kill" => Ok(kill(run, &words)),
        "shutdown" => Ok(Done::of(ok())),
        "analyze" | "optimize" | "check" | "repair" | "checksum" => Ok(maintain(run, &words)),
        "prepare" | "execute" | "deallocate" => prepared(run, statement, &words, product),
        "handler" | "call" | "install" | "uninstall" | "purge" | "reset" | "change" | "stop"
        | "import" | "help" => Ok(Done::of(Answer::Refused(match word(0) {
            "call" => refusal(1305, format!("PROCEDURE {database}.{} does not exist", word(1))),
            "install" => refusal(
                1126,
                format!(
                    "Can't open shared library '{}' (errno: 2, cannot open shared object file: No such file or directory)",
                    words.last().map_or("", String::as_str)
                ),
            ),
            _ => return Done::of(ok()),
        }))),
        _ => engine(run, statement, parameters, product),
    };
    let mut done = done.unwrap_or_else(|refused| Done::of(Answer::Refused(refused)));
    if let Answer::Refused(refused) = &done.answer {
        run.me.fresh_warnings.push(("Error", refused.code, refused.text.clone()));
    }
    // `SHOW WARNINGS` tells of the statement before it.
    if !(word(0) == "show" && matches!(word(1), "warnings" | "errors")) {
        run.me.warnings = std::mem::take(&mut run.me.fresh_warnings);
    }
    if let Answer::Rows(rows) = &done.answer {
        run.me.found_rows = i64::try_from(rows.rows.len()).unwrap_or(0);
        run.me.row_count = -1;
    }
    done.sleeps = done.sleeps.min(300_000_000);
    done
}

fn sight<'w>(run: &'w mut Run<'_>) -> Sight<'w> {
    Sight {
        server: run.server,
        machine: run.machine,
        me: run.me,
        now: run.now,
        rng: RefCell::new(run.rng),
        sleeps: Cell::new(0),
    }
}

fn rows(table: Table) -> Answer {
    Answer::Rows(Rows {
        tables: vec![None; table.columns.len()],
        columns: table.columns,
        rows: table.rows,
    })
}

/// Queries and changes, by the engine.
fn engine(
    run: &mut Run<'_>,
    text: &str,
    parameters: &[Value],
    product: Product<'_>,
) -> Result<Done, Refusal> {
    let say = |fault: Fault| match (&fault, product.maria) {
        (Fault::NoTable { schema, name, .. }, _)
            if text.trim_start().get(..4).is_some_and(|t| t.eq_ignore_ascii_case("drop")) =>
        {
            refusal(
                1051,
                format!("Unknown table '{}.{name}'", schema.as_deref().unwrap_or(product.database)),
            )
        }
        (Fault::NoDatabase(name), _)
            if text.trim_start().get(..4).is_some_and(|t| t.eq_ignore_ascii_case("drop")) =>
        {
            refusal(1008, format!("Can't drop database '{name}'; database doesn't exist"))
        }
        _ => errors::say(&fault, product),
    };
    let statement = parse(text, Dialect::MySql).map_err(say)?;
    match &statement {
        Statement::Query(query) => {
            let budget = run.budget;
            let seen = sight(run);
            let found = select(query, &Scope::new(&seen, budget, parameters)).map_err(say)?;
            let sleeps = seen.sleeps.get();
            let mut read: Vec<(String, u64)> = Vec::new();
            for table in found.tables.iter().flatten() {
                if read.iter().all(|(known, _)| known != table) {
                    read.push((table.clone(), found.rows.len() as u64));
                }
            }
            let mut done = match &query.outfile {
                Some(file) => outfile(run, file, query, text, &found)?,
                None => Done::of(Answer::Rows(found)),
            };
            done.read = read;
            done.sleeps = sleeps;
            Ok(done)
        }
        Statement::Other(_) => Err(errors::syntax(0, product)),
        change_it => {
            if let Some(refused) = forbidden(run.me, change_it) {
                return Err(refused);
            }
            let budget = run.budget;
            let default = run.me.database.clone();
            let planned = {
                let seen = sight(run);
                let store = &seen.server.store;
                let place = |name: &Name| -> Result<(String, String), Fault> {
                    let database =
                        name.schema.clone().or_else(|| default.clone()).ok_or(Fault::NoneChosen)?;
                    if store.database(&database).is_none() && !schema::is_system(&database) {
                        return Err(Fault::NoDatabase(database));
                    }
                    Ok((database, name.name.clone()))
                };
                plan(change_it, &Scope::new(&seen, budget, parameters), &place, store)
                    .map_err(say)?
            };
            let changed = apply(planned, &mut run.server.store).map_err(say)?;
            run.me.row_count = i64::try_from(changed.rows).unwrap_or(0);
            if changed.last_id != 0 {
                run.me.last_id = changed.last_id;
            }
            if let Some(note) = changed.note {
                let (code, text) = match change_it {
                    Statement::DropTable { .. } => {
                        (1051, format!("Unknown table '{}.{note}'", product.database))
                    }
                    Statement::DropDatabase { .. } => {
                        (1008, format!("Can't drop database '{note}'; database doesn't exist"))
                    }
                    Statement::CreateDatabase { .. } => {
                        (1007, format!("Can't create database '{note}'; database exists"))
                    }
                    _ => (1050, format!("Table '{note}' already exists")),
                };
                run.me.fresh_warnings.push(("Note", code, text));
            }
            if let Statement::DropDatabase { name, .. } = change_it
                && run.me.database.as_ref() == Some(name)
            {
                run.me.database = None;
            }
            let id = u64::try_from(changed.last_id).unwrap_or(0);
            Ok(Done::of(match changed.returned {
                Some(rows) => Answer::Rows(rows),
                None => Answer::Ok { rows: changed.rows, id, schema: None, charset: None },
            }))
        }
    }
}

/// What somebody without all rights may not do.
fn forbidden(me: &Me, statement: &Statement) -> Option<Refusal> {
    let database = match statement {
        Statement::CreateDatabase { name, .. } | Statement::DropDatabase { name, .. } => {
            name.clone()
        }
        Statement::Insert(insert) => insert.table.schema.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let reserved = schema::is_system(&database);
    let whole =
        matches!(statement, Statement::CreateDatabase { .. } | Statement::DropDatabase { .. });
    if (!me.admin && whole) || (reserved && (whole || !me.admin)) {
        return Some(refusal(
            1044,
            format!("Access denied for user '{}'@'%' to database '{database}'", me.user),
        ));
    }
    None
}

fn show_what(
    run: &mut Run<'_>,
    text: &str,
    words: &[String],
    product: Product<'_>,
) -> Result<Done, Refusal> {
    let seen = sight(run);
    match show::show(&seen, words) {
        Ok(Some(table)) => Ok(Done::of(rows(table))),
        Ok(None) => {
            let at = text.to_ascii_lowercase().find("show").map_or(0, |at| at + 5).min(text.len());
            Err(errors::syntax(at, product))
        }
        Err(fault) => Err(errors::say(&fault, product)),
    }
}

/// Chooses a database.
pub(super) fn use_database(run: &mut Run<'_>, name: &str) -> Result<Answer, Refusal> {
    let known = run.server.store.database(name).is_some() || schema::is_system(name);
    if !known {
        return Err(refusal(1049, format!("Unknown database '{name}'")));
    }
    if name.eq_ignore_ascii_case("mysql") && !run.me.admin {
        return Err(refusal(
            1044,
            format!("Access denied for user '{}'@'%' to database '{name}'", run.me.user),
        ));
    }
    run.me.database = Some(name.to_owned());
    Ok(Answer::Ok { rows: 0, id: 0, schema: Some(name.to_owned()), charset: None })
}
