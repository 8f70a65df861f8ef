//! The fleet over the wire, brought about by a machine on which everything works at once.

use serde_json::{Value, json};
use store_db::Paging;

use crate::tests::client::Answer;
use crate::tests::world::World;

const DEPLOY: &str = "/api/v1/deckies/deploy";

async fn deploy(world: &World, ini: &str, more: Value) -> Answer {
    let mut body = json!({ "ini_content": ini });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.call("POST", DEPLOY, &world.token("admin"), Some(&body.to_string())).await
}

async fn names(world: &World) -> Vec<String> {
    let deckies = world.get("/api/v1/deckies", "viewer").await.json();
    deckies.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// Waits until all changes of `answer` ended, and returns them.
async fn ended(world: &World, answer: &Value) -> Vec<Value> {
    let ids: Vec<_> = answer["lifecycle_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| format!("ids={}", id.as_str().unwrap()))
        .collect();
    let path = format!("/api/v1/deckies/lifecycle?{}", ids.join("&"));
    loop {
        let answer = world.get(&path, "viewer").await.json();
        let rows = answer["rows"].as_array().unwrap().clone();
        assert_eq!((rows.len(), &answer["missing"]), (ids.len(), &json!([])));
        if rows.iter().all(|row| !row["completed_at"].is_null()) {
            return rows;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn deckies_are_deployed_seen_and_torn_down() {
    let world = World::new().await;
    let ini = "[web]\nservices=toy\namount=2\n[web-02.toy]\nmotto=hello\nsecret=hunter2\n[door]\nservices=toy\n";
    let answer = deploy(&world, ini, json!({})).await;
    assert_eq!(answer.status, 202);
    let answer = answer.json();
    assert_eq!(
        (&answer["mode"], &answer["plan"]["subnet"]),
        (&json!("unihost"), &json!("127.0.0.0/8"))
    );
    let rows = ended(&world, &answer).await;
    assert!(rows.iter().all(|row| row["status"] == "succeeded" && row["operation"] == "deploy"));
    let deckies = world.get("/api/v1/deckies", "viewer").await;
    assert!(!deckies.text().contains("hunter2"), "secrets are not told");
    let deckies = deckies.json();
    assert_eq!(names(&world).await, ["door", "web-01", "web-02"]);
    let web = &deckies[2];
    assert_eq!(
        (&web["state"], &web["source"], &web["nmap_os"]),
        (&json!("running"), &json!("fleet"), &json!("linux"))
    );
    assert_eq!(web["service_config"]["toy"], json!({"motto": "hello", "secret": "***"}));
    assert_eq!(
        web["ports"],
        json!([{"service": "toy", "transport": "tcp", "port": 7, "reached_at": 7}])
    );
    let token = world.token("admin");
    assert_eq!(world.call("DELETE", "/api/v1/deckies/web-01", &token, None).await.status, 204);
    assert_eq!(names(&world).await, ["door", "web-02"]);
    world.call("DELETE", "/api/v1/deckies/web-01", &token, None).await.problem(404, "not_found");
    let body = Some(r#"{"names":["door","nobody"]}"#);
    let refused = world.call("POST", "/api/v1/deckies/teardown", &token, body).await;
    assert_eq!(refused.problem(404, "not_found")["detail"], "there is no decky called nobody");
    let body = Some(r#"{"names":["door","web-02"]}"#);
    let answer = world.call("POST", "/api/v1/deckies/teardown", &token, body).await.json();
    ended(&world, &answer).await;
    assert_eq!(names(&world).await, Vec::<String>::new());
    let audit = world.test.db.audit().list(Paging { limit: 9, offset: 0 }).await.unwrap();
    let told: Vec<_> = audit.data.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(told, ["POST /deckies/teardown", "DELETE /deckies", "POST /deckies/deploy"]);
}

#[tokio::test]
async fn a_plan_changes_nothing_and_a_conflict_names_everything() {
    let world = World::new().await;
    let planned = deploy(&world, "[a]\nservices=toy\n", json!({"dry_run": true})).await;
    assert_eq!(planned.status, 200);
    assert_eq!(planned.json()["plan"]["add"][0]["ip"], "127.0.0.1");
    assert_eq!(names(&world).await, Vec::<String>::new());
    ended(&world, &deploy(&world, "[a]\nservices=toy\n", json!({})).await.json()).await;
    for (ini, more, says) in [
        ("", json!({}), "Configuration conflict: INI content is empty"),
        ("# x\n", json!({}), "Configuration conflict: Invalid INI format: no sections found"),
        (
            "[a]\nservices=toy\n",
            json!({}),
            "Configuration conflict: line 1, column 2: decky 'a' already exists; submit with replace_fleet=true to overwrite the fleet",
        ),
        (
            "[b]\nservices=toy\namount=10\n",
            json!({}),
            "Configuration conflict: Deployment would result in 11 deckies, exceeding the configured limit of 10 (set another with `decnet config set deployment-limit N`)",
        ),
        ("[b]\nservices=tyo\n[c]\namount=0\n", json!({}), "Configuration conflict: 2 problems"),
        (
            "[b]\nservices=toy\n",
            json!({"ip_start": "10.0.0.1"}),
            "Configuration conflict: ip-start 10.0.0.1 is outside 127.0.0.0/8",
        ),
    ] {
        let problem = deploy(&world, ini, more).await.problem(409, "configuration_conflict");
        assert_eq!(problem["detail"], says);
    }
    let two = deploy(&world, "[b]\nservices=tyo\n[c]\namount=0\n", json!({})).await;
    let two = two.problem(409, "configuration_conflict");
    assert!(two["errors"][0]["msg"].as_str().unwrap().contains("did you mean toy?"), "{two}");
    let long = "#".repeat(524_289);
    deploy(&world, &long, json!({})).await.problem(422, "invalid_parameters");
    deploy(&world, "[b]\n", json!({"mode": 1})).await.problem(400, "schema_violation");
    assert_eq!(names(&world).await, ["a"]);
    let replaced =
        deploy(&world, "[b]\nservices=toy\n", json!({"replace_fleet": true})).await.json();
    assert_eq!(
        (&replaced["plan"]["remove"], replaced["lifecycle_ids"].as_array().unwrap().len()),
        (&json!(["a"]), 2)
    );
    ended(&world, &replaced).await;
    assert_eq!(names(&world).await, ["b"]);
    let redeployed =
        world.call("POST", "/api/v1/deckies/redeploy", &world.token("admin"), None).await;
    assert_eq!((redeployed.status, redeployed.json()["deckies"].clone()), (202, json!([])));
}

#[tokio::test]
async fn changes_are_asked_for_by_id() {
    let world = World::new().await;
    let path = "/api/v1/deckies/lifecycle";
    world.get(path, "viewer").await.problem(422, "invalid_parameters");
    let many = format!("{path}?{}", "ids=x&".repeat(201));
    world.get(&many, "viewer").await.problem(422, "invalid_parameters");
    let none = world.get(&format!("{path}?ids=x"), "viewer").await.json();
    assert_eq!(none, json!({"rows": [], "missing": ["x"]}));
}
