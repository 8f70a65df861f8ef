//! The host keys of a decky: one of each type that its OpenSSH would have made.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use decoys_kit::Choices;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair};
use russh::keys::ssh_key::{EcdsaCurve, HashAlg, LineEnding};
use russh::keys::{Algorithm, PrivateKey};
use russh::server::Config;
use russh::{Limits, Preferred, SshId, cipher, compression, kex, mac};

/// Size of RSA host keys since OpenSSH 8.0.
const RSA_BITS: usize = 3072;
/// Room for input of one channel, as OpenSSH's session window.
const WINDOW: u32 = 2 * 1024 * 1024;

/// A host key could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("failed to make ssh host key")]
pub struct KeyError(#[from] russh::keys::ssh_key::Error);

/// The host keys of one decky.
#[derive(Clone, Debug)]
pub struct HostKeys(Vec<PrivateKey>);

impl HostKeys {
    /// The Ed25519 and ECDSA keys that follow from `choices`.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn derive(choices: &Choices<'_>) -> Result<Self, KeyError> {
        let ed25519 = Ed25519Keypair::from_seed(&choices.bytes("ssh.hostkey.ed25519"));
        let ecdsa = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
        let ecdsa = PrivateKey::random(&mut choices.stream("ssh.hostkey.ecdsa"), ecdsa)?;
        Ok(Self(vec![PrivateKey::from(ed25519), ecdsa]))
    }

    /// The RSA key that follows from `choices`, in OpenSSH's text form for keeping. Takes up to
    /// seconds of one core: not for a reactor thread.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn make_rsa(choices: &Choices<'_>) -> Result<String, KeyError> {
        let pair = RsaKeypair::random(&mut choices.stream("ssh.hostkey.rsa"), RSA_BITS)?;
        let key = PrivateKey::new(KeypairData::Rsa(pair), "")?;
        Ok(key.to_openssh(LineEnding::LF)?.to_string())
    }

    /// Adds a key kept in OpenSSH's text form.
    ///
    /// # Errors
    /// When it is not one.
    pub fn add(&mut self, openssh: &str) -> Result<(), KeyError> {
        self.0.insert(0, PrivateKey::from_openssh(openssh)?);
        Ok(())
    }

    /// Whether there is an RSA key.
    #[must_use]
    pub fn has_rsa(&self) -> bool {
        self.0.iter().any(|key| key.algorithm().is_rsa())
    }

    /// Public keys in OpenSSH's one-line form.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn public(&self) -> Result<Vec<String>, KeyError> {
        self.0.iter().map(|key| Ok(key.public_key().to_openssh()?)).collect()
    }

    /// What russh needs to speak with these keys as `banner`. Offers what OpenSSH offers, in its
    /// order, as far as russh has it.
    #[must_use]
    pub fn config(&self, banner: &str) -> Arc<Config> {
        Arc::new(Config {
            server_id: SshId::Standard(Cow::Owned(banner.to_owned())),
            keys: self.0.clone(),
            // Delays and the limit of tries are the session's decisions.
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            max_auth_attempts: usize::MAX,
            limits: Limits::default(),
            window_size: WINDOW,
            maximum_packet_size: 32 * 1024,
            channel_buffer_size: 1,
            event_buffer_size: 16,
            // A client that takes nothing for this long is given up.
            inactivity_timeout: Some(Duration::from_secs(3600)),
            keepalive_interval: None,
            preferred: PREFERRED,
            ..Config::default()
        })
    }
}

const PREFERRED: Preferred = Preferred {
    kex: Cow::Borrowed(&[
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::ECDH_SHA2_NISTP256,
        kex::ECDH_SHA2_NISTP384,
        kex::ECDH_SHA2_NISTP521,
        kex::DH_GEX_SHA256,
        kex::DH_G16_SHA512,
        kex::DH_G18_SHA512,
        kex::DH_G14_SHA256,
        kex::EXTENSION_SUPPORT_AS_SERVER,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
    ]),
    host_key_certificates: Cow::Borrowed(&[]),
    key: Cow::Borrowed(&[
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ed25519,
    ]),
    cipher: Cow::Borrowed(&[
        cipher::CHACHA20_POLY1305,
        cipher::AES_128_CTR,
        cipher::AES_192_CTR,
        cipher::AES_256_CTR,
        cipher::AES_128_GCM,
        cipher::AES_256_GCM,
    ]),
    mac: Cow::Borrowed(&[
        mac::HMAC_SHA256_ETM,
        mac::HMAC_SHA512_ETM,
        mac::HMAC_SHA1_ETM,
        mac::HMAC_SHA256,
        mac::HMAC_SHA512,
        mac::HMAC_SHA1,
    ]),
    compression: Cow::Borrowed(&[compression::NONE, compression::ZLIB_LEGACY]),
};

#[cfg(test)]
mod tests {
    use base_model::PersonaSecret;

    use super::*;

    #[test]
    fn keys_are_the_deckys_own_and_stay() {
        let (one, two) = (PersonaSecret::new([1; 32]), PersonaSecret::new([2; 32]));
        let public = |secret| HostKeys::derive(&Choices::new(secret)).unwrap().public().unwrap();
        assert_eq!(public(&one), public(&one));
        let (ones, twos) = (public(&one), public(&two));
        assert!(ones.iter().all(|key| !twos.contains(key)));
    }
}
