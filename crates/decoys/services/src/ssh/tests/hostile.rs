//! Hostile clients: nothing panics, blocks or grows without bound.

use std::time::{Duration, Instant};

use decoys_kit::ssh::{AuthTry, Channel, ChannelOpen, ChannelRequest};
use proptest::prelude::*;

use super::dialogue::Client;
use decoys_host::testing;

/// Most output any hostile line may cause.
const MAX_OUTPUT: usize = 6 * 1024 * 1024;

/// Runs `line` on a thread with the stack of a worker.
fn survives(line: Vec<u8>) -> (usize, Duration) {
    let work = move || {
        let host = testing::host(1, "debian");
        let mut client = Client::logged_in(&host, "root", "toor");
        let started = Instant::now();
        let output = client.exec(0, &line);
        let after = client.exec(1, b"echo alive");
        assert_eq!(after, b"alive\n", "{}", line[..line.len().min(80)].escape_ascii());
        (output.len(), started.elapsed())
    };
    std::thread::Builder::new().stack_size(1536 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn bombs_and_floods_end() {
    let nested =
        |open: &str, close: &str| [open.repeat(10_000), "a".into(), close.repeat(10_000)].concat();
    let lines: Vec<Vec<u8>> = [
        ":(){ :|:& };:",
        "while true; do :; done",
        "while :; do echo flood; done",
        "yes",
        "yes | cat > /tmp/x; ls -l /tmp/x",
        "cat /dev/zero",
        "cat /dev/urandom > /tmp/fill",
        "head -c 1G /dev/zero > /dev/shm/big; cat /dev/shm/big",
        "f() { f; }; f",
        "f() { f | f; }; f",
        "f() { echo $(f); }; f",
        "x=a; while :; do x=$x$x; done",
        "for i in {1..4000}; do for j in {1..4000}; do :; done; done",
        "echo {1..99}{1..99}{1..99}",
        "i=0; while :; do i=$((i+1)); mkdir /tmp/d$i; done",
        "echo x > /tmp/s; while :; do cat /tmp/s /tmp/s > /tmp/t; cat /tmp/t /tmp/t > /tmp/s; done",
        "ln -s a /tmp/b; ln -s b /tmp/a; cat /tmp/a",
        "echo 'sh $0' > /tmp/r; sh /tmp/r",
        "echo 'sh $0 & sh $0' > /tmp/r; sh /tmp/r",
        "eval eval eval eval echo",
        "e='eval $e'; eval $e",
        "printf '%99999999s' x | wc -c",
        "seq 1 99999999999",
        "sleep 99999999999999999999",
        "grep -r . / | head -c 100000 | wc -c",
        "ls -laR / | wc -l",
        "tail -f /var/log/syslog",
        "exec 3>&1 4>&3 5>&4; echo a >&5",
        "busybox busybox busybox sh -c 'busybox sh'",
        "sudo sudo sudo su -c 'sudo id'",
        "cat <<A <<B <<C\n1\nA\n2\nB\n3\nC",
        "a=$((((((((((((((((((((1))))))))))))))))))))",
        "case a in $(case a in $(echo a)) echo b;; esac) echo c;; esac",
    ]
    .iter()
    .map(|line| line.as_bytes().to_vec())
    .chain([
        nested("$(", ")").into_bytes(),
        nested("(", ")").into_bytes(),
        nested("{ ", ";}").into_bytes(),
        nested("`", "`").into_bytes(),
        nested("if ", ";fi").into_bytes(),
        nested("\"$(", ")\"").into_bytes(),
        vec![b'a'; 60_000],
        vec![0; 4000],
        b"echo \xff\xfe\x00 \x80; \xf0\x28".to_vec(),
        [&b"echo "[..], &b"* ".repeat(3000)].concat(),
        [&b"ls "[..], &b"/*/*/*/*/../../*/* ".repeat(20)].concat(),
    ])
    .collect();
    for line in lines {
        let shown = line[..line.len().min(60)].escape_ascii().to_string();
        let (output, time) = survives(line);
        assert!(output <= MAX_OUTPUT, "{shown}: {output} bytes");
        // It ends by its own limits; a machine that is busy with other things takes its time.
        assert!(time < Duration::from_secs(90), "{shown}: {time:?}");
    }
}

#[test]
fn a_terminal_survives_rubbish() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.open(0);
    client.pty(0, "vt100");
    client.request(0, ChannelRequest::Shell);
    for round in 0..200_u32 {
        let bytes: Vec<u8> = (0..300_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> (round % 23)).to_le_bytes()[0])
            .collect();
        client.send(0, &bytes);
        client.wait(Duration::from_millis(300));
    }
    client.send(0, b"\x03\x15\x03");
    client.send(0, &b"a".repeat(300_000));
    client.send(0, b"\x03");
    client.send(0, b"echo alive\r");
    client.wait(Duration::from_secs(100));
    assert!(client.output(0).len() < 8 * MAX_OUTPUT);
}

#[test]
fn an_upload_larger_than_the_disk_is_refused_and_bounded() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.open(0);
    client.request(0, ChannelRequest::Exec(b"scp -t /tmp/big".to_vec()));
    client.send(0, b"C0644 104857600 big\n");
    let block = vec![7; 64 * 1024];
    for _ in 0..1600 {
        client.send(0, &block);
    }
    client.send(0, b"\0");
    client.eof(0);
    let answer = String::from_utf8_lossy(&client.output(0)).into_owned();
    assert!(answer.contains("No space left on device"), "{answer}");
    assert!(host.snapshot().len() < 80 * 1024 * 1024);
    assert!(client.facts().iter().any(|fact| fact.starts_with("file_skipped")));
}

fn event() -> impl Strategy<Value = (u8, u32, Vec<u8>)> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        prop::sample::select(vec![
            "id",
            "scp -t /tmp",
            "scp -f /etc/passwd",
            "cat",
            "C0644 5 a\n",
            "\0",
            "\r",
            "sh",
            "read x; echo $x",
            "\u{3}",
            "\u{4}",
            "sleep 1",
            "D0755 0 a\nE\n",
            "\0\0\0\u{5}\u{1}\0\0\0\u{3}",
            "sftp",
            "LANG",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (0_u8..16, 0_u32..4, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_events_panics(events in prop::collection::vec(event(), 0..60), login in any::<bool>()) {
        let host = testing::host(1, "debian");
        let mut client = Client::on(&host);
        if login {
            client.password("root", "toor");
        }
        for (kind, channel, bytes) in events {
            let c = Channel(channel);
            match kind {
                0 => client.step(|s, cx| s.on_auth(cx, &bytes, AuthTry::Password(bytes.clone()))),
                1 => client.step(|s, cx| s.on_auth(cx, &bytes, AuthTry::KeyboardInteractive(vec![bytes.clone()]))),
                2 => client.open(channel),
                3 => client.step(|s, cx| s.on_channel_open(cx, c, ChannelOpen::DirectTcpip { host: bytes.clone(), port: channel })),
                4 => client.request(channel, ChannelRequest::Pty { term: bytes, size: (u32::MAX, 0), modes: vec![] }),
                5 => client.request(channel, ChannelRequest::Env { name: bytes.clone(), value: bytes }),
                6 => client.request(channel, ChannelRequest::Shell),
                7 => client.request(channel, ChannelRequest::Exec(bytes)),
                8 => client.request(channel, ChannelRequest::Subsystem(bytes)),
                9 => client.request(channel, ChannelRequest::WindowChange(channel, u32::MAX)),
                10 => client.request(channel, ChannelRequest::Signal(bytes)),
                11 => client.eof(channel),
                12 => client.step(|s, cx| s.on_channel_close(cx, c)),
                13 => client.wait(Duration::from_secs(3)),
                _ => client.send(channel, &bytes),
            }
        }
        client.step(|s, cx| s.on_close(cx));
        prop_assert_eq!(client.session.poll_timeout(), None);
    }
}
