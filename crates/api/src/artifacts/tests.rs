//! Captured files over a socket.

use base_model::Sha256Digest;
use store_db::Paging;

use crate::tests::world::{World, body, captured, fact};

const CONTENT: &[u8] = b"<script>alert(1)</script>\0\xff";

async fn filled() -> (World, String) {
    let world = World::new().await;
    let digest = Sha256Digest::of(CONTENT);
    let mut writer = world.blobs.writer(digest, CONTENT.len() as u64).unwrap();
    writer.write(CONTENT).unwrap();
    writer.finish().unwrap();
    let file = captured(0, CONTENT);
    let stored_as = file.fields().text("stored_as").unwrap().to_owned();
    world.feed([body(fact(0, "203.0.113.9", file))]).await;
    (world, stored_as)
}

#[tokio::test]
async fn a_file_comes_whole_as_a_download_that_no_browser_shows() {
    let (world, stored_as) = filled().await;
    let path = format!("/api/v1/artifacts/web-01/{stored_as}");
    let answer = world.get(&path, "admin").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, CONTENT));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    let disposition = format!("attachment; filename=\"{stored_as}\"");
    assert_eq!(answer.header("content-disposition"), Some(disposition.as_str()));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    let size = CONTENT.len().to_string();
    assert_eq!(answer.header("content-length"), Some(size.as_str()));
    let audit = world.test.db.audit().list(Paging { limit: 9, offset: 0 }).await.unwrap().data;
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].action.as_str(), audit[0].ok), ("artifact_download", true));
    assert_eq!(audit[0].username.as_deref(), Some("admin"));
    assert_eq!(audit[0].target, Some(format!("web-01/ssh/{stored_as}")));
    world.get(&path, "viewer").await.problem(403, "insufficient_permissions");
}

#[tokio::test]
async fn names_that_are_not_harmless_are_refused() {
    let (world, stored_as) = filled().await;
    for path in [
        format!("/api/v1/artifacts/WEB-01/{stored_as}"),
        format!("/api/v1/artifacts/..%2f..%2fetc/{stored_as}"),
        "/api/v1/artifacts/web-01/passwd".into(),
        "/api/v1/artifacts/web-01/..%2f..%2fetc%2fpasswd".into(),
        format!("/api/v1/artifacts/web-01/{stored_as}%00"),
        format!("/api/v1/artifacts/web-01/{stored_as}%0d%0aX:%20y"),
        format!("/api/v1/artifacts/web-01/{stored_as}?service=evil"),
        format!("/api/v1/artifacts/web-01/{stored_as}?service=../ssh"),
    ] {
        let answer = world.get(&path, "admin").await;
        answer.problem(400, "invalid_name");
        assert!(!answer.text().contains("evil") && !answer.text().contains("passwd"));
    }
}

#[tokio::test]
async fn what_is_not_kept_is_not_found() {
    let (world, stored_as) = filled().await;
    let other = stored_as.replace("2026", "2025");
    for path in [
        format!("/api/v1/artifacts/web-02/{stored_as}"),
        format!("/api/v1/artifacts/web-01/{other}"),
        format!("/api/v1/artifacts/web-01/{stored_as}?service=ftp"),
    ] {
        world.get(&path, "admin").await.problem(404, "not_found");
    }
    std::fs::remove_dir_all(world.folder.path().join("artifacts/blobs")).unwrap();
    let path = format!("/api/v1/artifacts/web-01/{stored_as}");
    world.get(&path, "admin").await.problem(404, "not_found");
}
