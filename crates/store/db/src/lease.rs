//! The right to ingest: one holder per deployment.
//!
//! Every take-over counts the fencing token up. A transaction of ingest names its token first, which
//! locks the row, so a former holder cannot commit anything after a take-over and a take-over cannot
//! happen in the middle of a transaction.

use std::time::Duration;

use base_model::Timestamp;
use sea_orm::ConnectionTrait;

use crate::sql::{self, args};
use crate::{Db, DbError};

/// A held lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    token: i64,
}

/// The one lease.
#[derive(Clone, Copy, Debug)]
pub struct IngestLease<'a>(&'a Db);

impl Db {
    /// The right to ingest.
    #[must_use]
    pub const fn ingest_lease(&self) -> IngestLease<'_> {
        IngestLease(self)
    }
}

impl IngestLease<'_> {
    /// Takes the lease for `ttl` as `holder` when nobody else holds it at `now`. The same holder
    /// takes over from itself at once: it was killed and is back. Holders of one name must exclude
    /// each other by other means.
    ///
    /// # Errors
    /// [`DbError::Held`] when somebody does.
    pub async fn acquire(
        &self,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, DbError> {
        let transaction = self.0.begin().await?;
        let nothing = self.0.dialect().on_conflict_nothing("`id`", "id");
        let insert = format!(
            "INSERT INTO ingest_lease (`id`,`holder`,`token`,`expires_at`) VALUES (1,'',0,0){nothing}"
        );
        sql::execute(&transaction, &insert, Vec::new()).await?;
        let update = "UPDATE ingest_lease SET `holder`=?, `token`=`token`+1, `expires_at`=? \
                      WHERE `id`=1 AND (`expires_at`<=? OR `holder`=?)";
        let holder: String = holder.chars().take(255).collect();
        let args = args![holder.clone(), (now + ttl).micros(), now.micros(), holder];
        let taken = sql::execute(&transaction, update, args).await? > 0;
        let read = "SELECT `holder`,`token`,`expires_at` FROM ingest_lease WHERE `id`=1";
        let row = sql::raw(&transaction, read, Vec::new()).await?;
        let row = row.first().ok_or_else(|| DbError::Data("the lease row is gone".into()))?;
        if !taken {
            let until = Timestamp::from_micros(row.try_get_by_index(2)?);
            return Err(DbError::Held {
                holder: row.try_get_by_index(0)?,
                seconds: until.since(now).as_secs() + 1,
            });
        }
        let token = row.try_get_by_index(1)?;
        transaction.commit().await?;
        Ok(Lease { token })
    }

    /// Keeps the lease until `ttl` after `now`.
    ///
    /// # Errors
    /// [`DbError::Fenced`] when it passed to another holder.
    pub async fn renew(&self, lease: &Lease, now: Timestamp, ttl: Duration) -> Result<(), DbError> {
        renew(self.0.writer(), lease, now, ttl).await
    }

    /// Gives the lease back; does nothing when it passed to another holder.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, lease: &Lease) -> Result<(), DbError> {
        let sql = "UPDATE ingest_lease SET `expires_at`=0 WHERE `id`=1 AND `token`=?";
        sql::execute(self.0.writer(), sql, args![lease.token]).await?;
        Ok(())
    }
}

/// Extends the lease and locks its row until the transaction ends.
pub(crate) async fn renew(
    connection: &impl ConnectionTrait,
    lease: &Lease,
    now: Timestamp,
    ttl: Duration,
) -> Result<(), DbError> {
    // A clock behind the last holder's must not shorten the lease to nothing.
    let sql = "UPDATE ingest_lease SET `expires_at`=? WHERE `id`=1 AND `token`=?";
    let args = args![(now + ttl).micros(), lease.token];
    match sql::execute(connection, sql, args).await? {
        0 => Err(DbError::Fenced),
        _ => Ok(()),
    }
}
