//! Carries out statements: which ones the product does on its own, and what they come to.

mod copy;
mod engine;
mod objects;
mod prepared;
mod roles;
mod settings;

use std::cell::{Cell, RefCell};

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_host::Machine;

use self::copy::copy;
pub(super) use self::copy::take_rows;
use self::engine::engine;
use self::objects::{create_other, drop_other};
use self::prepared::{declare, execute, explain, fetch, prepare};
pub(super) use self::prepared::{places, shape};
use self::roles::{alter_role, create_role, drop_role};
use self::settings::{set, show};
use super::errors::{self, Refusal, error, warning};
use super::server::Server;
use super::session::Me;
use super::world::Sight;
use crate::sql::{Budget, Column, Dialect, Fault, Rows, Type, Value, parse, words};

/// What a statement came to.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nothing was asked.
    Empty,
    Done(String),
    Rows(Rows, String),
    Refused(Refusal),
    /// The client sends rows for a table.
    CopyIn {
        table: String,
        columns: usize,
    },
    /// Rows in the form of a copy.
    CopyOut(Vec<Vec<u8>>, usize),
    /// A program is to be run: its line, and the table its output goes to or what it is given.
    Program {
        line: String,
        into: Option<String>,
        input: Vec<u8>,
        rows: u64,
    },
}

/// Everything of a statement.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) answer: Answer,
    pub(super) notices: Vec<Refusal>,
    /// Tables that were read, with how many rows came out.
    pub(super) read: Vec<(String, u64)>,
    /// Files that were written, with what wrote them.
    pub(super) written: Vec<(Vec<u8>, Vec<u8>, &'static str)>,
    /// What it is good for beyond data.
    pub(super) lure: Option<&'static str>,
    /// Microseconds before the answer.
    pub(super) sleeps: u64,
    /// Settings that clients are told of.
    pub(super) told: Vec<(String, String)>,
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
    pub(super) fn of(answer: Answer) -> Self {
        Self {
            answer,
            notices: Vec::new(),
            read: Vec::new(),
            written: Vec::new(),
            lure: None,
            sleeps: 0,
            told: Vec::new(),
        }
    }

    fn tag(tag: &str) -> Self {
        Self::of(Answer::Done(tag.to_owned()))
    }

    fn refused(refusal: Refusal) -> Self {
        Self::of(Answer::Refused(refusal))
    }
}

fn one(name: &str, value: impl Into<String>, tag: &str) -> Answer {
    let rows = Rows {
        columns: vec![Column::new(name, Type::Text)],
        tables: vec![None],
        rows: vec![vec![Value::Text(value.into())]],
    };
    Answer::Rows(rows, tag.to_owned())
}

/// Runs one statement that starts `offset` characters into what the client sent.
pub(super) fn run(run: &mut Run<'_>, statement: &str, offset: usize, parameters: &[Value]) -> Done {
    let words = words(statement, Dialect::Postgres);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    if run.me.state == b'E' && !matches!(word(0), "rollback" | "abort" | "commit" | "end" | "") {
        return Done::refused(error(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
            ("postgres.c", 1081, "exec_simple_query"),
        ));
    }
    let done = match word(0) {
        "" => match parse(statement, Dialect::Postgres) {
            Err(Fault::Empty) => Done::of(Answer::Empty),
            Err(fault) => Done::refused(errors::say(&fault, statement, offset)),
            Ok(_) => Done::of(Answer::Empty),
        },
        "begin" | "start" => transaction(run, "BEGIN"),
        "commit" | "end" => transaction(run, "COMMIT"),
        "rollback" | "abort" if word(1) != "to" => transaction(run, "ROLLBACK"),
        "savepoint" => Done::tag("SAVEPOINT"),
        "rollback" => Done::tag("ROLLBACK"),
        "release" => Done::tag("RELEASE"),
        "show" => show(run, word(1), word(2)),
        "set" => set(run, statement, &words),
        "reset" => {
            run.me.settings.remove(word(1));
            Done::tag("RESET")
        }
        "copy" => copy(run, statement, &words, offset),
        "explain" => explain(run, statement, offset),
        "create" if matches!(word(1), "user" | "role" | "group") => create_role(run, &words),
        "alter" if matches!(word(1), "user" | "role") => alter_role(run, &words),
        "drop" if matches!(word(1), "user" | "role") => drop_role(run, &words),
        "create" if !is_engine(&words) => create_other(run, &words),
        "drop" if !is_engine(&words) => drop_other(&words),
        "alter" if word(1) != "table" => Done::tag(&format!("ALTER {}", word(1).to_uppercase())),
        "prepare" => prepare(run, statement, &words),
        "execute" => return execute(run, statement, &words, offset),
        "do" => Done::tag("DO"),
        "grant" | "revoke" => Done::tag(if words.contains(&"on".to_owned()) {
            if word(0) == "grant" { "GRANT" } else { "REVOKE" }
        } else if word(0) == "grant" {
            "GRANT ROLE"
        } else {
            "REVOKE ROLE"
        }),
        "vacuum" | "analyze" | "checkpoint" | "listen" | "notify" | "unlisten" | "reindex"
        | "cluster" | "comment" | "security" | "load" | "reassign" | "discard" | "deallocate"
        | "lock" | "close" | "move" | "import" => {
            let tag = match word(0) {
                "lock" => "LOCK TABLE".to_owned(),
                "discard" => format!("DISCARD {}", word(1).to_uppercase()),
                "close" => "CLOSE CURSOR".to_owned(),
                other => other.to_uppercase(),
            };
            Done::tag(&tag)
        }
        "declare" => declare(run, statement, &words, offset),
        "fetch" => fetch(run, &words),
        "call" => Done::refused(errors::say(
            &Fault::NoFunction { name: word(1).to_owned(), types: Vec::new(), at: 5 },
            statement,
            offset,
        )),
        _ => engine(run, statement, offset, parameters),
    };
    if matches!(done.answer, Answer::Refused(_)) && run.me.state == b'T' {
        run.me.state = b'E';
    }
    done
}

fn is_engine(words: &[String]) -> bool {
    let skip = |word: &&String| {
        !matches!(word.as_str(), "temporary" | "temp" | "unlogged" | "global" | "local")
    };
    let second = words.iter().skip(1).find(skip);
    second.is_some_and(|word| word == "table" || word == "database")
}

fn sight<'w>(run: &'w mut Run<'_>) -> Sight<'w> {
    Sight {
        server: run.server,
        machine: run.machine,
        me: run.me,
        now: run.now,
        rng: RefCell::new(run.rng),
        sleeps: Cell::new(0),
        after: RefCell::new(Vec::new()),
    }
}

fn transaction(run: &mut Run<'_>, what: &str) -> Done {
    let inside = run.me.state != b'I';
    let failed = run.me.state == b'E';
    match (what, inside) {
        ("BEGIN", true) => {
            let mut done = Done::tag("BEGIN");
            done.notices.push(warning(
                "25001",
                "there is already a transaction in progress",
                ("xact.c", 3693, "BeginTransactionBlock"),
            ));
            return done;
        }
        ("BEGIN", false) => run.me.state = b'T',
        (_, true) => run.me.state = b'I',
        (_, false) => {
            let mut done = Done::tag(what);
            done.notices.push(warning(
                "25P01",
                "there is no transaction in progress",
                ("xact.c", 3987, "EndTransactionBlock"),
            ));
            return done;
        }
    }
    Done::tag(if what == "COMMIT" && failed { "ROLLBACK" } else { what })
}
