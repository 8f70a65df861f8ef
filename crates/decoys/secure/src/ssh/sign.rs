//! Signatures with host keys, and those of clients.
//!
//! RSA is ring's, which takes a third of the time; ECDSA is RustCrypto's, whose signatures follow
//! from key and message alone.

use p256::ecdsa::signature::Signer as _;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair};
use ssh_key::private::KeypairData;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, Error, HashAlg, PrivateKey, PublicKey, Signature};

use super::wire::{Malformed, Put as _, Reader};

/// A private host key.
pub(super) enum Signer {
    Ed25519(Ed25519KeyPair),
    Ecdsa(Box<p256::ecdsa::SigningKey>),
    Rsa(Box<(RsaKeyPair, Sha1Rsa)>),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ed25519(_) => "Ed25519",
            Self::Ecdsa(_) => "Ecdsa",
            Self::Rsa(_) => "Rsa",
        })
    }
}

impl Signer {
    pub(super) fn new(key: &PrivateKey) -> Result<Self, Error> {
        match key.key_data() {
            KeypairData::Ed25519(pair) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(
                    &pair.private.to_bytes(),
                    &pair.public.0,
                );
                Ok(Self::Ed25519(pair.map_err(|_| Error::Crypto)?))
            }
            KeypairData::Ecdsa(pair) if pair.curve() == EcdsaCurve::NistP256 => {
                let key = p256::ecdsa::SigningKey::from_slice(pair.private_key_bytes());
                Ok(Self::Ecdsa(Box::new(key.map_err(|_| Error::Crypto)?)))
            }
            KeypairData::Rsa(pair) => {
                Ok(Self::Rsa(Box::new((rsa_pair(pair)?, Sha1Rsa::new(pair)?))))
            }
            _ => Err(Error::AlgorithmUnknown),
        }
    }

    /// The signature blob by `algorithm`, if this key makes such.
    pub(super) fn sign(&self, algorithm: &str, message: &[u8]) -> Option<Vec<u8>> {
        let signature = match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Ecdsa(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                let (r, s) = signature.split_bytes();
                let mut both = Vec::with_capacity(80);
                both.put_mpint(&r);
                both.put_mpint(&s);
                both
            }
            Self::Rsa(pair) if algorithm == "ssh-rsa" => pair.1.sign(message)?,
            Self::Rsa(pair) => {
                let (pair, _) = &**pair;
                let padding = match algorithm {
                    "rsa-sha2-512" => &RSA_PKCS1_SHA512,
                    "rsa-sha2-256" => &RSA_PKCS1_SHA256,
                    _ => return None,
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                // The randomness blinds the computation; the signature does not depend on it.
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).ok()?;
                signature
            }
        };
        let mut blob = Vec::with_capacity(signature.len() + algorithm.len() + 8);
        blob.put_string(algorithm.as_bytes());
        blob.put_string(&signature);
        Some(blob)
    }
}

/// RSA with SHA-1, which ring does not sign with and old servers must.
pub(super) struct Sha1Rsa {
    modulus: crypto_bigint::modular::BoxedMontyParams,
    exponent: crypto_bigint::BoxedUint,
}

impl Sha1Rsa {
    fn new(pair: &ssh_key::private::RsaKeypair) -> Result<Self, Error> {
        use crypto_bigint::BoxedUint;
        let bytes = |number: &ssh_key::Mpint| {
            number.as_positive_bytes().map(BoxedUint::from_be_slice_vartime).ok_or(Error::Crypto)
        };
        let modulus = crypto_bigint::Odd::new(bytes(pair.public().n())?).into_option();
        Ok(Self {
            modulus: crypto_bigint::modular::BoxedMontyParams::new_vartime(
                modulus.ok_or(Error::Crypto)?,
            ),
            exponent: bytes(pair.private().d())?,
        })
    }

    /// The signature of `message` (RFC 8017 §8.2.1).
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        /// What RFC 8017 §9.2 puts before a SHA-1 digest.
        const SHA1: &[u8] = &[
            0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04,
            0x14,
        ];
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, message);
        let bits = self.modulus.bits_precision();
        let size = usize::try_from(bits / 8).ok()?;
        let padding = size.checked_sub(3 + SHA1.len() + digest.as_ref().len())?;
        let mut encoded = vec![0, 1];
        encoded.resize(2 + padding, 0xff);
        encoded.push(0);
        encoded.extend(SHA1);
        encoded.extend(digest.as_ref());
        let number = crypto_bigint::BoxedUint::from_be_slice(&encoded, bits).ok()?;
        let power = crypto_bigint::modular::BoxedMontyForm::new(number, &self.modulus);
        Some(power.pow(&self.exponent).retrieve().to_be_bytes().into_vec())
    }
}

/// ring wants what OpenSSH's form does not have.
fn rsa_pair(pair: &ssh_key::private::RsaKeypair) -> Result<RsaKeyPair, Error> {
    use crypto_bigint::BoxedUint;
    let (public, private) = (pair.public(), pair.private());
    let magnitude = |number: &ssh_key::Mpint| {
        number.as_positive_bytes().map(<[u8]>::to_vec).ok_or(Error::Crypto)
    };
    let (d, p, q) = (magnitude(private.d())?, magnitude(private.p())?, magnitude(private.q())?);
    let big = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let modulo = |prime: &[u8]| {
        let less = big(prime).wrapping_sub(BoxedUint::one());
        let less = crypto_bigint::NonZero::new(less).into_option().ok_or(Error::Crypto)?;
        Ok::<_, Error>(big(&d).rem_vartime(&less).to_be_bytes_trimmed_vartime().into_vec())
    };
    let components = rsa::KeyPairComponents {
        public_key: rsa::PublicKeyComponents {
            n: magnitude(public.n())?,
            e: magnitude(public.e())?,
        },
        d: d.clone(),
        dP: modulo(&p)?,
        dQ: modulo(&q)?,
        qInv: magnitude(private.iqmp())?,
        p,
        q,
    };
    RsaKeyPair::from_components(&components).map_err(|_| Error::Crypto)
}

/// The key of a client by its blob; a certificate's is the key it certifies.
fn public(blob: &[u8]) -> Result<KeyData, Error> {
    let name = Reader::new(blob).name().map_err(|Malformed| Error::Crypto)?;
    if name.contains("-cert-v0") {
        return Ok(ssh_key::Certificate::from_bytes(blob)?.public_key().clone());
    }
    Ok(PublicKey::from_bytes(blob)?.key_data().clone())
}

/// The `SHA256:` fingerprint of a client's key blob, whatever the blob is.
pub(super) fn fingerprint(blob: &[u8]) -> String {
    match public(blob) {
        Ok(key) => key.fingerprint(HashAlg::Sha256).to_string(),
        Err(_) => {
            use base64::Engine as _;
            let digest = ring::digest::digest(&ring::digest::SHA256, blob);
            format!("SHA256:{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest))
        }
    }
}

/// Whether `signature` by `algorithm` is that of the key `blob` over `message`.
pub(super) fn verify(algorithm: &str, blob: &[u8], signature: &[u8], message: &[u8]) -> bool {
    use p256::ecdsa::signature::Verifier as _;
    let plain = algorithm.split("-cert-v0").next().unwrap_or(algorithm);
    let wanted = plain.strip_suffix("@openssh.com").unwrap_or(plain);
    let (Ok(key), Ok(signature)) = (public(blob), Signature::try_from(signature)) else {
        return false;
    };
    let made = signature.algorithm();
    // OpenSSH takes RSA with SHA-2 only.
    let made_so = !matches!(made, Algorithm::Rsa { hash: None })
        && made.as_str().trim_end_matches("@openssh.com") == wanted;
    made_so && key.verify(message, &signature).is_ok()
}
