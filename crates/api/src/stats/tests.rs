//! The figures over a socket.

use base_model::Fields;
use serde_json::json;
use store_db::{FleetChange, FleetDeckyRow};

use crate::tests::world::{World, at, body, event};

#[tokio::test]
async fn the_figures_are_those_of_the_store() {
    let world = World::new().await;
    let events = ["203.0.113.9", "10.0.0.1", "10.0.0.1"]
        .map(|ip| body(event(0, ip, "connect", Fields::new())));
    world.feed(events).await;
    let decky = |name: &str, state: &str| FleetDeckyRow {
        host_uuid: "local".into(),
        name: name.into(),
        services: vec!["ssh".into()],
        decky_config: None,
        decky_ip: None,
        state: state.into(),
        last_error: None,
        last_seen: None,
        updated_at: at(0),
    };
    let put = vec![decky("a", "running"), decky("b", "running"), decky("c", "failed")];
    let change = FleetChange { put, ..FleetChange::default() };
    world.test.db.fleet().change(&change, at(0)).await.unwrap();
    assert_eq!(
        world.get("/api/v1/stats", "viewer").await.json(),
        json!({"total_logs": 3, "unique_attackers": 2, "active_deckies": 2, "deployed_deckies": 3})
    );
}
