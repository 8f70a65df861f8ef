//! Statements: running them, telling of them, answering.

use std::time::Duration;

use base_model::catalogue::{self, Captured, Command, Query};
use decoys_kit::StreamContext;

use super::{PostgresSession, State};
use crate::postgres::errors::error;
use crate::postgres::parser::Reader;
use crate::postgres::statements::{self, Answer, Done};
use crate::postgres::world::creds;
use crate::postgres::{program, replies};
use crate::sql::{Dialect, Value, split};

impl PostgresSession {
    /// Runs one statement, programs it starts included.
    pub(super) fn perform(
        &mut self,
        cx: &mut StreamContext<'_>,
        text: &str,
        offset: usize,
        values: &[Value],
    ) -> Done {
        let shown: String = text.chars().take(1024).collect();
        let now = cx.now();
        self.note(|connection| {
            connection.query = shown;
            connection.active = true;
            connection.query_since = now;
        });
        let mut done = self.run(cx, |run| statements::run(run, text, offset, values));
        if let Answer::Program { line, into, input, rows } = &done.answer {
            let folder = self.run(cx, |run| run.server.persona.setting("data_directory"));
            let folder = folder.unwrap_or_default();
            let output = program::run(
                &self.host,
                &folder,
                line,
                input,
                (&self.me.address, self.me.port),
                now,
            );
            let (table, rows) = (into.clone(), *rows);
            for act in &output.acts {
                program::tell(cx, act);
            }
            cx.emit(catalogue::command(&Command {
                line: line.as_bytes(),
                user: &output.user,
                uid: output.uid,
                pwd: folder.as_bytes(),
                status: output.status,
                exec: true,
            }));
            let line = line.clone();
            let answer = match (output.status, table) {
                (0, Some(table)) => {
                    self.run(cx, |run| statements::take_rows(run, &table, &output.stdout)).answer
                }
                (0, None) => Answer::Done(format!("COPY {rows}")),
                (status, _) => {
                    let detail = if status == 127 {
                        "command not found".to_owned()
                    } else {
                        format!("child process exited with exit code {status}")
                    };
                    Answer::Refused(
                        error(
                            "38000",
                            format!("program \"{line}\" failed"),
                            ("copyfrom.c", 1780, "ClosePipeFromProgram"),
                        )
                        .detail(detail),
                    )
                }
            };
            if matches!(answer, Answer::Refused(_)) && self.me.state == b'T' {
                self.me.state = b'E';
            }
            done.answer = answer;
        }
        done
    }

    pub(super) fn tell_query(&self, cx: &mut StreamContext<'_>, sql: &[u8], done: &Done) {
        let blob = catalogue::needs_blob(sql).then(|| cx.keep(sql.to_vec()));
        let (error, rows) = match &done.answer {
            Answer::Refused(refused) => {
                (Some(format!("{}: {}", refused.state, refused.text)), None)
            }
            Answer::Rows(rows, _) => (None, Some(rows.rows.len() as u64)),
            Answer::CopyOut(rows, _) => (None, Some(rows.len() as u64)),
            _ => (None, None),
        };
        cx.emit(catalogue::query(&Query {
            sql,
            blob,
            user: self.me.user.as_bytes(),
            database: self.me.database.as_bytes(),
            error,
            rows,
            lure: done.lure,
        }));
        for (table, rows) in &done.read {
            cx.emit(catalogue::exfil(table, *rows, self.me.database.as_bytes()));
        }
        for (path, content, how) in &done.written {
            let now = cx.now();
            let size = content.len() as u64;
            let sha256 = cx.keep(content.clone());
            let uid = self.host.with(|machine| creds(machine).uid);
            let file = Captured {
                sha256,
                size,
                path,
                user: "postgres",
                uid,
                writer: "postgres",
                mtime: now,
            };
            cx.emit(catalogue::database_file(now, &file, how));
        }
    }

    pub(super) fn simple(&mut self, cx: &mut StreamContext<'_>, content: &[u8]) {
        let text = String::from_utf8_lossy(Reader(content).text().unwrap_or(content)).into_owned();
        let pieces: Vec<(usize, String)> = split(&text, Dialect::Postgres)
            .into_iter()
            .map(|(at, piece)| (at, piece.to_owned()))
            .collect();
        let mut out = Vec::new();
        let mut sleeps = 0;
        if pieces.is_empty() {
            replies::message(&mut out, b'I', &[]);
        }
        for (at, piece) in pieces.into_iter().take(256) {
            // Positions are counted in characters from the start of what was sent.
            let lead = piece.len() - piece.trim_start().len();
            let offset = text.get(..at + lead).map_or(0, |before| before.chars().count());
            let statement = piece.trim().to_owned();
            let done = self.perform(cx, &statement, offset, &[]);
            self.tell_query(cx, statement.as_bytes(), &done);
            sleeps += done.sleeps;
            let failed = matches!(done.answer, Answer::Refused(_));
            if let Answer::CopyIn { table, columns } = &done.answer {
                let mut head = vec![0];
                head.extend(u16::try_from(*columns).unwrap_or(0).to_be_bytes());
                head.extend(vec![0; columns * 2]);
                replies::message(&mut out, b'G', &head);
                self.state =
                    State::Copying { table: table.clone(), content: Vec::new(), too_much: false };
                cx.commit();
                return cx.send(out);
            }
            self.answer(cx, &mut out, &done, None);
            if failed {
                break;
            }
        }
        replies::ready(&mut out, self.me.state);
        self.finish(cx, out, sleeps);
    }

    pub(super) fn finish(&mut self, cx: &mut StreamContext<'_>, out: Vec<u8>, sleeps: u64) {
        cx.commit();
        if sleeps > 0 {
            self.pace.hold(cx.now() + Duration::from_micros(sleeps), out, false);
            return;
        }
        self.note(|connection| connection.active = false);
        cx.send(out);
    }

    /// Writes what a statement came to; `formats` when its columns were described before.
    pub(super) fn answer(
        &mut self,
        cx: &mut StreamContext<'_>,
        out: &mut Vec<u8>,
        done: &Done,
        formats: Option<&[u16]>,
    ) {
        for note in &done.notices {
            replies::refuse(out, note);
        }
        match &done.answer {
            Answer::Empty => replies::message(out, b'I', &[]),
            Answer::Done(tag) => replies::complete(out, tag),
            Answer::Refused(refused) => replies::refuse(out, refused),
            Answer::Rows(rows, tag) => {
                if formats.is_none() {
                    let places = self.run(cx, |run| statements::places(run, rows));
                    replies::columns(out, &rows.columns, &places, &[]);
                }
                for row in &rows.rows {
                    replies::row(out, rows, row, formats.unwrap_or_default());
                }
                replies::complete(out, tag);
            }
            Answer::CopyOut(lines, columns) => {
                let mut head = vec![0];
                head.extend(u16::try_from(*columns).unwrap_or(0).to_be_bytes());
                head.extend(vec![0; columns * 2]);
                replies::message(out, b'H', &head);
                for line in lines {
                    replies::message(out, b'd', line);
                }
                replies::message(out, b'c', &[]);
                replies::complete(out, &format!("COPY {}", lines.len()));
            }
            Answer::CopyIn { .. } | Answer::Program { .. } => {}
        }
        for (name, value) in &done.told {
            replies::parameter(out, name, value);
        }
    }
}

pub(super) fn is_show(text: &str) -> bool {
    text.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("show"))
}
