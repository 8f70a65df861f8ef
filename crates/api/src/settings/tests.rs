//! Settings over the wire.

use crate::tests::world::World;

#[tokio::test]
async fn the_deployment_limit_is_ten_until_it_is_set() {
    let world = World::new().await;
    let limit =
        async || world.get("/api/v1/config", "viewer").await.json()["deployment_limit"].clone();
    assert_eq!(limit().await, 10);
    let path = "/api/v1/config/deployment-limit";
    let token = world.token("admin");
    for (body, status, code) in [
        (r#"{"deployment_limit":0}"#, 422, "invalid_parameters"),
        (r#"{"deployment_limit":501}"#, 422, "invalid_parameters"),
        (r#"{"deployment_limit":"9"}"#, 400, "schema_violation"),
        (r#"{"deployment_limit":9,"more":1}"#, 400, "schema_violation"),
    ] {
        world.call("PUT", path, &token, Some(body)).await.problem(status, code);
    }
    assert_eq!(limit().await, 10);
    assert_eq!(
        world.call("PUT", path, &token, Some(r#"{"deployment_limit":500}"#)).await.status,
        200
    );
    assert_eq!(limit().await, 500);
}
