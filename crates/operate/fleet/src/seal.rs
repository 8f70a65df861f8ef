//! Secrets at rest: AES-256-GCM under a key that is not in the database.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// What sealed text begins with; the number changes with the format.
const PREFIX: &str = "enc:v1:";

/// A secret could not be sealed or opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is not 32 bytes in URL-safe base64.
    #[error("the secret key is not 32 bytes in URL-safe base64; see DECNET_SECRET_KEY")]
    Key,
    /// The text is not of this format.
    #[error("sealed text is damaged or of a newer format")]
    Format,
    /// Another key sealed it, or it was changed.
    #[error("sealed text does not open with this key; DECNET_SECRET_KEY may have changed")]
    Open,
}

/// The key that seals secrets. `Debug` does not print it.
pub struct SealingKey(LessSafeKey);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

impl SealingKey {
    /// From 32 bytes in URL-safe base64, as in `DECNET_SECRET_KEY`.
    ///
    /// # Errors
    /// When it is not that.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = URL_SAFE.decode(text.trim()).map_err(|_| SealError::Key)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::Key)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The text form of 32 random bytes, for [`SealingKey::parse`].
    #[must_use]
    pub fn text(entropy: [u8; 32]) -> String {
        URL_SAFE.encode(entropy)
    }

    /// Seals `secret`, which belongs to `owner` and opens for no other. `nonce` must be random.
    ///
    /// # Errors
    /// When the library refuses; a bug.
    pub fn seal(
        &self,
        secret: &[u8],
        owner: &str,
        nonce: [u8; NONCE_LEN],
    ) -> Result<String, SealError> {
        let mut sealed = secret.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(unique, Aad::from(owner), &mut sealed)
            .map_err(|_| SealError::Format)?;
        Ok(format!("{PREFIX}{}", STANDARD.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens what [`SealingKey::seal`] made for `owner`.
    ///
    /// # Errors
    /// When it is damaged, of another key or of another owner.
    pub fn open(&self, text: &str, owner: &str) -> Result<Vec<u8>, SealError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SealError::Format)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SealError::Format)?;
        let (nonce, sealed) = bytes.split_first_chunk().ok_or(SealError::Format)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let open = self.0.open_in_place(nonce, Aad::from(owner), &mut sealed);
        open.map(|secret| secret.to_vec()).map_err(|_| SealError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_for_its_owner_and_key_only() {
        let key = SealingKey::parse(&SealingKey::text([1; 32])).unwrap();
        let other = SealingKey::parse(&SealingKey::text([2; 32])).unwrap();
        let sealed = key.seal(b"secret", "decky-01", [3; NONCE_LEN]).unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(key.open(&sealed, "decky-01").unwrap(), b"secret");
        assert_eq!(key.open(&sealed, "decky-02"), Err(SealError::Open));
        assert_eq!(other.open(&sealed, "decky-01"), Err(SealError::Open));
        assert_eq!(key.open("enc:v9:AAAA", "decky-01"), Err(SealError::Format));
        assert!(matches!(SealingKey::parse("short"), Err(SealError::Key)));
    }
}
