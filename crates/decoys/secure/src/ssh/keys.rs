//! The host keys of a decky: one of each type that its OpenSSH would have made.

use std::sync::Arc;

use decoys_kit::Choices;
use ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair};
use ssh_key::{Algorithm, EcdsaCurve, LineEnding, PrivateKey};

use super::offer;
use super::sign::Signer;

/// Size of RSA host keys since OpenSSH 8.0.
const RSA_BITS: usize = 3072;
/// Their size before.
const OLD_RSA_BITS: usize = 2048;

/// A host key could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("failed to make ssh host key")]
pub struct KeyError(#[from] ssh_key::Error);

/// A host key, ready for use.
#[derive(Debug)]
pub(super) struct HostKey {
    line: String,
    /// The public key as it is sent.
    pub(super) blob: Vec<u8>,
    /// Names of the signatures it makes.
    pub(super) algorithms: &'static [&'static str],
    signer: Signer,
}

impl HostKey {
    fn new(key: &PrivateKey) -> Result<Self, KeyError> {
        let algorithms = match key.algorithm() {
            Algorithm::Rsa { .. } => offer::RSA,
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 } => offer::ECDSA,
            Algorithm::Ed25519 => offer::ED25519,
            _ => return Err(ssh_key::Error::AlgorithmUnknown.into()),
        };
        Ok(Self {
            line: key.public_key().to_openssh()?,
            blob: key.public_key().to_bytes()?,
            algorithms,
            signer: Signer::new(key)?,
        })
    }

    /// The signature blob of `message` by `algorithm`, one of `algorithms`.
    pub(super) fn sign(&self, algorithm: &str, message: &[u8]) -> Option<Vec<u8>> {
        self.signer.sign(algorithm, message)
    }
}

/// The host keys of one decky, in the order of their types in `sshd_config`.
#[derive(Clone, Debug)]
pub struct HostKeys(Vec<Arc<HostKey>>);

impl HostKeys {
    /// The Ed25519 and ECDSA keys that follow from `choices`.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn derive(choices: &Choices<'_>) -> Result<Self, KeyError> {
        let keys = derived(choices)?;
        let keys = keys.iter().map(|key| Ok(Arc::new(HostKey::new(key)?)));
        Ok(Self(keys.collect::<Result<_, KeyError>>()?))
    }

    /// Those keys in OpenSSH's text forms: type, private key, public key.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn texts(
        choices: &Choices<'_>,
        rsa: &str,
    ) -> Result<Vec<(&'static str, String, String)>, KeyError> {
        let [ecdsa, ed25519] = derived(choices)?;
        let rsa = PrivateKey::from_openssh(rsa)?;
        let text = |(kind, key): (&'static str, PrivateKey)| {
            let private = key.to_openssh(LineEnding::LF)?.to_string();
            Ok((kind, private, key.public_key().to_openssh()?))
        };
        [("rsa", rsa), ("ecdsa", ecdsa), ("ed25519", ed25519)].into_iter().map(text).collect()
    }

    /// The RSA key that follows from `choices`, of the size that the server called `banner` makes,
    /// in OpenSSH's text form for keeping. Takes up to seconds of one core: not for a reactor
    /// thread.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn make_rsa(choices: &Choices<'_>, banner: &str) -> Result<String, KeyError> {
        let bits = if banner.contains("OpenSSH_7.") { OLD_RSA_BITS } else { RSA_BITS };
        let pair = RsaKeypair::random(&mut choices.stream("ssh.hostkey.rsa"), bits)?;
        let key = PrivateKey::new(KeypairData::Rsa(pair), "")?;
        Ok(key.to_openssh(LineEnding::LF)?.to_string())
    }

    /// Adds a key kept in OpenSSH's text form.
    ///
    /// # Errors
    /// When it is not one.
    pub fn add(&mut self, openssh: &str) -> Result<(), KeyError> {
        let key = HostKey::new(&PrivateKey::from_openssh(openssh)?)?;
        self.0.insert(0, Arc::new(key));
        Ok(())
    }

    /// Whether there is an RSA key.
    #[must_use]
    pub fn has_rsa(&self) -> bool {
        self.0.iter().any(|key| key.algorithms == offer::RSA)
    }

    /// Public keys in OpenSSH's one-line form.
    #[must_use]
    pub fn public(&self) -> Vec<String> {
        self.0.iter().map(|key| key.line.clone()).collect()
    }

    /// Names of all signatures there can be, in the order they are offered; those of RSA keys are
    /// `rsa`.
    pub(super) fn algorithms(&self, rsa: &'static [&'static str]) -> Vec<&'static str> {
        let of =
            |key: &Arc<HostKey>| if key.algorithms == offer::RSA { rsa } else { key.algorithms };
        self.0.iter().flat_map(of).copied().collect()
    }

    /// The key that signs by `algorithm`.
    pub(super) fn signing(&self, algorithm: &str) -> Option<&HostKey> {
        self.0.iter().map(AsRef::as_ref).find(|key| key.algorithms.contains(&algorithm))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &HostKey> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// The ECDSA and Ed25519 keys that follow from `choices`.
fn derived(choices: &Choices<'_>) -> Result<[PrivateKey; 2], KeyError> {
    let ed25519 = Ed25519Keypair::from_seed(&choices.bytes("ssh.hostkey.ed25519"));
    let ecdsa = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
    let ecdsa = PrivateKey::random(&mut choices.stream("ssh.hostkey.ecdsa"), ecdsa)?;
    Ok([ecdsa, PrivateKey::from(ed25519)])
}

#[cfg(test)]
mod tests {
    use base_model::PersonaSecret;

    use super::*;

    #[test]
    fn keys_are_the_deckys_own_and_stay() {
        let (one, two) = (PersonaSecret::new([1; 32]), PersonaSecret::new([2; 32]));
        let public = |secret| HostKeys::derive(&Choices::new(secret)).unwrap().public();
        assert_eq!(public(&one), public(&one));
        let (ones, twos) = (public(&one), public(&two));
        assert!(ones.iter().all(|key| !twos.contains(key)));
        // A known host must not get other keys from another build.
        assert_eq!(
            ones,
            [
                "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE2bUwJGkd\
                 FeLCW8VdZOjG6uwejiNcpIpNMCJXrQ/0e1Ny5bPWi9Nzplqx9TT1tDtIRPkx3UjsC10TiNgMDxp/g=",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbop/p4qYKZ9ZsQQo29ZBRn5ndUAahBMZTzOB9gUNQ7",
            ]
        );
    }

    #[test]
    fn signatures_are_those_of_the_public_key() {
        use p256::ecdsa::signature::Verifier as _;
        use ssh_key::{PublicKey, Signature};
        let secret = PersonaSecret::new([1; 32]);
        let mut keys = HostKeys::derive(&Choices::new(&secret)).unwrap();
        keys.add(&HostKeys::make_rsa(&Choices::new(&secret), "OpenSSH_7.4").unwrap()).unwrap();
        assert!(keys.has_rsa());
        let names =
            ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"];
        assert_eq!(keys.algorithms(&["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]), names);
        for name in names {
            let key = keys.signing(name).unwrap();
            let signature = key.sign(name, b"message").unwrap();
            let signature = Signature::try_from(&signature[..]).unwrap();
            assert_eq!(signature.algorithm().as_str(), name);
            let public = PublicKey::from_bytes(&key.blob).unwrap();
            let public = public.key_data();
            public.verify(b"message", &signature).unwrap();
            assert!(public.verify(b"another", &signature).is_err());
        }
    }
}
