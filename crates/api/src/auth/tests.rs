//! Logging in and out over a socket.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store_db::{AuditRow, Paging};

use crate::tests::client::{Answer, send};
use crate::tests::world::{PASSWORD, World, request, user_id};

const LOGIN: &str = "/api/v1/auth/login";
const CHANGE: &str = "/api/v1/auth/change-password";

async fn login(world: &World, username: &str, password: &str) -> Answer {
    let body = json!({"username": username, "password": password}).to_string();
    world.call("POST", LOGIN, "", Some(&body)).await
}

async fn change(world: &World, token: &str, old: &str, new: &str) -> Answer {
    let body = json!({"old_password": old, "new_password": new}).to_string();
    world.call("POST", CHANGE, token, Some(&body)).await
}

async fn audit(world: &World) -> Vec<AuditRow> {
    let all = Paging { limit: 100, offset: 0 };
    world.test.db.audit().list(all).await.unwrap().data
}

async fn stats(world: &World, token: &str) -> Answer {
    world.call("GET", "/api/v1/stats", token, None).await
}

#[tokio::test]
async fn a_login_gives_a_token_that_works_and_is_on_record() {
    let world = World::new().await;
    let answer = login(&world, "viewer", PASSWORD).await;
    assert_eq!(answer.status, 200);
    let session = answer.json();
    assert_eq!(
        (&session["token_type"], &session["must_change_password"]),
        (&json!("bearer"), &json!(false))
    );
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(stats(&world, token).await.status, 200);
    let again = login(&world, "viewer", PASSWORD).await.json();
    assert_ne!(session["access_token"], again["access_token"], "each session has its own token");
    let rows = audit(&world).await;
    let row = rows.last().unwrap();
    assert_eq!((row.action.as_str(), row.ok), ("login", true));
    assert_eq!(row.username.as_deref(), Some("viewer"));
    assert_eq!(row.user_uuid, Some(user_id("viewer").to_string()));
    assert_eq!(row.ip.as_deref(), Some("127.0.0.1"));
    assert!(!format!("{rows:?}").contains(PASSWORD));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_and_cost_the_same() {
    let world = World::new().await;
    let mut bodies = BTreeSet::new();
    let long = "€".repeat(72);
    for (name, password) in [
        ("admin", "wrong"),
        ("nobody", "wrong"),
        ("", ""),
        ("admin\0", PASSWORD),
        ("admin ", PASSWORD),
        ("admin", &long),
    ] {
        let answer = login(&world, name, password).await;
        let problem = answer.problem(401, "invalid_login");
        assert_eq!(problem["detail"], "Incorrect username or password");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        bodies.insert(answer.text());
    }
    assert_eq!(bodies.len(), 1, "nothing tells one from another");
    let counts = world.api.counts();
    assert_eq!((counts.password_checks, counts.dummy_password_checks), (1, 5));
    let rows = audit(&world).await;
    assert!(rows.iter().all(|row| row.action == "login" && !row.ok));
    assert!(rows.iter().any(|row| row.username.as_deref() == Some("nobody")));
}

#[tokio::test]
async fn who_is_not_logged_in_is_not_told_what_is_wrong_with_a_body() {
    let world = World::new().await;
    let answer = world.call("POST", LOGIN, "", Some("{\"username\":\"a\"}")).await;
    assert!(answer.problem(400, "schema_violation").get("errors").is_none());
    let answer = login(&world, "admin", &"x".repeat(73)).await;
    assert!(answer.problem(422, "invalid_parameters").get("errors").is_none());
    assert_eq!(world.api.counts(), crate::ApiCounts::default(), "no password was compared");
}

#[tokio::test]
async fn the_eleventh_login_from_an_address_waits_whether_right_or_wrong() {
    let world = World::new().await;
    for n in 0..10 {
        let answer = login(&world, &format!("user{n}"), "").await;
        assert_eq!(answer.status, 401);
    }
    let before = world.api.counts();
    let answer = login(&world, "admin", PASSWORD).await;
    let problem = answer.problem(429, "rate_limited");
    assert_eq!(problem["error"], "10 per 5 minute");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait));
    assert_eq!(world.api.counts(), before, "a refused attempt costs nothing");
}

#[tokio::test]
async fn unreadable_logins_share_a_bucket_that_locks_nobody_out() {
    let world = World::new().await;
    let now = world.api.0.now();
    for _ in 0..10 {
        // From ten other addresses, as far as the limits know.
        world.api.0.limits.login_as("198.51.100.1".parse().unwrap(), None, now).unwrap();
    }
    world.call("POST", LOGIN, "", Some("{")).await.problem(429, "rate_limited");
    assert_eq!(login(&world, "viewer", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn strangers_who_fail_do_not_lock_out_whoever_logged_in_here_before() {
    let world = World::new().await;
    assert_eq!(login(&world, "viewer", PASSWORD).await.status, 200);
    let (now, stranger) = (world.api.0.now(), "198.51.100.1".parse().unwrap());
    for _ in 0..10 {
        for name in ["viewer", "admin"] {
            world.api.0.limits.login_as(stranger, Some(name), now).unwrap();
        }
    }
    assert_eq!(login(&world, "viewer", PASSWORD).await.status, 200);
    login(&world, "admin", PASSWORD).await.problem(429, "rate_limited");
}

#[tokio::test]
async fn a_trusted_proxy_speaks_for_its_clients() {
    let test = store_db::testing::sqlite().await;
    let world = World::with(test, |config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let body = json!({"username": "nobody", "password": "x"}).to_string();
    let request = request("POST", LOGIN, "", Some(&body));
    for n in 0..11 {
        let forwarded = format!("Host: x\r\nX-Forwarded-For: 203.0.113.{n}");
        let request =
            request.replace("Host: x", &forwarded).replace("nobody", &format!("nob{n:03}"));
        assert_eq!(send(world.addr, request.as_bytes()).await.status, 401);
    }
    assert_eq!(audit(&world).await.first().unwrap().ip.as_deref(), Some("203.0.113.10"));
}

#[tokio::test]
async fn a_switched_off_limiter_limits_nothing() {
    let test = store_db::testing::sqlite().await;
    let world = World::with(test, |config| config.limiter_enabled = false).await;
    for _ in 0..12 {
        assert_eq!(login(&world, "viewer", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn logging_out_ends_this_session_alone() {
    let world = World::new().await;
    let (mine, other) = (world.token("viewer"), world.token("viewer"));
    assert_eq!(stats(&world, &mine).await.status, 200, "the caches know the session");
    let answer = world.call("POST", "/api/v1/auth/logout", &mine, None).await;
    assert_eq!(answer.json(), json!({"message": "Logged out"}));
    stats(&world, &mine).await.problem(401, "invalid_credentials");
    world
        .call("POST", "/api/v1/auth/logout", &mine, None)
        .await
        .problem(401, "invalid_credentials");
    assert_eq!(stats(&world, &other).await.status, 200);
    assert_eq!(audit(&world).await.first().unwrap().action, "logout");
}

#[tokio::test]
async fn changing_the_password_clears_the_flag_and_ends_all_sessions() {
    let world = World::new().await;
    let (mine, other) = (world.token("fresh"), world.token("fresh"));
    stats(&world, &mine).await.problem(403, "password_change_required");
    let new = "a new and longer one";
    let answer = change(&world, &mine, PASSWORD, new).await;
    assert_eq!(answer.json(), json!({"message": "Password updated successfully"}));
    for dead in [&mine, &other] {
        stats(&world, dead).await.problem(401, "invalid_credentials");
    }
    login(&world, "fresh", PASSWORD).await.problem(401, "invalid_login");
    // Within the same second as the change.
    let session = login(&world, "fresh", new).await.json();
    assert_eq!(session["must_change_password"], false);
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(stats(&world, token).await.status, 200);
    assert_eq!(stats(&world, &world.token("viewer")).await.status, 200, "others go on");
    let user = world.test.db.users().by_username("fresh").await.unwrap().unwrap();
    assert!(user.password_hash.starts_with("$2b$12$"));
    let rows = audit(&world).await;
    let row = rows.iter().find(|row| row.action == "change_password").unwrap();
    assert!(row.ok && !format!("{rows:?}").contains(new));
}

#[tokio::test]
async fn a_new_password_must_follow_the_rules() {
    let world = World::new().await;
    let token = world.token("viewer");
    let answer = change(&world, &token, PASSWORD, "short").await;
    let problem = answer.problem(400, "schema_violation");
    assert_eq!(problem["errors"][0]["loc"], json!(["body", "new_password"]));
    let answer = change(&world, &token, PASSWORD, &"€".repeat(25)).await;
    assert_eq!(answer.problem(422, "invalid_parameters")["errors"][0]["loc"][1], "new_password");
    change(&world, &token, PASSWORD, &"x".repeat(73)).await.problem(422, "invalid_parameters");
    let problem = change(&world, &token, "wrong", "long enough to do").await;
    assert_eq!(problem.problem(401, "invalid_old_password")["detail"], "Incorrect old password");
    assert!(!audit(&world).await.first().unwrap().ok);
    assert_eq!(stats(&world, &token).await.status, 200, "the session goes on");
    assert_eq!(change(&world, &token, "wrong", "long enough to do").await.status, 401);
    let answer = change(&world, &token, PASSWORD, "long enough to do").await;
    assert_eq!(answer.problem(429, "rate_limited")["error"], "5 per 1 minute");
}

#[tokio::test]
async fn tokens_that_are_not_ours_open_nothing() {
    let world = World::new().await;
    let good = world.token("admin");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let claims = head.split_once('.').unwrap().1;
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
    for token in [none, format!("{head}."), format!("{head}.{}", &signature[1..]), "x".into()] {
        let answer = stats(&world, &token).await;
        let problem = answer.problem(401, "invalid_credentials");
        assert_eq!(problem["detail"], "Could not validate credentials");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for scheme in ["Basic", "bearer ", "Token"] {
        let request = crate::tests::world::request("GET", "/api/v1/stats", &good, None)
            .replace("Bearer", scheme);
        let answer = crate::tests::client::send(world.addr, request.as_bytes()).await;
        assert_eq!(answer.status, if scheme.starts_with('b') { 200 } else { 401 }, "{scheme}");
    }
    let in_query = format!("/api/v1/stats?token={good}&ticket={good}");
    world.call("GET", &in_query, "", None).await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_deleted_account_takes_its_sessions_with_it() {
    let world = World::new().await;
    let token = world.token("viewer");
    assert_eq!(stats(&world, &token).await.status, 200);
    let removed = world.test.db.users().delete(user_id("viewer")).await.unwrap();
    assert_eq!(removed, store_db::Kept::Changed);
    world.api.accounts_changed();
    stats(&world, &token).await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_ticket_opens_one_stream_and_nothing_else() {
    let world = World::new().await;
    let token = world.token("viewer");
    let mint = || world.call("POST", "/api/v1/auth/sse-ticket", &token, None);
    let answer = mint().await.json();
    assert_eq!(answer["expires_in"], 60);
    let ticket = answer["ticket"].as_str().unwrap();
    world
        .call("GET", &format!("/api/v1/stats?ticket={ticket}"), "", None)
        .await
        .problem(401, "invalid_credentials");
    let query = format!("?ticket={ticket}");
    assert_eq!(world.live(&query, "").await.answer.status, 200);
    assert_eq!(world.live(&query, "").await.answer.status, 401, "used up");
    assert_eq!(world.live("?ticket=x", "").await.answer.status, 401);
    assert_eq!(world.live(&format!("?token={token}"), "").await.answer.status, 401);
    let answer: Value = mint().await.json();
    assert_eq!(world.call("POST", "/api/v1/auth/logout", &token, None).await.status, 200);
    let query = format!("?ticket={}", answer["ticket"].as_str().unwrap());
    assert_eq!(world.live(&query, "").await.answer.status, 401, "its session is over");
}
