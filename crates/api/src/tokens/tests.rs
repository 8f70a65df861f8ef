//! API tokens over the wire.

use std::time::Duration;

use base_model::Fields;
use serde_json::{Value, json};
use store_db::ApiTokenRow;
use uuid::Uuid;

use crate::auth::api_token;
use crate::tests::client::Answer;
use crate::tests::world::{World, body, event, user_id};

const TOKENS: &str = "/api/v1/config/tokens";

async fn make(world: &World, body: Value) -> Answer {
    world.call("POST", TOKENS, &world.token("admin"), Some(&body.to_string())).await
}

async fn made(world: &World, name: &str, role: &str) -> (String, String) {
    let answer = make(world, json!({"name": name, "role": role})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (uuid, token) = (answer.json()["uuid"].clone(), answer.json()["token"].clone());
    (uuid.as_str().unwrap().to_owned(), token.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_token_is_a_key_of_its_role_until_it_is_revoked_on_every_database() {
    for test in store_db::testing::databases().await {
        let world = World::with(test, |_| {}).await;
        let (uuid, token) = made(&world, "siem", "viewer").await;
        let logs = async || world.call("GET", "/api/v1/logs", &token, None).await;
        assert_eq!(logs().await.status, 200);
        let limit = r#"{"deployment_limit":5}"#;
        let path = "/api/v1/config/deployment-limit";
        let refused = world.call("PUT", path, &token, Some(limit)).await;
        refused.problem(403, "insufficient_permissions");
        let listed = world.get(TOKENS, "admin").await;
        assert!(!listed.text().contains(&token) && !listed.text().contains("hash"));
        let row = listed.json()["tokens"][0].clone();
        assert_eq!((&row["name"], &row["created_by"]), (&json!("siem"), &json!("admin")));
        assert!(row["last_used_at"].is_string(), "{row}");
        make(&world, json!({"name": "siem"})).await.problem(409, "name_taken");
        let path = format!("{TOKENS}/{uuid}");
        let revoke = async || world.call("DELETE", &path, &world.token("admin"), None).await;
        assert_eq!(revoke().await.status, 200);
        logs().await.problem(401, "invalid_credentials");
        revoke().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_administrators_token_cannot_make_itself_last() {
    let world = World::new().await;
    let (_, token) = made(&world, "deployer", "admin").await;
    let path = "/api/v1/config/deployment-limit";
    let set = world.call("PUT", path, &token, Some(r#"{"deployment_limit":5}"#)).await;
    assert_eq!(set.status, 200, "what an administrator may do it may do");
    for (method, path, body) in [
        ("GET", TOKENS, None),
        ("POST", TOKENS, Some(r#"{"name":"mine"}"#)),
        ("POST", "/api/v1/config/users", Some(r#"{"username":"a","password":"twelve letters"}"#)),
    ] {
        world.call(method, path, &token, body).await.problem(403, "account_required");
    }
    for path in ["change-password", "logout", "sse-ticket"] {
        let path = format!("/api/v1/auth/{path}");
        world.call("POST", &path, &token, None).await.problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn tokens_end_by_themselves_and_with_the_account_that_made_them() {
    let world = World::new().await;
    let token = api_token::token([9; 32]);
    let now = world.api.0.now();
    let row = ApiTokenRow {
        uuid: Uuid::from_u128(9).to_string(),
        name: "old".into(),
        token_hash: api_token::hash(&token).unwrap().as_str().into(),
        role: "viewer".into(),
        user_uuid: None,
        created_by: "admin".into(),
        created_at: now - Duration::from_secs(100),
        expires_at: Some(now - Duration::from_secs(1)),
        last_used_at: None,
    };
    world.test.db.api_tokens().create(&row).await.unwrap();
    world.call("GET", "/api/v1/stats", &token, None).await.problem(401, "invalid_credentials");
    let (_, token) = made(&world, "of admin", "viewer").await;
    assert_eq!(world.call("GET", "/api/v1/stats", &token, None).await.status, 200);
    world.test.db.users().delete(user_id("admin")).await.unwrap();
    world.api.accounts_changed();
    world.call("GET", "/api/v1/stats", &token, None).await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_revoked_token_ends_its_streams() {
    let world = World::new().await;
    let (uuid, token) = made(&world, "live", "viewer").await;
    let mut live = world.live("?lastEventId=0", &token).await;
    assert_eq!(live.answer.status, 200);
    world.feed([body(event(0, "10.0.0.1", "connect", Fields::new()))]).await;
    assert_eq!(live.ids(1).await, [1]);
    let path = format!("{TOKENS}/{uuid}");
    assert_eq!(world.call("DELETE", &path, &world.token("admin"), None).await.status, 200);
    while live.frame().await.is_some() {}
}

#[tokio::test]
async fn what_will_not_do_is_refused() {
    let world = World::new().await;
    for (body, status, code) in [
        (json!({"name": ""}), 400, "schema_violation"),
        (json!({"name": "a\n"}), 422, "invalid_parameters"),
        (json!({"name": "a", "role": "god"}), 422, "invalid_parameters"),
        (json!({"name": "a", "expires_in_days": 0}), 422, "invalid_parameters"),
        (json!({"name": "a", "expires_in_days": 3651}), 422, "invalid_parameters"),
        (json!({"name": "a", "token": "dk_mine"}), 400, "schema_violation"),
    ] {
        make(&world, body).await.problem(status, code);
    }
    for token in ["dk_", "dk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        world.call("GET", "/api/v1/stats", token, None).await.problem(401, "invalid_credentials");
    }
}
