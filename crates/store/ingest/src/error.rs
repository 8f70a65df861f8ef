//! Why a batch was not applied.

use std::path::PathBuf;

use store_db::DbError;

/// A batch was not applied; nothing of it is in the database.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The database refused.
    #[error("ingest failed in the database")]
    Db(#[from] DbError),
    /// A file could not be written.
    #[error("failed to write `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl IngestError {
    /// Whether the same batch may be applied later, as it is.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            // A full or broken disk: nothing about the batch would help.
            Self::File { .. } => true,
        }
    }

    /// Whether another process took over; this one must stop.
    #[must_use]
    pub const fn is_fenced(&self) -> bool {
        matches!(self, Self::Db(DbError::Fenced))
    }
}
