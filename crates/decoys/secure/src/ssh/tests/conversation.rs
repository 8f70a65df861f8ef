//! Conversations as they should be.

use super::client::{Calls, Client, NOW, connection, password_request};
use crate::ssh::numbers::*;
use crate::ssh::sign;
use crate::ssh::wire::{Put as _, Reader};
use crate::world::Outward;

#[test]
fn a_login_and_a_command_with_and_without_strict_key_exchange() {
    for strict in [true, false] {
        let mut client = Client::keyed(strict);
        client.service();
        client.password(b"a\xff\0", b"wrong");
        let failure = [&[USERAUTH_FAILURE, 0, 0, 0, 8][..], b"password", &[0]].concat();
        assert_eq!(client.receive().unwrap(), failure);
        client.password(b"a\xff\0", b"pw");
        assert_eq!(client.receive().unwrap(), [USERAUTH_SUCCESS]);
        assert_eq!(client.receive().unwrap()[0], GLOBAL_REQUEST);
        let channel = client.open(1000);
        client.exec(channel, b"echo");
        let kinds = std::iter::from_fn(|| client.receive()).map(|message| message[0]);
        let kinds: Vec<u8> = kinds.collect();
        assert_eq!(kinds, [CHANNEL_DATA, CHANNEL_EOF, CHANNEL_REQUEST, CHANNEL_CLOSE]);
        let calls = client.calls();
        assert_eq!(calls[0], "client SSH-2.0-client");
        assert!(calls.contains(&r"auth a\xff\x00 Password([112, 119])".to_owned()), "{calls:?}");
    }
}

#[test]
fn a_reply_waits_until_what_it_concerns_is_durable_and_reading_goes_on() {
    let mut client = Client::keyed(true);
    client.service();
    client.performs = false;
    client.password(b"root", b"pw");
    assert!(matches!(client.connection.outward(), Some(Outward::Emit(..))));
    assert!(client.connection.outward().is_none(), "one after the other");
    client.connection.performed(NOW);
    assert!(matches!(client.connection.outward(), Some(Outward::Commit)));
    // A message that needs no answer, while the disk is busy.
    client.send(&[IGNORE, 0, 0, 0, 0]);
    assert_eq!(client.receive(), None);
    assert!(client.connection.room() > 0);
    client.connection.performed(NOW);
    assert_eq!(client.receive().unwrap(), [USERAUTH_SUCCESS]);
}

#[test]
fn tries_that_come_at_once_are_answered_one_by_one() {
    let mut client = Client::keyed(true);
    client.service();
    client.performs = false;
    for password in [&b"one"[..], b"two", b"pw", b"four"] {
        client.send(&password_request(b"root", password));
    }
    client.connection.end_of_input(NOW);
    let auths =
        |client: &Client| client.calls().iter().filter(|call| call.starts_with("auth")).count();
    for count in 1..=3 {
        assert_eq!(auths(&client), count);
        assert!(!client.connection.is_over(), "what came is served");
        assert!(client.connection.outward().is_some());
        client.connection.performed(NOW);
        assert!(client.connection.outward().is_some());
        client.connection.performed(NOW);
    }
    assert!(client.connection.is_over());
    assert_eq!(auths(&client), 3, "none after success");
}

#[test]
fn same_seed_and_same_bytes_give_the_same_bytes_however_they_are_cut() {
    let mut client = Client::logged_in();
    let channel = client.open(100_000);
    client.exec(channel, b"cat");
    client.data(channel, &[7; 5000]);
    client.data(channel, b"more");
    client.take();
    for size in [1, 3, 1000] {
        let calls = Calls::default();
        let mut again = connection(&calls);
        let mut got = Vec::new();
        again.begin(NOW);
        for piece in client.sent.chunks(size) {
            again.receive(NOW, piece);
            while again.outward().is_some() {
                again.performed(NOW);
            }
            got.extend_from_slice(again.output());
            let count = again.output().len();
            again.sent(NOW, count);
        }
        assert!(got == client.got, "cut into pieces of {size}");
    }
}

#[test]
fn output_keeps_to_the_clients_window() {
    let mut client = Client::logged_in();
    let channel = client.open(50_000);
    client.exec(channel, b"flood");
    let mut count = 0;
    while let Some(message) = client.receive() {
        let data = Reader::new(&message[5..]).string().unwrap().len();
        assert!(data <= 32768);
        count += data;
    }
    assert_eq!(count, 50_000);
    let widen = |client: &mut Client, more: u32| {
        let mut adjust = vec![CHANNEL_WINDOW_ADJUST];
        adjust.put_u32(channel);
        adjust.put_u32(more);
        client.send(&adjust);
    };
    widen(&mut client, 10);
    let message = client.receive().unwrap();
    assert_eq!(Reader::new(&message[5..]).string().unwrap().len(), 10);
    assert_eq!(client.receive(), None);
    // The program is told to rest, and to go on.
    assert_eq!(client.calls().last().unwrap(), "full 0 true");
    widen(&mut client, 3 << 20);
    while client.receive().is_some() {}
    assert_eq!(client.calls().last().unwrap(), "full 0 false");
}

#[test]
fn input_beyond_our_window_ends_the_connection_and_taken_input_widens_it() {
    let mut client = Client::logged_in();
    let channel = client.open(u32::MAX);
    client.data(channel, b"before the program: ignored");
    client.exec(channel, b"cat");
    let mut widened = 0;
    for _ in 0..200 {
        client.data(channel, &[1; 32768]);
        while let Some(message) = client.receive() {
            if message[0] == CHANNEL_WINDOW_ADJUST {
                widened += u64::from(Reader::new(&message[5..]).u32().unwrap());
            }
        }
    }
    assert!(widened > 4 << 20);
    assert!(!client.connection.is_over());
    assert!(!client.calls().iter().any(|call| call == "data 0 27"));
    // Nobody takes the output any more, so the input is not taken either.
    for _ in 0..200 {
        client.data(channel, &[1; 32768]);
        if client.connection.is_over() {
            return;
        }
    }
    assert_eq!(client.connection.room(), 0);
}

#[test]
fn closing_a_channel_is_told_and_confirmed() {
    let mut client = Client::logged_in();
    let channel = client.open(1000);
    client.exec(channel, b"cat");
    for kind in [CHANNEL_EOF, CHANNEL_CLOSE] {
        let mut message = vec![kind];
        message.put_u32(channel);
        client.send(&message);
    }
    assert_eq!(client.receive().unwrap(), [CHANNEL_CLOSE, 0, 0, 0, 77]);
    assert_eq!(client.calls().split_off(client.calls().len() - 2), ["eof 0", "close 0"]);
    assert_eq!(client.open(1000), channel, "its number is free again");
}

#[test]
fn host_keys_are_told_and_proven() {
    let mut client = Client::keyed(true);
    client.service();
    client.password(b"root", b"pw");
    client.receive().unwrap();
    let told = client.receive().unwrap();
    let mut reader = Reader::new(&told[1..]);
    assert_eq!(reader.string().unwrap(), b"hostkeys-00@openssh.com");
    assert!(!reader.bool().unwrap());
    let mut ask = vec![GLOBAL_REQUEST];
    ask.put_string(b"hostkeys-prove-00@openssh.com");
    ask.put_bool(true);
    ask.extend_from_slice(reader.rest());
    client.send(&ask);
    let answer = client.receive().unwrap();
    assert_eq!(answer[0], REQUEST_SUCCESS);
    let mut signatures = Reader::new(&answer[1..]);
    for algorithm in ["ecdsa-sha2-nistp256", "ssh-ed25519"] {
        let blob = reader.string().unwrap();
        let mut text = Vec::new();
        for part in [&b"hostkeys-prove-00@openssh.com"[..], client.session_id(), blob] {
            text.put_string(part);
        }
        let signature = signatures.string().unwrap();
        assert!(sign::verify(algorithm, blob, signature, &text), "{algorithm}");
    }
    let mut foreign = vec![GLOBAL_REQUEST];
    foreign.put_string(b"hostkeys-prove-00@openssh.com");
    foreign.put_bool(true);
    foreign.put_string(b"not ours");
    client.send(&foreign);
    assert_eq!(client.receive().unwrap(), [REQUEST_FAILURE]);
}

#[test]
fn forwarding_and_keep_alives_get_the_answers_of_openssh() {
    let mut client = Client::logged_in();
    for kind in ["tcpip-forward", "keepalive@openssh.com", "what@example.org"] {
        let mut ask = vec![GLOBAL_REQUEST];
        ask.put_string(kind.as_bytes());
        ask.put_bool(true);
        client.send(&ask);
        assert_eq!(client.receive().unwrap(), [REQUEST_FAILURE], "{kind}");
    }
    let mut open = vec![CHANNEL_OPEN];
    open.put_string(b"x11");
    [5, 0, 0].iter().for_each(|value| open.put_u32(*value));
    client.send(&open);
    let refused = client.receive().unwrap();
    let expected =
        [&[CHANNEL_OPEN_FAILURE, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 11][..], b"open failed"];
    assert!(refused.starts_with(&expected.concat()));
}
