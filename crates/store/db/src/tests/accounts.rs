//! Users, revocation, audit, state.

use serde_json::json;
use uuid::Uuid;

use super::at;
use crate::testing::databases;
use crate::{AuditEntry, DbError, Paging, UserRow};

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
        assert!(users.set_role(uuid, "viewer", at(9)).await.unwrap());
        assert_eq!(users.count_admins().await.unwrap(), 0);
        assert!(users.delete(uuid).await.unwrap());
        assert!(!users.delete(uuid).await.unwrap());
        assert_eq!(users.list().await.unwrap().len(), 1);
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
