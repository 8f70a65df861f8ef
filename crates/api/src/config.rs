//! What an operator may set.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// The key that access tokens are signed with. `Debug` does not print it.
#[derive(Clone)]
pub struct JwtSecret(Zeroizing<Vec<u8>>);

impl JwtSecret {
    /// Wraps the bytes; whether they are strong enough is the caller's decision at start-up.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
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
            developer: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_does_not_print() {
        let config = ApiConfig::new(JwtSecret::new("hunter2-hunter2"), PathBuf::new());
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
