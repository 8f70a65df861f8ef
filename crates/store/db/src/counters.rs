//! Running numbers and totals.

use crate::sql::{self, args};
use crate::{Db, DbError};

/// Rows of `logs`, which is also the number of the newest.
pub(crate) const LOGS: &str = "logs";
/// Number of the last row of `logs` that is indexed.
pub(crate) const LOG_INDEX: &str = "log_index";
/// Rows of `attackers`.
pub(crate) const ATTACKERS: &str = "attackers";
/// Rows of `credentials`.
pub(crate) const CREDENTIALS: &str = "credentials";
/// Rows of `bounty`.
pub(crate) const BOUNTIES: &str = "bounty";

pub(crate) async fn read(db: &Db, name: &str) -> Result<u64, DbError> {
    let sql = "SELECT `value` FROM counters WHERE `name`=?";
    let value = sql::scalar::<i64>(db.reader(), sql, args![name]).await?;
    Ok(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
}
