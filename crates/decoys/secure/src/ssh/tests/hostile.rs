//! Rubbish at every stage: nothing panics, loops or grows without bound.

use proptest::prelude::*;

use super::client::{Calls, Client, NOW, connection, kexinit};
use crate::ssh::numbers::*;
use crate::ssh::wire::Put as _;

/// Most output that a connection may hold for a client that reads nothing.
const MAX_OUTPUT: usize = 8 << 20;

/// A message of a plausible kind with implausible content.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![
        4 => prop::sample::select(vec![
            SERVICE_REQUEST, KEXINIT, NEWKEYS, KEX_INIT, KEX_GEX_REQUEST, USERAUTH_REQUEST,
            USERAUTH_INFO_RESPONSE, GLOBAL_REQUEST, CHANNEL_OPEN, CHANNEL_WINDOW_ADJUST,
            CHANNEL_DATA, CHANNEL_EXTENDED_DATA, CHANNEL_EOF, CHANNEL_CLOSE, CHANNEL_REQUEST,
        ]),
        1 => any::<u8>(),
    ];
    let part = prop_oneof![
        prop::sample::select(vec![
            "session",
            "direct-tcpip",
            "exec",
            "shell",
            "pty-req",
            "env",
            "subsystem",
            "cat",
            "flood",
            "ssh-userauth",
            "ssh-connection",
            "password",
            "publickey",
            "keyboard-interactive",
            "root",
            "pw",
            "hostkeys-prove-00@openssh.com",
        ])
        .prop_map(|text| {
            let mut out = Vec::new();
            out.put_string(text.as_bytes());
            out
        }),
        (0_u32..4).prop_map(|number| number.to_be_bytes().to_vec()),
        any::<u32>().prop_map(|number| number.to_be_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
        Just(vec![1]),
        Just(kexinit("curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha1")[1..].to_vec()),
    ];
    (kinds, prop::collection::vec(part, 0..8))
        .prop_map(|(kind, parts)| [vec![kind], parts.concat()].concat())
}

fn leave(client: &mut Client) {
    client.connection.end_of_input(NOW);
    client.connection.close(NOW, false);
    while client.connection.last_outward().is_some() {}
    assert_eq!(client.calls().last().map(String::as_str), Some("end"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn bytes_before_keys(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        ident in any::<bool>(),
        size in 1_usize..100,
    ) {
        let calls = Calls::default();
        let mut connection = connection(&calls);
        connection.begin(NOW);
        let bytes = if ident { [b"SSH-2.0-x\r\n", &bytes[..]].concat() } else { bytes };
        for piece in bytes.chunks(size) {
            if connection.is_over() {
                break;
            }
            connection.receive(NOW, piece);
        }
        connection.end_of_input(NOW);
        prop_assert!(connection.output().len() < 10_000);
    }

    #[test]
    fn messages_before_keys(messages in prop::collection::vec(message(), 0..20)) {
        let mut client = Client::new();
        for message in messages {
            if client.connection.is_over() {
                break;
            }
            client.send(&message);
        }
        leave(&mut client);
    }

    #[test]
    fn messages_before_login(messages in prop::collection::vec(message(), 0..20), strict in any::<bool>()) {
        let mut client = Client::keyed(strict);
        client.service();
        for message in messages {
            if client.connection.is_over() {
                break;
            }
            client.send(&message);
        }
        leave(&mut client);
    }

    #[test]
    fn messages_after_login(messages in prop::collection::vec(message(), 0..60), reads in any::<bool>()) {
        let mut client = Client::logged_in();
        let channel = client.open(100_000);
        client.exec(channel, b"cat");
        for message in messages {
            if client.connection.is_over() {
                break;
            }
            client.send(&message);
            if reads {
                client.take();
            }
            prop_assert!(client.connection.output().len() < MAX_OUTPUT);
        }
        leave(&mut client);
    }
}
