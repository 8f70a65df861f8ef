//! The index of texts in the log.

use std::time::Duration;

use base_model::Timestamp;
use serde_json::json;

use super::at;
use crate::index::BLOCK_ROWS;
use crate::ingest::{Changes, Totals};
use crate::testing::{TestDb, databases};
use crate::{Bucket, Db, DbError, Lease, LogCursor, LogQuery, LogRow, Page, Paging, Search, sql};

const TTL: Duration = Duration::from_secs(60);

/// xorshift64: the same texts in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % below
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A few pieces, such as make trouble.
    fn text(&mut self) -> String {
        let pieces = [
            "wget",
            "WGet",
            "curl ",
            "http://198.51.100.7/x.sh",
            " -O ",
            "/tmp/",
            "root",
            "\"",
            "\\",
            "\\\"",
            "'",
            "\n",
            "\u{1}",
            "\u{0}",
            "ä",
            "Ä",
            "ſ",
            "❤",
            "🐙",
            "\u{212a}",
            "\u{130}",
            "k",
            "i",
            "%",
            "_",
            "AND",
            "*",
            "\u{1f}",
        ];
        let mut text = String::new();
        for _ in 0..self.below(5) {
            text.push_str(self.pick(&pieces));
            if self.below(4) == 0 {
                text.push_str(&self.below(5000).to_string());
            }
        }
        text
    }
}

fn row(seq: u64, random: &mut Random) -> LogRow {
    let n = i64::try_from(seq).unwrap();
    let timestamp = match random.below(50) {
        // Clocks of sensors may be anywhere, and events share a time.
        0 => at(-86_400_000_000 * 300 + n),
        1 => at(86_400_000_000 * 300 + n % 7),
        _ => at(n / 3 * 1_000_000),
    };
    let mut fields = serde_json::Map::new();
    fields.insert("command".into(), random.text().into());
    if random.below(3) == 0 {
        let some = [json!(true), json!(404), json!(1.50), json!(null), json!(["a", {"b": 1}])];
        fields.insert("extra".into(), some[random.below(some.len())].clone());
    }
    if seq == 4000 {
        fields.insert("long".into(), format!("{} needle", "hay ".repeat(40_000)).into());
    }
    LogRow {
        seq,
        event_uid: format!("{seq:032x}"),
        timestamp,
        received_at: at(0),
        sensor: "s".into(),
        boot: "b".into(),
        boot_seq: seq,
        v: 1,
        decky: random.pick(&["web-01", "web-010", "db \"02\"", "Ä"]).into(),
        decky_id: "d".into(),
        service: random.pick(&["ssh", "http"]).into(),
        event_type: random.pick(&["connect", "command"]).into(),
        attacker_ip: format!("10.0.{}.{}", random.below(30), random.below(200)),
        src_port: None,
        dst_port: None,
        transport: "tcp".into(),
        session_id: None,
        conn_id: None,
        origin_id: None,
        synthetic: false,
        fields: serde_json::Value::Object(fields).to_string(),
    }
}

fn rows(count: u64) -> Vec<LogRow> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (1..=count).map(|seq| row(seq, &mut random)).collect()
}

async fn lease(db: &Db) -> Lease {
    db.ingest_lease().acquire("test", at(0), TTL).await.unwrap()
}

async fn store(db: &Db, rows: Vec<LogRow>) -> Lease {
    let lease = lease(db).await;
    let transaction = db.begin_ingest(&lease, at(0), TTL).await.unwrap();
    let totals = Totals { logs: rows.len() as u64, ..Totals::default() };
    transaction.save(Changes { logs: rows, totals, ..Changes::default() }).await.unwrap();
    transaction.commit().await.unwrap();
    lease
}

/// Indexes all there is.
async fn index(db: &Db, lease: &Lease) {
    while let Some(block) = db.log_index().next().await.unwrap() {
        let transaction = db.begin_ingest(lease, at(0), TTL).await.unwrap();
        transaction.save_block(block).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

fn query(search: &str) -> LogQuery {
    LogQuery { search: Search::parse(search), ..LogQuery::default() }
}

async fn found(db: &Db, search: &str) -> Vec<u64> {
    let page = db.logs().list(&query(search), Paging { limit: 1000, offset: 0 }).await.unwrap();
    let mut seqs: Vec<u64> = page.data.iter().map(|row| row.seq).collect();
    seqs.sort_unstable();
    seqs
}

/// Everything that the log answers to a search.
#[derive(Debug, PartialEq)]
struct Answers {
    first: Page<LogRow>,
    second: Page<LogRow>,
    before: Page<LogRow>,
    count: (u64, bool),
    histogram: Vec<Bucket>,
}

async fn answers(db: &Db, query: &LogQuery) -> Answers {
    let logs = db.logs();
    let first = logs.list(query, Paging { limit: 30, offset: 0 }).await.unwrap();
    let cursor = first.data.get(9).map(|row| LogCursor { timestamp: row.timestamp, seq: row.seq });
    Answers {
        second: logs.list(query, Paging { limit: 7, offset: 11 }).await.unwrap(),
        before: logs.list_before(query, cursor, 12).await.unwrap(),
        count: logs.count(query).await.unwrap(),
        histogram: logs.histogram(query, 45).await.unwrap(),
        first,
    }
}

/// What people may type, most of it found somewhere.
fn searches(rows: &[LogRow], count: usize) -> Vec<LogQuery> {
    let mut random = Random(0x0123_4567_89ab_cdef);
    let phrase = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut searches: Vec<String> = [
        "ssh",
        "command",
        "zebra",
        "needle",
        "10.0.7.1",
        "\"kk\"",
        "KI",
        "extra:*",
        "extra:true",
        "extra:404",
        "extra:1.5",
        "extra:null",
        "extra:[\\\"a\\\",{\\\"b\\\":1}]",
        "wget -service:ssh",
        "web-010 event:connect",
    ]
    .map(str::to_owned)
    .into();
    while searches.len() < count {
        let row = &rows[random.below(rows.len())];
        let fields = row.fields();
        let text = match random.below(6) {
            0 => row.decky.as_str(),
            1 => row.attacker_ip.as_str(),
            _ => fields["command"].as_str().unwrap(),
        };
        let chars: Vec<char> = text.chars().collect();
        let start = random.below(chars.len() + 1);
        let length = 1 + random.below(14);
        let mut part: String = chars.iter().skip(start).take(length).collect();
        if random.below(3) == 0 {
            part = part.to_ascii_uppercase();
        }
        searches.push(match random.below(8) {
            0 => format!("command:{}", phrase(text)),
            1 => format!("service:ssh {}", phrase(&part)),
            2 => format!("attacker:10.0.0.0/20 {}", phrase(&part)),
            3 => format!("{} {}", phrase(&part), phrase(row.decky.get(..3).unwrap_or("Ä"))),
            _ => phrase(&part),
        });
    }
    let mut queries: Vec<LogQuery> = searches.iter().map(|search| query(search)).collect();
    for query in queries.iter_mut().step_by(4) {
        query.start = Some(at(1_000_000_000));
        query.end = Some(at(2_100_000_000));
    }
    queries
}

#[tokio::test]
async fn the_index_changes_no_answer() {
    for test in databases().await {
        let rows = rows(2 * BLOCK_ROWS + 333);
        let lease = store(&test.db, rows.clone()).await;
        let queries = searches(&rows, 45);
        let mut expected = Vec::new();
        for query in &queries {
            expected.push(answers(&test.db, query).await);
        }
        let matching = expected.iter().filter(|answers| answers.count.0 > 0).count();
        assert!(matching > 30, "{matching} searches find something");
        index(&test.db, &lease).await;
        assert_eq!(test.db.log_index().position().await.unwrap(), 2 * BLOCK_ROWS);
        for (query, expected) in queries.iter().zip(expected) {
            let found = answers(&test.db, query).await;
            assert_eq!(found, expected, "{} {query:?}", test.engine);
        }
    }
}

#[tokio::test]
async fn a_search_reads_only_rows_that_the_index_names() {
    for test in databases().await {
        let lease = store(&test.db, rows(BLOCK_ROWS + 20)).await;
        index(&test.db, &lease).await;
        assert_eq!(found(&test.db, "needle").await, [4000], "{}", test.engine);
        let ssh = test.db.logs().count(&query("ssh")).await.unwrap().0;
        // Without its pages the index says that there is nothing below the rows above it.
        sql::execute(test.db.writer(), "DELETE FROM log_index", vec![]).await.unwrap();
        assert_eq!(found(&test.db, "needle").await, [0_u64; 0]);
        let above = found(&test.db, "ssh").await;
        assert!(above.iter().all(|seq| *seq > BLOCK_ROWS) && !above.is_empty(), "{above:?}");
        assert!((above.len() as u64) < ssh);
        // Two letters make no slot, so the log is read as it is.
        assert_eq!(test.db.logs().count(&query("ss")).await.unwrap().0, ssh);
    }
}

#[tokio::test]
async fn a_block_is_indexed_when_all_its_rows_are_there_and_once() {
    for test in databases().await {
        let (most, last) = rows(BLOCK_ROWS + 1).into_iter().partition(|row| row.seq < BLOCK_ROWS);
        store(&test.db, most).await;
        assert_eq!(test.db.log_index().next().await.unwrap(), None);
        let lease = store(&test.db, last).await;
        let block = test.db.log_index().next().await.unwrap().unwrap();
        assert_eq!((block.first_seq(), block.last_seq()), (1, BLOCK_ROWS));
        for _ in 0..2 {
            let transaction = test.db.begin_ingest(&lease, at(0), TTL).await.unwrap();
            transaction.save_block(block.clone()).await.unwrap();
            transaction.commit().await.unwrap();
        }
        assert_eq!(test.db.log_index().position().await.unwrap(), BLOCK_ROWS);
        assert_eq!(test.db.log_index().next().await.unwrap(), None);
        let pages = sql::scalar::<i64>(test.db.reader(), "SELECT COUNT(*) FROM log_index", vec![]);
        assert_eq!(pages.await.unwrap(), i64::try_from(block.pages.len()).ok());
    }
}

#[tokio::test]
async fn a_former_holder_of_the_lease_indexes_nothing() {
    for test in databases().await {
        let former = store(&test.db, rows(BLOCK_ROWS)).await;
        let block = test.db.log_index().next().await.unwrap().unwrap();
        // The same name takes over from itself.
        let current = lease(&test.db).await;
        let refused = test.db.begin_ingest(&former, at(0), TTL).await.err();
        assert!(matches!(refused, Some(DbError::Fenced)), "{refused:?}");
        let transaction = test.db.begin_ingest(&current, at(0), TTL).await.unwrap();
        transaction.save_block(block).await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(test.db.log_index().position().await.unwrap(), 0, "rolled back as a whole");
    }
}

#[tokio::test]
async fn the_first_rows_of_a_common_word_come_from_the_newest_blocks() {
    for test in databases().await {
        let TestDb { db, .. } = &test;
        let mut rows = rows(3 * BLOCK_ROWS);
        // The oldest numbers have the latest times.
        for row in &mut rows {
            row.timestamp = at(i64::try_from(100_000 - row.seq).unwrap());
        }
        let lease = store(db, rows).await;
        index(db, &lease).await;
        let page = db.logs().list(&query("10.0"), Paging { limit: 3, offset: 1 }).await.unwrap();
        let seqs: Vec<u64> = page.data.iter().map(|row| row.seq).collect();
        assert_eq!(seqs, [2, 3, 4], "{}", test.engine);
        assert_eq!((page.total, page.total_estimated), (10_000, true));
        let times =
            LogQuery { start: Some(Timestamp::from_micros(0)), end: Some(at(0)), ..query("10.0") };
        assert_eq!(db.logs().count(&times).await.unwrap(), (0, false));
    }
}
