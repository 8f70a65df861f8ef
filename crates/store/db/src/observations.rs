//! Behavioural observations: one row per primitive and evidence (`spec/behave.md` §13).

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use crate::sql::{self, args, row};
use crate::{Db, DbError};

row! {
    /// A row of `observations`; the same fields as the BEHAVE envelope.
    pub struct ObservationRow {
        /// Envelope id, 32 hex digits.
        pub id: String,
        /// The identity, once attribution has set it.
        pub identity_ref: Option<String>,
        /// Dotted name of the primitive.
        pub primitive: String,
        /// What was measured.
        pub value: Value,
        /// 0 to 1.
        pub confidence: f64,
        /// Start of the window, seconds since the epoch.
        pub window_start_ts: f64,
        /// End of the window, seconds since the epoch.
        pub window_end_ts: f64,
        /// What produced it.
        pub source: String,
        /// What it was measured on.
        pub evidence_ref: String,
        /// Envelope version.
        pub envelope_v: i64,
        /// When it was made, seconds since the epoch.
        pub ts: f64,
        /// Whose behaviour.
        pub attacker_uuid: String,
    }
}

/// One point of a time series.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservationPoint {
    /// Seconds since the epoch.
    pub ts: f64,
    /// What was measured.
    pub value: Value,
    /// 0 to 1.
    pub confidence: f64,
}

/// Behavioural observations.
#[derive(Clone, Copy, Debug)]
pub struct Observations<'a>(&'a Db);

impl Db {
    /// Behavioural observations.
    #[must_use]
    pub const fn observations(&self) -> Observations<'_> {
        Observations(self)
    }
}

const COLUMNS: &str = <ObservationRow as sql::Row>::COLUMNS;
const KEY: &str = "`evidence_ref`,`primitive`";
/// What a second observation of the same evidence overwrites: all but id and key.
const MUTABLE: [&str; 9] = [
    "identity_ref",
    "value",
    "confidence",
    "window_start_ts",
    "window_end_ts",
    "source",
    "envelope_v",
    "ts",
    "attacker_uuid",
];

impl Observations<'_> {
    /// Stores an observation, replacing the one of the same evidence and primitive except for its
    /// id. Returns the id of the row.
    ///
    /// # Errors
    /// When the database fails, also when there is no such attacker.
    pub async fn upsert_observation(&self, row: &ObservationRow) -> Result<String, DbError> {
        let transaction = self.0.begin().await?;
        let tail = self.0.dialect().on_conflict_set(KEY, &MUTABLE);
        let places = sql::places(12);
        let insert = format!("INSERT INTO observations ({COLUMNS}) VALUES ({places}){tail}");
        let (primitive, evidence) = (row.primitive.clone(), row.evidence_ref.clone());
        let row = row.clone();
        let args = args![
            row.id,
            row.identity_ref,
            row.primitive,
            row.value.to_string(),
            row.confidence,
            row.window_start_ts,
            row.window_end_ts,
            row.source,
            row.evidence_ref,
            row.envelope_v,
            row.ts,
            row.attacker_uuid
        ];
        sql::execute(&transaction, &insert, args).await?;
        let find = "SELECT `id` FROM observations WHERE `evidence_ref`=? AND `primitive`=?";
        let id = sql::scalar::<String>(&transaction, find, args![evidence, primitive]).await?;
        transaction.commit().await?;
        id.ok_or_else(|| DbError::Data("an observation is gone after its insertion".into()))
    }

    /// The newest row of each primitive, by primitive.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_observation_per_primitive(
        &self,
        attacker_uuid: Uuid,
    ) -> Result<BTreeMap<String, ObservationRow>, DbError> {
        let columns: Vec<String> = COLUMNS.split(',').map(|column| format!("o.{column}")).collect();
        let columns = columns.join(",");
        let sql = format!(
            "SELECT {columns} FROM observations o JOIN (SELECT `primitive` AS p, MAX(`ts`) AS t \
             FROM observations WHERE `attacker_uuid`=? GROUP BY `primitive`) newest \
             ON o.`primitive`=newest.p AND o.`ts`=newest.t WHERE o.`attacker_uuid`=? \
             ORDER BY o.`primitive`, o.`id`"
        );
        let uuid = attacker_uuid.hyphenated().to_string();
        let rows: Vec<ObservationRow> =
            sql::all(self.0.reader(), &sql, args![uuid.clone(), uuid]).await?;
        Ok(rows.into_iter().map(|row| (row.primitive.clone(), row)).collect())
    }

    /// All values of a primitive, ascending by time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn observations_time_series(
        &self,
        attacker_uuid: Uuid,
        primitive: &str,
    ) -> Result<Vec<ObservationPoint>, DbError> {
        let sql = "SELECT `ts`,`value`,`confidence` FROM observations \
                   WHERE `attacker_uuid`=? AND `primitive`=? ORDER BY `ts`, `id`";
        let args = args![attacker_uuid.hyphenated().to_string(), primitive];
        let mut points = Vec::new();
        for row in sql::raw(self.0.reader(), sql, args).await? {
            points.push(ObservationPoint {
                ts: sql::Column::read(&row, 0)?,
                value: sql::Column::read(&row, 1)?,
                confidence: sql::Column::read(&row, 2)?,
            });
        }
        Ok(points)
    }

    /// Whether this evidence was measured already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_observations_for_evidence(&self, evidence_ref: &str) -> Result<bool, DbError> {
        let sql = "SELECT 1 FROM observations WHERE `evidence_ref`=? LIMIT 1";
        Ok(sql::scalar::<i64>(self.0.reader(), sql, args![evidence_ref]).await?.is_some())
    }
}
