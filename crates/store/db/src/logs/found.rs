//! The log, searched where the index says that something may be.

use std::collections::BTreeMap;

use base_model::Timestamp;

use super::{Bucket, COUNT_LIMIT, LogCursor, LogQuery, LogRow, Logs};
use crate::DbError;
use crate::index::find::Finder;
use crate::page::{Page, Paging};
use crate::sql::{self, Column as _};

/// With more rows than this to skip and show, remembering their order costs more than the index
/// spares.
const DEEP: u64 = 20_000;

impl Logs<'_> {
    /// Where to search; `None` to read the log as it is.
    pub(super) async fn finder(&self, query: &LogQuery) -> Result<Option<Finder<'_>>, DbError> {
        match query.search.needles() {
            Some(needles) => Finder::new(self.0, query, &needles).await,
            None => Ok(None),
        }
    }

    /// A page and how many rows there are, in one pass; `None` to read the log as it is.
    pub(super) async fn found_page(
        &self,
        query: &LogQuery,
        cursor: Option<LogCursor>,
        paging: Paging,
    ) -> Result<Option<Page<LogRow>>, DbError> {
        let kept = paging.offset.saturating_add(paging.limit);
        if kept > DEEP {
            return Ok(None);
        }
        let Some(mut finder) = self.finder(query).await? else { return Ok(None) };
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        let cursor = cursor.map(|cursor| (cursor.timestamp, cursor.seq));
        let (condition, base_args) = self.condition(query);
        let mut newest: Vec<(Timestamp, u64)> = Vec::new();
        let mut total = 0_u64;
        while let Some(part) = finder.next().await? {
            let sql =
                format!("SELECT `timestamp`,`seq` FROM logs WHERE {condition}{}", part.condition);
            let args = base_args.iter().cloned().chain(part.args).collect();
            let rows = sql::raw(self.0.reader(), &sql, args).await?;
            total += rows.len() as u64;
            for row in &rows {
                let place = (Timestamp::read(row, 0)?, u64::read(row, 1)?);
                if cursor.is_none_or(|cursor| place < cursor) {
                    newest.push(place);
                }
            }
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(kept);
            let later = |last: &(Timestamp, u64)| part.rest.is_none_or(|rest| last.0 > rest);
            let listed = newest.len() == kept && newest.last().is_none_or(later);
            if listed && total > COUNT_LIMIT {
                break;
            }
        }
        let skipped = usize::try_from(paging.offset).unwrap_or(usize::MAX);
        let seqs: Vec<u64> = newest.into_iter().skip(skipped).map(|(_, seq)| seq).collect();
        let data = self.by_seqs(&seqs).await?;
        let (total, total_estimated) = super::counted(total);
        Ok(Some(Page { data, total, total_estimated }))
    }

    pub(super) async fn found_count(
        &self,
        query: &LogQuery,
        mut finder: Finder<'_>,
    ) -> Result<u64, DbError> {
        let (condition, base_args) = self.condition(query);
        let mut total = 0;
        while total <= COUNT_LIMIT
            && let Some(part) = finder.next().await?
        {
            let sql = format!("SELECT COUNT(*) FROM logs WHERE {condition}{}", part.condition);
            let args = base_args.iter().cloned().chain(part.args).collect();
            let count = sql::scalar::<i64>(self.0.reader(), &sql, args).await?.unwrap_or(0);
            total += u64::try_from(count).unwrap_or(0);
        }
        Ok(total)
    }

    pub(super) async fn found_histogram(
        &self,
        query: &LogQuery,
        minutes: i64,
        mut finder: Finder<'_>,
    ) -> Result<Vec<Bucket>, DbError> {
        let mut bars: BTreeMap<Timestamp, u64> = BTreeMap::new();
        while let Some(part) = finder.next().await? {
            for bucket in self.bars(query, minutes, &part.condition, part.args).await? {
                *bars.entry(bucket.time).or_default() += bucket.count;
            }
        }
        Ok(bars.into_iter().map(|(time, count)| Bucket { time, count }).collect())
    }
}
