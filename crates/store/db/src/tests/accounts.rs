//! Users, revocation, audit, state.

use serde_json::json;
use uuid::Uuid;

use super::at;
use crate::testing::databases;
use crate::{ApiTokenRow, AuditEntry, DbError, Kept, Paging, UserRow};

fn user(n: u128, name: &str, role: &str) -> UserRow {
    UserRow {
        uuid: Uuid::from_u128(n).to_string(),
        username: name.into(),
        password_hash: "$2b$12$x".into(),
        role: role.into(),
        must_change_password: true,
        tokens_valid_from: None,
    }
}

#[tokio::test]
async fn an_account_lives_from_creation_to_deletion() {
    for test in databases().await {
        let users = test.db.users();
        users.create(&user(1, "admin", "admin")).await.unwrap();
        users.create(&user(2, "eve ", "viewer")).await.unwrap();
        let taken = users.create(&user(3, "admin", "viewer")).await;
        assert!(matches!(taken, Err(DbError::Duplicate(_))), "{}: {taken:?}", test.engine);
        assert_eq!(users.by_username("eve").await.unwrap(), None, "blanks count");
        assert_eq!(users.by_username("eve ").await.unwrap(), Some(user(2, "eve ", "viewer")));
        let uuid = Uuid::from_u128(1);
        assert!(users.set_password(uuid, "new", false, Some(at(7))).await.unwrap());
        let changed = users.by_uuid(uuid).await.unwrap().unwrap();
        assert_eq!(changed.tokens_valid_from, Some(at(7)));
        assert_eq!((changed.password_hash.as_str(), changed.must_change_password), ("new", false));
        assert_eq!(users.count_admins().await.unwrap(), 1);
        assert_eq!(users.set_role(uuid, "admin", at(8)).await.unwrap(), Kept::Changed);
        assert_eq!(users.set_role(uuid, "viewer", at(9)).await.unwrap(), Kept::LastAdmin);
        assert_eq!(users.delete(uuid).await.unwrap(), Kept::LastAdmin);
        users.create(&user(3, "other", "admin")).await.unwrap();
        assert_eq!(users.set_role(uuid, "viewer", at(9)).await.unwrap(), Kept::Changed);
        assert_eq!(users.count_admins().await.unwrap(), 1);
        assert_eq!(users.delete(uuid).await.unwrap(), Kept::Changed);
        assert_eq!(users.delete(uuid).await.unwrap(), Kept::Missing);
        assert_eq!(users.list().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn of_administrators_who_remove_each_other_one_stays() {
    for test in databases().await {
        for round in 0..5_u128 {
            let users = test.db.users();
            let (one, other) = (round * 2 + 1, round * 2 + 2);
            users.create(&user(one, &format!("one {round}"), "admin")).await.unwrap();
            users.create(&user(other, &format!("other {round}"), "admin")).await.unwrap();
            for old in users.list().await.unwrap() {
                let uuid = Uuid::try_parse(&old.uuid).unwrap();
                if uuid.as_u128() < one {
                    users.delete(uuid).await.unwrap();
                }
            }
            let (first, second) = tokio::join!(
                users.delete(Uuid::from_u128(one)),
                users.set_role(Uuid::from_u128(other), "viewer", at(1))
            );
            // A server may end one of two that wait for each other; that one changed nothing.
            let done = [first, second].into_iter().filter(|r| matches!(r, Ok(Kept::Changed)));
            assert!(done.count() <= 1, "{}", test.engine);
            assert_eq!(users.count_admins().await.unwrap(), 1, "{}", test.engine);
        }
    }
}

#[tokio::test]
async fn an_api_token_ends_when_revoked_or_with_the_account_that_made_it() {
    for test in databases().await {
        let tokens = test.db.api_tokens();
        let row = |n: u128, name: &str, user: Option<u128>| ApiTokenRow {
            uuid: Uuid::from_u128(n).to_string(),
            name: name.into(),
            token_hash: format!("{n:064x}"),
            role: "viewer".into(),
            user_uuid: user.map(|user| Uuid::from_u128(user).to_string()),
            created_by: "x".repeat(64),
            created_at: at(1),
            expires_at: None,
            last_used_at: None,
        };
        tokens.create(&row(1, "siem ❤", None)).await.unwrap();
        let taken = tokens.create(&row(2, "siem ❤", None)).await;
        assert!(matches!(taken, Err(DbError::Duplicate(_))), "{}: {taken:?}", test.engine);
        let hash = format!("{:064x}", 1);
        assert_eq!(tokens.by_hash(&hash).await.unwrap(), Some(row(1, "siem ❤", None)));
        tokens.used(Uuid::from_u128(1), at(5)).await.unwrap();
        assert_eq!(tokens.list().await.unwrap()[0].last_used_at, Some(at(5)));
        let users = test.db.users();
        users.create(&user(1, "admin", "admin")).await.unwrap();
        users.create(&user(2, "gone", "admin")).await.unwrap();
        tokens.create(&row(3, "of gone", Some(2))).await.unwrap();
        users.delete(Uuid::from_u128(2)).await.unwrap();
        assert_eq!(tokens.list().await.unwrap().len(), 1, "{}", test.engine);
        assert!(tokens.revoke(Uuid::from_u128(1)).await.unwrap());
        assert!(!tokens.revoke(Uuid::from_u128(1)).await.unwrap());
        assert_eq!(tokens.by_hash(&hash).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_revoked_token_stays_revoked_until_it_would_end() {
    for test in databases().await {
        let tokens = test.db.revoked_tokens();
        tokens.revoke("a", Uuid::nil(), at(100), at(0)).await.unwrap();
        tokens.revoke("a", Uuid::nil(), at(100), at(0)).await.unwrap();
        assert!(tokens.contains("a").await.unwrap());
        tokens.revoke("b", Uuid::nil(), at(300), at(200)).await.unwrap();
        assert!(!tokens.contains("a").await.unwrap(), "{}", test.engine);
        assert!(tokens.contains("b").await.unwrap());
    }
}

#[tokio::test]
async fn the_audit_log_keeps_what_was_done_newest_first() {
    for test in databases().await {
        for n in 0..3 {
            let entry = AuditEntry {
                username: Some("x".repeat(500)),
                action: format!("act {n}"),
                ok: n == 1,
                detail: json!({"n": n}),
                ..AuditEntry::default()
            };
            test.db.audit().insert(at(n), entry).await.unwrap();
        }
        let page = test.db.audit().list(Paging { limit: 2, offset: 0 }).await.unwrap();
        assert_eq!(page.total, 3);
        assert_eq!((page.data[0].action.as_str(), page.data[0].ok), ("act 2", false));
        assert_eq!((page.data[1].at, &page.data[1].detail), (at(1), &json!({"n": 1})));
        assert_eq!(page.data[0].username.as_ref().unwrap().len(), 64);
    }
}

#[tokio::test]
async fn state_is_kept_by_name() {
    for test in databases().await {
        let state = test.db.state();
        assert_eq!(state.get("k").await.unwrap(), None);
        state.set("k", &json!({"a": "ä\u{0}❤🐙 "})).await.unwrap();
        state.set("k", &json!({"a": "ä\u{0}❤🐙 "})).await.unwrap();
        assert_eq!(state.get("k").await.unwrap(), Some(json!({"a": "ä\u{0}❤🐙 "})));
    }
}
