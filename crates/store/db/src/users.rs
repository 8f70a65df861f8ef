//! Operators' accounts.

use base_model::Timestamp;
use uuid::Uuid;

use crate::sql::{self, args, row};
use crate::{Db, DbError};

row! {
    /// A row of `users`.
    pub struct UserRow {
        /// Stable id.
        pub uuid: String,
        /// Login name, unique.
        pub username: String,
        /// Password hash in PHC or bcrypt form.
        pub password_hash: String,
        /// `admin` or `viewer`.
        pub role: String,
        /// Whether only a change of password is allowed.
        pub must_change_password: bool,
        /// Sessions issued before this instant are dead.
        pub tokens_valid_from: Option<Timestamp>,
    }
}

/// The accounts.
#[derive(Clone, Copy, Debug)]
pub struct Users<'a>(&'a Db);

impl Db {
    /// The operators' accounts.
    #[must_use]
    pub const fn users(&self) -> Users<'_> {
        Users(self)
    }
}

impl Users<'_> {
    /// Adds an account.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when the name is taken.
    pub async fn create(&self, user: &UserRow) -> Result<(), DbError> {
        let sql =
            format!("INSERT INTO users ({}) VALUES (?,?,?,?,?,?)", <UserRow as sql::Row>::COLUMNS);
        let user = user.clone();
        let args = args![
            user.uuid,
            user.username,
            user.password_hash,
            user.role,
            user.must_change_password,
            user.tokens_valid_from
        ];
        sql::execute(self.0.writer(), &sql, args).await?;
        Ok(())
    }

    /// The account with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_uuid(&self, uuid: Uuid) -> Result<Option<UserRow>, DbError> {
        self.find("uuid", uuid.hyphenated().to_string()).await
    }

    /// The account with exactly this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_username(&self, username: &str) -> Result<Option<UserRow>, DbError> {
        let found = self.find("username", username.to_owned()).await?;
        // A server ignores trailing blanks when it compares; a login name does not.
        Ok(found.filter(|user| user.username == username))
    }

    async fn find(&self, column: &str, key: String) -> Result<Option<UserRow>, DbError> {
        let columns = <UserRow as sql::Row>::COLUMNS;
        let sql = format!("SELECT {columns} FROM users WHERE `{column}`=?");
        sql::one(self.0.reader(), &sql, args![key]).await
    }

    /// All accounts by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<UserRow>, DbError> {
        let columns = <UserRow as sql::Row>::COLUMNS;
        let sql = format!("SELECT {columns} FROM users ORDER BY `username`");
        sql::all(self.0.reader(), &sql, Vec::new()).await
    }

    /// How many administrators there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_admins(&self) -> Result<u64, DbError> {
        let sql = "SELECT COUNT(*) FROM users WHERE `role`='admin'";
        let count = sql::scalar::<i64>(self.0.reader(), sql, Vec::new()).await?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Sets a password; sessions issued before `valid_from` die, if given. Returns whether the
    /// account exists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(
        &self,
        uuid: Uuid,
        password_hash: &str,
        must_change: bool,
        valid_from: Option<Timestamp>,
    ) -> Result<bool, DbError> {
        let sql = "UPDATE users SET `password_hash`=?, `must_change_password`=?, \
                   `tokens_valid_from`=COALESCE(?,`tokens_valid_from`) WHERE `uuid`=?";
        let args = args![password_hash, must_change, valid_from, uuid.hyphenated().to_string()];
        Ok(sql::execute(self.0.writer(), sql, args).await? > 0)
    }

    /// Sets a role; sessions issued before `valid_from` die. Returns whether the account exists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_role(
        &self,
        uuid: Uuid,
        role: &str,
        valid_from: Timestamp,
    ) -> Result<bool, DbError> {
        let sql = "UPDATE users SET `role`=?, `tokens_valid_from`=? WHERE `uuid`=?";
        let args = args![role, valid_from, uuid.hyphenated().to_string()];
        Ok(sql::execute(self.0.writer(), sql, args).await? > 0)
    }

    /// Removes an account. Returns whether it existed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, uuid: Uuid) -> Result<bool, DbError> {
        let sql = "DELETE FROM users WHERE `uuid`=?";
        let args = args![uuid.hyphenated().to_string()];
        Ok(sql::execute(self.0.writer(), sql, args).await? > 0)
    }
}
