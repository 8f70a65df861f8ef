//! The index of the log follows what is ingested.

use std::time::Duration;

use base_model::{Fields, Record};
use base_runtime::{Clock, Shutdown};
use events_bus::Bus;
use store_db::index::BLOCK_ROWS;
use store_db::{Db, LogQuery, Search};

use super::world::*;
use crate::Ingest;

fn commands(seqs: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    let command = |seq| Fields::new().with("command", format!("wget payload{seq}.sh"));
    seqs.map(|seq| record(event(seq, "command", command(seq)))).collect()
}

async fn until_indexed(db: &Db, position: u64) {
    let reached = async {
        while db.log_index().position().await.unwrap() < position {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("it is indexed in time");
}

#[tokio::test]
async fn the_index_follows_the_log_until_it_is_asked_to_end() {
    for world in worlds().await {
        let shutdown = Shutdown::default();
        let indexing = tokio::spawn(world.ingest.indexer().run(shutdown.clone()));
        world.apply(&commands(1..=BLOCK_ROWS - 1)).await;
        assert_eq!(world.db().log_index().position().await.unwrap(), 0);
        world.apply(&commands(BLOCK_ROWS..=BLOCK_ROWS + 5)).await;
        until_indexed(world.db(), BLOCK_ROWS).await;
        for seq in [1, 77, BLOCK_ROWS, BLOCK_ROWS + 3] {
            let search = Search::parse(&format!("\"payload{seq}.\""));
            let query = LogQuery { search, ..LogQuery::default() };
            let page = world.db().logs().list_before(&query, None, 9).await.unwrap();
            let seqs: Vec<u64> = page.data.iter().map(|row| row.seq).collect();
            assert_eq!(seqs, [seq], "{}", world.test.engine);
        }
        shutdown.ask();
        indexing.await.unwrap();
        world.ingest.close().await.unwrap();
    }
}

#[tokio::test]
async fn rows_from_before_are_indexed_at_start() {
    for world in worlds().await {
        world.apply(&commands(1..=2 * BLOCK_ROWS)).await;
        let shutdown = Shutdown::default();
        let indexing = tokio::spawn(world.ingest.indexer().run(shutdown.clone()));
        until_indexed(world.db(), 2 * BLOCK_ROWS).await;
        shutdown.ask();
        indexing.await.unwrap();
    }
}

#[tokio::test]
async fn an_indexer_ends_when_another_process_takes_over() {
    for world in worlds().await {
        world.apply(&commands(1..=BLOCK_ROWS)).await;
        let former = world.ingest.indexer();
        let opened =
            Ingest::open(world.db().clone(), world.options(), Clock::start(), Bus::new()).await;
        let successor = opened.unwrap();
        assert!(former.step().await.unwrap_err().is_fenced());
        former.run(Shutdown::default()).await;
        assert_eq!(world.db().log_index().position().await.unwrap(), 0);
        assert!(successor.indexer().step().await.unwrap());
        assert!(!successor.indexer().step().await.unwrap());
    }
}

#[tokio::test]
async fn an_indexer_without_its_database_tries_again_until_it_is_asked_to_end() {
    for world in worlds().await {
        let indexer = world.ingest.indexer();
        world.db().clone().close().await;
        assert!(indexer.step().await.unwrap_err().is_retryable());
        let shutdown = Shutdown::default();
        let indexing = tokio::spawn(indexer.run(shutdown.clone()));
        tokio::task::yield_now().await;
        assert!(!indexing.is_finished());
        shutdown.ask();
        indexing.await.unwrap();
    }
}
