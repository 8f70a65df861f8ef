//! One client of the live stream.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::json;
use store_db::LogQuery;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::access::{Caller, Standing};
use crate::api::Shared;
use crate::logs::routes::is_everything;
use crate::problem::Problem;
use crate::stats::routes::figures;
use crate::stream::bars::Bars;
use crate::stream::frame;
use crate::stream::slots::Slot;
use crate::stream::tail::{Member, Shown, Tail};

/// Rows of one frame.
const BATCH: usize = 50;
/// Rows a viewer may be behind: 256 frames. Then it leaves out all but the last frame's.
const MAX_LAG: u64 = 256 * BATCH as u64;
/// Ticks between two readings of the histogram.
const RELOAD: u32 = 6;
/// Least time between two frames of rows: no one reads faster, and a flood costs no more.
const ROWS_PAUSE: Duration = Duration::from_millis(20);
/// Least time between figures that follow rows.
const OVERVIEW_PAUSE: Duration = Duration::from_millis(250);

/// One client of the live stream.
pub(crate) struct Viewer {
    api: Shared,
    caller: Caller,
    query: LogQuery,
    /// The last row that was sent or passed over.
    cursor: u64,
    tip: watch::Receiver<u64>,
    sessions: watch::Receiver<u64>,
    bars: Bars,
    ready: VecDeque<Bytes>,
    tick: Instant,
    ticks: u32,
    keepalive: Instant,
    /// When the next rows may be sent.
    rows_at: Instant,
    /// When figures that follow rows may be sent.
    overview_at: Instant,
    /// Whether rows were sent that the figures did not follow yet.
    overview_due: bool,
    ended: bool,
    _member: Member,
    _slot: Slot,
}

enum Wake {
    Closing,
    Session,
    Tick,
    Keepalive,
    Overview,
    Rows,
}

impl Viewer {
    /// A viewer that starts after row `after`, or at the end of the log without one.
    pub(crate) async fn open(
        api: Shared,
        caller: Caller,
        slot: Slot,
        query: LogQuery,
        after: Option<u64>,
    ) -> Result<Self, Problem> {
        let sessions = api.sessions.changes();
        let (member, tip) = Tail::join(&api);
        let newest = api.db.logs().newest_seq().await?;
        let bars = Bars::load(&api, &query).await?;
        let now = Instant::now();
        let mut viewer = Self {
            cursor: after.map_or(newest, |after| after.min(newest)),
            tip,
            sessions,
            bars,
            ready: VecDeque::from([frame::KEEPALIVE]),
            tick: now + api.pace.tick,
            ticks: 0,
            keepalive: now + api.pace.keepalive,
            rows_at: now,
            overview_at: now,
            overview_due: false,
            ended: false,
            api,
            caller,
            query,
            _member: member,
            _slot: slot,
        };
        // What was revoked between the gate and the first line above woke nobody.
        viewer.check_session().await?;
        viewer.overview().await?;
        Ok(viewer)
    }

    /// The next frame, when the client is ready for it.
    pub(crate) async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some((Ok(frame), self));
            }
            if self.ended {
                return None;
            }
            if let Err(problem) = self.step().await {
                self.ended = true;
                // An ended session ends its streams without a word; anything else is a failure.
                if problem.status != StatusCode::UNAUTHORIZED {
                    self.ready.push_back(frame::INTERRUPTED);
                }
            }
        }
    }

    async fn step(&mut self) -> Result<(), Problem> {
        match self.wake().await {
            Wake::Closing => self.ended = true,
            Wake::Session => self.check_session().await?,
            Wake::Tick => self.on_tick().await?,
            Wake::Keepalive => {
                self.keepalive = Instant::now() + self.api.pace.keepalive;
                self.ready.push_back(frame::KEEPALIVE);
            }
            Wake::Overview => self.overview().await?,
            Wake::Rows => self.rows().await?,
        }
        Ok(())
    }

    async fn wake(&mut self) -> Wake {
        let cursor = self.cursor;
        let (rows_at, overview_at, overview_due) =
            (self.rows_at, self.overview_at, self.overview_due);
        let rows = async {
            tokio::time::sleep_until(rows_at).await;
            // The sender lives as long as the API.
            let _ = self.tip.wait_for(|tip| *tip > cursor).await;
        };
        let claims = self.caller.session().ok();
        let end = claims.map(|claims| Instant::now() + self.api.clock.until(claims.ends()));
        let session_end = async {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.api.closing.asked() => Wake::Closing,
            _ = self.sessions.changed() => Wake::Session,
            () = session_end => Wake::Session,
            () = tokio::time::sleep_until(self.tick) => Wake::Tick,
            () = tokio::time::sleep_until(self.keepalive) => Wake::Keepalive,
            () = tokio::time::sleep_until(overview_at), if overview_due => Wake::Overview,
            () = rows => Wake::Rows,
        }
    }

    async fn check_session(&mut self) -> Result<(), Problem> {
        if self.caller.standing == Standing::Local {
            return Ok(());
        }
        let (role, standing) = (self.caller.role, self.caller.standing.clone());
        let caller = self.api.sessions.caller(&self.api, standing).await?;
        if caller.role < role || caller.must_change_password {
            return Err(Problem::credentials());
        }
        self.caller = caller;
        Ok(())
    }

    async fn on_tick(&mut self) -> Result<(), Problem> {
        self.tick = Instant::now() + self.api.pace.tick;
        self.ticks += 1;
        self.check_session().await?;
        if self.ticks.is_multiple_of(RELOAD) {
            self.bars = Bars::load(&self.api, &self.query).await?;
        }
        self.overview().await
    }

    /// Sends figures and histogram.
    async fn overview(&mut self) -> Result<(), Problem> {
        self.overview_due = false;
        self.overview_at = Instant::now() + OVERVIEW_PAUSE;
        let stats = figures(&self.api).await?;
        self.ready.push_back(frame::message("stats", &stats));
        self.ready.push_back(frame::message("histogram", &self.bars.shown()));
        Ok(())
    }

    /// Sends the next rows.
    async fn rows(&mut self) -> Result<(), Problem> {
        self.rows_at = Instant::now() + ROWS_PAUSE;
        let tip = *self.tip.borrow_and_update();
        let everything = is_everything(&self.query);
        if everything && tip.saturating_sub(self.cursor) > MAX_LAG {
            self.leap(tip).await?;
        }
        let kept = if everything { self.api.tail.after(self.cursor, BATCH) } else { None };
        let rows = match kept {
            Some(rows) => rows,
            None => {
                let limit = BATCH as u64;
                let rows = self.api.db.logs().after(self.cursor, &self.query, limit).await?;
                rows.into_iter().map(|row| Arc::new(Shown::from(row))).collect()
            }
        };
        let Some(last) = rows.last() else {
            self.cursor = self.cursor.max(tip);
            return Ok(());
        };
        // With less than a frame there is nothing more up to the tip, whatever the filter.
        self.cursor = if rows.len() < BATCH { tip.max(last.seq) } else { last.seq };
        rows.iter().for_each(|row| self.bars.count(row.seq, row.at));
        self.ready.push_back(frame::logs(last.seq, rows.iter().map(|row| row.json())));
        self.overview_due = self.cursor >= tip;
        Ok(())
    }

    /// Leaves out all but the last rows before `tip`, and says how many.
    async fn leap(&mut self, tip: u64) -> Result<(), Problem> {
        let target = tip.saturating_sub(BATCH as u64);
        let skipped = target - self.cursor;
        self.api.tail.skipped.add(skipped);
        self.cursor = target;
        self.bars = Bars::load(&self.api, &self.query).await?;
        self.ready.push_back(frame::message("skipped", &json!({"count": skipped})));
        Ok(())
    }
}
