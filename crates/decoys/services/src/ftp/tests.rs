//! Rules that transcripts do not show.

use std::collections::BTreeMap;

use base_model::{Account, Timestamp};
use decoys_host::HostHandle;
use decoys_host::fs::Creds;
use decoys_kit::transcript::Stage;
use decoys_kit::{Effect, Settings, SideEvent, StreamReply};

use super::SERVICE;

type Acts = Vec<Effect<StreamReply>>;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let given: BTreeMap<_, _> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    Settings::parse(SERVICE.spec.settings, &given).unwrap().0
}

/// A machine with an FTP server on it.
fn host() -> HostHandle {
    let mut decky = decoys_host::testing::decky(1, "debian");
    let mut service = decky.services[0].clone();
    service.name = "ftp".to_owned();
    decky.services.push(service);
    decky.accounts.push(Account { username: "eve".into(), password: "pw".into(), uid: 1001 });
    HostHandle::new(decky, None)
}

fn open(host: HostHandle, pairs: &[(&str, &str)]) -> Stage {
    Stage::open(&SERVICE, host, settings(pairs)).unwrap().0
}

fn said(acts: &Acts) -> String {
    let data = acts.iter().filter_map(|act| match act {
        Effect::Reply(StreamReply::Data(bytes)) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => None,
    });
    data.collect()
}

fn say(stage: &mut Stage, line: &str) -> String {
    said(&stage.bytes(format!("{line}\r\n").as_bytes()))
}

fn log_in(stage: &mut Stage, user: &str, password: &str) -> String {
    say(stage, &format!("USER {user}"));
    say(stage, &format!("PASS {password}"))
}

const SERVERS: [&str; 3] = ["vsftpd", "proftpd", "pure-ftpd"];

#[test]
fn what_is_put_is_kept_before_it_is_acknowledged_and_is_in_the_shell() {
    for server in SERVERS {
        let host = host();
        let mut stage = open(host.clone(), &[("server", server)]);
        assert!(log_in(&mut stage, "deploy", "s3cret").starts_with("230 "), "{server}");
        say(&mut stage, "PASV");
        stage.bytes(b"STOR up.bin\r\n");
        assert!(said(&stage.side(SideEvent::Connected)).starts_with("150"));
        stage.side(SideEvent::Bytes(b"first \xff"));
        stage.side(SideEvent::Bytes(b" second"));
        let acts = stage.side(SideEvent::Ended);
        let place =
            |want: &dyn Fn(&Effect<StreamReply>) -> bool| acts.iter().position(want).unwrap();
        let kept =
            place(&|act| matches!(act, Effect::Keep(blob) if blob.bytes == b"first \xff second"));
        let told =
            place(&|act| matches!(act, Effect::Emit(_, fact) if fact.kind().name == "upload"));
        let commit = place(&|act| matches!(act, Effect::Commit));
        let reply = place(&|act| matches!(act, Effect::Reply(StreamReply::Data(_))));
        assert!(kept < told && told < commit && commit < reply, "{server}");
        assert!(said(&acts).starts_with("226"), "{server}: {}", said(&acts));
        host.with(|machine| {
            let ino = machine.fs.find(&Creds::root(), b"/", b"/home/deploy/up.bin", true).unwrap();
            let node = machine.fs.node(ino).unwrap();
            assert_eq!(machine.fs.read(ino, 0, 100), b"first \xff second");
            let mode = if server == "vsftpd" { 0o600 } else { 0o644 };
            assert_eq!((node.uid, node.mode), (1000, mode), "{server}");
        });
    }
}

#[test]
fn a_file_comes_back_whole_and_from_its_middle() {
    for server in SERVERS {
        let host = host();
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        host.with(|machine| {
            let root = Creds::root();
            let now = Timestamp::from_micros(1);
            let ino = machine.fs.create(&root, b"/", b"/home/deploy/big", 0o644, now).unwrap();
            machine.fs.write(ino, 0, &content, now).unwrap();
        });
        let mut stage = open(host, &[("server", server)]);
        log_in(&mut stage, "deploy", "s3cret");
        say(&mut stage, "TYPE I");
        for from in [0, 777_777] {
            say(&mut stage, "EPSV");
            say(&mut stage, &format!("REST {from}"));
            stage.bytes(b"RETR big\r\n");
            let acts = stage.side(SideEvent::Connected);
            let sent: Vec<u8> = acts
                .iter()
                .filter_map(|act| match act {
                    Effect::Reply(StreamReply::Side(decoys_kit::Side::Send(bytes))) => {
                        Some(bytes.clone())
                    }
                    _ => None,
                })
                .flatten()
                .collect();
            assert!(sent == content[from..], "{server} from {from}");
            let text = said(&acts);
            assert!(text.starts_with("150") && text.contains("226"), "{server}: {text}");
        }
    }
}

#[test]
fn an_anonymous_guest_stays_below_its_root_and_writes_only_where_it_may() {
    let host = host();
    host.with(|machine| {
        let now = Timestamp::from_micros(1);
        machine.fs.make_link(&Creds::root(), b"/", b"/etc", b"/srv/ftp/pub/out", now).unwrap();
    });
    let mut stage = open(host, &[("server", "vsftpd"), ("anonymous", "yes")]);
    assert_eq!(log_in(&mut stage, "anonymous", "a@b"), "230 Login successful.\r\n");
    assert_eq!(say(&mut stage, "PWD"), "257 \"/\" is the current directory\r\n");
    for outside in ["/../../etc", "pub/out", "/home"] {
        assert!(
            say(&mut stage, &format!("CWD {outside}")).starts_with("550")
                || outside.starts_with("/..")
        );
    }
    for outside in ["/../etc/passwd", "pub/out/passwd"] {
        say(&mut stage, "PASV");
        let text = say(&mut stage, &format!("RETR {outside}"));
        assert_eq!(text, "550 Failed to open file.\r\n", "{outside}");
    }
    assert!(say(&mut stage, "STOR pub/x").starts_with("553"));
    assert!(say(&mut stage, "MKD incoming/new").starts_with("257"));
    say(&mut stage, "PASV");
    stage.bytes(b"STOR incoming/drop\r\n");
    assert!(said(&stage.side(SideEvent::Connected)).starts_with("150"));
}

#[test]
fn a_third_party_is_neither_sent_to_nor_served() {
    let mut stage = open(host(), &[("server", "vsftpd")]);
    log_in(&mut stage, "deploy", "s3cret");
    let acts = stage.bytes(b"PORT 10,0,0,1,20,1\r\n");
    assert_eq!(said(&acts), "500 Illegal PORT command.\r\n");
    let told = |acts: &Acts, kind: &str| {
        acts.iter().any(|act| matches!(act, Effect::Emit(_, fact) if fact.kind().name == kind))
    };
    assert!(told(&acts, "bounce_attempt"));
    assert!(say(&mut stage, "PORT 127,0,0,9,20,1").starts_with("200"));
    assert!(say(&mut stage, "LIST").starts_with("425"));
    say(&mut stage, "PASV");
    stage.bytes(b"LIST\r\n");
    let acts = stage.side(SideEvent::Refused([10, 0, 0, 66].into()));
    assert!(told(&acts, "data_refused"));
    assert_eq!(said(&acts), "425 Security: Bad IP connecting.\r\n");
}

#[test]
fn a_transfer_that_is_cut_off_keeps_what_came() {
    let mut stage = open(host(), &[("server", "vsftpd")]);
    log_in(&mut stage, "deploy", "s3cret");
    say(&mut stage, "PASV");
    stage.bytes(b"STOR half\r\n");
    stage.side(SideEvent::Connected);
    stage.side(SideEvent::Bytes(b"half of"));
    let acts = stage.bytes(b"\xff\xf4\xff\xf2ABOR\r\n");
    assert!(said(&acts).starts_with("426 "), "{}", said(&acts));
    assert!(acts.iter().any(|act| matches!(act, Effect::Keep(blob) if blob.bytes == b"half of")));
    assert!(say(&mut stage, "NOOP").starts_with("200"));
}

#[test]
fn the_same_credential_always_gets_the_same_answer() {
    for (mode, deploy, stranger) in [
        ("mixed", true, false),
        ("always", true, true),
        ("never", false, false),
        ("anonymous", false, false),
    ] {
        for _ in 0..2 {
            let verdict = |user: &str, password: &str| {
                let mut stage = open(host(), &[("server", "vsftpd"), ("mode", mode)]);
                let first = log_in(&mut stage, user, password);
                let text = if first.is_empty() { said(&stage.wait(4)) } else { first };
                text.starts_with("230")
            };
            assert_eq!(
                (verdict("deploy", "s3cret"), verdict("stranger", "x")),
                (deploy, stranger),
                "{mode}"
            );
        }
    }
}

#[test]
fn commands_wait_for_a_transfer_within_bounds() {
    let mut stage = open(host(), &[("server", "vsftpd")]);
    log_in(&mut stage, "deploy", "s3cret");
    say(&mut stage, "PASV");
    stage.bytes(b"STOR x\r\n");
    stage.side(SideEvent::Connected);
    for _ in 0..200 {
        assert!(said(&stage.bytes(&b"NOOP\r\n".repeat(1000))).is_empty());
    }
    let text = said(&stage.side(SideEvent::Ended));
    assert!(text.lines().count() <= 1 + 64 * 1024 / 6, "{}", text.lines().count());
    assert!(text.starts_with("226 "));
}

#[test]
fn three_wrong_passwords_end_it() {
    let mut stage = open(host(), &[("server", "vsftpd")]);
    for n in 1..=3 {
        log_in(&mut stage, "deploy", "wrong");
        let acts = stage.wait(4);
        assert_eq!(said(&acts), "530 Login incorrect.\r\n");
        assert_eq!(acts.iter().any(|act| matches!(act, Effect::Reply(StreamReply::Close))), n == 3);
    }
}
