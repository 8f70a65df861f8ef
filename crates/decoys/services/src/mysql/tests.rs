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
    machine(2, distro, &[("mysql", 3306, &[("root_password", "toor")])])
}

fn packets(acts: &Acts) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    for act in acts {
        if let Effect::Reply(StreamReply::Data(data)) = act {
            bytes.extend(data);
        }
    }
    let mut out = Vec::new();
    while bytes.len() >= 4 {
        let length =
            usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16;
        out.push(bytes[4..4 + length].to_vec());
        bytes.drain(..4 + length);
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

fn packet(number: u8, content: &[u8]) -> Vec<u8> {
    let [a, b, c, ..] = u32::try_from(content.len()).unwrap().to_le_bytes();
    [&[a, b, c, number][..], content].concat()
}

struct Client {
    stage: Stage,
    greeting: Vec<u8>,
}

impl Client {
    fn of(host: &HostHandle) -> Self {
        let (stage, acts) = Stage::open(&SERVICE, host.clone(), Settings::default()).unwrap();
        Self { stage, greeting: packets(&acts).remove(0) }
    }

    fn salt(&self) -> [u8; 20] {
        let end = self.greeting.iter().position(|byte| *byte == 0).unwrap() + 1;
        let head = &self.greeting[end + 4..end + 12];
        let tail = &self.greeting[end + 31..end + 43];
        [head, tail].concat().try_into().unwrap()
    }

    fn log_in(&mut self, user: &str, password: &str) -> Acts {
        let response = if password.is_empty() {
            Vec::new()
        } else {
            auth::respond(password.as_bytes(), &self.salt())
        };
        let capabilities: u32 = 1 | 1 << 9 | 1 << 15 | 1 << 16 | 1 << 19;
        let mut content = capabilities.to_le_bytes().to_vec();
        content.extend([0, 0, 0, 1, 45]);
        content.extend([0; 23]);
        content.extend(user.as_bytes());
        content.extend([0, u8::try_from(response.len()).unwrap()]);
        content.extend(response);
        content.extend(b"mysql_native_password\0");
        self.stage.bytes(&packet(1, &content))
    }

    fn ask(&mut self, sql: &str) -> Acts {
        self.stage.bytes(&packet(0, &[b"\x03", sql.as_bytes()].concat()))
    }

    /// Cells of the answer, rows parted by `;`, or the text of the error.
    fn say(&mut self, sql: &str) -> String {
        let packets = packets(&self.ask(sql));
        let mut rows = Vec::new();
        let mut ends = 0;
        for packet in &packets {
            match packet.first() {
                Some(0xff) => return String::from_utf8_lossy(&packet[9..]).into_owned(),
                Some(0xfe) if packet.len() < 9 => ends += 1,
                Some(0) if packets.len() == 1 => return "OK".to_owned(),
                _ if ends == 1 => {
                    let mut cells = Vec::new();
                    let mut at = 0;
                    while at < packet.len() {
                        let length = usize::from(packet[at]);
                        if length == 0xfb {
                            cells.push("NULL".to_owned());
                            at += 1;
                            continue;
                        }
                        cells.push(
                            String::from_utf8_lossy(&packet[at + 1..at + 1 + length]).into_owned(),
                        );
                        at += 1 + length;
                    }
                    rows.push(cells.join(","));
                }
                _ => {}
            }
        }
        rows.join(";")
    }
}

fn root(host: &HostHandle) -> Client {
    let mut client = Client::of(host);
    assert_eq!(packets(&client.log_in("root", "toor"))[0][0], 0);
    client
}

#[test]
fn only_the_right_password_gets_in_and_every_try_can_be_tested() {
    let host = host("debian");
    for (user, password, gets_in) in [
        ("root", "toor", true),
        ("deploy", "s3cret", true),
        ("root", "root", false),
        ("root", "", false),
        ("nobody", "toor", false),
    ] {
        let mut client = Client::of(&host);
        let salt = client.salt();
        let acts = client.log_in(user, password);
        let tried = facts(&acts, "auth").remove(0);
        assert_eq!(
            tried.fields().text("outcome"),
            Some(if gets_in { "success" } else { "failure" }),
            "{user}"
        );
        if password.is_empty() {
            assert!(
                String::from_utf8_lossy(&packets(&client.stage.wait(1))[0])
                    .contains("(using password: NO)")
            );
            continue;
        }
        let line = tried.fields().text("crack").unwrap();
        let expected = auth::crack_line(&salt, &auth::respond(password.as_bytes(), &salt));
        assert_eq!((line, tried.fields().text("crack_mode")), (expected.as_str(), Some("11200")));
        assert!(salt.iter().all(|byte| *byte != 0 && *byte != b'$'));
    }
}

#[test]
fn connections_are_numbered_on_and_salts_are_fresh() {
    let host = host("debian");
    let id = |client: &Client| {
        let end = client.greeting.iter().position(|byte| *byte == 0).unwrap() + 1;
        u32::from_le_bytes(client.greeting[end..end + 4].try_into().unwrap())
    };
    let (one, two) = (Client::of(&host), Client::of(&host));
    assert!(id(&one) > 17);
    assert_eq!(id(&two), id(&one) + 1);
}

#[test]
fn what_one_session_changes_the_next_one_meets() {
    let host = host("debian");
    let database = host.with(|machine| machine.facts().values["db_name"].clone());
    let mut client = root(&host);
    assert_eq!(client.say(&format!("use {database}")), "OK");
    assert_eq!(client.say("show tables"), "api_keys;customers;orders;sessions;users");
    client.say("create table warning (id int primary key auto_increment, note text)");
    client.say("insert into warning (note) values ('send 0.1 BTC'), ('or else')");
    assert_eq!(client.say("drop table customers"), "OK");
    let mut next = root(&host);
    next.say(&format!("use {database}"));
    assert_eq!(next.say("select note from warning order by id desc limit 1"), "or else");
    assert_eq!(
        next.say("select * from customers"),
        format!("Table '{database}.customers' doesn't exist")
    );
    let again = HostHandle::new(host.decky().clone(), Some(&host.snapshot()));
    let mut later = root(&again);
    later.say(&format!("use {database}"));
    assert_eq!(later.say("select count(*) from warning"), "2");
}

#[test]
fn reading_a_table_is_told_with_its_rows() {
    let host = host("debian");
    let database = host.with(|machine| machine.facts().values["db_name"].clone());
    let mut client = root(&host);
    client.say(&format!("use {database}"));
    let acts = client.ask("select * from api_keys");
    let taken = facts(&acts, "exfil").remove(0);
    assert_eq!(taken.fields().text("table"), Some("api_keys"));
    assert!(taken.fields().get("rows").unwrap().as_u64().unwrap() >= 2);
    assert_eq!(facts(&acts, "query")[0].fields().text("sql"), Some("select * from api_keys"));
}

#[test]
fn a_dumped_file_is_in_the_machine_and_captured() {
    let host = host("debian");
    let mut client = root(&host);
    let acts = client.ask("select '<?php system($_GET[0]);' into dumpfile '/tmp/s.php'");
    let captured = facts(&acts, "file_captured").remove(0);
    assert_eq!(captured.fields().text("artifact"), Some("dumpfile"));
    assert_eq!(facts(&acts, "query")[0].fields().text("lure"), Some("dumpfile"));
    let content = host.with(|machine| {
        let ino = machine.fs().find(&Creds::root(), b"/", b"/tmp/s.php", true).unwrap();
        machine.fs().read(ino, 0, 100)
    });
    assert_eq!(content, b"<?php system($_GET[0]);");
    // The web server's folder is not the database's to write to.
    let refused = client.say("select 1 into outfile '/var/www/html/x'");
    assert_eq!(
        refused,
        "Can't create/write to file '/var/www/html/x' (Errcode: 13 \"Permission denied\")"
    );
    let mut ubuntu = root(&self::host("ubuntu22"));
    assert!(ubuntu.say("select 1 into outfile '/tmp/x'").contains("--secure-file-priv"));
}

#[test]
fn each_product_greets_and_complains_as_itself() {
    let (maria, mysql) = (host("debian"), host("ubuntu22"));
    assert!(Client::of(&maria).greeting.starts_with(b"\x0a5.5.5-10.11."));
    let ubuntu = Client::of(&mysql);
    assert!(
        ubuntu.greeting.starts_with(b"\x0a8.0.4")
            && ubuntu.greeting.ends_with(b"caching_sha2_password\0")
    );
    let says = root(&maria).say("selec 1");
    assert_eq!(
        says,
        "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'selec 1' at line 1"
    );
    assert!(root(&maria).say("select version()").contains("-MariaDB-0+deb12u"));
    assert_eq!(root(&maria).say("select 1+1, 'a' 'b', null"), "2,ab,NULL");
}

#[test]
fn what_is_not_a_login_is_told_and_hung_up_on() {
    let host = host("debian");
    for (bytes, code) in [(&b"GET / HTTP/1.0\r\n\r\n"[..], 1153_u16), (b"\x02\0\0\x01ab", 1043)] {
        let mut client = Client::of(&host);
        let acts = client.stage.bytes(bytes);
        assert_eq!(packets(&acts)[0][1..3], code.to_le_bytes());
        assert_eq!(facts(&acts, "protocol_error").len(), 1);
        assert!(acts.contains(&Effect::Reply(StreamReply::Close)));
    }
    let mut silent = Client::of(&host);
    assert!(silent.stage.wait(9).is_empty());
    assert!(silent.stage.wait(2).contains(&Effect::Reply(StreamReply::Close)));
}

#[test]
fn a_client_that_knows_no_older_proof_still_leaves_one() {
    let host = host("ubuntu22");
    let mut client = Client::of(&host);
    let salt = client.salt();
    let mut content = (1_u32 | 1 << 9 | 1 << 15 | 1 << 19).to_le_bytes().to_vec();
    content.extend([0, 0, 0, 1, 255]);
    content.extend([0; 23]);
    content.extend(b"admin\0\x20");
    content.extend([7; 32]);
    content.extend(b"caching_sha2_password\0");
    let asked = client.stage.bytes(&packet(1, &content));
    assert!(packets(&asked)[0].starts_with(b"\xfemysql_native_password\0"));
    assert!(facts(&asked, "auth").is_empty());
    let told = facts(&client.stage.close(), "auth").remove(0);
    assert_eq!(told.fields().text("principal"), Some("admin"));
    assert_eq!(told.fields().text("secret_kind"), Some("mysql_caching_sha2"));
    assert_eq!(told.fields().text("method"), Some("caching_sha2_password"));
    assert_eq!(told.fields().text("challenge_b64"), Some(STANDARD.encode(salt).as_str()));
}

#[test]
fn inside_tls_the_password_itself_is_asked_for() {
    let host = host("ubuntu22");
    let mut client = Client::of(&host);
    let capabilities = (1_u32 | 1 << 9 | 1 << 11 | 1 << 15 | 1 << 19).to_le_bytes();
    let head = [&capabilities, [0, 0, 0, 1].as_slice(), &[255], &[0; 23]].concat();
    let login = [&head, b"root\0\x20".as_slice(), &[7; 32], b"caching_sha2_password\0"].concat();
    // What is sent in the same breath was not encrypted, and counts as nothing.
    let acts = client.stage.bytes(&[packet(1, &head), packet(2, &login)].concat());
    assert!(matches!(acts.as_slice(), [Effect::Reply(StreamReply::StartTls)]), "{acts:?}");
    let asked = client.stage.bytes(&packet(2, &login));
    assert_eq!(packets(&asked), [[1, 4]]);
    let acts = client.stage.bytes(&packet(4, b"toor\0"));
    assert_eq!(packets(&acts)[0][0], 0);
    let told = facts(&acts, "auth").remove(0);
    assert_eq!(told.fields().text("secret_kind"), Some("plaintext"));
    assert_eq!(told.fields().text("secret_printable"), Some("toor"));
    assert_eq!(told.fields().text("method"), Some("caching_sha2_password"));
    assert_eq!(client.say("show status like 'Ssl_version'"), "Ssl_version,TLSv1.3");

    // MariaDB as Debian has it offers none.
    let mut client = Client::of(&self::host("debian"));
    let acts = client.stage.bytes(&packet(1, &head));
    assert!(String::from_utf8_lossy(&packets(&acts)[0]).contains("Bad handshake"));
}

#[test]
fn many_statements_at_once_come_in_turns() {
    let mut client = root(&host("debian"));
    let one = packet(0, b"\x03do 1");
    let first = client.stage.bytes(&one.repeat(1000));
    assert!((1..1000).contains(&facts(&first, "query").len()));
    let rest = client.stage.wait(10);
    assert_eq!(facts(&first, "query").len() + facts(&rest, "query").len(), 1000);
}

#[test]
fn sleeping_holds_the_answer_back() {
    let host = host("debian");
    let mut client = root(&host);
    assert!(packets(&client.ask("select sleep(5)")).is_empty());
    assert!(packets(&client.stage.wait(4)).is_empty());
    assert_eq!(packets(&client.stage.wait(2)).len(), 5);
}

#[test]
fn clients_are_asked_for_files_only_when_the_operator_wants_so() {
    let host = host("debian");
    assert!(
        root(&host).say("load data local infile '/etc/passwd' into table x").contains("disabled")
    );
    let given = [("load_data_local".to_owned(), true.into())].into();
    let (settings, _) = Settings::parse(SERVICE.spec.settings, &given).unwrap();
    let (stage, acts) = Stage::open(&SERVICE, host, settings).unwrap();
    let mut client = Client { stage, greeting: packets(&acts).remove(0) };
    client.log_in("root", "toor");
    let asked = client.ask("load data local infile '/home/me/.my.cnf' into table x");
    assert_eq!(packets(&asked)[0], b"\xfb/home/me/.my.cnf");
    client.stage.bytes(&packet(2, b"[client]\npassword=x\n"));
    let acts = client.stage.bytes(&packet(3, b""));
    let captured = facts(&acts, "file_captured").remove(0);
    assert_eq!(captured.fields().text("orig_path"), Some("/home/me/.my.cnf"));
    assert!(
        acts.iter().any(
            |act| matches!(act, Effect::Keep(blob) if blob.bytes == b"[client]\npassword=x\n")
        )
    );
}

#[test]
fn a_prepared_statement_takes_its_values() {
    let host = host("debian");
    let mut client = root(&host);
    let acts = client.stage.bytes(&packet(0, b"\x16select ? + 1, ?"));
    assert_eq!(packets(&acts)[0], [0, 1, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0]);
    let mut run = vec![0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 8, 0, 253, 0];
    run.extend(41_i64.to_le_bytes());
    run.extend(b"\x02hi");
    let acts = client.stage.bytes(&packet(0, &run));
    let row = &packets(&acts)[4];
    assert_eq!(row[..2], [0, 0]);
    assert!(row.ends_with(b"\x02hi") && row[2] == 42);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_statement_is_answered_without_harm(words in proptest::collection::vec(
        prop_oneof![
            Just("select"), Just("from"), Just("users"), Just("where"), Just("("), Just(")"), Just(","), Just("*"),
            Just("show"), Just("set"), Just("@a"), Just("@@version"), Just("="), Just("'x'"), Just("1"), Just("-9223372036854775808"),
            Just("union"), Just("group by"), Just("order by"), Just("limit"), Just("insert into"), Just("values"), Just("update"),
            Just("create table"), Just("drop"), Just("load data"), Just("into outfile '/tmp/q'"), Just("case when"), Just("end"),
            Just("in"), Just("like"), Just("'%'"), Just("/*!50000"), Just("*/"), Just("0x4141"), Just("concat"), Just("id"),
            Just("join"), Just("on"), Just("information_schema.tables"), Just("substring"), Just("count(*)"), Just("`"), Just("explain"),
            Just("grant"), Just("describe"), Just("int primary key"), Just("having"), Just("not"), Just("null"), Just("/"), Just("0"),
        ], 1..14),
    ) {
        let host = host("debian");
        let database = host.with(|machine| machine.facts().values["db_name"].clone());
        let mut client = root(&host);
        client.say(&format!("use {database}"));
        client.ask(&words.join(" "));
        client.stage.wait(400);
        prop_assert_eq!(client.say("select 7"), "7");
    }

    #[test]
    fn any_packets_are_answered_without_harm(commands in proptest::collection::vec(
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)), 1..8)) {
        let host = host("ubuntu22");
        let mut client = Client::of(&host);
        for (command, content) in &commands {
            client.stage.bytes(&packet(0, &[&[*command], content.as_slice()].concat()));
        }
        let mut client = root(&self::host("debian"));
        for (command, content) in commands {
            let content = [&[command % 0x20], content.as_slice()].concat();
            client.stage.bytes(&packet(0, &content));
        }
        client.stage.close();
    }
}
