//! The local socket, with the real server behind it.

use hyper::Method;
use serde_json::json;

use super::{Client, ClientError, listen};
use crate::serve_local;
use crate::tests::world::World;

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
