//! What the engine runs: queries and changes, and who may.

use super::{Answer, Done, Run, sight};
use crate::postgres::errors::{self, Refusal, error, notice};
use crate::postgres::world::{After, creds};
use crate::sql::{Dialect, Fault, Name, Scope, Statement, Value, apply, parse, plan, select};

/// Queries and changes, by the engine.
pub(super) fn engine(run: &mut Run<'_>, text: &str, offset: usize, parameters: &[Value]) -> Done {
    let refuse = |fault: Fault| Done::refused(errors::say(&fault, text, offset));
    let statement = match parse(text, Dialect::Postgres) {
        Ok(statement) => statement,
        Err(fault) => return refuse(fault),
    };
    match &statement {
        Statement::Query(query) => {
            let budget = run.budget;
            let (found, sleeps, after) = {
                let seen = sight(run);
                let found = select(query, &Scope::new(&seen, budget, parameters));
                (found, seen.sleeps.get(), seen.after.into_inner())
            };
            let found = match found {
                Ok(found) => found,
                Err(fault) => return refuse(fault),
            };
            let mut read: Vec<(String, u64)> = Vec::new();
            for table in found.tables.iter().flatten() {
                if read.iter().all(|(known, _)| known != table) {
                    read.push((table.clone(), found.rows.len() as u64));
                }
            }
            let tag = format!("SELECT {}", found.rows.len());
            let mut done = Done { read, sleeps, ..Done::of(Answer::Rows(found, tag)) };
            for act in after {
                settle(run, act, &mut done);
            }
            done
        }
        Statement::Other(_) => refuse(Fault::Syntax {
            at: 0,
            token: text.split_whitespace().next().unwrap_or_default().to_owned(),
        }),
        change_it => change(run, change_it, text, offset, parameters),
    }
}

fn change(
    run: &mut Run<'_>,
    statement: &Statement,
    text: &str,
    offset: usize,
    parameters: &[Value],
) -> Done {
    if let Some(refused) = forbidden(run, statement) {
        return Done::refused(refused);
    }
    let budget = run.budget;
    let database = run.me.database.clone();
    let planned = {
        let seen = sight(run);
        let place = |name: &Name| -> Result<(String, String), Fault> {
            match name.schema.as_deref() {
                None | Some("public" | "pg_temp") => Ok((database.clone(), name.name.clone())),
                Some(schema @ ("pg_catalog" | "information_schema")) => Err(Fault::Product(
                    "42501",
                    format!(
                        "permission denied: \"{}\" is a system catalog in \"{schema}\"",
                        name.name
                    ),
                )),
                Some(schema) => {
                    Err(Fault::Product("3F000", format!("schema \"{schema}\" does not exist")))
                }
            }
        };
        plan(statement, &Scope::new(&seen, budget, parameters), &place, &seen.server.store)
    };
    let changed = planned.and_then(|planned| apply(planned, &mut run.server.store));
    let changed = match changed {
        Ok(changed) => changed,
        Err(Fault::NoTable { name, .. }) if matches!(statement, Statement::DropTable { .. }) => {
            return Done::refused(error(
                "42P01",
                format!("table \"{name}\" does not exist"),
                ("tablecmds.c", 1304, "DropErrorMsgNonExistent"),
            ));
        }
        Err(fault) => return Done::refused(errors::say(&fault, text, offset)),
    };
    let tag = match statement {
        Statement::Insert(_) => format!("INSERT 0 {}", changed.rows),
        Statement::Update { .. } => format!("UPDATE {}", changed.rows),
        Statement::Delete { .. } => format!("DELETE {}", changed.rows),
        Statement::CreateTable { query: Some(_), .. } => format!("SELECT {}", changed.rows),
        Statement::CreateTable { .. } => "CREATE TABLE".to_owned(),
        Statement::DropTable { .. } => "DROP TABLE".to_owned(),
        Statement::Truncate(_) => "TRUNCATE TABLE".to_owned(),
        Statement::CreateDatabase { .. } => "CREATE DATABASE".to_owned(),
        Statement::DropDatabase { .. } => "DROP DATABASE".to_owned(),
        _ => "ALTER TABLE".to_owned(),
    };
    let mut done = match changed.returned {
        Some(rows) => Done::of(Answer::Rows(rows, tag)),
        None => Done::tag(&tag),
    };
    if let Some(note) = changed.note {
        done.notices.push(match statement {
            Statement::CreateTable { .. } => notice(
                format!("relation \"{note}\" already exists, skipping"),
                ("parse_utilcmd.c", 207, "transformCreateStmt"),
            ),
            Statement::DropDatabase { .. } => notice(
                format!("database \"{note}\" does not exist, skipping"),
                ("dbcommands.c", 1555, "dropdb"),
            ),
            _ => notice(
                format!("table \"{note}\" does not exist, skipping"),
                ("tablecmds.c", 1312, "DropErrorMsgNonExistent"),
            ),
        });
    }
    done
}

fn forbidden(run: &Run<'_>, statement: &Statement) -> Option<Refusal> {
    match statement {
        Statement::CreateDatabase { .. } if !run.me.admin => Some(error(
            "42501",
            "permission denied to create database",
            ("dbcommands.c", 1130, "createdb"),
        )),
        Statement::DropDatabase { name, .. } if *name == run.me.database => Some(error(
            "55006",
            "cannot drop the currently open database",
            ("dbcommands.c", 1575, "dropdb"),
        )),
        Statement::DropDatabase { name, .. } if name.starts_with("template") => Some(error(
            "42809",
            "cannot drop a template database",
            ("dbcommands.c", 1569, "dropdb"),
        )),
        Statement::DropDatabase { .. } if !run.me.admin => {
            Some(error("42501", "must be owner of database", ("aclchk.c", 3650, "aclcheck_error")))
        }
        Statement::DropDatabase { name, .. }
            if run
                .server
                .connections
                .values()
                .any(|connection| connection.database == *name && !connection.killed) =>
        {
            Some(
                error(
                    "55006",
                    format!("database \"{name}\" is being accessed by other users"),
                    ("dbcommands.c", 1643, "dropdb"),
                )
                .detail("There is 1 other session using the database."),
            )
        }
        _ => None,
    }
}

/// Carries out what a function left to be done.
fn settle(run: &mut Run<'_>, act: After, done: &mut Done) {
    match act {
        After::Object(oid, content) => {
            done.lure = Some("large_object");
            if run.server.has_room(content.len()) {
                done.written.push((
                    format!("large object {oid}").into_bytes(),
                    content.clone(),
                    "large_object",
                ));
                run.server.left.objects.insert(oid, content);
                run.server.left.next_object =
                    run.server.left.next_object.max(oid.saturating_add(1));
                run.server.changed();
            }
        }
        After::Unlink(oid) => {
            run.server.left.objects.remove(&oid);
            run.server.changed();
        }
        After::Export(oid, path) => {
            done.lure = Some("lo_export");
            let Some(content) = run.server.left.objects.get(&oid).cloned() else { return };
            if let Err(refused) = write(run, &path, content, "lo_export", done) {
                done.answer = Answer::Refused(*refused);
            }
        }
        After::Terminate(pid) => {
            if let Some(connection) = run.server.connections.get_mut(&pid) {
                connection.killed = true;
            }
        }
        After::Set(name, value) => {
            if run.me.settings.len() < 128 && value.len() < 4096 {
                run.me.settings.insert(name.to_ascii_lowercase(), value);
            }
        }
    }
}

/// Writes a file of the machine as the server.
pub(super) fn write(
    run: &mut Run<'_>,
    path: &str,
    content: Vec<u8>,
    how: &'static str,
    done: &mut Done,
) -> Result<(), Box<Refusal>> {
    let cwd = format!("/var/lib/postgresql/{}/main", run.server.persona.major());
    let full = decoys_host::fs::absolute(cwd.as_bytes(), path.as_bytes());
    let creds = creds(run.machine);
    let now = run.now;
    let made = run.machine.fs.create(&creds, b"/", &full, 0o644, now);
    let made = made.and_then(|ino| run.machine.fs.truncate(ino, 0, now).map(|()| ino));
    let made = made.and_then(|ino| run.machine.fs.write(ino, 0, &content, now));
    match made {
        Ok(()) => {
            done.written.push((full, content, how));
            Ok(())
        }
        Err(errno) => {
            let state =
                if matches!(errno, decoys_host::fs::Errno::NoEntry) { "58P01" } else { "42501" };
            let text = format!("could not open file \"{path}\" for writing: {}", errno.text());
            Err(Box::new(error(state, text, ("copyto.c", 764, "BeginCopyTo"))))
        }
    }
}
