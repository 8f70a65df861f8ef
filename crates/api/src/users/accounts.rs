//! Changes of accounts, for the routes and for who is locked out of them.

use base_model::Timestamp;
use store_db::{Db, DbError, Kept, UserRow};
use uuid::Uuid;

use crate::Role;
use crate::auth::routes::next_second;

/// Characters of a name.
const NAME: std::ops::RangeInclusive<usize> = 1..=64;

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A name that nobody could tell from another, or type.
    #[error("a name has 1 to 64 characters, no control characters, and no blank at either end")]
    Name,
    /// Somebody has that name.
    #[error("there is an account of that name")]
    Taken,
    /// Nobody has it.
    #[error("there is no such account")]
    Missing,
    /// Somebody must be administrator.
    #[error("the last administrator stays one; make another first")]
    LastAdmin,
    /// No random bytes for an id.
    #[error("failed to make an id")]
    Entropy(#[from] base_runtime::entropy::NoEntropy),
    /// The database refused.
    #[error("failed to store the account")]
    Db(#[source] DbError),
}

impl From<DbError> for AccountError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate(_) => Self::Taken,
            other => Self::Db(other),
        }
    }
}

/// The accounts of a database, changed at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    db: &'a Db,
    now: Timestamp,
}

impl<'a> Accounts<'a> {
    /// Of `db`, at `now`.
    #[must_use]
    pub const fn new(db: &'a Db, now: Timestamp) -> Self {
        Self { db, now }
    }

    /// Adds an account.
    ///
    /// # Errors
    /// When the name will not do or is taken, or the database fails.
    pub async fn add(
        &self,
        name: &str,
        password_hash: String,
        role: Role,
        must_change_password: bool,
    ) -> Result<UserRow, AccountError> {
        if !is_name(name) {
            return Err(AccountError::Name);
        }
        let uuid = uuid::Builder::from_random_bytes(base_runtime::entropy::bytes()?).into_uuid();
        let user = UserRow {
            uuid: uuid.hyphenated().to_string(),
            username: name.to_owned(),
            password_hash,
            role: role.name().to_owned(),
            must_change_password,
            tokens_valid_from: None,
        };
        self.db.users().create(&user).await?;
        Ok(user)
    }

    /// Gives an account another password and ends its sessions.
    ///
    /// # Errors
    /// When there is no such account, or the database fails.
    pub async fn reset_password(
        &self,
        uuid: Uuid,
        password_hash: &str,
        must_change: bool,
    ) -> Result<(), AccountError> {
        let from = Some(next_second(self.now));
        match self.db.users().set_password(uuid, password_hash, must_change, from).await? {
            true => Ok(()),
            false => Err(AccountError::Missing),
        }
    }

    /// Gives an account another role and ends its sessions and API tokens.
    ///
    /// # Errors
    /// When there is no such account, it is the last administrator, or the database fails.
    pub async fn set_role(&self, uuid: Uuid, role: Role) -> Result<(), AccountError> {
        let from = next_second(self.now);
        done(self.db.users().set_role(uuid, role.name(), from).await?)
    }

    /// Removes an account with its sessions and API tokens.
    ///
    /// # Errors
    /// When there is no such account, it is the last administrator, or the database fails.
    pub async fn remove(&self, uuid: Uuid) -> Result<(), AccountError> {
        done(self.db.users().delete(uuid).await?)
    }
}

const fn done(kept: Kept) -> Result<(), AccountError> {
    match kept {
        Kept::Changed => Ok(()),
        Kept::Missing => Err(AccountError::Missing),
        Kept::LastAdmin => Err(AccountError::LastAdmin),
    }
}

fn is_name(name: &str) -> bool {
    NAME.contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_typed_and_told_from_others() {
        for good in ["a", "eve", "Ève O'Neil", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", " ", "a ", " a", "a\n", "a\u{1b}[2J", "a\0", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
