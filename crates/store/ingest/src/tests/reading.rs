//! The log as the API reads it.

use base_model::{Event, Fields, Peer, Secret, Timestamp, catalogue};
use serde_json::json;
use store_db::{
    AttackerOrder, AttackerQuery, BountyQuery, Bucket, CredentialQuery, LogCursor, LogQuery,
    Paging, Search,
};

use super::world::*;

fn query(search: &str) -> LogQuery {
    LogQuery { search: Search::parse(search), ..LogQuery::default() }
}

/// Six events that searches tell apart.
fn events() -> Vec<Event> {
    let from = |ip: &str| Some(Peer { ip: ip.parse().unwrap(), port: 4000 });
    let on = |seq, kind, decky: &str, service: &'static str, ip, fields| Event {
        decky_name: decky.into(),
        service: service.into(),
        attacker: from(ip),
        ..event(seq, kind, fields)
    };
    let mut first = on(
        1,
        "command",
        "web-01",
        "ssh",
        "10.1.2.3",
        Fields::new().with("command", "wget \"http://x\"/ä").with("uid", 0).with("ok", true),
    );
    first.session = Some(sid(1));
    vec![
        first,
        on(2, "connect", "web-01", "ssh", "10.1.2.4", Fields::new().with("note", "WGET here")),
        on(
            3,
            "request",
            "db-02",
            "http",
            "192.168.0.1",
            Fields::new().with("path", "/a b").with("status", 404),
        ),
        on(
            4,
            "request",
            "db-02",
            "http",
            "2001:db8::7",
            Fields::new().with("path", "/a b ").with("ok", false),
        ),
        on(
            5,
            "auth_attempt",
            "web-010",
            "ssh",
            "10.2.0.1",
            Fields::new().with("n", json!(null)).with("f", 1.5),
        ),
        Event { attacker: None, ..on(6, "startup", "db-02", "ssh", "10.9.9.9", Fields::new()) },
    ]
}

#[tokio::test]
async fn each_form_of_search_finds_its_rows() {
    for world in worlds().await {
        let records: Vec<_> = events().into_iter().map(record).collect();
        world.apply(&records).await;
        for (search, expected) in [
            ("", &[1, 2, 3, 4, 5, 6][..]),
            ("decky:web-01", &[1, 2]),
            ("service:ssh event:connect", &[2]),
            ("event_type:request", &[3, 4]),
            ("-service:ssh", &[3, 4]),
            ("-decky:db-02 -event:connect", &[1, 5]),
            ("attacker:10.1.2.3", &[1]),
            ("attacker:10.1.0.0/16", &[1, 2]),
            ("attacker_ip:10.0.0.0/8 -event:command", &[2, 5]),
            ("attacker-ip:2001:db8::/32", &[4]),
            ("attacker:2001:DB8:0::7", &[4]),
            ("attacker:Unknown", &[6]),
            ("attacker:*", &[1, 2, 3, 4, 5]),
            ("-attacker:*", &[6]),
            ("-attacker:10.0.0.0/8", &[3, 4, 6]),
            ("uid:0", &[1]),
            ("status:404", &[3]),
            ("ok:true", &[1]),
            ("ok:false", &[4]),
            ("f:1.5", &[5]),
            ("path:\"/a b\"", &[3]),
            ("path:\"/a b \"", &[4]),
            ("path:*", &[3, 4]),
            ("n:*", &[5]),
            ("-path:* service:ssh", &[1, 2, 5, 6]),
            ("-path:\"/a b\" service:http", &[4]),
            ("wget", &[1, 2]),
            ("WGET", &[1, 2]),
            ("\"wget \\\"http\"", &[1]),
            ("ä", &[1]),
            ("Ä", &[]),
            ("10.1.2", &[1, 2]),
            ("web-01", &[1, 2, 5]),
            ("startup", &[6]),
            ("%", &[]),
            ("_", &[5]),
            ("session:*", &[1]),
            ("src_port:4000 decky:db-02", &[3, 4]),
            ("src_port:4000x", &[]),
            ("-dst_port:ä", &[1, 2, 3, 4, 5, 6]),
            ("session:ä", &[]),
            ("-sensor:ä decky:ä", &[]),
            ("attacker:ä", &[]),
            ("'", &[]),
            ("nonsense:value", &[]),
        ] {
            let found = world.db().logs().after(0, &query(search), 100).await.unwrap();
            let seqs: Vec<u64> = found.iter().map(|row| row.seq).collect();
            assert_eq!(seqs, expected, "{} {search}", world.test.engine);
            let count = world.db().logs().count(&query(search)).await.unwrap();
            assert_eq!(count, (expected.len() as u64, false), "{search}");
        }
    }
}

#[tokio::test]
async fn pages_by_offset_and_by_cursor_cover_the_list_newest_first() {
    for world in worlds().await {
        // Pairs share a time, so that the number must decide.
        let records: Vec<_> = (1..=20)
            .map(|n| {
                let base = event(n, "connect", Fields::new());
                record(Event { at: at(i64::try_from(n / 2).unwrap()), ..base })
            })
            .collect();
        world.apply(&records).await;
        let expected: Vec<u64> = (1..=20).rev().collect();
        let mut by_offset = Vec::new();
        for offset in [0, 7, 14] {
            let page =
                world.db().logs().list(&query(""), Paging { limit: 7, offset }).await.unwrap();
            assert_eq!((page.total, page.total_estimated), (20, false));
            by_offset.extend(page.data.into_iter().map(|row| row.seq));
        }
        assert_eq!(by_offset, expected);
        let (mut by_cursor, mut cursor) = (Vec::new(), None);
        loop {
            let rows = world.db().logs().list_before(&query(""), cursor, 3).await.unwrap().data;
            let Some(last) = rows.last() else { break };
            cursor = Some(LogCursor { timestamp: last.timestamp, seq: last.seq });
            by_cursor.extend(rows.iter().map(|row| row.seq));
        }
        assert_eq!(by_cursor, expected);
        let tail = world.db().logs().after(17, &query(""), 2).await.unwrap();
        assert_eq!(tail.iter().map(|row| row.seq).collect::<Vec<_>>(), [18, 19]);
        let some = world.db().logs().by_seqs(&[5, 99, 3]).await.unwrap();
        assert_eq!(some.iter().map(|row| row.seq).collect::<Vec<_>>(), [5, 3]);
        assert_eq!(world.db().logs().by_seq(4).await.unwrap().unwrap().seq, 4);
    }
}

#[tokio::test]
async fn a_histogram_counts_what_the_log_holds() {
    const MINUTE: i64 = 60_000_000;
    for world in worlds().await {
        let records: Vec<_> = (1..=120_u64)
            .map(|n| {
                let base = event(n, if n % 3 == 0 { "connect" } else { "request" }, Fields::new());
                let when =
                    i64::try_from(n * n % 97).unwrap() * MINUTE / 2 + i64::try_from(n).unwrap();
                record(Event { at: at(when), ..base })
            })
            .collect();
        world.apply(&records[..50]).await;
        world.apply(&records[30..]).await;
        let rows = world.db().logs().after(0, &query(""), 1000).await.unwrap();
        let direct = |minutes: i64, keep: &dyn Fn(&store_db::LogRow) -> bool| {
            let mut buckets = std::collections::BTreeMap::new();
            for row in rows.iter().filter(|row| keep(row)) {
                let width = minutes * MINUTE;
                *buckets.entry(row.timestamp.micros() / width * width).or_insert(0) += 1;
            }
            let bucket = |(start, count)| Bucket { time: Timestamp::from_micros(start), count };
            buckets.into_iter().map(bucket).collect::<Vec<_>>()
        };
        let logs = world.db().logs();
        for minutes in [1, 15, 60] {
            let all = logs.histogram(&query(""), minutes).await.unwrap();
            assert_eq!(all, direct(minutes.into(), &|_| true));
            // From roll-ups, and, asked for with a field, from the log.
            let kind = |row: &store_db::LogRow| row.event_type == "connect";
            let rolled = logs.histogram(&query("event:connect"), minutes).await.unwrap();
            assert_eq!(rolled, direct(minutes.into(), &kind));
            let scanned =
                logs.histogram(&query("event:connect transport:tcp"), minutes).await.unwrap();
            assert_eq!(scanned, rolled);
        }
        let (start, end) = (at(3 * MINUTE), at(20 * MINUTE - 1));
        let aligned = LogQuery { start: Some(start), end: Some(end), ..query("") };
        let within = |row: &store_db::LogRow| (start..=end).contains(&row.timestamp);
        assert_eq!(logs.histogram(&aligned, 5).await.unwrap(), direct(5, &within));
        let odd = LogQuery { start: Some(at(3 * MINUTE + 17)), ..query("") };
        let within = |row: &store_db::LogRow| row.timestamp >= at(3 * MINUTE + 17);
        assert_eq!(logs.histogram(&odd, 5).await.unwrap(), direct(5, &within));
        let counted = rows.iter().filter(|row| within(row)).count() as u64;
        assert_eq!(logs.count(&odd).await.unwrap(), (counted, false));
        assert_eq!(logs.list(&odd, ALL).await.unwrap().data.len() as u64, counted);
    }
}

#[tokio::test]
async fn attackers_are_listed_filtered_and_ordered() {
    for world in worlds().await {
        let records: Vec<_> = events().into_iter().map(record).collect();
        world.apply(&records).await;
        let more = Event {
            attacker: events()[0].attacker,
            decky_name: "z".into(),
            ..event(7, "connect", Fields::new())
        };
        world.apply(&[record(more)]).await;
        let list = async |query: AttackerQuery| {
            let page = world.db().attackers().list(&query, ALL).await.unwrap();
            assert_eq!(page.total, page.data.len() as u64);
            page.data.into_iter().map(|row| row.ip).collect::<Vec<_>>()
        };
        let all = ["10.1.2.3", "10.2.0.1", "2001:db8::7", "192.168.0.1", "10.1.2.4"];
        assert_eq!(list(AttackerQuery::default()).await, all);
        for order in [AttackerOrder::Active, AttackerOrder::Traversals] {
            let first = list(AttackerQuery { order, ..AttackerQuery::default() }).await.remove(0);
            assert_eq!(first, "10.1.2.3");
        }
        let http = AttackerQuery { service: Some("http".into()), ..AttackerQuery::default() };
        assert_eq!(list(http).await, ["2001:db8::7", "192.168.0.1"]);
        let part = AttackerQuery { search: Some("10.1.".into()), ..AttackerQuery::default() };
        assert_eq!(list(part).await, ["10.1.2.3", "10.1.2.4"]);
        let late =
            AttackerQuery { first_seen_after: Some(at(4_500_000)), ..AttackerQuery::default() };
        assert_eq!(list(late).await, ["10.2.0.1"]);
    }
}

#[tokio::test]
async fn credentials_and_bounties_are_searched() {
    for world in worlds().await {
        let attempt = |seq, service: &'static str, name: &str, password: &str| {
            let secret = Secret::plaintext(password.as_bytes());
            let fact = catalogue::auth_attempt(name.as_bytes(), &secret, "password", false);
            record(Event { service: service.into(), ..of(seq, fact) })
        };
        let records = [
            attempt(1, "ssh", "Root", "toor"),
            attempt(2, "ftp", "änne", "100%"),
            attempt(3, "ftp", "bob", "root_1"),
            record(of(4, catalogue::ssh_client_banner(b"SSH-2.0-Go"))),
        ];
        world.apply(&records).await;
        let list = async |query: CredentialQuery| {
            let page = world.db().credentials().list(&query, ALL).await.unwrap();
            assert_eq!(page.total, page.data.len() as u64);
            page.data.into_iter().filter_map(|row| row.principal).collect::<Vec<_>>()
        };
        let search = |text: &str| CredentialQuery {
            search: Some(text.into()),
            ..CredentialQuery::default()
        };
        assert_eq!(list(CredentialQuery::default()).await, ["bob", "änne", "Root"]);
        assert_eq!(list(search("ROOT")).await, ["bob", "Root"]);
        assert_eq!(list(search("%")).await, ["änne"]);
        assert_eq!(list(search("än")).await, ["änne"]);
        let ftp = CredentialQuery { service: Some("ftp".into()), ..search("o") };
        assert_eq!(list(ftp).await, ["bob"]);
        let other =
            CredentialQuery { attacker_ip: Some("ä".into()), ..CredentialQuery::default() };
        assert_eq!(list(other).await, Vec::<String>::new());
        for (kind, expected) in [("fingerprint", 1), ("ip_leak", 0), ("ä", 0)] {
            let query = BountyQuery { bounty_type: Some(kind.into()), ..BountyQuery::default() };
            assert_eq!(world.db().bounties().list(&query, ALL).await.unwrap().total, expected);
        }
    }
}
