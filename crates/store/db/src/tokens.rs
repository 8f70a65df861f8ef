//! Access tokens that were revoked before their end.

use base_model::Timestamp;
use uuid::Uuid;

use crate::sql::{self, args};
use crate::{Db, DbError};

/// The revocation list.
#[derive(Clone, Copy, Debug)]
pub struct RevokedTokens<'a>(&'a Db);

impl Db {
    /// The revocation list.
    #[must_use]
    pub const fn revoked_tokens(&self) -> RevokedTokens<'_> {
        RevokedTokens(self)
    }
}

impl RevokedTokens<'_> {
    /// Revokes token `jti` until it would have ended anyway; forgets those that have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke(
        &self,
        jti: &str,
        user: Uuid,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let transaction = self.0.begin().await?;
        let prune = "DELETE FROM revoked_tokens WHERE `expires_at`<?";
        sql::execute(&transaction, prune, args![now]).await?;
        let insert = "INSERT INTO revoked_tokens (`jti`,`user_uuid`,`expires_at`,`revoked_at`) \
                      VALUES (?,?,?,?)";
        let insert = format!("{insert}{}", self.0.dialect().on_conflict_nothing("`jti`", "jti"));
        let args = args![jti, user.hyphenated().to_string(), expires_at, now];
        sql::execute(&transaction, &insert, args).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether token `jti` is revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contains(&self, jti: &str) -> Result<bool, DbError> {
        let sql = "SELECT 1 FROM revoked_tokens WHERE `jti`=?";
        Ok(sql::scalar::<i64>(self.0.reader(), sql, args![jti]).await?.is_some())
    }
}
