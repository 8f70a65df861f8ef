//! Key exchange (RFC 4253 §8): one method per file, the hash over the exchange, and the keys that
//! follow from it.

mod dh;
mod ecdh;
mod group;
mod sntrup;

use chacha20::ChaCha12Rng;
use ring::digest;

use super::wire::Put as _;
pub(super) use group::{Group, Wish};

/// A method of agreeing on a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Streamlined NTRU Prime 761 beside X25519.
    Sntrup761X25519,
    X25519,
    P256,
    P384,
    P521,
    /// A fixed group of RFC 3526.
    Dh(Group, Hash),
    /// A group of the client's wish (RFC 4419).
    GroupExchange(Hash),
}

/// The hash of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// A public value that gives no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad public value of key exchange")]
pub(super) struct BadPublic;

/// Our half of an exchange.
#[derive(Debug)]
pub(super) struct Answer {
    /// The client's public value as it is hashed, with its length.
    pub(super) client: Vec<u8>,
    /// Ours as it is sent and hashed, with its length.
    pub(super) server: Vec<u8>,
    /// The secret as it is hashed, with its length.
    pub(super) secret: Vec<u8>,
}

impl Method {
    /// The method called `name`.
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "sntrup761x25519-sha512" | "sntrup761x25519-sha512@openssh.com" => {
                Self::Sntrup761X25519
            }
            "curve25519-sha256" | "curve25519-sha256@libssh.org" => Self::X25519,
            "ecdh-sha2-nistp256" => Self::P256,
            "ecdh-sha2-nistp384" => Self::P384,
            "ecdh-sha2-nistp521" => Self::P521,
            "diffie-hellman-group14-sha256" => Self::Dh(Group::Modp2048, Hash::Sha256),
            "diffie-hellman-group16-sha512" => Self::Dh(Group::Modp4096, Hash::Sha512),
            "diffie-hellman-group18-sha512" => Self::Dh(Group::Modp8192, Hash::Sha512),
            "diffie-hellman-group1-sha1" => Self::Dh(Group::Modp1024, Hash::Sha1),
            "diffie-hellman-group14-sha1" => Self::Dh(Group::Modp2048, Hash::Sha1),
            "diffie-hellman-group-exchange-sha1" => Self::GroupExchange(Hash::Sha1),
            "diffie-hellman-group-exchange-sha256" => Self::GroupExchange(Hash::Sha256),
            _ => return None,
        })
    }

    pub(super) const fn hash(self) -> Hash {
        match self {
            Self::X25519 | Self::P256 => Hash::Sha256,
            Self::P384 => Hash::Sha384,
            Self::P521 | Self::Sntrup761X25519 => Hash::Sha512,
            Self::Dh(_, hash) | Self::GroupExchange(hash) => hash,
        }
    }

    /// Agrees on a secret with the `client`'s public value; `group` is that of a group exchange.
    pub(super) fn answer(
        self,
        client: &[u8],
        group: Option<Group>,
        rng: &mut ChaCha12Rng,
    ) -> Result<Answer, BadPublic> {
        match (self, group) {
            (Self::Sntrup761X25519, _) => sntrup::answer(client, rng),
            (Self::X25519, _) => ecdh::x25519(client, rng),
            (Self::P256, _) => ecdh::p256(client, rng),
            (Self::P384, _) => ecdh::p384(client, rng),
            (Self::P521, _) => ecdh::p521(client, rng),
            (Self::Dh(group, _), _) | (Self::GroupExchange(_), Some(group)) => {
                dh::answer(client, group, rng)
            }
            (Self::GroupExchange(_), None) => Err(BadPublic),
        }
    }
}

impl Hash {
    const fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    pub(super) fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = digest::Context::new(self.algorithm());
        for part in parts {
            context.update(part);
        }
        context.finish().as_ref().to_vec()
    }
}

/// What both sides said before they agreed on a secret.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) client_ident: &'a [u8],
    pub(super) server_ident: &'a [u8],
    pub(super) client_init: &'a [u8],
    pub(super) server_init: &'a [u8],
    pub(super) host_key: &'a [u8],
    /// The wish of a group exchange and the group given for it.
    pub(super) group: Option<(Wish, Group)>,
}

impl Said<'_> {
    /// The exchange hash.
    pub(super) fn hash(&self, hash: Hash, answer: &Answer) -> Vec<u8> {
        let mut text = Vec::with_capacity(4096);
        text.put_string(self.client_ident);
        text.put_string(self.server_ident);
        text.put_string(self.client_init);
        text.put_string(self.server_init);
        text.put_string(self.host_key);
        if let Some((wish, group)) = self.group {
            wish.put(&mut text);
            group.put(&mut text);
        }
        hash.of(&[&text, &answer.client, &answer.server, &answer.secret])
    }
}

/// Derives keys from what was agreed on (RFC 4253 §7.2).
#[derive(Debug)]
pub(super) struct Agreed<'a> {
    pub(super) hash: Hash,
    pub(super) secret: &'a [u8],
    pub(super) exchange: &'a [u8],
    pub(super) session: &'a [u8],
}

impl Agreed<'_> {
    /// `length` bytes for the purpose that has `letter`.
    pub(super) fn derive(&self, letter: u8, length: usize) -> Vec<u8> {
        if length == 0 {
            return Vec::new();
        }
        let mut key = self.hash.of(&[self.secret, self.exchange, &[letter], self.session]);
        while key.len() < length {
            let more = self.hash.of(&[self.secret, self.exchange, &key]);
            key.extend(more);
        }
        key.truncate(length);
        key
    }
}
