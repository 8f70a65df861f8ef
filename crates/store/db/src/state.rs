//! Settings and places kept by name.

use serde_json::Value;

use crate::sql::{self, args};
use crate::{Db, DbError};

/// Settings and places kept by name.
#[derive(Clone, Copy, Debug)]
pub struct State<'a>(&'a Db);

impl Db {
    /// Settings and places kept by name.
    #[must_use]
    pub const fn state(&self) -> State<'_> {
        State(self)
    }
}

impl State<'_> {
    /// The value of `key`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, key: &str) -> Result<Option<Value>, DbError> {
        let sql = "SELECT `value` FROM state WHERE `key`=?";
        let text = sql::scalar::<String>(self.0.reader(), sql, args![key]).await?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|error| DbError::Data(error.to_string()))
        })
        .transpose()
    }

    /// Sets `key`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set(&self, key: &str, value: &Value) -> Result<(), DbError> {
        let tail = self.0.dialect().on_conflict_set("`key`", &["value"]);
        let sql = format!("INSERT INTO state (`key`,`value`) VALUES (?,?){tail}");
        sql::execute(self.0.writer(), &sql, args![key, value.to_string()]).await?;
        Ok(())
    }
}
