//! `decnet status`: how the deckies and the parts of the daemon are.

use std::fmt::Write as _;
use std::process::ExitCode;

use api::local::ClientError;
use serde_json::{Value, json};

use super::daemon::{at, block_on, client, list, refused, text};
use super::table::table;
use super::{answer_with, print};
use crate::cli::Local;
use crate::refusal::Exit;

/// Runs the command.
pub(crate) fn run(options: &Local) -> ExitCode {
    answer_with(options.json, block_on(status(options)))
}

/// What is told, and whether anything is not as it should be.
async fn status(options: &Local) -> anyhow::Result<(String, Option<Exit>)> {
    let client = client(options);
    let deckies = client.get("/deckies").await.map_err(refused)?;
    let health = match client.get("/health").await {
        // A daemon that is not well says so with this status.
        Err(ClientError::Problem { body, .. }) if body.get("components").is_some() => body,
        other => other.map_err(refused)?,
    };
    let all = deckies.as_array().map_or(&[][..], Vec::as_slice);
    let ill = all.iter().any(|one| text(one, "state") != "running");
    let exit = (ill || text(&health, "status") != "healthy").then_some(Exit::Partial);
    if options.json {
        return Ok((print(&json!({ "deckies": deckies, "health": health }))?, exit));
    }
    Ok((shown(all, &health), exit))
}

fn shown(deckies: &[Value], health: &Value) -> String {
    let row = |decky: &Value| {
        let ports: Vec<_> = list(decky, "ports").iter().map(port).collect();
        vec![
            text(decky, "name").to_owned(),
            text(decky, "ip").to_owned(),
            text(decky, "hostname").to_owned(),
            ports.join(", "),
            text(decky, "state").to_owned(),
        ]
    };
    let mut out = if deckies.is_empty() {
        "There are no deckies; see `decnet deploy --help`.\n".to_owned()
    } else {
        let rows: Vec<_> = deckies.iter().map(row).collect();
        table("DECNET Deckies", &["Decky", "IP", "Hostname", "Services", "Status"], &rows)
    };
    for decky in deckies {
        if let Some(error) = at(decky, "last_error").as_str() {
            let _ = writeln!(out, "! {}: {error}", text(decky, "name"));
        }
    }
    let components = at(health, "components").as_object().into_iter().flatten();
    let rows: Vec<_> = components
        .map(|(name, state)| {
            vec![name.clone(), text(state, "status").to_owned(), text(state, "detail").to_owned()]
        })
        .collect();
    let title = format!("DECNET is {}", text(health, "status"));
    let _ = write!(out, "\n{}", table(&title, &["Component", "Status", ""], &rows));
    out
}

/// A service with its port; where clients reach it elsewhere, that too.
fn port(port: &Value) -> String {
    let (service, claimed, at) = (text(port, "service"), at(port, "port"), at(port, "reached_at"));
    if claimed == at {
        format!("{service} {claimed}")
    } else {
        format!("{service} {claimed}→{at}")
    }
}
