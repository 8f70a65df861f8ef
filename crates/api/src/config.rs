//! What an operator may set.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::Network;

/// The key that access tokens are signed with. `Debug` does not print it.
#[derive(Clone)]
pub struct JwtSecret(Zeroizing<Vec<u8>>);

impl JwtSecret {
    /// Wraps the bytes; whether they are strong enough is the caller's decision at start-up.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Wraps a secret that somebody chose, if it will do: at least 32 characters, and none of those
    /// that stand in examples.
    ///
    /// # Errors
    /// Why it will not do.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        if KNOWN.iter().any(|known| text.eq_ignore_ascii_case(known)) {
            return Err(WeakSecret::Known);
        }
        if text.chars().count() < 32 {
            return Err(WeakSecret::Short);
        }
        Ok(Self::new(text))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtSecret(…)")
    }
}

/// Secrets that everybody knows (`spec/api.md` §1.1).
const KNOWN: [&str; 5] =
    ["fallback-secret-key-change-me", "admin", "secret", "password", "changeme"];

/// Why a chosen secret will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakSecret {
    /// It stands in examples.
    Known,
    /// It has fewer than 32 characters.
    Short,
}

impl fmt::Display for WeakSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known => "is a well-known example: choose another",
            Self::Short => "must have at least 32 characters",
        })
    }
}

impl std::error::Error for WeakSecret {}

/// What an operator may set (`spec/api.md` §20).
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// `DECNET_JWT_SECRET`.
    pub jwt_secret: JwtSecret,
    /// `DECNET_JWT_EXP_MINUTES`.
    pub jwt_lifetime: Duration,
    /// `DECNET_LIMITER_ENABLED`: false lifts the rate limits, for load tests only.
    pub limiter_enabled: bool,
    /// `DECNET_SSE_MAX_PER_USER`.
    pub sse_max_per_user: usize,
    /// `DECNET_ARTIFACTS_ROOT`: where recordings are.
    pub artifacts_root: PathBuf,
    /// `DECNET_CORS_ORIGINS`: web origins other than our own that may call; none by default.
    pub cors_origins: Vec<String>,
    /// `DECNET_TRUSTED_PROXY_CIDRS`: proxies whose `X-Forwarded-For` is believed; none by default.
    pub trusted_proxies: Vec<Network>,
    /// `DECNET_DEVELOPER`: the OpenAPI document needs no token.
    pub developer: bool,
}

impl ApiConfig {
    /// The defaults of the specification.
    #[must_use]
    pub const fn new(jwt_secret: JwtSecret, artifacts_root: PathBuf) -> Self {
        Self {
            jwt_secret,
            jwt_lifetime: Duration::from_secs(240 * 60),
            limiter_enabled: true,
            sse_max_per_user: 5,
            artifacts_root,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            developer: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused() {
        let refusal = |text: &str| JwtSecret::parse(text).err();
        assert_eq!(refusal("Fallback-Secret-Key-Change-Me"), Some(WeakSecret::Known));
        assert_eq!(refusal(&"x".repeat(31)), Some(WeakSecret::Short));
        assert_eq!(refusal(&"x".repeat(32)), None);
    }

    #[test]
    fn the_secret_does_not_print() {
        let config = ApiConfig::new(JwtSecret::new("hunter2-hunter2"), PathBuf::new());
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
