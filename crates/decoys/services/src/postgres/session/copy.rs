//! Rows that a client sends.

use base_model::catalogue::{self, Query};
use decoys_kit::StreamContext;

use super::{MAX_COPY, PostgresSession, State};
use crate::postgres::errors::{self, error};
use crate::postgres::parser::Reader;
use crate::postgres::replies;
use crate::postgres::statements::{self, Answer, Done};
use crate::sql::lines;

impl PostgresSession {
    pub(super) fn copying(
        &mut self,
        cx: &mut StreamContext<'_>,
        kind: u8,
        content: &[u8],
        table: String,
        mut taken: Vec<u8>,
        too_much: bool,
    ) {
        match kind {
            b'd' => {
                let too_much = too_much || taken.len() + content.len() > MAX_COPY;
                if !too_much {
                    taken.extend(content);
                }
                self.state = State::Copying { table, content: taken, too_much };
            }
            b'c' | b'f' => {
                self.state = State::Ready;
                let blob = cx.keep(taken.clone());
                let done = if kind == b'f' {
                    let why = String::from_utf8_lossy(Reader(content).text().unwrap_or_default())
                        .into_owned();
                    Done::of(Answer::Refused(error(
                        "57014",
                        format!("COPY from stdin failed: {why}"),
                        ("copyfromparse.c", 304, "CopyGetData"),
                    )))
                } else if too_much {
                    Done::of(Answer::Refused(errors::say(&crate::sql::Fault::Full, "", 0)))
                } else {
                    self.run(cx, |run| statements::take_rows(run, &table, &taken))
                };
                let sql = format!("COPY {table} FROM STDIN");
                cx.emit(catalogue::query(&Query {
                    sql: sql.as_bytes(),
                    blob: Some(blob),
                    user: self.me.user.as_bytes(),
                    database: self.me.database.as_bytes(),
                    rows: Some(lines(&taken)),
                    lure: Some("copy_in"),
                    error: None,
                }));
                let mut out = Vec::new();
                self.answer(cx, &mut out, &done, None);
                replies::ready(&mut out, self.me.state);
                self.finish(cx, out, 0);
            }
            b'H' | b'S' => self.state = State::Copying { table, content: taken, too_much },
            b'X' => self.end(cx),
            kind => {
                self.state = State::Ready;
                let refused = error(
                    "08P01",
                    format!("unexpected message type 0x{kind:02X} during COPY from stdin"),
                    ("copyfromparse.c", 318, "CopyGetData"),
                );
                let mut out = Vec::new();
                replies::refuse(&mut out, &refused);
                replies::ready(&mut out, self.me.state);
                cx.send(out);
            }
        }
    }
}
