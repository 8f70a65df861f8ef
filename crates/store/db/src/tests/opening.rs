//! Opening, and what stands in the way.

use crate::testing::{databases, sqlite};
use crate::{Db, DbError, DbUrl, sql};

#[tokio::test]
async fn opening_twice_changes_nothing_and_both_answer() {
    for test in databases().await {
        let again = Db::open(&test.url).await.unwrap();
        again.ping().await.unwrap();
        test.db.ping().await.unwrap();
        assert_eq!(again.stats().await.unwrap(), crate::Stats::default());
    }
}

#[tokio::test]
async fn a_schema_without_its_record_is_refused() {
    for test in databases().await {
        sql::execute(test.db.writer(), "DROP TABLE seaql_migrations", vec![]).await.unwrap();
        // The schema is there but unrecorded: opening fails cleanly instead of half way.
        let refused = Db::open(&test.url).await;
        assert!(matches!(refused, Err(DbError::Failed(_))), "{}: {refused:?}", test.engine);
    }
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    for test in databases().await {
        let sql = "INSERT INTO seaql_migrations (`version`,`applied_at`) VALUES ('m9999_later',0)";
        sql::execute(test.db.writer(), sql, vec![]).await.unwrap();
        let refused = Db::open(&test.url).await.unwrap_err();
        assert!(refused.to_string().contains("m9999_later"), "{refused}");
    }
}

#[tokio::test]
async fn how_far_a_schema_is_can_be_asked_without_changing_it() {
    for test in databases().await {
        let state = Db::schema_at(&test.url).await.unwrap().unwrap();
        assert!(state.pending.is_empty() && state.unknown.is_empty(), "{state:?}");
        assert_eq!(state.applied.last().map(String::as_str), Some("m0004_api_tokens"));
        let sql = "UPDATE seaql_migrations SET `version`='m9999_later' \
                   WHERE `version`='m0004_api_tokens'";
        sql::execute(test.db.writer(), sql, vec![]).await.unwrap();
        let state = Db::schema_at(&test.url).await.unwrap().unwrap();
        assert_eq!(state.pending, ["m0004_api_tokens"], "{}", test.engine);
        assert_eq!(state.unknown, ["m9999_later"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("x.db");
    assert_eq!(Db::schema_at(&DbUrl::Sqlite(missing.clone())).await.unwrap(), None);
    assert!(!missing.exists());
}

#[tokio::test]
async fn an_unreachable_database_says_what_to_check() {
    let missing = DbUrl::Sqlite("/nonexistent/folder/x.db".into());
    let error = Db::open(&missing).await.unwrap_err();
    assert!(matches!(error, DbError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("/nonexistent/folder/x.db"));
    assert!(error.is_transient());
    let closed: DbUrl = "mysql://u:hunter2@127.0.0.1:1/d".parse().unwrap();
    let error = Db::open(&closed).await.unwrap_err();
    assert!(matches!(error, DbError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    std::fs::write(&path, "not a database, only text that is long enough to look at").unwrap();
    assert!(Db::open(&DbUrl::Sqlite(path)).await.is_err());
}

#[tokio::test]
async fn a_sqlite_reader_does_not_wait_for_the_writer() {
    let test = sqlite().await;
    let transaction = test.db.begin().await.unwrap();
    let insert = "INSERT INTO state (`key`,`value`) VALUES ('k','1')";
    sql::execute(&transaction, insert, vec![]).await.unwrap();
    assert_eq!(test.db.state().get("k").await.unwrap(), None);
    transaction.commit().await.unwrap();
    assert!(test.db.state().get("k").await.unwrap().is_some());
}

#[tokio::test]
async fn the_server_session_is_strict_and_in_utc() {
    for test in databases().await.into_iter().filter(|test| test.engine == "mariadb") {
        let sql = "SELECT CONCAT(@@sql_mode,' ',@@time_zone,' ',@@collation_connection)";
        let found = sql::scalar::<String>(test.db.reader(), sql, vec![]).await.unwrap().unwrap();
        assert!(found.contains("STRICT_ALL_TABLES"), "{found}");
        assert!(found.ends_with("+00:00 utf8mb4_bin"), "{found}");
        let long = "x".repeat(65);
        let user = crate::UserRow {
            uuid: uuid::Uuid::nil().to_string(),
            username: long,
            password_hash: String::new(),
            role: String::new(),
            must_change_password: false,
            tokens_valid_from: None,
        };
        assert!(test.db.users().create(&user).await.is_err(), "nothing is cut silently");
    }
}

#[tokio::test]
async fn a_new_database_file_is_not_for_everyone() {
    use std::os::unix::fs::PermissionsExt as _;
    let test = sqlite().await;
    let DbUrl::Sqlite(path) = &test.url else { panic!("a file") };
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "{mode:o}");
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_does_not_swallow_the_next() {
    let test = sqlite().await;
    // As full as it can be.
    sql::raw(test.db.writer(), "PRAGMA max_page_count=1", vec![]).await.unwrap();
    let insert = "INSERT INTO state (`key`,`value`) VALUES (?,?)";
    let transaction = test.db.begin().await.unwrap();
    let large = "x".repeat(1_000_000);
    sql::execute(&transaction, insert, crate::sql::args!["large", large]).await.unwrap_err();
    // There is nothing left to roll back.
    drop(transaction.rollback().await);
    test.db.begin().await.unwrap().rollback().await.unwrap();
    let transaction = test.db.begin().await.unwrap();
    sql::execute(&transaction, insert, crate::sql::args!["small", "1"]).await.unwrap();
    transaction.commit().await.unwrap();
    // Another connection sees what was committed.
    assert_eq!(test.db.state().get("small").await.unwrap(), Some(1.into()));
}
