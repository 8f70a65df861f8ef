//! Rules that transcripts do not show.

use base_model::Sha256Digest;
use decoys_host::HostHandle;
use decoys_host::fs::Creds;
use decoys_kit::transcript::Stage;
use decoys_kit::{Effect, Settings, StreamReply};

use super::SERVICE;

fn host() -> HostHandle {
    decoys_host::testing::host(1, "debian")
}

fn open(host: HostHandle) -> Stage {
    Stage::open(&SERVICE, host, Settings::default()).unwrap().0
}

fn said(acts: &[Effect<StreamReply>]) -> String {
    let data = acts.iter().filter_map(|act| match act {
        Effect::Reply(StreamReply::Data(bytes)) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => None,
    });
    data.collect()
}

#[test]
fn a_mail_is_durable_with_its_exact_bytes_before_it_is_queued() {
    let mut stage = open(host());
    let mail = b"Subject: x\r\n\r\n..dots\r\n\xff\x00 bytes\r\n";
    stage.bytes(b"EHLO me\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<root>\r\nDATA\r\n");
    let acts = stage.bytes(&[&mail[..], b".\r\n"].concat());
    let kept = b"Subject: x\r\n\r\n.dots\r\n\xff\x00 bytes\r\n";
    let place = |want: &dyn Fn(&Effect<StreamReply>) -> bool| acts.iter().position(want).unwrap();
    let blob = place(&|act| matches!(act, Effect::Keep(blob) if blob.bytes == kept));
    let fact = place(&|act| {
        matches!(act, Effect::Emit(_, fact) if fact.kind().name == "message_stored"
            && fact.blobs() == [Sha256Digest::of(kept)])
    });
    let commit = place(&|act| matches!(act, Effect::Commit));
    let queued = place(&|act| matches!(act, Effect::Reply(StreamReply::Data(_))));
    assert!(blob < fact && fact < commit && commit < queued);
    assert!(said(&acts).starts_with("250 2.0.0 Ok: queued as "));
}

#[test]
fn mail_for_somebody_is_in_their_mailbox() {
    let host = host();
    let mut stage = open(host.clone());
    stage.bytes(b"EHLO me\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<deploy>\r\nDATA\r\nSubject: hi\r\n\r\nFrom here\r\n.\r\n");
    let (text, uid) = host.with(|machine| {
        let root = Creds::root();
        let ino = machine.fs.find(&root, b"/", b"/var/mail/deploy", true).unwrap();
        let text = String::from_utf8(machine.fs.read(ino, 0, 10_000)).unwrap();
        (text, machine.fs.node(ino).unwrap().uid)
    });
    assert_eq!(uid, 1000);
    assert!(text.starts_with("From a@b.c  Thu Jan  1 00:00:00 2026\n"), "{text}");
    assert!(text.ends_with("Subject: hi\n\n>From here\n\n"), "{text}");
}

#[test]
fn a_message_that_is_too_big_is_refused_and_its_beginning_kept() {
    let mut stage = open(host());
    stage.bytes(b"EHLO me\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<root>\r\nDATA\r\n");
    let line = [vec![b'x'; 998], b"\r\n".to_vec()].concat();
    for _ in 0..=10_240 {
        assert!(stage.bytes(&line).is_empty());
    }
    let acts = stage.bytes(b".\r\n");
    assert_eq!(said(&acts), "552 5.3.4 Error: message file too big\r\n");
    let kept = acts.iter().find_map(|act| match act {
        Effect::Keep(blob) => Some(blob.bytes.len()),
        _ => None,
    });
    assert_eq!(kept, Some(10_240_000));
    assert!(
        !acts.iter().any(
            |act| matches!(act, Effect::Emit(_, fact) if fact.kind().name == "message_accepted")
        )
    );
}

#[test]
fn a_client_that_errs_is_slowed_and_then_let_go() {
    let mut stage = open(host());
    let first = stage.bytes(&b"FOO\r\n".repeat(30));
    assert_eq!(said(&first).lines().count(), 10);
    let second = stage.wait(1);
    assert_eq!(said(&second), "500 5.5.2 Error: command not recognized\r\n");
    let rest = said(&stage.wait(60));
    assert!(rest.ends_with("Error: too many errors\r\n"), "{rest}");
    assert_eq!(rest.lines().count(), 10);
}

#[test]
fn what_comes_while_a_reply_waits_is_held_within_bounds() {
    let mut stage = open(host());
    stage.bytes(b"AUTH PLAIN AGEAYg==\r\n");
    for _ in 0..1000 {
        stage.bytes(&[b'x'; 16 * 1024]);
    }
    let acts = stage.wait(5);
    assert!(
        said(&acts)
            .starts_with("535 5.7.8 Error: authentication failed: authentication failure\r\n")
    );
}

#[test]
fn two_machines_greet_by_names_of_their_own() {
    let greeting = |seed| {
        let host = decoys_host::testing::host(seed, "ubuntu22");
        said(&Stage::open(&SERVICE, host, Settings::default()).unwrap().1)
    };
    assert!(greeting(1).ends_with(" ESMTP Postfix (Ubuntu)\r\n"), "{}", greeting(1));
    assert_ne!(greeting(1), greeting(2));
    assert_eq!(greeting(1), greeting(1));
}
