//! One holder at a time.

use std::time::Duration;

use base_model::catalogue;
use base_runtime::Clock;
use events_bus::Bus;
use store_db::DbError;

use super::world::*;
use crate::{Ingest, IngestError};

#[tokio::test]
async fn a_second_holder_is_told_who_holds_the_lease() {
    for test in store_db::testing::databases().await {
        let folder = tempfile::tempdir().unwrap();
        let options = |holder: &str| {
            let mut options =
                crate::IngestOptions::new(folder.path().to_owned(), holder.to_owned());
            options.lease_ttl = Duration::from_secs(60);
            options
        };
        let open = |holder: &str| {
            Ingest::open(test.db.clone(), options(holder), Clock::start(), Bus::new())
        };
        let first = open("first").await.unwrap();
        let refused = open("second").await.err().unwrap();
        let IngestError::Db(DbError::Held { holder, seconds }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(holder, "first");
        assert!((50..=61).contains(&seconds), "{seconds}");
        first.close().await.unwrap();
        open("second").await.unwrap();
    }
}

#[tokio::test]
async fn a_holder_that_was_killed_takes_over_from_itself_at_once() {
    for test in store_db::testing::databases().await {
        let lease = test.db.ingest_lease();
        let ttl = Duration::from_secs(60);
        let at = base_model::Timestamp::from_micros(0);
        let before = lease.acquire("same", at, ttl).await.unwrap();
        let after = lease.acquire("same", at, ttl).await.unwrap();
        let fenced = lease.renew(&before, at, ttl).await;
        assert!(matches!(fenced, Err(DbError::Fenced)), "{fenced:?}");
        lease.renew(&after, at, ttl).await.unwrap();
    }
}

#[tokio::test]
async fn a_fenced_writer_stores_nothing_more() {
    for world in worlds().await {
        world.apply(&[record(of(1, catalogue::connect()))]).await;
        let opened =
            Ingest::open(world.db().clone(), world.options(), Clock::start(), Bus::new()).await;
        let successor = opened.unwrap();
        let refused =
            world.ingest.apply(sensor(), boot(), &[record(of(2, catalogue::connect()))]).await;
        let refused = refused.unwrap_err();
        assert!(refused.is_fenced() && !refused.is_retryable(), "{refused:?}");
        assert_eq!(world.db().logs().newest_seq().await.unwrap(), 1);
        let applied =
            successor.apply(sensor(), boot(), &[record(of(2, catalogue::connect()))]).await;
        assert_eq!(applied.unwrap().through, 2);
    }
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_not_taken_over() {
    let test = store_db::testing::sqlite().await;
    let lease = test.db.ingest_lease();
    let ttl = Duration::from_secs(10);
    let held = lease.acquire("a", at(0), ttl).await.unwrap();
    lease.renew(&held, at(9_000_000), ttl).await.unwrap();
    let refused = lease.acquire("b", at(11_000_000), ttl).await;
    assert!(matches!(refused, Err(DbError::Held { .. })), "{refused:?}");
    let taken = lease.acquire("b", at(19_000_000), ttl).await.unwrap();
    assert!(matches!(lease.renew(&held, at(19_000_001), ttl).await, Err(DbError::Fenced)));
    lease.release(&held).await.unwrap();
    lease.renew(&taken, at(19_000_002), ttl).await.unwrap();
}
