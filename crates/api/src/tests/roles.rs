//! Who may call what: every operation of the document, with every sort of caller.

use serde_json::Value;

use super::world::World;
use crate::openapi;

/// Method, path with its parameters filled in, and who may call.
fn operations() -> Vec<(String, String, String)> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let filled = path
            .replace("{decky}", "web-01")
            .replace("{stored_as}", "2026-01-01T00:00:00Z_e3b0c44298fc_x")
            .replace("{sid}", "00000000-0000-4000-8000-000000000000")
            .replace("{uuid}", "00000000-0000-4000-8000-000000000000");
        assert!(!filled.contains('{'), "say here what {path} is called with");
        for (method, operation) in item.as_object().unwrap() {
            let access = operation["x-decnet-access"].as_str().unwrap().to_owned();
            operations.push((method.to_uppercase(), filled.clone(), access));
        }
    }
    operations
}

/// The status and code that a caller is refused with, if it is.
async fn refusal(world: &World, method: &str, path: &str, token: &str) -> Option<(u16, Value)> {
    // A stream answers at once and then goes on; its head is enough.
    let request = super::world::request(method, path, token, None);
    let live = super::client::Live::open(world.addr, request.as_bytes()).await;
    match live.answer.status {
        status @ (401 | 403) => {
            let answer = world.call(method, path, token, None).await;
            Some((status, answer.json()["code"].clone()))
        }
        _ => None,
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_says_and_nobody_else() {
    let world = World::new().await;
    let operations = operations();
    assert!(operations.len() >= 20, "the walk covers all routes: {}", operations.len());
    for (method, path, access) in operations {
        for caller in ["", "viewer", "admin", "fresh"] {
            let token = if caller.is_empty() { String::new() } else { world.token(caller) };
            let expected = match (access.as_str(), caller) {
                ("public", _) => None,
                (_, "") => Some((401, "invalid_credentials")),
                ("any-token", _) => None,
                (_, "fresh") => Some((403, "password_change_required")),
                ("admin", "viewer") => Some((403, "insufficient_permissions")),
                ("viewer" | "admin", _) => None,
                (other, _) => panic!("an access that is not covered: {other}"),
            };
            // What a login without a body is told is no refusal of its role.
            if path.ends_with("/auth/login") {
                continue;
            }
            let expected = expected.map(|(status, code)| (status, Value::from(code)));
            let actual = refusal(&world, &method, &path, &token).await;
            assert_eq!(actual, expected, "{method} {path} as {caller:?}");
        }
    }
}

#[tokio::test]
async fn what_exists_is_told_only_to_those_who_may_know() {
    let world = World::new().await;
    let path = "/api/v1/attackers/00000000-0000-4000-8000-000000000000";
    world.get(path, "").await.problem(401, "invalid_credentials");
    world.get(path, "viewer").await.problem(404, "not_found");
}

#[tokio::test]
async fn the_role_is_the_rows_and_not_the_tokens() {
    let world = World::new().await;
    let token = world.token("admin");
    let path = "/api/v1/transcripts/web-01/00000000-0000-4000-8000-000000000000";
    world.call("GET", path, &token, None).await.problem(404, "not_found");
    let id = super::world::user_id("admin");
    // An instant that ends no session: only the role changes.
    let long_ago = base_model::Timestamp::from_micros(0);
    let changed = world.test.db.users().set_role(id, "viewer", long_ago).await.unwrap();
    assert_eq!(changed, store_db::Kept::Changed);
    world.api.0.sessions.changed();
    world.call("GET", path, &token, None).await.problem(403, "insufficient_permissions");
}

#[tokio::test]
async fn the_document_is_public_only_for_developers() {
    let world = World::new().await;
    world.get("/openapi.json", "").await.problem(401, "invalid_credentials");
    let answer = world.get("/openapi.json", "viewer").await;
    assert_eq!(answer.json(), serde_json::to_value(openapi()).unwrap());
    let test = store_db::testing::sqlite().await;
    let open = World::with(test, |config| config.developer = true).await;
    assert_eq!(open.get("/openapi.json", "").await.status, 200);
}
