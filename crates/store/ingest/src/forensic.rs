//! The forensic files: every event as an RFC 5424 line, and as a JSON object beside it
//! (`spec/ingest.md` §§1, 2).
//!
//! Written after the commit from what was committed. The JSON file's last line, or the place kept in
//! the database when that file is gone, says where to go on after a restart, so a crash loses
//! nothing and repeats at most the lines of its last batch.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use store_db::{Db, DbError, LogQuery, LogRow};

use crate::rotating::Rotating;

/// Where the place is kept in `state`.
pub(crate) const STATE_KEY: &str = "forensic_log";
/// Rows per catch-up step.
const PAGE: u64 = 1000;

#[derive(Debug)]
pub(crate) struct Forensic {
    log: Rotating,
    json: Rotating,
    /// Number of the last row written.
    pub(crate) seq: u64,
}

/// Lines of a batch, rendered while its rows were at hand.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Number of the row before the first, and of the last.
    range: (u64, u64),
    log: String,
    json: String,
}

impl Forensic {
    /// Finds its place.
    pub(crate) async fn open(
        db: &Db,
        path: &Path,
        rotate_bytes: u64,
        keep: u32,
    ) -> Result<Self, DbError> {
        let mut json_path = path.as_os_str().to_owned();
        json_path.push(".json");
        let json = Rotating::new(PathBuf::from(json_path), rotate_bytes, keep);
        let kept = db.state().get(STATE_KEY).await?;
        let kept = kept.and_then(|value| value.get("seq")?.as_u64());
        let written = json.last_line().ok().flatten();
        let written = written.and_then(|line| serde_json::from_str::<Value>(&line).ok());
        let written = written.and_then(|line| line.get("id")?.as_u64());
        // A file from before the database was made anew says nothing about this one.
        let newest = db.logs().newest_seq().await?;
        let seq = kept.max(written.filter(|seq| *seq <= newest)).unwrap_or(0);
        Ok(Self { log: Rotating::new(path.to_owned(), rotate_bytes, keep), json, seq })
    }

    /// What is to be kept in `state`.
    pub(crate) fn place(&self) -> Value {
        json!({ "seq": self.seq })
    }

    /// Appends a committed batch. Blocks.
    pub(crate) fn append(&mut self, lines: &Lines) -> std::io::Result<()> {
        self.log.append(lines.log.as_bytes())?;
        self.json.append(lines.json.as_bytes())?;
        self.seq = lines.range.1;
        Ok(())
    }

    /// Whether `lines` are what comes next.
    pub(crate) fn follows(&self, lines: &Lines) -> bool {
        self.seq == lines.range.0
    }

    /// The next committed rows that are not in the files, rendered; `None` when all are.
    pub(crate) async fn missed(&self, db: &Db) -> Result<Option<Lines>, DbError> {
        let rows = db.logs().after(self.seq, &LogQuery::default(), PAGE).await?;
        Ok((!rows.is_empty()).then(|| Lines::of(&rows)))
    }
}

impl Lines {
    /// Renders rows that follow one another.
    pub(crate) fn of(rows: &[LogRow]) -> Self {
        let mut lines = Self::default();
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            lines.range = (first.seq - 1, last.seq);
        }
        for row in rows {
            let line = row.line();
            lines.log.push_str(&line.render());
            lines.log.push('\n');
            let mut fields = Map::new();
            for (name, value) in line.params {
                fields.insert(name, value.into());
            }
            let object = json!({
                "id": row.seq,
                "timestamp": row.timestamp.rfc3339(6),
                "decky": row.decky,
                "service": row.service,
                "event_type": row.event_type,
                "attacker_ip": row.attacker_ip,
                "fields": fields,
                "msg": line.msg,
                "event_uid": row.event_uid,
                "sensor": row.sensor,
            });
            lines.json.push_str(&object.to_string());
            lines.json.push('\n');
        }
        lines
    }
}
