//! What every request meets: media types, sizes, times, headers.

use std::time::Duration;

use base_runtime::Shutdown;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::client;
use super::world::{World, request};

const LOGIN: &str = "/api/v1/auth/login";
const CHANGE: &str = "/api/v1/auth/change-password";

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_secured() {
    let world = World::new().await;
    for (method, path) in [("GET", "/nothing"), ("GET", "/api/v1/nothing/%2e%2e"), ("POST", "/")] {
        let answer = world.call(method, path, "", None).await;
        answer.problem(404, "not_found");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let answer = world.call("DELETE", "/api/v1/logs", "", None).await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    let answer = world.get("/api/v1/attackers/%ff%fe", "viewer").await;
    answer.problem(404, "not_found");
    let answer = world.get("/livez", "").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_dashboard_beside_the_api_does_not_answer_for_it() {
    let world = World::new().await;
    let router = crate::router(world.api.clone()).fallback(async || "the dashboard");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let api = world.api.clone();
    let served = tokio::spawn(crate::serve_router(listener, api, router, Shutdown::default()));
    let get =
        async |path: &str| client::send(addr, request("GET", path, "", None).as_bytes()).await;
    assert_eq!(get("/attackers").await.text(), "the dashboard");
    for path in ["/api", "/api/", "/api/v1", "/api/v2/logs", "/api/v1/logs/"] {
        get(path).await.problem(404, "not_found");
    }
    served.abort();
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json() {
    let world = World::new().await;
    for kind in ["", "Content-Type: text/plain\r\n", "Content-Type: application/xml\r\n"] {
        let request = format!(
            "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{kind}Content-Length: 2\r\n\r\n{{}}"
        );
        let answer = client::send(world.addr, request.as_bytes()).await;
        answer.problem(415, "unsupported_media_type");
    }
    let chunked = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    );
    client::send(world.addr, chunked.as_bytes()).await.problem(415, "unsupported_media_type");
    let charset = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: APPLICATION/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    client::send(world.addr, charset.as_bytes()).await.problem(400, "schema_violation");
    let token = world.token("viewer");
    let answer = world.call("POST", "/api/v1/auth/sse-ticket", &token, None).await;
    assert_eq!(answer.status, 200, "no body needs no type");
}

#[tokio::test]
async fn malformed_json_is_refused_without_being_repeated() {
    let world = World::new().await;
    let token = world.token("viewer");
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "evil",
        "[\"evil\"]",
        "{\"old_password\":\"evil\"}",
        "{\"old_password\":\"evil\",\"new_password\":7}",
        "{\"old_password\":\"evil\",\"new_password\":\"evil-evil-evil\",\"evil\":1}",
        "{\"old_password\":\"evil\",\"new_password\":\"\\ud800\"}",
        &deep,
    ] {
        let answer = world.call("POST", CHANGE, &token, Some(body)).await;
        let problem = answer.problem(400, "schema_violation");
        assert_eq!(
            problem["detail"],
            "Bad Request: Schema structural violation (wrong type, extra fields, or invalid length)."
        );
        assert_eq!(problem["errors"][0]["loc"][0], "body");
        assert!(!answer.text().contains("evil"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_read() {
    let world = World::new().await;
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2097152\r\n\r\n"
    );
    let answer = client::send(world.addr, head.as_bytes()).await;
    answer.problem(413, "body_too_large");
    assert_eq!(answer.header("connection"), Some("close"));
    // Without an announced length it is cut off where the limit is.
    let mut stream = TcpStream::connect(world.addr).await.unwrap();
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    client::read(&mut BufReader::new(stream)).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let world = World::new().await;
    let token = world.token("viewer");
    let filler = "x".repeat(100_000);
    let request = request("GET", "/api/v1/stats", &token, None)
        .replace("Host: x", &format!("Host: x\r\nX-Filler: {filler}"));
    assert_eq!(client::send(world.addr, request.as_bytes()).await.status, 431);
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    let request = format!("GET /livez HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    assert_eq!(client::send(world.addr, request.as_bytes()).await.status, 431);
    assert_eq!(world.get("/livez", "").await.status, 200);
}

#[tokio::test]
async fn who_takes_forever_is_cut_off() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let brief = Duration::from_millis(200);
    let router = crate::router(world.api.clone());
    let serving = crate::server::serve_limited(
        listener,
        world.api.clone(),
        router,
        Shutdown::default(),
        brief,
    );
    let served = tokio::spawn(serving);
    for start in ["", "GET /livez HTT", "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let end = tokio::time::timeout(client::PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "{start:?} holds its connection");
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(client::send(addr, request("GET", "/livez", "", None).as_bytes()).await.status, 200);
    served.abort();
}

#[tokio::test]
async fn only_listed_origins_may_call_from_a_browser() {
    let test = store_db::testing::sqlite().await;
    let world = World::with(test, |config| {
        config.cors_origins = vec!["http://localhost:8080".into(), "*".into()];
    })
    .await;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /api/v1/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n\r\n"
        )
    };
    let answer = client::send(world.addr, preflight("http://localhost:8080").as_bytes()).await;
    let allowed = "access-control-allow-origin";
    assert_eq!(answer.header(allowed), Some("http://localhost:8080"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let answer = client::send(world.addr, preflight("http://evil.example").as_bytes()).await;
    assert_eq!(answer.header(allowed), None);
}

#[tokio::test]
async fn a_panicking_handler_costs_one_answer() {
    let boom = || async {
        if true {
            panic!("boom")
        }
    };
    let router: axum::Router = axum::Router::new()
        .route("/", axum::routing::get(boom))
        .layer(axum::middleware::from_fn(crate::guard::survive));
    let request = axum::extract::Request::builder().uri("/").body(axum::body::Body::empty());
    let answer = tower::ServiceExt::oneshot(router, request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 500);
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["error_id"].as_str().unwrap().len(), 32);
    assert!(!problem.to_string().contains("boom"));
}

#[tokio::test]
async fn a_failing_store_is_told_as_unavailable_and_without_its_words() {
    let world = World::new().await;
    let token = world.token("viewer");
    assert_eq!(world.call("GET", "/api/v1/stats", &token, None).await.status, 200);
    world.test.db.clone().close().await;
    let answer = world.call("GET", "/api/v1/logs", &token, None).await;
    let problem = answer.problem(503, "database_unavailable");
    assert_eq!(problem["error_id"].as_str().unwrap().len(), 32);
    assert!(answer.header("retry-after").is_some());
    assert!(!answer.text().to_lowercase().contains("sql"), "{}", answer.text());
    let answer = world.call("GET", "/readyz", "", None).await;
    assert_eq!((answer.status, answer.text().as_str()), (503, "not ready"));
    assert_eq!(world.call("GET", "/livez", "", None).await.status, 200);
}

#[tokio::test]
async fn the_end_closes_streams_and_then_the_server() {
    let world = World::new().await;
    let token = world.token("viewer");
    let mut live = world.live("", &token).await;
    live.next("histogram").await;
    world.shutdown.ask();
    assert!(live.frame().await.is_none(), "the stream ends whole");
    tokio::time::timeout(client::PATIENCE, world.served).await.unwrap().unwrap();
    assert!(TcpStream::connect(world.addr).await.is_err());
}
