//! The local socket, with the real server behind it.

use base_model::Fields;
use base_runtime::Shutdown;
use hyper::Method;
use serde_json::json;

use super::{Client, ClientError, Follower, Heard, listen};
use crate::serve_local;
use crate::tests::world::{World, body, event};

async fn local(world: &World) -> Client {
    // Longer than the address of a socket can be.
    let folder = world.folder.path().join("x".repeat(120));
    std::fs::create_dir(&folder).unwrap();
    let listener = listen(&folder).unwrap();
    tokio::spawn(serve_local(listener, world.api.clone(), world.shutdown.clone()));
    Client::new(folder)
}

#[tokio::test]
async fn an_operator_of_this_machine_needs_no_token() {
    let world = World::new().await;
    let client = local(&world).await;
    assert_eq!(client.get("/attackers").await.unwrap()["total"], 0);
    let refused = client.get("/attackers?limit=x").await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Problem { status: 422, body } if body["errors"] != json!(null))
    );
    // What is about one's own account needs one.
    let refused = client.post("/auth/logout", &json!({})).await.unwrap_err();
    assert!(matches!(refused, ClientError::Problem { status: 401, .. }));
    let missing = client.call(Method::GET, "/nowhere", None).await.unwrap_err();
    assert!(matches!(missing, ClientError::Problem { status: 404, .. }));
}

#[tokio::test]
async fn a_folder_without_a_daemon_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::new(folder.path().to_owned());
    let refused = client.get("/attackers").await.unwrap_err();
    assert_eq!(refused.to_string(), format!("no DECNET runs on `{}`", folder.path().display()));
    // One that ended without tidying up.
    drop(listen(folder.path()).unwrap());
    assert!(matches!(client.get("/x").await, Err(ClientError::Unreachable(..))));
    drop(listen(folder.path()).unwrap());
}

/// The ids of the next rows that `follower` hears of, and whether it broke meanwhile.
async fn rows(follower: &mut Follower) -> (Vec<u64>, bool) {
    let mut broke = false;
    loop {
        match follower.next().await.unwrap() {
            Heard::Message { kind, data } if kind == "logs" => {
                let ids = data.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap());
                return (ids.collect(), broke);
            }
            Heard::Broke(_) => broke = true,
            Heard::Message { .. } | Heard::Resumed => {}
        }
    }
}

#[tokio::test]
async fn a_follower_goes_on_after_a_break_where_it_was() {
    let world = World::new().await;
    let folder = world.folder.path().join("local");
    std::fs::create_dir(&folder).unwrap();
    let client = Client::new(folder.clone());
    let refused = Follower::open(client.clone(), "").await.unwrap_err();
    assert!(matches!(refused, ClientError::Unreachable(..)));
    let row = |n: i64| body(event(n, "10.0.0.1", "connect", Fields::new()));
    let serve = || {
        let listener = listen(&folder).unwrap();
        tokio::spawn(serve_local(listener, world.api.clone(), Shutdown::default()))
    };
    let first = serve();
    let mut follower = Follower::open(client.clone(), "?search=event:connect").await.unwrap();
    world.feed([row(1), row(2)]).await;
    assert_eq!(rows(&mut follower).await, (vec![1, 2], false));
    // A stream ends with its connection.
    first.abort();
    drop(first.await);
    follower.cut();
    world.feed([row(3)]).await;
    let _second = serve();
    assert_eq!(rows(&mut follower).await, (vec![3], false));
    let refused = Follower::open(client, "?start_time=never").await.unwrap_err();
    assert!(matches!(refused, ClientError::Problem { status: 422, .. }));
}
