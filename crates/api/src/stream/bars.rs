//! The histogram of one stream: read once, then counted on.

use std::collections::BTreeMap;

use base_model::Timestamp;
use store_db::{Bucket, LogQuery};

use crate::api::Shared;
use crate::logs::routes::MINUTES;
use crate::logs::types::HistogramBucket;
use crate::problem::Problem;

/// Seconds of a bar.
const WIDTH: i64 = MINUTES as i64 * 60;
/// Bars that are sent: the newest seven days of them.
const SENT: usize = 7 * 24 * 4;

/// Bars of a histogram.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    counts: BTreeMap<i64, u64>,
    /// Rows up to this one were in the log when the bars were read.
    upto: u64,
}

impl Bars {
    /// Reads the bars of what `query` matches.
    pub(crate) async fn load(api: &Shared, query: &LogQuery) -> Result<Self, Problem> {
        let upto = api.db.logs().newest_seq().await?;
        let bars = api.db.logs().histogram(query, MINUTES).await?;
        let newest = bars.len().saturating_sub(SENT);
        let counts = bars.iter().skip(newest).map(|bar| (bar.time.seconds(), bar.count)).collect();
        Ok(Self { counts, upto })
    }

    /// Counts row `seq` of time `at`, unless it was there when the bars were read.
    pub(crate) fn count(&mut self, seq: u64, at: Timestamp) {
        if seq <= self.upto {
            return;
        }
        let seconds = at.seconds();
        *self.counts.entry(seconds - seconds.rem_euclid(WIDTH)).or_default() += 1;
        while self.counts.len() > SENT {
            self.counts.pop_first();
        }
    }

    /// The bars for the wire, oldest first.
    pub(crate) fn shown(&self) -> Vec<HistogramBucket> {
        let bar = |(&seconds, &count): (&i64, &u64)| Bucket {
            time: Timestamp::from_micros(seconds.saturating_mul(1_000_000)),
            count,
        };
        self.counts.iter().map(bar).map(HistogramBucket::from).collect()
    }
}
