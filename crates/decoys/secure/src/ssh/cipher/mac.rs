//! Tags of packets under counter mode.

use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::BadKeys;
use super::umac::Umac;
use crate::ssh::suite::{Mac, MacKind};

/// A keyed MAC.
pub(super) enum Tagger {
    Hmac(hmac::Key),
    Umac(Box<Umac>),
}

impl Tagger {
    pub(super) fn new(mac: Mac, key: &[u8]) -> Result<Self, BadKeys> {
        let algorithm = match mac.kind {
            MacKind::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            MacKind::Sha256 => hmac::HMAC_SHA256,
            MacKind::Sha512 => hmac::HMAC_SHA512,
            MacKind::Umac64 | MacKind::Umac128 => {
                let key = key.try_into().map_err(|_| BadKeys)?;
                return Ok(Self::Umac(Box::new(Umac::new(key, mac.tag()))));
            }
        };
        Ok(Self::Hmac(hmac::Key::new(algorithm, key)))
    }

    /// The tag of packet number `number`.
    pub(super) fn sign(&self, number: u32, packet: &[u8]) -> Vec<u8> {
        match self {
            Self::Hmac(key) => {
                let mut context = hmac::Context::with_key(key);
                context.update(&number.to_be_bytes());
                context.update(packet);
                context.sign().as_ref().to_vec()
            }
            Self::Umac(umac) => {
                let mut tag = Vec::with_capacity(16);
                umac.sign(u64::from(number), packet, &mut tag);
                tag
            }
        }
    }

    pub(super) fn verify(&self, number: u32, packet: &[u8], tag: &[u8]) -> bool {
        self.sign(number, packet).ct_eq(tag).into()
    }
}
