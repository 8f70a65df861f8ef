//! Opening packets.

use ring::aead::chacha20_poly1305_openssh::OpeningKey;
use ring::aead::{Aad, LessSafeKey};

use super::chain;
use super::ctr::Stream;
use super::mac::Tagger;
use super::{BadKeys, GcmNonce, Keys, gcm_key};
use crate::ssh::suite::Cipher;

/// Unprotects what the client sends.
pub(in crate::ssh) enum Opener {
    /// Before keys.
    Clear,
    ChaCha(Box<OpeningKey>),
    Gcm(Box<GcmOpening>),
    Ctr(Box<CtrOpening>),
}

pub(in crate::ssh) struct GcmOpening {
    key: LessSafeKey,
    nonce: GcmNonce,
}

pub(in crate::ssh) struct CtrOpening {
    cipher: Stream,
    block: usize,
    mac: Tagger,
    etm: bool,
    tag: usize,
}

/// What the beginning of a packet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ssh) enum Opening {
    /// More bytes are needed before its length is known.
    Short,
    /// Its length field; the head it was read from may have been decrypted in place.
    Length(u32),
}

impl Opener {
    pub(in crate::ssh) fn new(keys: &Keys) -> Result<Self, BadKeys> {
        Ok(match keys.cipher {
            Cipher::ChaCha20Poly1305 => {
                let key = keys.key.as_slice().try_into().map_err(|_| BadKeys)?;
                Self::ChaCha(Box::new(OpeningKey::new(key)))
            }
            Cipher::AesGcm(_) => Self::Gcm(Box::new(GcmOpening {
                key: gcm_key(&keys.key)?,
                nonce: GcmNonce::new(&keys.iv)?,
            })),
            Cipher::AesCtr(_) | Cipher::Cbc(_) => Self::Ctr(Box::new(CtrOpening {
                cipher: match keys.cipher {
                    Cipher::Cbc(block) => {
                        Stream::Cbc(chain::decryptor(block, &keys.key, &keys.iv)?)
                    }
                    _ => Stream::counter(&keys.key, &keys.iv)?,
                },
                block: match keys.cipher {
                    Cipher::Cbc(block) => block.size(),
                    _ => 16,
                },
                mac: Tagger::new(keys.mac, &keys.mac_key)?,
                etm: keys.mac.etm,
                tag: keys.mac.tag(),
            })),
        })
    }

    /// Bytes of a packet's head whose decryption tells its length.
    const fn head(&self) -> usize {
        match self {
            // OpenSSH looks at nothing before the first block is there.
            Self::Clear => 8,
            Self::ChaCha(_) | Self::Gcm(_) => 4,
            Self::Ctr(ctr) => {
                if ctr.etm {
                    4
                } else {
                    ctr.block
                }
            }
        }
    }

    /// Bytes after the packet.
    pub(in crate::ssh) const fn tag(&self) -> usize {
        match self {
            Self::Clear => 0,
            Self::ChaCha(_) | Self::Gcm(_) => 16,
            Self::Ctr(ctr) => ctr.tag,
        }
    }

    /// Whether a packet of this `length` keeps to the cipher's blocks.
    pub(in crate::ssh) fn fits(&self, length: usize) -> bool {
        match self {
            Self::Clear => (length + 4).is_multiple_of(8),
            Self::ChaCha(_) => length.is_multiple_of(8),
            Self::Gcm(_) => length.is_multiple_of(16),
            Self::Ctr(ctr) if ctr.etm => length.is_multiple_of(ctr.block),
            Self::Ctr(ctr) => (length + 4).is_multiple_of(ctr.block),
        }
    }

    /// Reads the length of packet `number`, whose bytes so far are `packet`. Once it is known it
    /// must not be asked for again.
    pub(in crate::ssh) fn begin(&mut self, number: u32, packet: &mut [u8]) -> Opening {
        let Some(head) = packet.get_mut(..self.head()) else { return Opening::Short };
        if let Self::Ctr(ctr) = self
            && !ctr.etm
        {
            ctr.cipher.apply(head);
        }
        let Some(length) = head.first_chunk::<4>() else { return Opening::Short };
        Opening::Length(u32::from_be_bytes(match self {
            Self::ChaCha(key) => key.decrypt_packet_length(number, *length),
            Self::Clear | Self::Gcm(_) | Self::Ctr(_) => *length,
        }))
    }

    /// Verifies and decrypts the whole `packet` with its tag; false when it was tampered with.
    /// What stands after the length field is plaintext then.
    pub(in crate::ssh) fn finish(&mut self, number: u32, packet: &mut [u8]) -> bool {
        let Some(end) = packet.len().checked_sub(self.tag()) else { return false };
        let Some((packet, tag)) = packet.split_at_mut_checked(end) else { return false };
        match self {
            Self::Clear => true,
            Self::ChaCha(key) => match <&[u8; 16]>::try_from(&*tag) {
                Ok(tag) => key.open_in_place(number, packet, tag).is_ok(),
                Err(_) => false,
            },
            Self::Gcm(gcm) => {
                let Some((length, rest)) = packet.split_first_chunk_mut::<4>() else {
                    return false;
                };
                let Ok(tag) = ring::aead::Tag::try_from(&*tag) else { return false };
                let (nonce, aad) = (gcm.nonce.next(), Aad::from(*length));
                gcm.key.open_in_place_separate_tag(nonce, aad, tag, rest, 0..).is_ok()
            }
            Self::Ctr(ctr) if ctr.etm => {
                let genuine = ctr.mac.verify(number, packet, tag);
                if genuine && let Some((_, rest)) = packet.split_first_chunk_mut::<4>() {
                    ctr.cipher.apply(rest);
                }
                genuine
            }
            Self::Ctr(ctr) => {
                // The head was decrypted for its length.
                if let Some(rest) = packet.get_mut(ctr.block..) {
                    ctr.cipher.apply(rest);
                }
                ctr.mac.verify(number, packet, tag)
            }
        }
    }
}
