//! Writing what the indexer made.

use super::IngestTx;
use crate::index::{IndexBlock, find};
use crate::rows::Rows;
use crate::sql::{self, args};
use crate::{DbError, counters};

impl IngestTx {
    /// Writes a block and moves the index to its end; does nothing when that is not the next block.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_block(&self, block: IndexBlock) -> Result<(), DbError> {
        let position = "SELECT `value` FROM counters WHERE `name`=?";
        let args = args![counters::LOG_INDEX];
        let position = sql::scalar::<i64>(&self.transaction, position, args).await?.unwrap_or(0);
        if u64::try_from(position) != Ok(block.first_seq() - 1) {
            return Ok(());
        }
        let mut pages = Rows::new(2, block.pages.len());
        for (high, page) in block.pages.iter() {
            pages.push(args![find::id(block.number, *high), page.clone()]);
        }
        let head = self.dialect.insert_new("log_index", "`id`,`slots`");
        pages.insert(&self.transaction, self.dialect, &head, "").await?;
        let times = "INSERT INTO log_index_blocks (`block`,`oldest`,`newest`) VALUES (?,?,?)";
        let args = args![block.number, block.oldest, block.newest];
        sql::execute(&self.transaction, times, args).await?;
        let tail = self.dialect.on_conflict_set("`name`", &["value"]);
        let counter = format!("INSERT INTO counters (`name`,`value`) VALUES (?,?){tail}");
        let args = args![counters::LOG_INDEX, block.last_seq()];
        sql::execute(&self.transaction, &counter, args).await?;
        Ok(())
    }
}
