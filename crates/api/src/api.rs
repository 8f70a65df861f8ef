//! The parts behind the routes, bound together once.

use std::sync::Arc;

use base_model::Timestamp;
use base_runtime::{Clock, Shutdown};
use events_bus::Bus;
use operate_fleet::Deployments;
use store_db::{Bucket, Db};
use store_ingest::BlobStore;

use crate::ApiConfig;
use crate::auth::limits::Limits;
use crate::auth::password::Passwords;
use crate::auth::session::Sessions;
use crate::auth::ticket::Tickets;
use crate::auth::token::Tokens;
use crate::cache::Fresh;
use crate::health::board::HealthBoard;
use crate::problem::Problem;
use crate::stats::types::StatsBody;
use crate::stream::Pace;
use crate::stream::slots::Slots;
use crate::stream::tail::Tail;

/// What the API stands on.
pub struct ApiParts {
    /// What an operator may set.
    pub config: ApiConfig,
    /// The store.
    pub db: Db,
    /// Wake-ups after commit.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    /// How the components of this process are.
    pub health: HealthBoard,
    /// Captured files.
    pub blobs: BlobStore,
    /// The fleet there is to be.
    pub deployments: Arc<Deployments>,
}

/// The API: what its routes share. Clones are the same.
#[derive(Clone)]
pub struct Api(pub(crate) Shared);

/// What the routes share.
pub(crate) type Shared = Arc<Inner>;

pub(crate) struct Inner {
    pub(crate) config: ApiConfig,
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) health: HealthBoard,
    pub(crate) blobs: BlobStore,
    pub(crate) deployments: Arc<Deployments>,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: Sessions,
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) tickets: Tickets,
    pub(crate) slots: Slots,
    pub(crate) tail: Arc<Tail>,
    pub(crate) stats: Fresh<StatsBody>,
    pub(crate) histogram: Fresh<Arc<Vec<Bucket>>>,
    pub(crate) database: Fresh<bool>,
    /// Asked for when the server ends: streams close.
    pub(crate) closing: Shutdown,
    pub(crate) pace: Pace,
}

impl Api {
    /// Binds the parts. Does no I/O and starts no task.
    #[must_use]
    pub fn new(parts: ApiParts) -> Self {
        Self::paced(parts, Pace::default())
    }

    pub(crate) fn paced(parts: ApiParts, pace: Pace) -> Self {
        let ApiParts { config, db, bus, clock, health, blobs, deployments } = parts;
        let tokens = Tokens::new(&config.jwt_secret, config.jwt_lifetime);
        let limits = Limits::new(config.limiter_enabled);
        let slots = Slots::new(config.sse_max_per_user);
        Self(Arc::new(Inner {
            config,
            db,
            bus,
            clock,
            health,
            blobs,
            deployments,
            tokens,
            sessions: Sessions::default(),
            passwords: Passwords::default(),
            limits,
            tickets: Tickets::default(),
            slots,
            tail: Arc::default(),
            stats: Fresh::default(),
            histogram: Fresh::default(),
            database: Fresh::default(),
            closing: Shutdown::default(),
            pace,
        }))
    }
}

/// What the API counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiCounts {
    /// Comparisons of a password with an account's hash.
    pub password_checks: u64,
    /// Comparisons made for a name nobody has.
    pub dummy_password_checks: u64,
    /// Log rows that slow live streams left out.
    pub stream_rows_skipped: u64,
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds a row to the audit log.
    pub(crate) async fn audit(&self, entry: store_db::AuditEntry) -> Result<(), Problem> {
        Ok(self.db.audit().insert(self.now(), entry).await?)
    }
}

impl Api {
    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> ApiCounts {
        ApiCounts {
            password_checks: self.0.passwords.real.get(),
            dummy_password_checks: self.0.passwords.dummy.get(),
            stream_rows_skipped: self.0.tail.skipped.get(),
        }
    }

    /// To be called when something other than these routes wrote to the accounts, so that it counts
    /// at once and not within ten seconds.
    pub fn accounts_changed(&self) {
        self.0.sessions.changed();
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("config", &self.0.config).finish_non_exhaustive()
    }
}
