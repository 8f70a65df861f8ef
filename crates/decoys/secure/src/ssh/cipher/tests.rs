//! Every pair of cipher and MAC carries packets and notices tampering; RFC vectors for what ring
//! and RustCrypto do are theirs, OpenSSH's client is the proof for the rest.

use chacha20::ChaCha12Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::ssh::offer;
use crate::ssh::packet::{Fault, Inbound, Outbound};

fn keys(cipher: &str, mac: &str) -> Keys {
    let (cipher, mac) = (Cipher::find(cipher).unwrap(), Mac::find(mac).unwrap());
    Keys {
        cipher,
        mac,
        iv: vec![3; cipher.iv()],
        key: vec![4; cipher.key()],
        mac_key: vec![5; mac.key()],
    }
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    // The oldest has them all.
    let offer = offer::of("OpenSSH_7.4");
    offer.ciphers.iter().flat_map(|cipher| offer.macs.iter().map(|mac| (*cipher, *mac)))
}

#[test]
fn packets_of_all_sizes_come_back_under_every_cipher_and_mac() {
    for (cipher, mac) in pairs() {
        let keys = keys(cipher, mac);
        let (mut outbound, mut inbound) = (Outbound::new(), Inbound::new());
        outbound.rekey(Sealer::new(&keys).unwrap(), false, false);
        inbound.rekey(Opener::new(&keys).unwrap(), false, false);
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let mut payload = Vec::new();
        for length in (1..70).chain([1023, 1024, 1025, 35_000, 200_000]) {
            let sent = vec![0x5a; length];
            let mut out = Vec::new();
            outbound.put(&sent, &mut rng, &mut out);
            // Cut into pieces, as a network may.
            for piece in out.chunks(if length < 70 { 1 } else { 999 }) {
                assert_eq!(inbound.take(&mut payload), Ok(None), "{cipher} {mac}");
                inbound.push(piece);
            }
            assert!(inbound.take(&mut payload).unwrap().is_some(), "{cipher} {mac}");
            assert!(payload == sent, "{cipher} {mac} {length}");
            assert_eq!(inbound.waiting(), 0);
        }
    }
}

#[test]
fn a_changed_bit_is_noticed_under_every_cipher_and_mac() {
    for (cipher, mac) in pairs() {
        let keys = keys(cipher, mac);
        let mut outbound = Outbound::new();
        outbound.rekey(Sealer::new(&keys).unwrap(), false, false);
        let mut out = Vec::new();
        outbound.put(b"some payload", &mut ChaCha12Rng::from_seed([1; 32]), &mut out);
        for at in 0..out.len() {
            let mut changed = out.clone();
            changed[at] ^= 0x10;
            let mut inbound = Inbound::new();
            inbound.rekey(Opener::new(&keys).unwrap(), false, false);
            inbound.push(&changed);
            let taken = inbound.take(&mut Vec::new());
            let refused = matches!(taken, Err(Fault::Mac | Fault::Length));
            // A longer length only makes it wait.
            assert!(refused || (at < 4 && taken == Ok(None)), "{cipher} {mac} {at} {taken:?}");
        }
    }
}
