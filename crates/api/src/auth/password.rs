//! Passwords: rules, hashing, and a comparison that takes as long for a name nobody has.

use std::time::Duration;

use tokio::sync::Semaphore;

use crate::problem::Problem;
use crate::telemetry::{self, Counter};

/// bcrypt's cost (`spec/api.md` §3.1).
const COST: u32 = 12;
/// bcrypt reads no further.
const MAX_BYTES: usize = 72;
/// Characters of a new password.
pub(crate) const NEW: std::ops::RangeInclusive<usize> = 12..=72;
/// Characters of a password that is compared.
pub(crate) const OLD: std::ops::RangeInclusive<usize> = 0..=72;
/// Comparisons at a time: each takes a core for a quarter of a second.
const AT_A_TIME: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is compared with when there is no account; of the same cost, and no password fits it
/// because it is the hash of 32 random bytes nobody kept.
const DUMMY: &str = "$2b$12$0H35Nh3SmnAzhMrgne/H6eojATEZCTsC5ezWgo0bibFxgzJD4sO/m";

/// Why a password will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRule {
    /// Fewer than 12 characters.
    TooShort,
    /// More than 72 characters or 72 bytes of UTF-8.
    TooLong,
}

impl std::fmt::Display for PasswordRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooShort => "must have at least 12 characters",
            Self::TooLong => "must have at most 72 characters and at most 72 bytes of UTF-8",
        })
    }
}

impl std::error::Error for PasswordRule {}

/// Whether `password` will do as a new one.
///
/// # Errors
/// The rule it breaks.
pub fn password_rules(password: &str) -> Result<(), PasswordRule> {
    let characters = password.chars().count();
    if characters < *NEW.start() {
        return Err(PasswordRule::TooShort);
    }
    if characters > *NEW.end() || password.len() > MAX_BYTES {
        return Err(PasswordRule::TooLong);
    }
    Ok(())
}

/// The hash of a password, to be stored. Takes a core for a quarter of a second: call it where
/// blocking is allowed.
///
/// # Errors
/// When the system gives no random bytes.
pub fn hash_password(password: &str) -> Result<String, base_runtime::entropy::NoEntropy> {
    let salt = base_runtime::entropy::bytes::<16>()?;
    // With a salt given, only an impossible cost could fail.
    bcrypt::hash_with_salt(password, COST, salt)
        .map(|parts| parts.format_for_version(bcrypt::Version::TwoB))
        .map_err(|_| base_runtime::entropy::NoEntropy)
}

/// Compares and hashes off the reactor, a few at a time.
pub(crate) struct Passwords {
    turns: Semaphore,
    /// Comparisons with an account's hash.
    pub(crate) real: Counter,
    /// Comparisons made for a name nobody has.
    pub(crate) dummy: Counter,
}

impl Default for Passwords {
    fn default() -> Self {
        let turns = Semaphore::new(AT_A_TIME);
        Self { turns, real: Counter::default(), dummy: Counter::default() }
    }
}

impl Passwords {
    /// Whether `password` is the one of `hash`. Without a hash it never is, after the same work.
    pub(crate) async fn fits(&self, password: String, hash: Option<&str>) -> Result<bool, Problem> {
        // Beyond what bcrypt reads, a longer password would fit by its beginning.
        let (hash, counter) = match hash.filter(|_| password.len() <= MAX_BYTES) {
            Some(hash) => (hash.to_owned(), &self.real),
            None => (DUMMY.to_owned(), &self.dummy),
        };
        counter.add(1);
        let is_dummy = hash == DUMMY;
        let fits = self.work(move || bcrypt::verify(password, &hash)).await?;
        Ok(!is_dummy
            && fits.unwrap_or_else(|_| {
                telemetry::hash_unreadable();
                false
            }))
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let hash = self.work(move || hash_password(&password)).await?;
        hash.map_err(|error| Problem::internal("a password could not be hashed", &error))
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::unavailable("busy", "Too many logins at this moment", 5);
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::internal("password work ended early", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_count_characters_and_bytes() {
        assert_eq!(password_rules(&"x".repeat(11)), Err(PasswordRule::TooShort));
        assert_eq!(password_rules(&"x".repeat(12)), Ok(()));
        assert_eq!(password_rules(&"x".repeat(72)), Ok(()));
        assert_eq!(password_rules(&"x".repeat(73)), Err(PasswordRule::TooLong));
        assert_eq!(password_rules(&"€".repeat(24)), Ok(()));
        assert_eq!(password_rules(&"€".repeat(25)), Err(PasswordRule::TooLong));
        assert_eq!(password_rules(&"€".repeat(11)), Err(PasswordRule::TooShort));
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_alone() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$2b$12$"));
        assert!(passwords.fits("correct horse battery".into(), Some(&hash)).await.unwrap());
        assert!(!passwords.fits("correct horse batterx".into(), Some(&hash)).await.unwrap());
        assert_eq!((passwords.real.get(), passwords.dummy.get()), (2, 0));
    }

    #[tokio::test]
    async fn nobody_and_too_long_cost_the_same_and_never_fit() {
        let passwords = Passwords::default();
        let long = "x".repeat(73);
        let hash = bcrypt::hash(&long, 4).unwrap();
        assert!(!passwords.fits(long, Some(&hash)).await.unwrap());
        assert!(!passwords.fits("whatever".into(), None).await.unwrap());
        assert_eq!((passwords.real.get(), passwords.dummy.get()), (0, 2));
        assert_eq!(DUMMY.parse::<bcrypt::HashParts>().unwrap().get_cost(), COST);
    }

    #[tokio::test]
    async fn a_damaged_hash_fits_nothing() {
        assert!(!Passwords::default().fits("x".into(), Some("plain")).await.unwrap());
    }
}
