//! Credentials over a socket.

use base_model::{Secret, catalogue};
use serde_json::json;

use crate::tests::world::{HOSTILE, World, body, fact};

#[tokio::test]
async fn what_was_tried_is_listed_searched_and_counted() {
    let world = World::new().await;
    let attempt = |n: i64, ip: &str, user: &str, secret: &[u8]| {
        let secret = Secret::plaintext(secret);
        body(fact(n, ip, catalogue::auth_attempt(user.as_bytes(), &secret, "password", false)))
    };
    world
        .feed([
            attempt(0, "203.0.113.9", "root", b"toor"),
            attempt(1, "203.0.113.9", "root", b"toor"),
            attempt(2, "10.0.0.1", HOSTILE, b"\xff\0 "),
        ])
        .await;
    let list = world.get("/api/v1/credentials", "viewer").await.json();
    assert_eq!(list["total"], 2);
    let (newest, older) = (&list["data"][0], &list["data"][1]);
    assert_eq!(newest["principal"], HOSTILE);
    assert_eq!(
        (&newest["secret_b64"], &newest["secret_printable"]),
        (&json!("/wAg"), &json!("?? "))
    );
    assert_eq!((&older["attempt_count"], &older["principal"]), (&json!(2), &json!("root")));
    assert_eq!(older["first_seen"], "2026-01-01T00:00:00.000Z");
    assert_eq!(older["last_seen"], "2026-01-01T00:00:01.000Z");
    assert_eq!(older["outcome"], "failure");
    assert!(older["fields"].is_object());
    for (query, total) in [
        ("search=toor", 1),
        ("search=ROOT", 1),
        ("service=ssh", 2),
        ("service=ftp", 0),
        ("attacker_ip=10.0.0.1", 1),
        ("attacker_ip=10.0.0", 0),
        ("search=%25", 1),
    ] {
        let list = world.get(&format!("/api/v1/credentials?{query}"), "viewer").await.json();
        assert_eq!(list["total"], total, "{query}");
    }
    let answer = world.get("/api/v1/credentials?limit=x", "viewer").await;
    answer.problem(422, "invalid_parameters");
}
