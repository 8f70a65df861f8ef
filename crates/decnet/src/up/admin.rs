//! The first administrator: a password made once, to be changed at the first login.

use base_runtime::{Clock, entropy, environment};
use rand_core::{Rng as _, SeedableRng as _};
use store_db::Db;
use store_db::users::UserRow;
use uuid::Builder;

use super::state::Folder;

/// Where the first password waits until it is changed.
const FILE: &str = "first-password";
/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
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
pub(crate) async fn ensure(db: &Db, state: &Folder, _clock: Clock) -> anyhow::Result<FirstLogin> {
    let name = environment::variable("DECNET_ADMIN_USER").unwrap_or_else(|| "admin".into());
    if let Some(user) = db.users().by_username(&name).await? {
        if !user.must_change_password {
            state.remove_private(FILE)?;
            return Ok(FirstLogin { user: name, password: None });
        }
        return Ok(FirstLogin { user: name, password: state.read_private(FILE)? });
    }
    // The file comes first: a crash in between leaves a password without a user, not the reverse.
    let password = password()?;
    state.write_private(FILE, &password)?;
    let hashing = password.clone();
    let hash = tokio::task::spawn_blocking(move || api::hash_password(&hashing)).await??;
    let user = UserRow {
        uuid: Builder::from_random_bytes(entropy::bytes()?).into_uuid().to_string(),
        username: name.clone(),
        password_hash: hash,
        role: "admin".into(),
        must_change_password: true,
        tokens_valid_from: None,
    };
    db.users().create(&user).await?;
    Ok(FirstLogin { user: name, password: Some(password) })
}

fn password() -> anyhow::Result<String> {
    let mut rng = chacha20::ChaCha12Rng::from_seed(entropy::bytes()?);
    Ok((0..LENGTH)
        .map(|_| {
            let at = usize::try_from(rng.next_u64() % ALPHABET.len() as u64).unwrap_or(0);
            char::from(*ALPHABET.get(at).unwrap_or(&b'x'))
        })
        .collect())
}
