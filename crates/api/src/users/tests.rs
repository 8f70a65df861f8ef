//! Accounts over the wire.

use serde_json::{Value, json};
use store_db::Paging;

use crate::tests::client::Answer;
use crate::tests::world::{PASSWORD, World, user_id};

const USERS: &str = "/api/v1/config/users";

async fn call(world: &World, method: &str, path: &str, body: &Value) -> Answer {
    let body = (!body.is_null()).then(|| body.to_string());
    world.call(method, &format!("{USERS}{path}"), &world.token("admin"), body.as_deref()).await
}

async fn login(world: &World, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password}).to_string();
    world.call("POST", "/api/v1/auth/login", "", Some(&body)).await
}

#[tokio::test]
async fn an_account_is_added_logs_in_and_is_removed_on_every_database() {
    for test in store_db::testing::databases().await {
        let engine = test.engine;
        let world = World::with(test, |_| {}).await;
        let new = json!({"username": "eve", "password": "twelve or more"});
        let made = call(&world, "POST", "", &new).await;
        assert_eq!(made.status, 200, "{engine}: {}", made.text());
        let user = made.json();
        assert_eq!(
            (&user["role"], &user["must_change_password"]),
            (&json!("viewer"), &json!(true))
        );
        assert_eq!(user.as_object().unwrap().len(), 4, "no hash leaves");
        call(&world, "POST", "", &new).await.problem(409, "username_taken");
        let session = login(&world, "eve", "twelve or more").await.json();
        assert_eq!(session["must_change_password"], true);
        let token = session["access_token"].as_str().unwrap();
        let path = format!("/{}", user["uuid"].as_str().unwrap());
        let role = format!("{path}/role");
        assert_eq!(call(&world, "PUT", &role, &json!({"role": "admin"})).await.status, 200);
        let logout = world.call("POST", "/api/v1/auth/logout", token, None).await;
        logout.problem(401, "invalid_credentials");
        let reset = format!("{path}/reset-password");
        let other = json!({"new_password": "another dozen"});
        assert_eq!(call(&world, "PUT", &reset, &other).await.status, 200);
        assert_eq!(login(&world, "eve", "twelve or more").await.status, 401);
        let session = login(&world, "eve", "another dozen").await.json();
        let token = session["access_token"].as_str().unwrap();
        assert_eq!(call(&world, "DELETE", &path, &Value::Null).await.status, 200);
        let logout = world.call("POST", "/api/v1/auth/logout", token, None).await;
        logout.problem(401, "invalid_credentials");
        call(&world, "DELETE", &path, &Value::Null).await.problem(404, "not_found");
        let audit = world.test.db.audit().list(Paging { limit: 50, offset: 0 }).await.unwrap();
        let told: Vec<_> = audit.data.iter().map(|row| (row.action.as_str(), row.ok)).collect();
        for wanted in [
            ("POST /config/users", true),
            ("POST /config/users", false),
            ("PUT /config/users/role", true),
            ("PUT /config/users/reset-password", true),
            ("DELETE /config/users", true),
            ("DELETE /config/users", false),
        ] {
            assert!(told.contains(&wanted), "{engine}: {wanted:?} in {told:?}");
        }
        assert!(!format!("{audit:?}").contains("dozen"), "no password is in the audit log");
    }
}

#[tokio::test]
async fn what_will_not_do_is_refused_by_its_rule() {
    let world = World::new().await;
    let long = "x".repeat(65);
    for (body, status, code) in [
        (json!({"username": "", "password": PASSWORD}), 400, "schema_violation"),
        (json!({"username": long, "password": PASSWORD}), 422, "invalid_parameters"),
        (json!({"username": "a\u{1b}[2J", "password": PASSWORD}), 422, "invalid_parameters"),
        (json!({"username": "a ", "password": PASSWORD}), 422, "invalid_parameters"),
        (json!({"username": "a", "password": "short"}), 400, "schema_violation"),
        (json!({"username": "a", "password": "€".repeat(25)}), 422, "invalid_parameters"),
        (json!({"username": "a", "password": PASSWORD, "role": "root"}), 422, "invalid_parameters"),
        (json!({"username": "a", "password": PASSWORD, "uuid": "x"}), 400, "schema_violation"),
    ] {
        call(&world, "POST", "", &body).await.problem(status, code);
    }
    let missing = "/00000000-0000-4000-8000-000000000000/role";
    call(&world, "PUT", missing, &json!({"role": "admin"})).await.problem(404, "not_found");
    call(&world, "DELETE", "/nonsense", &Value::Null).await.problem(404, "not_found");
    assert_eq!(world.test.db.users().list().await.unwrap().len(), 3);
}

#[tokio::test]
async fn somebody_stays_administrator_and_nobody_removes_themselves() {
    let world = World::new().await;
    let (own, fresh) = (format!("/{}", user_id("admin")), format!("/{}", user_id("fresh")));
    let viewer = json!({"role": "viewer"});
    call(&world, "DELETE", &own, &Value::Null).await.problem(403, "own_account");
    call(&world, "PUT", &format!("{own}/role"), &viewer).await.problem(403, "own_account");
    assert_eq!(call(&world, "DELETE", &fresh, &Value::Null).await.status, 200);
    // An operator of the machine has no account of their own to be kept from.
    let id = user_id("admin");
    let kept = world.test.db.users().delete(id).await.unwrap();
    assert_eq!(kept, store_db::Kept::LastAdmin);
}

#[tokio::test]
async fn administrators_see_the_accounts_and_viewers_do_not() {
    let world = World::new().await;
    let users = world.get("/api/v1/config", "admin").await.json()["users"].clone();
    let names: Vec<_> = users.as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["admin", "fresh", "viewer"]);
    assert!(!users.to_string().contains("$2b$"));
    assert_eq!(world.get("/api/v1/config", "viewer").await.json().get("users"), None);
}
