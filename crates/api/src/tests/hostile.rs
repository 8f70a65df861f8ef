//! Every operation of the document with hostile words in every place that takes one.

use base_model::Fields;
use serde_json::Value;

use super::client::Live;
use super::world::{HOSTILE, World, body, event, request};
use crate::openapi;

/// What no parameter should stumble over.
fn words() -> Vec<String> {
    let mut words: Vec<String> = [
        "",
        "0",
        "-1",
        "1e9",
        "18446744073709551616",
        "NaN",
        "null",
        "true",
        "'",
        "\"",
        "' OR 1=1 --",
        "%",
        "_",
        "*",
        "key:*",
        "-:",
        "a:b:c",
        "attacker:::/0",
        "2026-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999+23:59",
        "0000-01-01",
        "../../../../etc/passwd",
        "..\\..\\",
        "\u{0}",
        "\r\nSet-Cookie: x=y",
        "\u{fffd}\u{202e}",
    ]
    .map(str::to_owned)
    .to_vec();
    words.push(HOSTILE.to_owned());
    words.push("x".repeat(600));
    words.push("\"".repeat(500));
    words.push("- ".repeat(250));
    words
}

fn encoded(word: &str) -> String {
    form_urlencoded::byte_serialize(word.as_bytes()).collect::<String>().replace('+', "%20")
}

#[tokio::test]
async fn no_word_in_any_place_breaks_an_answer() {
    let world = World::new().await;
    world
        .feed([body(event(0, "203.0.113.9", "command", Fields::new().with("command", HOSTILE)))])
        .await;
    let token = world.token("admin");
    let document = serde_json::to_value(openapi()).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else { continue };
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        for parameter in parameters {
            let (name, place) =
                (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
            for word in words() {
                let word = encoded(&word);
                let target = match place {
                    "query" => format!("{}?{name}={word}", filled(path, "web-01")),
                    "path" => filled(&path.replace(&format!("{{{name}}}"), &word), "web-01"),
                    _ => continue,
                };
                let request = request("GET", &target, &token, None);
                let live = Live::open(world.addr, request.as_bytes()).await;
                let answer = live.answer;
                assert!(answer.status < 500, "{target}: {}", answer.status);
                assert_eq!(answer.header("set-cookie"), None, "{target}");
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
                asked += 1;
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    let answer = world.get("/api/v1/health", "viewer").await;
    assert_eq!(answer.json()["status"], Value::from("healthy"));
}

fn filled(path: &str, word: &str) -> String {
    let mut path = path.to_owned();
    for name in ["decky", "stored_as", "sid", "uuid"] {
        path = path.replace(&format!("{{{name}}}"), word);
    }
    path
}
