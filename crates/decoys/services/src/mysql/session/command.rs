//! Commands beside statements.

use base_model::catalogue::{self, Query};
use decoys_kit::StreamContext;

use super::{MysqlSession, SAMPLE};
use crate::mysql::errors::refusal;
use crate::mysql::parser::{self, Reader};
use crate::mysql::replies::{Packets, Tracked};
use crate::mysql::server::Server;
use crate::mysql::statements::{self, Answer, Done};
use crate::sql::{Rows, Type};

impl MysqlSession {
    pub(super) fn command(&mut self, cx: &mut StreamContext<'_>, packet: &[u8]) {
        let Some((command, rest)) = packet.split_first() else {
            return self.refuse(cx, 1, &refusal(1047, "Unknown command"), false);
        };
        match command {
            0x01 => self.end(cx),
            0x02 => {
                let name = String::from_utf8_lossy(rest).into_owned();
                let sql = format!("USE {name}");
                let chosen = self.run(cx, |run| statements::use_database(run, &name));
                let done = match chosen {
                    Ok(answer) => {
                        Done { answer, read: Vec::new(), written: None, lure: None, sleeps: 0 }
                    }
                    Err(refused) => Done {
                        answer: Answer::Refused(refused),
                        read: Vec::new(),
                        written: None,
                        lure: None,
                        sleeps: 0,
                    },
                };
                self.tell_query(cx, sql.as_bytes(), &done);
                cx.commit();
                self.note_database();
                let mut packets = Packets::from(1);
                self.write(&mut packets, &done, false, false);
                cx.send(packets.out);
            }
            0x03 => self.query(cx, rest),
            0x04 => self.fields(cx, rest),
            0x09 => self.statistics(cx),
            0x0a => {
                let done = self.run(cx, |run| statements::run(run, "SHOW PROCESSLIST", &[]));
                let mut packets = Packets::from(1);
                self.write(&mut packets, &done, false, false);
                cx.send(packets.out);
            }
            0x0c => {
                let id = Reader(rest).int(4).unwrap_or(0);
                self.query(cx, format!("KILL {id}").as_bytes());
            }
            0x08 => {
                cx.emit(catalogue::query(&Query {
                    sql: b"SHUTDOWN",
                    user: self.me.user.as_bytes(),
                    ..Query::default()
                }));
                cx.commit();
                let mut packets = Packets::from(1);
                packets.eof(self.status(), 0);
                cx.send(packets.out);
                self.end(cx);
            }
            0x0d => self.refuse(cx, 1, &refusal(1047, "Unknown command"), false),
            0x0e => self.simple_ok(cx),
            0x11 => match parser::change_user(rest, self.capabilities) {
                Some(login) => {
                    self.me.database = None;
                    self.ask_or_judge(cx, 1, login);
                }
                None => self.refuse(cx, 1, &refusal(1047, "Unknown command"), false),
            },
            0x12 | 0x1e => {
                cx.emit(catalogue::protocol_error(
                    "replication asked for",
                    rest.get(..SAMPLE).unwrap_or(rest),
                ));
                cx.commit();
                self.refuse(
                    cx,
                    1,
                    &refusal(1236, "Could not find first log file name in binary log index file"),
                    false,
                );
            }
            0x15 => self.simple_ok(cx),
            0x16 => self.prepare(cx, rest),
            0x17 => self.execute(cx, rest),
            0x18 => {
                let mut reader = Reader(rest);
                let id = reader.int(4).and_then(|id| u32::try_from(id).ok());
                let at = reader.int(2).and_then(|at| usize::try_from(at).ok());
                if let (Some(id), Some(at)) = (id, at)
                    && let Some(prepared) = self.prepared.get_mut(&id)
                {
                    let held: usize = prepared.long.values().map(Vec::len).sum();
                    if held + reader.0.len() <= 1024 * 1024 {
                        prepared.long.entry(at).or_default().extend(reader.0);
                    }
                }
            }
            0x19 => {
                let id = Reader(rest).int(4).and_then(|id| u32::try_from(id).ok());
                id.map(|id| self.prepared.remove(&id));
            }
            0x1a => {
                let id = Reader(rest).int(4).and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
                match self.prepared.get_mut(&id) {
                    Some(prepared) => {
                        prepared.long.clear();
                        self.simple_ok(cx);
                    }
                    None => self.refuse(cx, 1, &refusal(1243, format!("Unknown prepared statement handler ({id}) given to mysqld_stmt_reset")), false),
                }
            }
            0x1b => {
                let mut packets = Packets::from(1);
                packets.eof(self.status(), 0);
                cx.send(packets.out);
            }
            0x1c => {
                let id = Reader(rest).int(4).unwrap_or(0);
                self.refuse(
                    cx,
                    1,
                    &refusal(
                        1243,
                        format!(
                            "Unknown prepared statement handler ({id}) given to mysqld_stmt_fetch"
                        ),
                    ),
                    false,
                );
            }
            0x1f => {
                self.me.variables.clear();
                self.me.own.clear();
                self.prepared.clear();
                self.simple_ok(cx);
            }
            _ => {
                cx.emit(catalogue::protocol_error(
                    "unknown command",
                    packet.get(..SAMPLE).unwrap_or(packet),
                ));
                cx.commit();
                self.refuse(cx, 1, &refusal(1047, "Unknown command"), false);
            }
        }
    }

    fn simple_ok(&self, cx: &mut StreamContext<'_>) {
        let mut packets = Packets::from(1);
        packets.ok(0, 0, self.status(), 0, &Tracked::default(), self.capabilities);
        cx.send(packets.out);
    }

    /// `COM_FIELD_LIST`.
    fn fields(&mut self, cx: &mut StreamContext<'_>, rest: &[u8]) {
        let table = String::from_utf8_lossy(Reader(rest).text().unwrap_or(rest)).into_owned();
        let done = self.run(cx, |run| {
            statements::run(
                run,
                &format!("select * from `{}` limit 0", table.replace('`', "``")),
                &[],
            )
        });
        let mut packets = Packets::from(1);
        match &done.answer {
            Answer::Rows(rows) => {
                let database = self.me.database.clone().unwrap_or_default();
                let place = self.place(&database, self.status());
                for at in 0..rows.columns.len() {
                    let one = Rows {
                        columns: rows.columns.get(at).cloned().into_iter().collect(),
                        tables: rows.tables.get(at).cloned().into_iter().collect(),
                        rows: Vec::new(),
                    };
                    let mut inner = Packets::from(0);
                    inner.columns(&one, &place, false);
                    let mut content = inner.out.get(4..).unwrap_or_default().to_vec();
                    // The default of the column.
                    match one.columns.first().filter(|column| column.not_null) {
                        Some(column) if column.kind == Type::Int => content.extend(b"\x010"),
                        Some(_) => content.push(0),
                        None => content.push(0xfb),
                    }
                    packets.push(&content);
                }
                packets.eof(self.status(), 0);
            }
            Answer::Refused(refused) => packets.error(refused.code, refused.state, &refused.text),
            Answer::Ok { .. } | Answer::Fetch(_) => packets.eof(self.status(), 0),
        }
        cx.send(packets.out);
    }

    fn statistics(&self, cx: &mut StreamContext<'_>) {
        let now = cx.now();
        let (up, threads, questions) = self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                let questions = server.persona.queries(now) + server.queries;
                (server.persona.uptime(now).max(1), server.connections.len() + 1, questions)
            })
        });
        let label = if self.maria { "Open tables" } else { "Flush tables: 3  Open tables" };
        let mean = questions * 1000 / up;
        let text = format!(
            "Uptime: {up}  Threads: {threads}  Questions: {questions}  Slow queries: 0  Opens: 41  {label}: 34  Queries per second avg: {}.{:03}",
            mean / 1000,
            mean % 1000
        );
        let mut packets = Packets::from(1);
        packets.push(text.as_bytes());
        cx.send(packets.out);
    }
}
