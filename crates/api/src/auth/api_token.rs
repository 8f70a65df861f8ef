//! Keys for programs: `dk_` and 32 random bytes, of which only the hash is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What tells them from access tokens, and what secret scanners look for.
const PREFIX: &str = "dk_";
/// Characters after the prefix.
const LENGTH: usize = 43;

/// SHA-256 of a token, in hex. A plain hash will do: nobody guesses 32 random bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenHash(String);

impl TokenHash {
    /// As it is stored.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The token made of `entropy`.
pub(crate) fn token(entropy: [u8; 32]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(entropy))
}

/// The hash of `text` if it looks like one of ours.
pub(crate) fn hash(text: &str) -> Option<TokenHash> {
    let body = text.strip_prefix(PREFIX).filter(|body| body.len() == LENGTH)?;
    let fits = body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let digest = fits.then(|| Sha256::digest(text.as_bytes()))?;
    Some(TokenHash(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_hash_and_nothing_else_has_one() {
        let token = token([7; 32]);
        assert_eq!(hash(&token).unwrap().as_str().len(), 64);
        assert_eq!(hash(&token), hash(&token));
        for other in ["", "dk_", "eyJhbGciOiJub25lIn0.e30.", &token[1..], &format!("{token}x")] {
            assert_eq!(hash(other), None, "{other}");
        }
        assert_eq!(hash(&token.replace(char::is_alphanumeric, "/")), None);
    }
}
