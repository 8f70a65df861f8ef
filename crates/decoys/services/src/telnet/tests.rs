//! Rules that transcripts do not show.

use decoys_host::HostHandle;
use decoys_kit::transcript::Stage;
use decoys_kit::{Effect, Settings, StreamReply};

use super::SERVICE;

type Acts = Vec<Effect<StreamReply>>;

/// What a client that answers nothing but the least says.
const ANSWERS: &[u8] =
    b"\xff\xfb\x18\xff\xfc\x20\xff\xfc\x23\xff\xfc\x27\xff\xfa\x18\x00vt100\xff\xf0\xff\xfc\x01";

fn open(host: HostHandle) -> Stage {
    Stage::open(&SERVICE, host, Settings::default()).unwrap().0
}

fn host() -> HostHandle {
    decoys_host::testing::host(1, "debian")
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

fn log_in(stage: &mut Stage) -> String {
    stage.bytes(ANSWERS);
    stage.bytes(b"root\r\0");
    said(&stage.bytes(b"toor\r\0"))
}

#[test]
fn a_login_leads_to_the_shell_that_ssh_has() {
    let host = host();
    let mut stage = open(host.clone());
    assert!(log_in(&mut stage).contains("root@SRV-ALPHA-11:~#"));
    let acts = stage.bytes(b"echo left > /tmp/x; tty; ps -ef | grep -c '[i]n.telnetd'\r\0");
    let text = said(&acts);
    assert!(text.contains("/dev/pts/0\r\n1\r\n"), "{text}");
    let told = |name: &str| {
        acts.iter().any(|act| matches!(act, Effect::Emit(_, fact) if fact.kind().name == name))
    };
    assert!(told("command") && told("file_captured"));
    let mut next = open(host);
    log_in(&mut next);
    assert!(said(&next.bytes(b"cat /tmp/x\r\0")).contains("left\r\n"));
}

#[test]
fn what_was_typed_is_durable_before_its_output() {
    let mut stage = open(host());
    log_in(&mut stage);
    let acts = stage.bytes(b"id\r\0");
    let place = |want: &dyn Fn(&Effect<StreamReply>) -> bool| acts.iter().position(want).unwrap();
    let told = place(&|act| matches!(act, Effect::Emit(_, fact) if fact.kind().name == "command"));
    let output = place(
        &|act| matches!(act, Effect::Reply(StreamReply::Data(bytes)) if bytes.windows(4).any(|w| w == b"uid=")),
    );
    let commit =
        acts.iter().skip(told).position(|act| matches!(act, Effect::Commit)).unwrap() + told;
    assert!(told < commit && commit < output);
}

#[test]
fn a_window_that_changes_is_in_the_recording() {
    let mut stage = open(host());
    log_in(&mut stage);
    stage.bytes(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x84\x00\x2b\xff\xf0");
    let lines = recorded(&stage.close());
    assert!(lines.contains(r#""ch":"r","d":"132x43""#), "{lines}");
}

fn recorded(acts: &Acts) -> String {
    let lines = acts.iter().filter_map(|act| match act {
        Effect::Record(piece) => Some(piece.lines.clone()),
        _ => None,
    });
    lines.collect()
}

#[test]
fn the_session_is_recorded_without_telnet_in_it() {
    let mut stage = open(host());
    log_in(&mut stage);
    stage.bytes(b"echo \xff\xff\xff\xf1A\r\0");
    let acts = stage.close();
    let lines = recorded(&acts);
    let ended = |act: &Effect<StreamReply>| matches!(act, Effect::Emit(_, fact) if fact.kind().name == "session_recorded");
    assert!(acts.iter().any(ended));
    assert!(!lines.contains("\\u0000"), "{lines}");
}

#[test]
fn five_refusals_end_it() {
    let mut stage = open(host());
    stage.bytes(ANSWERS);
    for n in 1..=5 {
        stage.bytes(b"root\r\0nope\r\0");
        let acts = stage.wait(4);
        let text = said(&acts);
        assert!(text.contains("Login incorrect\r\n"), "{text}");
        let closed = acts.iter().any(|act| matches!(act, Effect::Reply(StreamReply::Close)));
        assert_eq!(closed, n == 5, "{text}");
    }
}

#[test]
fn no_order_of_bytes_panics_or_grows() {
    proptest::proptest!(|(bytes in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::strategy::Just(255_u8),
            250..=255_u8,
            0..40_u8,
            proptest::num::u8::ANY,
        ], 0..400))| {
        let mut stage = open(host());
        stage.bytes(ANSWERS);
        stage.bytes(&bytes);
        stage.wait(100);
        stage.close();
    });
}
