//! Which rows of the log may contain a text: a coarse index that spares a search most of the rows.
//!
//! Rows are taken in blocks of [`BLOCK_ROWS`], each block in groups of 16. Every run of three bytes
//! in a row's texts belongs to one of 65,536 slots, and the index says per slot in which groups of
//! the block it occurs. A row that contains a word is in a group that has all the word's slots; the
//! opposite is not promised, so whoever searches tests the row itself, and the answer is the same as
//! without the index.
//!
//! * `log_index` has 256 pages per block, `id` = block × 256 + upper half of the slot; see [`block`]
//!   for what is in one.
//! * `log_index_blocks` has the times of each block, so that the newest rows are found first.
//! * The counter `log_index` is the number of the last row that is indexed. It moves in the
//!   transaction that writes the block. Rows above it are read as they are.
//!
//! A block is a function of rows that never change, is written once, and can be deleted by range.
//! Its size is bounded whatever its rows contain; usually it is 16 bytes per row. Both databases have
//! the same index, because MariaDB has no full-text parser for substrings.
//!
//! It does not help with texts shorter than three bytes, and little with words that are each in most
//! groups but never in one row.

pub(crate) mod block;
pub(crate) mod find;
mod slots;

use base_model::Timestamp;
use sea_orm::{DbErr, QueryResult};

use crate::sql::{self, Column, args};
use crate::{Db, DbError, counters};
pub use block::BLOCK_ROWS;
use block::{GROUP_ROWS, Marks};
pub(crate) use slots::Needles;

/// Rows that are read at a time.
const CHUNK: u64 = 256;
/// Longer fields are read one at a time, so that the rows in memory stay few megabytes.
const LONG: u64 = 64 * 1024;
/// Stands between the texts of a row. No search asks for it, see [`Needles::add`].
const BETWEEN: &str = "\u{1f}";

/// Which rows of the log may contain a text.
#[derive(Clone, Copy, Debug)]
pub struct LogIndex<'a>(&'a Db);

impl Db {
    /// Which rows of the log may contain a text.
    #[must_use]
    pub const fn log_index(&self) -> LogIndex<'_> {
        LogIndex(self)
    }
}

/// The index of one block, to be written by [`crate::ingest::IngestTx::save_block`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexBlock {
    pub(crate) number: u64,
    pub(crate) oldest: Timestamp,
    pub(crate) newest: Timestamp,
    pub(crate) pages: Vec<(u8, Vec<u8>)>,
}

impl IndexBlock {
    /// Number of its first row.
    #[must_use]
    pub const fn first_seq(&self) -> u64 {
        self.number * BLOCK_ROWS + 1
    }

    /// Number of its last row.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        (self.number + 1) * BLOCK_ROWS
    }
}

impl LogIndex<'_> {
    /// Number of the last row that is indexed; 0 when none is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn position(&self) -> Result<u64, DbError> {
        counters::read(self.0, counters::LOG_INDEX).await
    }

    /// The block after the last that is written, made from its rows; `None` until all of them are
    /// there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&self) -> Result<Option<IndexBlock>, DbError> {
        let position = self.position().await?;
        // Rows become visible in their order: there is one writer at a time.
        if self.0.logs().newest_seq().await? < position + BLOCK_ROWS {
            return Ok(None);
        }
        let mut marks = Marks::new();
        for chunk in 0..BLOCK_ROWS / CHUNK {
            let from = position + chunk * CHUNK;
            for row in self.texts(from, from + CHUNK).await? {
                let seq = u64::read(&row, 0)?;
                let group = u8::try_from((seq - position - 1) / GROUP_ROWS).unwrap_or(u8::MAX);
                marks.add(group, &String::read(&row, 1)?);
                if Option::<bool>::read(&row, 2)? == Some(true) {
                    marks.add(group, &self.fields(seq).await?);
                }
            }
        }
        let (oldest, newest) = self.times(position, position + BLOCK_ROWS).await?;
        let number = position / BLOCK_ROWS;
        Ok(Some(IndexBlock { number, oldest, newest, pages: marks.pages() }))
    }

    /// Of the rows above `from`: number, the texts that a search looks at, and whether the fields are
    /// long and missing among them.
    async fn texts(&self, from: u64, to: u64) -> Result<Vec<QueryResult>, DbError> {
        let sql = "SELECT `seq`,CONCAT_WS(?,`decky`,`service`,`event_type`,`attacker_ip`,\
                   CASE WHEN OCTET_LENGTH(`fields`)<=? THEN `fields` END),\
                   OCTET_LENGTH(`fields`)>? FROM logs WHERE `seq`>? AND `seq`<=?";
        sql::raw(self.0.reader(), sql, args![BETWEEN, LONG, LONG, from, to]).await
    }

    async fn fields(&self, seq: u64) -> Result<String, DbError> {
        let sql = "SELECT `fields` FROM logs WHERE `seq`=?";
        Ok(sql::scalar(self.0.reader(), sql, args![seq]).await?.unwrap_or_default())
    }

    async fn times(&self, from: u64, to: u64) -> Result<(Timestamp, Timestamp), DbError> {
        let sql = "SELECT MIN(`timestamp`),MAX(`timestamp`) FROM logs WHERE `seq`>? AND `seq`<=?";
        let rows = sql::raw(self.0.reader(), sql, args![from, to]).await?;
        let Some(row) = rows.first() else { return Ok(<_>::default()) };
        let time =
            |index| Ok::<_, DbErr>(Option::<Timestamp>::read(row, index)?.unwrap_or_default());
        Ok((time(0)?, time(1)?))
    }
}
