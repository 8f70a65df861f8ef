//! Broken clients get what Debian 12's `sshd` gives them.

use super::client::{Client, kexinit};
use crate::ssh::numbers::*;
use crate::ssh::wire::{Put as _, Reader};

const KEX: &str = "curve25519-sha256";
const STRICT: &str = "curve25519-sha256,kex-strict-c-v00@openssh.com";

/// What a client gets that sends `messages` after its identification string.
#[derive(Debug, PartialEq)]
enum Fate {
    /// The connection is closed without a word.
    Closed,
    /// It is told why.
    Told(String),
    /// It goes on, after so many messages that are not understood.
    On(usize),
}

fn fate(client: &mut Client) -> Fate {
    let mut ignored = 0;
    while let Some(message) = client.receive() {
        match message[0] {
            DISCONNECT => {
                let mut reader = Reader::new(&message[1..]);
                assert_eq!(reader.u32(), Ok(2));
                return Fate::Told(reader.name().unwrap().to_owned());
            }
            UNIMPLEMENTED => ignored += 1,
            other => panic!("message {other}"),
        }
    }
    if client.connection.is_over() { Fate::Closed } else { Fate::On(ignored) }
}

fn meet(messages: &[&[u8]]) -> Fate {
    let mut client = Client::new();
    assert_eq!(client.receive().unwrap()[0], KEXINIT);
    for message in messages {
        if client.connection.is_over() {
            break;
        }
        client.send(message);
    }
    fate(&mut client)
}

fn good() -> Vec<u8> {
    kexinit(KEX, "ssh-ed25519", "aes128-ctr", "hmac-sha1")
}

fn strict() -> Vec<u8> {
    kexinit(STRICT, "ssh-ed25519", "aes128-ctr", "hmac-sha1")
}

#[test]
fn faults_of_the_first_key_exchange() {
    let told = |text: &str| Fate::Told(text.to_owned());
    assert_eq!(meet(&[&kexinit("foo", "ssh-ed25519", "aes128-ctr", "hmac-sha1")]), Fate::Closed);
    assert_eq!(meet(&[&kexinit(KEX, "foo", "aes128-ctr", "hmac-sha1")]), Fate::Closed);
    assert_eq!(meet(&[&kexinit(KEX, "ssh-ed25519", "foo", "hmac-sha1")]), Fate::Closed);
    assert_eq!(meet(&[&good()[..40]]), Fate::Closed);
    assert_eq!(meet(&[&[&good()[..], b"xx"].concat()]), Fate::Closed);
    assert_eq!(meet(&[b""]), Fate::Closed);
    assert_eq!(meet(&[&[0]]), told("Invalid ssh2 packet type: 0"));
    assert_eq!(meet(&[&[255]]), told("Invalid ssh2 packet type: 255"));
    assert_eq!(meet(&[&[SERVICE_REQUEST]]), Fate::On(1));
    assert_eq!(meet(&[&[USERAUTH_REQUEST]]), Fate::Closed);
    assert_eq!(meet(&[&good(), &[CHANNEL_OPEN]]), Fate::Closed);
    assert_eq!(meet(&[&good(), &[KEX_REPLY]]), Fate::On(1));
    assert_eq!(meet(&[&good(), &good()]), Fate::On(1));
    assert_eq!(meet(&[&good(), &[NEWKEYS]]), Fate::On(1));
    let mut bad = vec![KEX_INIT];
    bad.put_string(&[0; 32]);
    assert_eq!(meet(&[&good(), &bad]), Fate::Closed);
    assert_eq!(meet(&[&[IGNORE, 0, 0, 0, 0], &good()]), Fate::On(0));
    let bye = [&[DISCONNECT, 0, 0, 0, 11, 0, 0, 0, 3][..], b"bye", &[0; 4]].concat();
    assert_eq!(meet(&[&bye]), Fate::Closed);
}

#[test]
fn faults_against_strictness() {
    let told = |text: &str| Fate::Told(text.to_owned());
    assert_eq!(
        meet(&[&strict(), &[IGNORE, 0, 0, 0, 0]]),
        told("strict KEX violation: unexpected packet type 2 (seqnr 1)")
    );
    assert_eq!(
        meet(&[&[IGNORE, 0, 0, 0, 0], &strict()]),
        told("strict KEX violation: KEXINIT was not the first packet")
    );
    assert_eq!(meet(&[&strict(), &[CHANNEL_OPEN]]), Fate::Closed);
    // Up to the client's keys, though ours are in use.
    let agreed = |lists: Vec<u8>, last: &[u8]| {
        let mut client = Client::new();
        client.receive().unwrap();
        client.send(&lists);
        client.send(&public());
        assert_eq!(client.receive().unwrap()[0], KEX_REPLY);
        assert_eq!(client.receive().unwrap(), [NEWKEYS]);
        client.send(last);
        (client.calls(), client.connection.is_over())
    };
    assert!(agreed(strict(), &[IGNORE, 0, 0, 0, 0]).1);
    assert!(!agreed(good(), &[IGNORE, 0, 0, 0, 0]).1);
    let mut service = vec![SERVICE_REQUEST];
    service.put_string(b"ssh-userauth");
    assert!(agreed(strict(), &service).1);
    let (calls, over) = agreed(good(), &super::client::password_request(b"root", b"pw"));
    assert!(over && !calls.iter().any(|call| call.starts_with("auth")));
}

fn public() -> Vec<u8> {
    let mut message = vec![KEX_INIT];
    message.put_string(&[9; 32]);
    message
}

#[test]
fn a_wrong_guess_is_passed_over() {
    let mut lists =
        kexinit("ecdh-sha2-nistp256,curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha1");
    let first = lists.len() - 5;
    let guess = [&[KEX_INIT][..], &[0, 0, 0, 1, 4]].concat();
    assert_eq!(meet(&[&lists, &guess]), Fate::Closed, "it did not say that it guesses");
    lists[first] = 1;
    assert_eq!(meet(&[&lists, &guess]), Fate::On(0));
    assert_eq!(meet(&[&lists, &guess, &guess]), Fate::Closed);
}

#[test]
fn faults_of_lengths_and_tags() {
    for bytes in [[0; 16], [0x7f; 16]] {
        let mut client = Client::new();
        client.receive().unwrap();
        client.write(&bytes);
        assert_eq!(fate(&mut client), Fate::Closed);
    }
    let mut client = Client::logged_in();
    client.write(&[0, 0, 0, 16]);
    client.write(&[1; 24]);
    assert_eq!(fate(&mut client), Fate::Closed);
}

#[test]
fn faults_before_and_after_login() {
    let told = |text: &str| Fate::Told(text.to_owned());
    let mut client = Client::keyed(false);
    client.send(&super::client::password_request(b"root", b"pw"));
    assert_eq!(fate(&mut client), Fate::On(1), "the service was not asked for");
    let mut other = vec![SERVICE_REQUEST];
    other.put_string(b"ssh-connection");
    client.send(&other);
    assert_eq!(fate(&mut client), told("bad service request ssh-connection"));

    let after = |message: &[u8]| {
        let mut client = Client::logged_in();
        client.send(message);
        fate(&mut client)
    };
    assert_eq!(after(&super::client::password_request(b"root", b"pw")), Fate::On(1));
    assert_eq!(after(&[USERAUTH_INFO_RESPONSE, 0, 0, 0, 0]), Fate::On(1));
    let on_nothing = |kind: u8| {
        let mut message = vec![kind];
        message.put_u32(7);
        message.put_string(b"x");
        after(&message)
    };
    assert_eq!(on_nothing(CHANNEL_DATA), told("data packet referred to nonexistent channel 7"));
    assert_eq!(on_nothing(CHANNEL_CLOSE), told("oclose packet referred to nonexistent channel 7"));
    assert_eq!(on_nothing(CHANNEL_REQUEST), told("server_input_channel_req: unknown channel 7"));
}

#[test]
fn no_session_opens_after_the_client_forswore_more() {
    let mut client = Client::logged_in();
    client.open(1000);
    let mut no_more = vec![GLOBAL_REQUEST];
    no_more.put_string(b"no-more-sessions@openssh.com");
    no_more.put_bool(false);
    client.send(&no_more);
    let mut open = vec![CHANNEL_OPEN];
    open.put_string(b"session");
    [1, 0, 0].iter().for_each(|value| open.put_u32(*value));
    client.send(&open);
    let text = "Possible attack: attempt to open a session after additional sessions disabled";
    assert_eq!(fate(&mut client), Fate::Told(text.to_owned()));
}
