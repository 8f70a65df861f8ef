//! Records that could not be stored, for an operator to look at.

use base_model::Timestamp;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError};

row! {
    /// A row of `quarantine`.
    pub struct QuarantineRow {
        /// The sensor it came from.
        pub sensor: String,
        /// The run of its decoy process.
        pub boot: String,
        /// Position within that run.
        pub boot_seq: u64,
        /// When it was given up.
        pub at: Timestamp,
        /// Why.
        pub error: String,
        /// The record as JSON text.
        pub record: String,
    }
}

/// Records that could not be stored.
#[derive(Clone, Copy, Debug)]
pub struct Quarantine<'a>(&'a Db);

impl Db {
    /// Records that could not be stored.
    #[must_use]
    pub const fn quarantine(&self) -> Quarantine<'_> {
        Quarantine(self)
    }
}

impl Quarantine<'_> {
    /// A page, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, paging: Paging) -> Result<Page<QuarantineRow>, DbError> {
        let count = "SELECT COUNT(*) FROM quarantine";
        let total = sql::scalar::<i64>(self.0.reader(), count, Vec::new()).await?;
        let columns = <QuarantineRow as sql::Row>::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM quarantine ORDER BY `at` DESC, `boot_seq` DESC LIMIT ? OFFSET ?"
        );
        let data = sql::all(self.0.reader(), &sql, args![paging.limit, paging.offset]).await?;
        let total = total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        Ok(Page { data, total, total_estimated: false })
    }
}
