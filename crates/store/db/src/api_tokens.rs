//! Keys for programs: named, with a role of their own, kept as a hash.

use base_model::Timestamp;
use uuid::Uuid;

use crate::sql::{self, args, row};
use crate::{Db, DbError};

row! {
    /// A row of `api_tokens`.
    pub struct ApiTokenRow {
        /// Stable id.
        pub uuid: String,
        /// What it is for, unique.
        pub name: String,
        /// SHA-256 of the token, in hex.
        pub token_hash: String,
        /// `admin` or `viewer`.
        pub role: String,
        /// The account that made it, with which it ends; absent when that was an operator of the
        /// machine.
        pub user_uuid: Option<String>,
        /// Who made it, by name.
        pub created_by: String,
        /// When.
        pub created_at: Timestamp,
        /// When it ends by itself.
        pub expires_at: Option<Timestamp>,
        /// When it was last seen, to the minute.
        pub last_used_at: Option<Timestamp>,
    }
}

/// Keys for programs.
#[derive(Clone, Copy, Debug)]
pub struct ApiTokens<'a>(&'a Db);

impl Db {
    /// Keys for programs.
    #[must_use]
    pub const fn api_tokens(&self) -> ApiTokens<'_> {
        ApiTokens(self)
    }
}

const COLUMNS: &str = <ApiTokenRow as sql::Row>::COLUMNS;

impl ApiTokens<'_> {
    /// Adds a token.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when the name is taken.
    pub async fn create(&self, token: &ApiTokenRow) -> Result<(), DbError> {
        let sql = format!("INSERT INTO api_tokens ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)");
        let token = token.clone();
        let args = args![
            token.uuid,
            token.name,
            token.token_hash,
            token.role,
            token.user_uuid,
            token.created_by.chars().take(64).collect::<String>(),
            token.created_at,
            token.expires_at,
            token.last_used_at,
        ];
        sql::execute(self.0.writer(), &sql, args).await?;
        Ok(())
    }

    /// All tokens by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<ApiTokenRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM api_tokens ORDER BY `name`");
        sql::all(self.0.reader(), &sql, Vec::new()).await
    }

    /// The token with this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_hash(&self, hash: &str) -> Result<Option<ApiTokenRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM api_tokens WHERE `token_hash`=?");
        sql::one(self.0.reader(), &sql, args![hash]).await
    }

    /// Notes that a token was seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn used(&self, uuid: Uuid, at: Timestamp) -> Result<(), DbError> {
        let sql = "UPDATE api_tokens SET `last_used_at`=? WHERE `uuid`=?";
        sql::execute(self.0.writer(), sql, args![at, uuid.hyphenated().to_string()]).await?;
        Ok(())
    }

    /// Removes a token. Returns whether it existed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke(&self, uuid: Uuid) -> Result<bool, DbError> {
        let sql = "DELETE FROM api_tokens WHERE `uuid`=?";
        let args = args![uuid.hyphenated().to_string()];
        Ok(sql::execute(self.0.writer(), sql, args).await? > 0)
    }
}
