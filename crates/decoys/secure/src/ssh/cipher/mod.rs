//! Protection of packets (RFC 4253 §6): from framed plaintext to what is on the wire, and back.
//!
//! A packet is a length, the length of its padding, payload, padding, and a tag. What is
//! encrypted and what the tag covers depends on the cipher:
//!
//! | | length | tag over |
//! | --- | --- | --- |
//! | before keys | clear | no tag |
//! | counter mode, block chaining | encrypted | number and plaintext |
//! | those with encrypt-then-MAC | clear | number, length and ciphertext |
//! | GCM | clear | length and ciphertext |
//! | ChaCha20-Poly1305 | encrypted by a key of its own | length and ciphertext |

mod chain;
mod ctr;
mod mac;
mod open;
mod seal;
mod umac;

pub(super) use open::{Opener, Opening};
pub(super) use seal::Sealer;

use super::suite::{Cipher, Mac};

/// Keys of one direction.
pub(super) struct Keys {
    pub(super) cipher: Cipher,
    pub(super) mac: Mac,
    pub(super) iv: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) mac_key: Vec<u8>,
}

/// Keys of the wrong size; a bug.
#[derive(Debug, thiserror::Error)]
#[error("failed to key cipher")]
pub(super) struct BadKeys;

/// The nonces of GCM (RFC 5647 §7.1): four fixed bytes and a counter of packets.
struct GcmNonce {
    fixed: [u8; 4],
    counter: u64,
}

impl GcmNonce {
    fn new(iv: &[u8]) -> Result<Self, BadKeys> {
        let (fixed, counter) = iv.split_first_chunk::<4>().ok_or(BadKeys)?;
        let counter = <[u8; 8]>::try_from(counter).map_err(|_| BadKeys)?;
        Ok(Self { fixed: *fixed, counter: u64::from_be_bytes(counter) })
    }

    fn next(&mut self) -> ring::aead::Nonce {
        let mut nonce = [0; 12];
        let bytes = self.fixed.into_iter().chain(self.counter.to_be_bytes());
        nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        self.counter = self.counter.wrapping_add(1);
        ring::aead::Nonce::assume_unique_for_key(nonce)
    }
}

fn gcm_key(key: &[u8]) -> Result<ring::aead::LessSafeKey, BadKeys> {
    let algorithm = match key.len() {
        16 => &ring::aead::AES_128_GCM,
        32 => &ring::aead::AES_256_GCM,
        _ => return Err(BadKeys),
    };
    let key = ring::aead::UnboundKey::new(algorithm, key).map_err(|_| BadKeys)?;
    Ok(ring::aead::LessSafeKey::new(key))
}

#[cfg(test)]
mod tests;
