//! The decoy process without its sandbox, against a control that the test plays.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "this is test code"
)]

mod control;
mod service;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base_model::{Body, Sha256Digest};
use control::Control;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_arrives_in_order_and_leaves_the_disk_when_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    let mut client = TcpStream::connect(control.address).unwrap();
    client.write_all(b"say hello\n").unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello\n");
    drop(client);
    let kinds = control.events_until("disconnect").await;
    assert_eq!(kinds, ["startup", "connect", "command", "session_ended", "disconnect"]);
    assert!(control.seqs.iter().copied().eq(1..=control.seqs.len() as u64), "{:?}", control.seqs);
    control.shut_down().await;
    assert_eq!(files(folder.path(), "journal"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_a_connection_carry_its_identity() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    let mut client = TcpStream::connect(control.address).unwrap();
    let us = client.local_addr().unwrap();
    client.write_all(b"say x\n").unwrap();
    client.read_exact(&mut [0; 2]).unwrap();
    control.events_until("command").await;
    let event = control.last.clone().unwrap();
    assert_eq!(event.attacker.unwrap().to_string(), us.to_string());
    assert_eq!(event.local.unwrap().port, 7, "the claimed port, not the one bound here");
    assert_eq!((event.decky_name.as_str(), event.service.as_ref()), ("decky-01", "toy"));
    assert!(event.conn.is_some() && event.session.is_some() && event.sensor.is_none());
    control.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_its_session_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    let mut other = TcpStream::connect(control.address).unwrap();
    let mut doomed = TcpStream::connect(control.address).unwrap();
    doomed.write_all(b"panic\n").unwrap();
    assert_eq!(doomed.read_to_end(&mut Vec::new()).unwrap(), 0);
    other.write_all(b"say on\n").unwrap();
    let mut answer = [0; 3];
    other.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"on\n");
    let kinds = control.events_until("command").await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "error").count(), 1);
    assert_eq!(control.status().await.panics, 1);
    control.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_arrives_before_the_event_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    let mut client = TcpStream::connect(control.address).unwrap();
    client.write_all(b"keep 600000\n").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    control.events_until("file_captured").await;
    let blob = Sha256Digest::of(&vec![b'k'; 600_000]);
    assert_eq!(control.blobs.get(&blob).map(Vec::len), Some(600_000));
    control.shut_down().await;
    assert_eq!(files(folder.path(), "blobs"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_control_did_not_take_is_shipped_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let control = Control::start(folder.path()).await;
    let mut client = TcpStream::connect(control.address).unwrap();
    client.write_all(b"say kept\nkeep 10\n").unwrap();
    client.read_exact(&mut [0; 10]).unwrap();
    // Control goes away without having acknowledged anything.
    control.vanish().await;
    let mut control = Control::start(folder.path()).await;
    let kinds = control.events_until("disconnect").await;
    let earlier = ["startup", "connect", "command", "file_captured", "session_ended", "disconnect"];
    assert_eq!(kinds.get(..earlier.len()).unwrap(), earlier);
    assert!(control.blobs.contains_key(&Sha256Digest::of(&[b'k'; 10])));
    control.shut_down().await;
    assert_eq!((files(folder.path(), "journal"), files(folder.path(), "blobs")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_counted_exactly_in_few_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    for _ in 0..100 {
        drop(TcpStream::connect(control.address).unwrap());
    }
    let told = |control: &Control| {
        let events = control.bodies.iter().filter_map(|body| match body {
            Body::Event(event) if event.kind == "connect" => Some(event),
            _ => None,
        });
        let counts =
            events.map(|event| event.fields.get("suppressed").map_or(1, |n| n.as_u64().unwrap()));
        counts.collect::<Vec<_>>()
    };
    while told(&control).iter().sum::<u64>() < 100 {
        control.next_batch().await;
    }
    assert_eq!(told(&control).iter().sum::<u64>(), 100);
    assert!(told(&control).len() < 10, "{:?}", told(&control));
    control.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_lets_open_sessions_say_their_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    let mut client = TcpStream::connect(control.address).unwrap();
    client.write_all(b"say x\n").unwrap();
    client.read_exact(&mut [0; 2]).unwrap();
    control.send_shutdown().await;
    let kinds = control.events_until("disconnect").await;
    assert_eq!(kinds, ["startup", "connect", "command", "session_ended", "disconnect"]);
    assert!(control.bodies.iter().all(|body| matches!(body, Body::Event(_))));
    control.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_encrypted_with_a_word_before_or_without() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    for word in [&b"S"[..], b"quietly"] {
        let mut client = TcpStream::connect(control.address).unwrap();
        // What is said in the same breath is not carried over.
        client.write_all(&[b"tls ", word, b"\nsay injected\n"].concat()).unwrap();
        if word == b"S" {
            let mut answer = [0];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"S");
        }
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let mut client = connector.build().connect("host.lan", client).unwrap();
        client.write_all(b"say inside\n").unwrap();
        let mut answer = [0; 15];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"TLSv1.3\ninside\n");
    }
    let kinds = control.events_until("disconnect").await;
    let commands = kinds.iter().filter(|kind| *kind == "command").count();
    assert!(commands >= 1 && kinds.iter().any(|kind| kind == "tls_session"), "{kinds:?}");
    control.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_its_handshake_ends_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = Control::start(folder.path()).await;
    let mut other = TcpStream::connect(control.address).unwrap();
    let mut broken = TcpStream::connect(control.address).unwrap();
    broken.write_all(b"tls S\n").unwrap();
    broken.read_exact(&mut [0]).unwrap();
    broken.write_all(b"this is no handshake\n").unwrap();
    drop(broken.read_to_end(&mut Vec::new()));
    control.events_until("tls_alert").await;
    other.write_all(b"say on\n").unwrap();
    let mut answer = [0; 3];
    other.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"on\n");
    control.shut_down().await;
}

fn files(root: &std::path::Path, name: &str) -> usize {
    std::fs::read_dir(root.join(name)).unwrap().count()
}
