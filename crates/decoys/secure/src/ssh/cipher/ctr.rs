//! AES in counter mode (RFC 4344 §4).

use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};

use super::BadKeys;
use super::chain::Chain;

/// What encrypts or decrypts one direction without authenticating it.
pub(super) enum Stream {
    /// Counter mode.
    Ctr(AesCtr),
    /// Block chaining.
    Cbc(Box<dyn Chain>),
}

impl Stream {
    pub(super) fn counter(key: &[u8], iv: &[u8]) -> Result<Self, BadKeys> {
        AesCtr::new(key, iv).map(Self::Ctr)
    }

    /// Works on `bytes`, which are whole blocks.
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Ctr(cipher) => cipher.apply(bytes),
            Self::Cbc(chain) => chain.apply(bytes),
        }
    }
}

/// The key stream of one direction.
pub(super) enum AesCtr {
    Aes128(Box<Ctr128BE<Aes128>>),
    Aes192(Box<Ctr128BE<Aes192>>),
    Aes256(Box<Ctr128BE<Aes256>>),
}

impl AesCtr {
    fn new(key: &[u8], iv: &[u8]) -> Result<Self, BadKeys> {
        let wrong = |_| BadKeys;
        Ok(match key.len() {
            16 => Self::Aes128(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
            24 => Self::Aes192(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
            _ => Self::Aes256(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
        })
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Aes128(cipher) => cipher.apply_keystream(bytes),
            Self::Aes192(cipher) => cipher.apply_keystream(bytes),
            Self::Aes256(cipher) => cipher.apply_keystream(bytes),
        }
    }
}
