//! Changing keys on a connection in use.

use super::client::Client;
use crate::ssh::numbers::*;
use crate::ssh::wire::Put as _;

#[test]
fn a_client_changes_keys_while_a_program_runs() {
    let mut client = Client::logged_in();
    let channel = client.open(1 << 20);
    client.exec(channel, b"cat");
    for round in 0..3 {
        client.rekey();
        client.data(channel, format!("round {round}").as_bytes());
        let message = client.receive().unwrap();
        assert!(message.ends_with(format!("round {round}").as_bytes()));
    }
}

#[test]
fn worn_out_keys_are_changed_and_what_was_to_be_sent_meanwhile_comes_after() {
    let mut client = Client::logged_in();
    let channel = client.open(1 << 20);
    client.exec(channel, b"cat");
    client.connection.wear_out();
    client.data(channel, b"first");
    let first = client.receive().unwrap();
    assert_eq!(first[0], KEXINIT, "the server begins");
    client.data(channel, b"second");
    assert_eq!(client.receive(), None, "nothing else is sent");
    client.exchange(&first, true);
    let mut text = Vec::new();
    while let Some(message) = client.receive() {
        assert_eq!(message[0], CHANNEL_DATA);
        text.extend_from_slice(&message[9..]);
    }
    assert_eq!(text, b"firstsecond");
}

#[test]
fn messages_of_the_exchange_out_of_turn_are_not_understood() {
    let mut client = Client::logged_in();
    for kind in [NEWKEYS, KEX_INIT, KEX_REPLY, KEX_GEX_INIT] {
        client.send(&[kind]);
        assert_eq!(client.receive().unwrap()[0], UNIMPLEMENTED, "{kind}");
    }
    let mut unknown = vec![150];
    unknown.put_u32(1);
    client.send(&unknown);
    assert_eq!(client.receive().unwrap()[0], UNIMPLEMENTED);
}
