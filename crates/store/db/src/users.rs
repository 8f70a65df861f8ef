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

    /// Sets a role; sessions issued before `valid_from` die, and so do the API tokens the account
    /// made. The last administrator stays one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_role(
        &self,
        uuid: Uuid,
        role: &str,
        valid_from: Timestamp,
    ) -> Result<Kept, DbError> {
        let sql = "UPDATE users SET `role`=?, `tokens_valid_from`=? WHERE `uuid`=?";
        let key = uuid.hyphenated().to_string();
        self.unless_last(uuid, role != ADMIN, sql, args![role, valid_from, key]).await
    }

    /// Removes an account and the API tokens it made. The last administrator stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, uuid: Uuid) -> Result<Kept, DbError> {
        let sql = "DELETE FROM users WHERE `uuid`=?";
        self.unless_last(uuid, true, sql, args![uuid.hyphenated().to_string()]).await
    }

    /// Runs `sql`, which takes the role of administrator from account `uuid` if `takes`, unless it is
    /// the last that has it.
    async fn unless_last(
        &self,
        uuid: Uuid,
        takes: bool,
        sql: &str,
        args: Vec<sea_orm::Value>,
    ) -> Result<Kept, DbError> {
        let key = uuid.hyphenated().to_string();
        let transaction = self.0.begin().await?;
        // Held until the end: of two administrators who remove each other, one stays.
        let lock = self.0.dialect().for_update();
        let admins = format!("SELECT `uuid` FROM users WHERE `role`='{ADMIN}'{lock}");
        let mut admins_left = Vec::new();
        for row in sql::raw(&transaction, &admins, Vec::new()).await? {
            admins_left.push(row.try_get_by_index::<String>(0)?);
        }
        if takes && admins_left == [key.clone()] {
            transaction.rollback().await?;
            return Ok(Kept::LastAdmin);
        }
        let found = sql::execute(&transaction, sql, args).await? > 0;
        if found {
            let tokens = "DELETE FROM api_tokens WHERE `user_uuid`=?";
            sql::execute(&transaction, tokens, args![key]).await?;
        }
        transaction.commit().await?;
        Ok(if found { Kept::Changed } else { Kept::Missing })
    }
}

/// The role that somebody must have.
const ADMIN: &str = "admin";

/// What became of a change that the last administrator is kept from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was made.
    Changed,
    /// There is no such account.
    Missing,
    /// Nobody would be administrator; nothing was changed.
    LastAdmin,
}
