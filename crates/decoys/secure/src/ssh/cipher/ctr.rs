//! AES in counter mode (RFC 4344 §4).

use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};

use super::BadKeys;

/// The key stream of one direction.
pub(super) enum AesCtr {
    Aes128(Box<Ctr128BE<Aes128>>),
    Aes192(Box<Ctr128BE<Aes192>>),
    Aes256(Box<Ctr128BE<Aes256>>),
}

impl AesCtr {
    pub(super) fn new(key: &[u8], iv: &[u8]) -> Result<Self, BadKeys> {
        let wrong = |_| BadKeys;
        Ok(match key.len() {
            16 => Self::Aes128(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
            24 => Self::Aes192(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
            _ => Self::Aes256(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
        })
    }

    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Aes128(cipher) => cipher.apply_keystream(bytes),
            Self::Aes192(cipher) => cipher.apply_keystream(bytes),
            Self::Aes256(cipher) => cipher.apply_keystream(bytes),
        }
    }
}
