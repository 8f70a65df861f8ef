//! Credentials that attackers tried.

use base_model::Timestamp;
use serde_json::Value;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError, counters};

row! {
    /// A row of `credentials`: one secret of one attacker on one service.
    pub struct CredentialRow {
        /// Row number.
        pub id: i64,
        /// Address, or `Unknown`.
        pub attacker_ip: String,
        /// Whose, when known.
        pub attacker_uuid: Option<String>,
        /// On which decky.
        pub decky_name: String,
        /// Over which service.
        pub service: String,
        /// User, distinguished name, domain; cut at 256 characters (whole in `fields`).
        pub principal: Option<String>,
        /// How the secret travelled.
        pub secret_kind: String,
        /// Digest of the secret's bytes.
        pub secret_sha256: String,
        /// The exact bytes in base64.
        pub secret_b64: String,
        /// What of them can be printed.
        pub secret_printable: String,
        /// `success`, `failure` or `observed`.
        pub outcome: Option<String>,
        /// Fields of the first sighting.
        pub fields: Value,
        /// First try.
        pub first_seen: Timestamp,
        /// Last try.
        pub last_seen: Timestamp,
        /// Tries.
        pub attempt_count: u64,
    }
}

/// Which credentials.
#[derive(Clone, Debug, Default)]
pub struct CredentialQuery {
    /// Substring of decky, service, principal or printable secret.
    pub search: Option<String>,
    /// Service, exactly.
    pub service: Option<String>,
    /// Address, exactly.
    pub attacker_ip: Option<String>,
}

/// Tried credentials.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a>(&'a Db);

impl Db {
    /// Tried credentials.
    #[must_use]
    pub const fn credentials(&self) -> Credentials<'_> {
        Credentials(self)
    }
}

impl Credentials<'_> {
    /// A page, last tried first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        query: &CredentialQuery,
        paging: Paging,
    ) -> Result<Page<CredentialRow>, DbError> {
        let mut condition = "1=1".to_owned();
        let mut args = Vec::new();
        for (column, value) in [("service", &query.service), ("attacker_ip", &query.attacker_ip)] {
            if let Some(value) = value {
                condition.push_str(&format!(" AND `{column}`=?"));
                args.extend(args![value.clone()]);
            }
        }
        if let Some(search) = &query.search {
            let columns = ["decky_name", "service", "principal", "secret_printable"];
            sql::any_contains(&columns, search, &mut condition, &mut args);
        }
        let total = if args.is_empty() {
            counters::read(self.0, counters::CREDENTIALS).await?
        } else {
            let sql = format!("SELECT COUNT(*) FROM credentials WHERE {condition}");
            let count = sql::scalar::<i64>(self.0.reader(), &sql, args.clone()).await?;
            count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
        };
        let columns = <CredentialRow as sql::Row>::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM credentials WHERE {condition} \
             ORDER BY `last_seen` DESC, `id` DESC LIMIT ? OFFSET ?"
        );
        args.extend(args![paging.limit, paging.offset]);
        let data = sql::all(self.0.reader(), &sql, args).await?;
        Ok(Page { data, total, total_estimated: false })
    }
}
