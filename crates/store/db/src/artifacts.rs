//! Files that attackers left.

use base_model::Timestamp;
use uuid::Uuid;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError, LogRow};

row! {
    /// A row of `artifacts`: a captured file, kept as a blob.
    pub struct ArtifactRow {
        /// `logs.seq` of the event that told of it.
        pub seq: u64,
        /// Digest of the content; names the blob.
        pub sha256: String,
        /// Bytes.
        pub size: u64,
        /// The name it is fetched by.
        pub stored_as: String,
        /// On which decky.
        pub decky: String,
        /// Over which service.
        pub service: String,
        /// Whose, when known.
        pub attacker_uuid: Option<String>,
        /// When.
        pub at: Timestamp,
    }
}

/// Captured files.
#[derive(Clone, Copy, Debug)]
pub struct Artifacts<'a>(&'a Db);

impl Db {
    /// Captured files.
    #[must_use]
    pub const fn artifacts(&self) -> Artifacts<'_> {
        Artifacts(self)
    }
}

impl Artifacts<'_> {
    /// The file kept under this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        decky: &str,
        service: &str,
        stored_as: &str,
    ) -> Result<Option<ArtifactRow>, DbError> {
        let columns = <ArtifactRow as sql::Row>::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM artifacts WHERE `decky`=? AND `service`=? AND `stored_as`=? \
             ORDER BY `seq` LIMIT 1"
        );
        sql::one(self.0.reader(), &sql, args![decky, service, stored_as]).await
    }

    /// `file_captured` events of an attacker, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_attacker(
        &self,
        attacker: Uuid,
        paging: Paging,
    ) -> Result<Page<LogRow>, DbError> {
        let mut args = args![attacker.hyphenated().to_string()];
        let count = "SELECT COUNT(*) FROM artifacts WHERE `attacker_uuid`=?";
        let total = sql::scalar::<i64>(self.0.reader(), count, args.clone()).await?;
        let sql = "SELECT `seq` FROM artifacts WHERE `attacker_uuid`=? \
                   ORDER BY `seq` DESC LIMIT ? OFFSET ?";
        args.extend(args![paging.limit, paging.offset]);
        let mut seqs = Vec::new();
        for row in sql::raw(self.0.reader(), sql, args).await? {
            seqs.push(<u64 as sql::Column>::read(&row, 0)?);
        }
        let data = self.0.logs().by_seqs(&seqs).await?;
        let total = total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        Ok(Page { data, total, total_estimated: false })
    }
}
