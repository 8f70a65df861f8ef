//! Dialogues with state.

use decoys_host::HostHandle;
use decoys_host::fs::Creds;
use decoys_kit::transcript::{Acts, Stage};
use decoys_kit::{Effect, Settings, StreamReply};
use proptest::prelude::*;

use super::SERVICE;
use crate::tests::machine;

fn host(distro: &str) -> HostHandle {
    machine(2, distro, &[("redis", 6379, &[("requirepass", "none")])])
}

fn sent(acts: &Acts) -> String {
    let mut out = Vec::new();
    for act in acts {
        if let Effect::Reply(StreamReply::Data(bytes)) = act {
            out.extend(bytes);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn facts(acts: &Acts) -> Vec<base_model::Fact> {
    let fact = |act: &Effect<StreamReply>| match act {
        Effect::Emit(_, fact) => Some(fact.clone()),
        _ => None,
    };
    acts.iter().filter_map(fact).collect()
}

struct Client(Stage);

impl Client {
    fn of(host: &HostHandle) -> Self {
        Self(Stage::open(&SERVICE, host.clone(), Settings::default()).unwrap().0)
    }

    fn say(&mut self, line: &str) -> String {
        sent(&self.0.bytes(format!("{line}\r\n").as_bytes()))
    }
}

#[test]
fn a_key_written_by_one_is_there_for_the_next_and_after_a_restart() {
    let host = host("debian");
    Client::of(&host).say("set left behind");
    assert_eq!(Client::of(&host).say("get left"), "$6\r\nbehind\r\n");
    let again = HostHandle::new(host.decky().clone(), Some(&host.snapshot()));
    assert_eq!(Client::of(&again).say("get left"), "$6\r\nbehind\r\n");
}

#[test]
fn a_saved_snapshot_is_a_file_of_the_machine_and_is_captured() {
    let host = host("debian");
    let mut client = Client::of(&host);
    client.say("config set dir /root/.ssh");
    client.say("config set dbfilename authorized_keys");
    client.say("set x \"\\n\\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5 evil\\n\\n\"");
    let acts = client.0.bytes(b"save\r\n");
    assert_eq!(sent(&acts), "+OK\r\n");
    let captured =
        facts(&acts).into_iter().find(|fact| fact.kind().name == "file_captured").unwrap();
    assert_eq!(captured.fields().text("orig_path"), Some("/root/.ssh/authorized_keys"));
    assert_eq!(captured.fields().text("artifact"), Some("rdb_write"));
    let content = host.with(|machine| {
        let path = b"/root/.ssh/authorized_keys";
        let ino = machine.fs().find(&Creds::root(), b"/", path, true).unwrap();
        machine.fs().read(ino, 0, 1 << 20)
    });
    let planted = b"\n\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5 evil\n\n";
    assert!(content.windows(planted.len()).any(|window| window == planted));
    assert!(content.starts_with(b"REDIS0010"));
}

#[test]
fn info_agrees_with_itself_and_with_the_machine() {
    let host = host("debian");
    let mut client = Client::of(&host);
    let info = client.say("info everything");
    let value = |info: &str, key: &str| {
        let line = info.lines().find(|line| line.split(':').next() == Some(key)).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    let (pid, started) = host.with(|machine| {
        let table = machine.processes(decoys_kit::transcript::START);
        let redis = table.iter().find(|p| p.command.contains("redis-server")).unwrap();
        (redis.pid, redis.started)
    });
    assert_eq!(value(&info, "process_id"), pid.to_string());
    let up = decoys_kit::transcript::START.seconds() - started;
    assert_eq!(value(&info, "uptime_in_seconds"), up.to_string());
    let keys = client.say("dbsize").trim().trim_start_matches(':').to_owned();
    assert!(value(&info, "db0").starts_with(&format!("keys={keys},")), "{info}");
    let before: u64 = value(&info, "total_commands_processed").parse().unwrap();
    let after: u64 = value(&client.say("info stats"), "total_commands_processed").parse().unwrap();
    assert_eq!(after, before + 2);
    assert_eq!(value(&client.say("info server"), "run_id"), value(&info, "run_id"));
}

#[test]
fn clients_see_each_other_and_what_they_do() {
    let host = host("debian");
    let (mut one, mut two) = (Client::of(&host), Client::of(&host));
    one.say("client setname watcher");
    assert!(two.say("client list").contains("name=watcher"));
    one.say("monitor");
    two.say("set a 1");
    assert!(sent(&one.0.wait(1)).contains("\"set\" \"a\" \"1\""));
    let mut three = Client::of(&host);
    three.say("subscribe news");
    assert_eq!(two.say("publish news hi"), ":1\r\n");
    assert!(sent(&three.0.wait(1)).contains("$4\r\nnews\r\n$2\r\nhi\r\n"));
    drop(three.0.close());
    assert_eq!(two.say("publish news hi"), ":0\r\n");
}

#[test]
fn each_release_words_its_refusals_as_it_did() {
    let mut old = Client::of(&host("ubuntu22"));
    assert_eq!(old.say("foo a"), "-ERR unknown command `foo`, with args beginning with: `a`, \r\n");
    assert_eq!(
        old.say("config set dir /nowhere"),
        "-ERR Changing directory: No such file or directory\r\n"
    );
    assert!(old.say("copy a b").starts_with("-ERR unknown command"));
    let mut new = Client::of(&host("debian"));
    assert_eq!(new.say("foo a"), "-ERR unknown command 'foo', with args beginning with: 'a' \r\n");
    assert!(new.say("debug object a").contains("DEBUG command not allowed"));
}

#[test]
fn a_closed_server_takes_its_password_and_those_of_the_accounts() {
    let host = machine(2, "debian", &[("redis", 6379, &[("requirepass", "s3same")])]);
    let mut client = Client::of(&host);
    assert_eq!(client.say("get a"), "-NOAUTH Authentication required.\r\n");
    let acts = client.0.bytes(b"AUTH wrong\r\n");
    assert!(sent(&acts).starts_with("-WRONGPASS"));
    let tried = &facts(&acts)[0];
    assert_eq!(
        (tried.kind().name, tried.fields().text("secret_printable")),
        ("auth", Some("wrong"))
    );
    assert_eq!(tried.fields().text("outcome"), Some("failure"));
    assert_eq!(client.say("AUTH s3same"), "+OK\r\n");
    assert_eq!(Client::of(&host).say("AUTH toor"), "+OK\r\n");
    assert_eq!(Client::of(&host).say("AUTH deploy s3cret"), "+OK\r\n");
    assert!(Client::of(&host).say("AUTH deploy nope").starts_with("-WRONGPASS"));
    let conf = host.with(|machine| {
        let ino = machine.fs().find(&Creds::root(), b"/", b"/etc/redis/redis.conf", true).unwrap();
        String::from_utf8(machine.fs().read(ino, 0, 65_536)).unwrap()
    });
    assert!(conf.contains("\nrequirepass s3same\n"));
}

#[test]
fn what_is_not_the_protocol_is_told_and_hung_up_on() {
    let host = host("debian");
    let acts = Client::of(&host).0.bytes(b"*1\r\n$x\r\n");
    assert_eq!(sent(&acts), "-ERR Protocol error: invalid bulk length\r\n");
    assert_eq!(facts(&acts)[0].fields().text("sample"), Some("$x"));
    assert!(acts.contains(&Effect::Reply(StreamReply::Close)));
    let acts = Client::of(&host).0.bytes(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(sent(&acts), "");
    assert_eq!(facts(&acts)[0].fields().text("reason"), Some("cross-protocol request"));
    assert!(acts.contains(&Effect::Reply(StreamReply::Close)));
}

#[test]
fn scanning_finds_each_key_once() {
    let host = host("debian");
    let mut client = Client::of(&host);
    client.say("flushall");
    for n in 0..100 {
        client.say(&format!("set k{n} x"));
    }
    let (mut cursor, mut seen) = ("0".to_owned(), std::collections::BTreeSet::new());
    loop {
        let answer = client.say(&format!("scan {cursor} count 7"));
        let words: Vec<&str> = answer.split("\r\n").collect();
        cursor = words[2].to_owned();
        for key in words.iter().skip(4).filter(|word| word.starts_with('k')) {
            assert!(seen.insert((*key).to_owned()), "{key} twice");
        }
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 100);
}

#[test]
fn memory_has_an_end() {
    let host = host("debian");
    let mut client = Client::of(&host);
    let big = "x".repeat(400_000);
    let mut last = String::new();
    for n in 0..40 {
        last = client.say(&format!("*3\r\n$3\r\nSET\r\n$3\r\nk{n:02}\r\n$400000\r\n{big}"));
    }
    assert!(last.starts_with("-OOM"), "{last}");
    assert!(client.say("get k00").starts_with("$400000"));
    assert!(host.snapshot().len() < 32 << 20);
}

#[test]
fn answers_to_many_commands_at_once_come_in_steps() {
    let host = host("debian");
    let mut client = Client::of(&host);
    let acts = client.0.bytes(&b"COMMAND\r\n".repeat(1000));
    assert!(sent(&acts).len() < 2 << 20);
    let rest = client.0.wait(5);
    assert!(sent(&rest).len() > 100 * sent(&client.0.bytes(b"command\r\n")).len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_are_answered_without_harm(words in proptest::collection::vec(
        prop_oneof![
            Just("set".to_owned()), Just("zadd".to_owned()), Just("sort".to_owned()), Just("lpos".to_owned()),
            Just("client".to_owned()), Just("config".to_owned()), Just("zunionstore".to_owned()), Just("hello".to_owned()),
            Just("restore".to_owned()), Just("setrange".to_owned()), Just("acl".to_owned()), Just("command".to_owned()),
            Just("lmpop".to_owned()), Just("xadd".to_owned()), Just("object".to_owned()), Just("scan".to_owned()),
            Just("-1".to_owned()), Just("9223372036854775807".to_owned()), Just("-9223372036854775808".to_owned()),
            Just("withscores".to_owned()), Just("limit".to_owned()), Just("inf".to_owned()), Just("getkeys".to_owned()),
            "[a-z]{0,3}", "[ -~]{0,6}",
        ], 1..8), seed in 0_u8..4,
    ) {
        let host = machine(seed, if seed % 2 == 0 { "debian" } else { "ubuntu22" }, &[("redis", 6379, &[("requirepass", "none")])]);
        let mut client = Client::of(&host);
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in &words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
        }
        client.0.bytes(b"set a 1\r\nzadd z 1 m\r\nrpush l a b\r\nhset h f v\r\nsadd s a\r\n");
        client.0.bytes(&bytes);
        prop_assert!(client.say("*1\r\n$4\r\nPING").len() < 1_000_000);
    }
}
