//! Waiting for changes of deckies, and telling how they went.

use std::time::Duration;

use api::local::Client;
use serde_json::Value;

use super::daemon::{at, list, refused, text};
use crate::refusal::{Exit, Refusal};

/// Pause between looks.
const PAUSE: Duration = Duration::from_millis(200);
/// Changes of one question.
const CHUNK: usize = 100;

/// Waits until the changes `ids` ended.
///
/// # Errors
/// When one failed: the exit code says whether all did.
pub(super) async fn follow(client: &Client, ids: &[String]) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for ids in ids.chunks(CHUNK) {
        let query: Vec<String> = ids.iter().map(|id| format!("ids={id}")).collect();
        let path = format!("/deckies/lifecycle?{}", query.join("&"));
        let rows = loop {
            let answer = client.get(&path).await.map_err(refused)?;
            let rows = list(&answer, "rows");
            if rows.iter().all(|row| !at(row, "completed_at").is_null()) {
                break rows.to_vec();
            }
            tokio::time::sleep(PAUSE).await;
        };
        failed.extend(rows.into_iter().filter(|row| text(row, "status") != "succeeded"));
    }
    if failed.is_empty() {
        return Ok(());
    }
    let exit = if failed.len() < ids.len() { Exit::Partial } else { Exit::Failed };
    let mut what = format!("{} of {} changes failed:", failed.len(), ids.len());
    for row in &failed {
        let (operation, name) = (text(row, "operation"), text(row, "decky_name"));
        what.push_str(&format!("\n  {operation} {name}: {}", text(row, "error")));
    }
    let hint = "what can heal is tried again by itself; see `decnet status`";
    Err(Refusal::new(exit, what, hint).into())
}

/// The ids of an answer.
pub(super) fn ids(answer: &Value) -> Vec<String> {
    let ids = list(answer, "lifecycle_ids").iter();
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}
