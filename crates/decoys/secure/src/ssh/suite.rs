//! Ciphers and MACs by their names, with the sizes of what keys them.

/// A cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    ChaCha20Poly1305,
    /// Counter mode, with the length of its key.
    AesCtr(usize),
    /// Galois counter mode, with the length of its key.
    AesGcm(usize),
    /// Cipher block chaining, with its block cipher.
    Cbc(Block),
}

/// A block cipher of chaining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// AES, with the length of its key.
    Aes(usize),
    Blowfish,
    Cast128,
    TripleDes,
}

impl Block {
    /// Bytes of a block.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Aes(_) => 16,
            Self::Blowfish | Self::Cast128 | Self::TripleDes => 8,
        }
    }
}

impl Cipher {
    /// The cipher called `name`.
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "chacha20-poly1305@openssh.com" => Self::ChaCha20Poly1305,
            "aes128-ctr" => Self::AesCtr(16),
            "aes192-ctr" => Self::AesCtr(24),
            "aes256-ctr" => Self::AesCtr(32),
            "aes128-gcm@openssh.com" => Self::AesGcm(16),
            "aes256-gcm@openssh.com" => Self::AesGcm(32),
            "aes128-cbc" => Self::Cbc(Block::Aes(16)),
            "aes192-cbc" => Self::Cbc(Block::Aes(24)),
            "aes256-cbc" => Self::Cbc(Block::Aes(32)),
            "blowfish-cbc" => Self::Cbc(Block::Blowfish),
            "cast128-cbc" => Self::Cbc(Block::Cast128),
            "3des-cbc" => Self::Cbc(Block::TripleDes),
            _ => return None,
        })
    }

    /// Whether it authenticates by itself.
    pub(super) const fn is_authenticated(self) -> bool {
        !matches!(self, Self::AesCtr(_) | Self::Cbc(_))
    }

    pub(super) const fn key(self) -> usize {
        match self {
            Self::ChaCha20Poly1305 => 64,
            Self::AesCtr(key) | Self::AesGcm(key) | Self::Cbc(Block::Aes(key)) => key,
            Self::Cbc(Block::Blowfish | Block::Cast128) => 16,
            Self::Cbc(Block::TripleDes) => 24,
        }
    }

    pub(super) const fn iv(self) -> usize {
        match self {
            Self::ChaCha20Poly1305 => 0,
            Self::AesCtr(_) => 16,
            Self::AesGcm(_) => 12,
            Self::Cbc(block) => block.size(),
        }
    }
}

/// A message authentication code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mac {
    pub(super) kind: MacKind,
    /// Whether it covers what is sent (encrypt-then-MAC) instead of what is meant.
    pub(super) etm: bool,
}

/// Its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacKind {
    Sha1,
    Sha256,
    Sha512,
    Umac64,
    Umac128,
}

impl Mac {
    /// The MAC called `name`.
    pub(super) fn find(name: &str) -> Option<Self> {
        let (kind, etm) = match name.strip_suffix("-etm@openssh.com") {
            Some(kind) => (kind, true),
            None => (name.strip_suffix("@openssh.com").unwrap_or(name), false),
        };
        let kind = match kind {
            "hmac-sha1" => MacKind::Sha1,
            "hmac-sha2-256" => MacKind::Sha256,
            "hmac-sha2-512" => MacKind::Sha512,
            "umac-64" => MacKind::Umac64,
            "umac-128" => MacKind::Umac128,
            _ => return None,
        };
        Some(Self { kind, etm })
    }

    pub(super) const fn key(self) -> usize {
        match self.kind {
            MacKind::Sha1 => 20,
            MacKind::Sha256 => 32,
            MacKind::Sha512 => 64,
            MacKind::Umac64 | MacKind::Umac128 => 16,
        }
    }

    pub(super) const fn tag(self) -> usize {
        match self.kind {
            MacKind::Sha1 => 20,
            MacKind::Sha256 => 32,
            MacKind::Sha512 => 64,
            MacKind::Umac64 => 8,
            MacKind::Umac128 => 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::offer;

    #[test]
    fn everything_offered_is_there() {
        for banner in ["OpenSSH_9.2p1", "OpenSSH_8.9p1", "OpenSSH_8.7", "OpenSSH_7.4"] {
            let offer = offer::of(banner);
            assert!(offer.ciphers.iter().all(|name| Cipher::find(name).is_some()));
            assert!(offer.macs.iter().all(|name| Mac::find(name).is_some()));
        }
        assert!(Mac::find("umac-64-etm@openssh.com").unwrap().etm);
        assert!(!Mac::find("umac-64@openssh.com").unwrap().etm);
        assert_eq!(Mac::find("hmac-md5"), None);
        assert_eq!(Cipher::find("arcfour"), None);
    }
}
