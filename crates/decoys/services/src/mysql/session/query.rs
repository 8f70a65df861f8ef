//! Statements: running them, telling of them, writing what they came to.

use std::time::Duration;

use base_model::Timestamp;
use base_model::catalogue::{self, Captured, Query};
use decoys_kit::StreamContext;

use super::{MysqlSession, State};
use crate::mysql::parser::{MULTI_STATEMENTS, SESSION_TRACK};
use crate::mysql::replies::{MORE_RESULTS, Packets, Tracked};
use crate::mysql::statements::{self, Answer, Done};
use crate::mysql::world::creds;
use crate::sql::{Dialect, lines, split};

impl MysqlSession {
    pub(super) fn query(&mut self, cx: &mut StreamContext<'_>, sql: &[u8]) {
        let text = String::from_utf8_lossy(sql).into_owned();
        let text = text.trim_end_matches(['\0', ' ', '\n', '\r', '\t']).to_owned();
        let pieces: Vec<String> = if self.capabilities & MULTI_STATEMENTS != 0 {
            split(&text, Dialect::MySql)
                .into_iter()
                .map(|(_, piece)| piece.trim().to_owned())
                .collect()
        } else {
            vec![text.trim_end_matches(';').to_owned()]
        };
        let pieces = if pieces.is_empty() { vec![text.clone()] } else { pieces };
        let mut packets = Packets::from(1);
        let mut sleeps = 0;
        let count = pieces.len().min(256);
        for (at, piece) in pieces.into_iter().take(256).enumerate() {
            self.begin(&piece, cx.now());
            let done = self.run(cx, |run| {
                run.server.queries += 1;
                statements::run(run, &piece, &[])
            });
            self.tell_query(cx, piece.as_bytes(), &done);
            sleeps += done.sleeps;
            if let Answer::Fetch(name) = &done.answer {
                let mut content = vec![0xfb];
                content.extend(name.as_bytes());
                packets.push(&content);
                self.state = State::Fetching { name: name.clone(), content: Vec::new() };
                break;
            }
            let failed = matches!(done.answer, Answer::Refused(_));
            self.write(&mut packets, &done, at + 1 < count && !failed, false);
            if failed {
                break;
            }
        }
        self.finish(cx, packets.out, sleeps);
    }

    /// Notes what the connection runs.
    pub(super) fn begin(&self, statement: &str, now: Timestamp) {
        let info: String = statement.chars().take(100).collect();
        self.note(|connection| {
            connection.info = Some(info);
            connection.since = now.seconds();
        });
    }

    pub(super) fn finish(&mut self, cx: &mut StreamContext<'_>, out: Vec<u8>, sleeps: u64) {
        self.note_database();
        if sleeps == 0 {
            self.note(|connection| connection.info = None);
        }
        cx.commit();
        if sleeps > 0 {
            return self.hold(cx, Duration::from_micros(sleeps), out, false);
        }
        cx.send(out);
    }

    pub(super) fn tell_query(&self, cx: &mut StreamContext<'_>, sql: &[u8], done: &Done) {
        let database = self.me.database.clone().unwrap_or_default();
        let blob = catalogue::needs_blob(sql).then(|| cx.keep(sql.to_vec()));
        let (error, rows) = match &done.answer {
            Answer::Refused(refused) => {
                (Some(format!("{} ({}): {}", refused.code, refused.state, refused.text)), None)
            }
            Answer::Rows(rows) => (None, Some(rows.rows.len() as u64)),
            Answer::Ok { rows, .. } => (None, Some(*rows)),
            Answer::Fetch(_) => (None, None),
        };
        cx.emit(catalogue::query(&Query {
            sql,
            blob,
            user: self.me.user.as_bytes(),
            database: database.as_bytes(),
            error,
            rows,
            lure: done.lure,
        }));
        for (table, rows) in &done.read {
            cx.emit(catalogue::exfil(table, *rows, database.as_bytes()));
        }
        if let Some((path, content)) = &done.written {
            let artifact = if done.lure == Some("dumpfile") { "dumpfile" } else { "outfile" };
            self.tell_file(cx, path, content.clone(), artifact);
        }
    }

    fn tell_file(&self, cx: &mut StreamContext<'_>, path: &[u8], content: Vec<u8>, artifact: &str) {
        let now = cx.now();
        let size = content.len() as u64;
        let sha256 = cx.keep(content);
        let uid = self.host.with(|machine| creds(machine).uid);
        let writer = if self.maria { "mariadbd" } else { "mysqld" };
        let file = Captured { sha256, size, path, user: "mysql", uid, writer, mtime: now };
        cx.emit(catalogue::database_file(now, &file, artifact));
    }

    pub(super) fn fetched(
        &mut self,
        cx: &mut StreamContext<'_>,
        next: u8,
        name: &str,
        content: Vec<u8>,
    ) {
        self.state = State::Ready;
        let rows = lines(&content);
        self.tell_file(cx, name.as_bytes(), content, "load_data_local");
        cx.commit();
        let mut packets = Packets::from(next);
        packets.ok(rows, 0, self.status(), 0, &Tracked::default(), self.capabilities);
        cx.send(packets.out);
    }

    /// Writes what a statement came to.
    pub(super) fn write(&self, packets: &mut Packets, done: &Done, more: bool, binary: bool) {
        let status = self.status() | if more { MORE_RESULTS } else { 0 };
        let database = self.me.database.clone().unwrap_or_default();
        let warnings = u16::try_from(self.me.warnings.len()).unwrap_or(u16::MAX);
        match &done.answer {
            Answer::Refused(refused) => packets.error(refused.code, refused.state, &refused.text),
            Answer::Rows(rows) => packets.rows(rows, &self.place(&database, status), binary),
            Answer::Ok { rows, id, schema, charset } => {
                let mut tracked = Tracked { schema: schema.clone(), variables: Vec::new() };
                if let Some(charset) = charset {
                    for name in [
                        "character_set_client",
                        "character_set_connection",
                        "character_set_results",
                    ] {
                        tracked.variables.push((name, charset.clone()));
                    }
                }
                packets.ok(
                    *rows,
                    *id,
                    status,
                    warnings,
                    &tracked,
                    self.capabilities & !(if more { SESSION_TRACK } else { 0 }),
                );
            }
            Answer::Fetch(_) => {}
        }
    }
}
