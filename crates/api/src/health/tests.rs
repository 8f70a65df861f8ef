//! How we are, over a socket.

use serde_json::json;

use crate::ComponentStatus;
use crate::tests::world::World;

#[tokio::test]
async fn health_tells_viewers_each_component_and_supervisors_one_word() {
    let world = World::new().await;
    let health = || world.get("/api/v1/health", "viewer");
    let answer = health().await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"status": "healthy", "components": {"database": {"status": "ok"}}})
    );
    world.health.set("ingestion_worker", ComponentStatus::Ok);
    world.health.set("profiler", ComponentStatus::Failing("not started".into()));
    let answer = health().await;
    assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("degraded")));
    let profiler = json!({"status": "failing", "detail": "not started"});
    assert_eq!(answer.json()["components"]["profiler"], profiler);
    assert_eq!(world.get("/readyz", "").await.status, 200);
    for critical in ["ingestion_worker", "journal", "runtime"] {
        world.health.set(critical, ComponentStatus::Failing("exited unexpectedly".into()));
        let answer = health().await;
        assert_eq!((answer.status, answer.json()["status"].clone()), (503, json!("unhealthy")));
        let ready = world.get("/readyz", "").await;
        assert_eq!((ready.status, ready.text().as_str()), (503, "not ready"), "no detail");
        world.health.set(critical, ComponentStatus::Ok);
    }
    assert_eq!(health().await.status, 200);
}
