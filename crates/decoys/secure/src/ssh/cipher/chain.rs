//! Cipher block chaining (RFC 4253 §6.3), which only old servers still take.

use aes::{Aes128, Aes192, Aes256};
use blowfish::Blowfish;
use cast5::Cast5;
use cbc::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use des::TdesEde3;

use super::BadKeys;
use crate::ssh::suite;

/// A chain of blocks in one direction.
pub(super) trait Chain: Send {
    /// Works on the whole blocks of `bytes`.
    fn apply(&mut self, bytes: &mut [u8]);
}

struct Encrypting<C>(C);
struct Decrypting<C>(C);

impl<C: BlockModeEncrypt + Send> Chain for Encrypting<C> {
    fn apply(&mut self, bytes: &mut [u8]) {
        let (blocks, _) = Block::<C>::slice_as_chunks_mut(bytes);
        self.0.encrypt_blocks(blocks);
    }
}

impl<C: BlockModeDecrypt + Send> Chain for Decrypting<C> {
    fn apply(&mut self, bytes: &mut [u8]) {
        let (blocks, _) = Block::<C>::slice_as_chunks_mut(bytes);
        self.0.decrypt_blocks(blocks);
    }
}

fn keyed<C: KeyIvInit>(key: &[u8], iv: &[u8]) -> Result<C, BadKeys> {
    C::new_from_slices(key, iv).map_err(|_| BadKeys)
}

/// The chain that encrypts by `block`.
pub(super) fn encryptor(
    block: suite::Block,
    key: &[u8],
    iv: &[u8],
) -> Result<Box<dyn Chain>, BadKeys> {
    Ok(match block {
        suite::Block::Aes(16) => Box::new(Encrypting(keyed::<Encryptor<Aes128>>(key, iv)?)),
        suite::Block::Aes(24) => Box::new(Encrypting(keyed::<Encryptor<Aes192>>(key, iv)?)),
        suite::Block::Aes(_) => Box::new(Encrypting(keyed::<Encryptor<Aes256>>(key, iv)?)),
        suite::Block::Blowfish => Box::new(Encrypting(keyed::<Encryptor<Blowfish>>(key, iv)?)),
        suite::Block::Cast128 => Box::new(Encrypting(keyed::<Encryptor<Cast5>>(key, iv)?)),
        suite::Block::TripleDes => Box::new(Encrypting(keyed::<Encryptor<TdesEde3>>(key, iv)?)),
    })
}

/// The chain that decrypts by `block`.
pub(super) fn decryptor(
    block: suite::Block,
    key: &[u8],
    iv: &[u8],
) -> Result<Box<dyn Chain>, BadKeys> {
    Ok(match block {
        suite::Block::Aes(16) => Box::new(Decrypting(keyed::<Decryptor<Aes128>>(key, iv)?)),
        suite::Block::Aes(24) => Box::new(Decrypting(keyed::<Decryptor<Aes192>>(key, iv)?)),
        suite::Block::Aes(_) => Box::new(Decrypting(keyed::<Decryptor<Aes256>>(key, iv)?)),
        suite::Block::Blowfish => Box::new(Decrypting(keyed::<Decryptor<Blowfish>>(key, iv)?)),
        suite::Block::Cast128 => Box::new(Decrypting(keyed::<Decryptor<Cast5>>(key, iv)?)),
        suite::Block::TripleDes => Box::new(Decrypting(keyed::<Decryptor<TdesEde3>>(key, iv)?)),
    })
}
