//! The first administrator (`spec/api.md` §3.1).

use store_db::{Db, DbError, UserRow};
use uuid::Uuid;

use crate::auth::password::{PasswordRule, hash_password, password_rules};

/// What became of the first administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// The account was made; its password must be changed at the first login.
    Created,
    /// The account waits for its first login, and has the given password now.
    Resynchronised,
    /// The operator chose a password; nothing was changed.
    Kept,
}

/// Why there is no first administrator.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The password will not do.
    #[error("the administrator's password {0}")]
    Password(#[from] PasswordRule),
    /// No random bytes for salt or id.
    #[error("failed to make the administrator's account")]
    Entropy(#[from] base_runtime::entropy::NoEntropy),
    /// The database refused.
    #[error("failed to store the administrator's account")]
    Db(#[from] DbError),
    /// The account's id cannot be read.
    #[error("the id of account `{0}` is damaged")]
    Damaged(String),
}

/// Makes the administrator `username` with `password`, or gives it that password while nobody has
/// chosen one for it. To be called at start, before the API is served.
///
/// # Errors
/// When the password will not do, or the database fails.
pub async fn seed_admin(db: &Db, username: &str, password: &str) -> Result<Seeded, SeedError> {
    let Some(user) = db.users().by_username(username).await? else {
        password_rules(password)?;
        let uuid = uuid::Builder::from_random_bytes(base_runtime::entropy::bytes()?).into_uuid();
        let user = UserRow {
            uuid: uuid.hyphenated().to_string(),
            username: username.to_owned(),
            password_hash: hash(password).await?,
            role: "admin".to_owned(),
            must_change_password: true,
            tokens_valid_from: None,
        };
        db.users().create(&user).await?;
        return Ok(Seeded::Created);
    };
    // A password that another administrator gave it stays too, although it is to be changed.
    if !user.must_change_password || user.tokens_valid_from.is_some() {
        return Ok(Seeded::Kept);
    }
    password_rules(password)?;
    let uuid = Uuid::try_parse(&user.uuid).map_err(|_| SeedError::Damaged(user.username))?;
    db.users().set_password(uuid, &hash(password).await?, true, None).await?;
    Ok(Seeded::Resynchronised)
}

async fn hash(password: &str) -> Result<String, base_runtime::entropy::NoEntropy> {
    let password = password.to_owned();
    let hashed = tokio::task::spawn_blocking(move || hash_password(&password)).await;
    hashed.unwrap_or(Err(base_runtime::entropy::NoEntropy))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fits(db: &Db, password: &str) -> bool {
        let user = db.users().by_username("root").await.unwrap().unwrap();
        assert_eq!(user.role, "admin");
        bcrypt::verify(password, &user.password_hash).unwrap()
    }

    #[tokio::test]
    async fn the_first_password_follows_the_setting_until_one_was_chosen() {
        let test = store_db::testing::sqlite().await;
        let db = &test.db;
        let (first, second, own) = ("first of passwords", "second of passwords", "my own password");
        assert!(matches!(seed_admin(db, "root", "short").await, Err(SeedError::Password(_))));
        assert_eq!(db.users().count_admins().await.unwrap(), 0);
        assert_eq!(seed_admin(db, "root", first).await.unwrap(), Seeded::Created);
        assert!(fits(db, first).await);
        assert_eq!(seed_admin(db, "root", second).await.unwrap(), Seeded::Resynchronised);
        assert!(fits(db, second).await);
        let user = db.users().by_username("root").await.unwrap().unwrap();
        assert!(user.must_change_password);
        let uuid = user.uuid.parse().unwrap();
        let hash = bcrypt::hash(own, 4).unwrap();
        db.users().set_password(uuid, &hash, false, None).await.unwrap();
        assert_eq!(seed_admin(db, "root", first).await.unwrap(), Seeded::Kept);
        assert!(fits(db, own).await);
        assert_eq!(db.users().count_admins().await.unwrap(), 1);
        let now = base_model::Timestamp::from_micros(1);
        let reset = crate::Accounts::new(db, now);
        reset.reset_password(uuid, &bcrypt::hash(second, 4).unwrap(), true).await.unwrap();
        assert_eq!(seed_admin(db, "root", first).await.unwrap(), Seeded::Kept);
        assert!(fits(db, second).await);
    }
}
