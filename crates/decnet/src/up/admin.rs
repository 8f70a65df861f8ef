//! The first administrator: a password made once, to be changed at the first login.

use api::{SeedError, Seeded, seed_admin};
use base_runtime::{entropy, environment};
use chacha20::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use store_db::Db;

use super::state::Folder;
use crate::refusal::{Exit, Refusal};

/// Where the first password waits until it is changed.
const FILE: &str = "first-password";
/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 54] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
/// About 115 bits.
const LENGTH: usize = 20;

/// How to log in.
#[derive(Clone, Debug)]
pub(crate) struct FirstLogin {
    pub(crate) user: String,
    /// The first password, as long as it was not changed.
    pub(crate) password: Option<String>,
}

/// Makes the first administrator if there is none, and finds the first password if it still holds.
pub(crate) async fn ensure(db: &Db, state: &Folder) -> anyhow::Result<FirstLogin> {
    let user = environment::variable("DECNET_ADMIN_USER").unwrap_or_else(|| "admin".into());
    // The password is kept before the account exists: a crash in between leaves a password without
    // an account, not the reverse.
    let password = match environment::variable("DECNET_ADMIN_PASSWORD") {
        Some(password) => password,
        None => state.secret(FILE, password)?,
    };
    let seeded = seed_admin(db, &user, &password).await.map_err(|error| match error {
        SeedError::Password(rule) => {
            let what = format!("DECNET_ADMIN_PASSWORD will not do: {rule}");
            anyhow::Error::from(Refusal::new(Exit::Usage, what, "unset it to have one made"))
        }
        other => other.into(),
    })?;
    match seeded {
        Seeded::Created | Seeded::Resynchronised => {
            Ok(FirstLogin { user, password: Some(password) })
        }
        Seeded::Kept => {
            state.remove_private(FILE)?;
            Ok(FirstLogin { user, password: None })
        }
    }
}

/// A password that nobody knows yet.
pub(crate) fn password() -> anyhow::Result<String> {
    let mut rng = ChaCha12Rng::from_seed(entropy::bytes()?);
    let letters = std::iter::repeat_with(|| rng.next_u64() % ALPHABET.len() as u64);
    let letters = letters.filter_map(|at| ALPHABET.get(usize::try_from(at).ok()?));
    Ok(letters.take(LENGTH).map(|&letter| char::from(letter)).collect())
}
