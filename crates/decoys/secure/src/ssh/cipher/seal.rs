//! Sealing packets.

use ring::aead::chacha20_poly1305_openssh::SealingKey;
use ring::aead::{Aad, LessSafeKey};

use super::chain;
use super::ctr::Stream;
use super::mac::Tagger;
use super::{BadKeys, GcmNonce, Keys, gcm_key};
use crate::ssh::suite::Cipher;

/// Protects what we send.
pub(in crate::ssh) enum Sealer {
    /// Before keys.
    Clear,
    ChaCha(Box<SealingKey>),
    Gcm(Box<(LessSafeKey, GcmSealing)>),
    Ctr(Box<CtrSealing>),
}

pub(in crate::ssh) struct GcmSealing(GcmNonce);

pub(in crate::ssh) struct CtrSealing {
    cipher: Stream,
    block: usize,
    mac: Tagger,
    etm: bool,
}

impl Sealer {
    pub(in crate::ssh) fn new(keys: &Keys) -> Result<Self, BadKeys> {
        Ok(match keys.cipher {
            Cipher::ChaCha20Poly1305 => {
                let key = keys.key.as_slice().try_into().map_err(|_| BadKeys)?;
                Self::ChaCha(Box::new(SealingKey::new(key)))
            }
            Cipher::AesGcm(_) => {
                let nonce = GcmSealing(GcmNonce::new(&keys.iv)?);
                Self::Gcm(Box::new((gcm_key(&keys.key)?, nonce)))
            }
            Cipher::AesCtr(_) | Cipher::Cbc(_) => Self::Ctr(Box::new(CtrSealing {
                cipher: match keys.cipher {
                    Cipher::Cbc(block) => {
                        Stream::Cbc(chain::encryptor(block, &keys.key, &keys.iv)?)
                    }
                    _ => Stream::counter(&keys.key, &keys.iv)?,
                },
                block: match keys.cipher {
                    Cipher::Cbc(block) => block.size(),
                    _ => 16,
                },
                mac: Tagger::new(keys.mac, &keys.mac_key)?,
                etm: keys.mac.etm,
            })),
        })
    }

    /// The size whose multiple the protected part of a packet is.
    pub(in crate::ssh) const fn block(&self) -> usize {
        match self {
            Self::Clear | Self::ChaCha(_) => 8,
            Self::Gcm(_) => 16,
            Self::Ctr(sealing) => sealing.block,
        }
    }

    /// Bytes of the length field that the padding does not count.
    pub(in crate::ssh) const fn uncounted(&self) -> usize {
        match self {
            Self::Clear => 0,
            Self::ChaCha(_) | Self::Gcm(_) => 4,
            Self::Ctr(sealing) => {
                if sealing.etm {
                    4
                } else {
                    0
                }
            }
        }
    }

    /// Protects the packet that begins at `start` of `out` with its length field, appending its tag.
    pub(in crate::ssh) fn seal(&mut self, number: u32, out: &mut Vec<u8>, start: usize) {
        let Some(packet) = out.get_mut(start..) else { return };
        match self {
            Self::Clear => {}
            Self::ChaCha(key) => {
                let mut tag = [0; 16];
                key.seal_in_place(number, packet, &mut tag);
                out.extend(tag);
            }
            Self::Gcm(gcm) => {
                let (key, nonce) = &mut **gcm;
                let Some((length, rest)) = packet.split_first_chunk_mut::<4>() else { return };
                let sealed =
                    key.seal_in_place_separate_tag(nonce.0.next(), Aad::from(*length), rest);
                // Fails for messages of 64 GiB only.
                if let Ok(tag) = sealed {
                    out.extend_from_slice(tag.as_ref());
                }
            }
            Self::Ctr(ctr) if ctr.etm => {
                if let Some((_, rest)) = packet.split_first_chunk_mut::<4>() {
                    ctr.cipher.apply(rest);
                }
                let tag = ctr.mac.sign(number, packet);
                out.extend(tag);
            }
            Self::Ctr(ctr) => {
                let tag = ctr.mac.sign(number, packet);
                ctr.cipher.apply(packet);
                out.extend(tag);
            }
        }
    }
}
