//! Writing a session to a file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use api::local::Client;
use hyper::Method;
use serde_json::Value;

use super::plain::Plain;
use super::{Export, Format, named, recording};
use crate::commands::daemon::{ask, at, list, refused};
use crate::commands::inert::inert_json;

/// Events that are fetched at a time.
const PAGE: u64 = 5000;

pub(super) fn run(options: &Export) -> ExitCode {
    ask(&options.local, async |client| {
        let session = named(&client, &options.session).await?;
        let path = recording(&session);
        let text = match options.format {
            Format::Asciicast => asciicast(&client, &path).await?,
            Format::Text => plain(&client, &path).await?,
        };
        let Some(file) = &options.out else { return Ok(text) };
        write(file, &text).with_context(|| format!("failed to write `{}`", file.display()))?;
        Ok(String::new())
    })
}

/// What a player gets is what was sent; in the file it stands as escapes.
async fn asciicast(client: &Client, path: &str) -> anyhow::Result<String> {
    let path = format!("{path}?format=asciicast");
    let bytes = client.bytes(Method::GET, &path, None).await.map_err(refused)?;
    Ok(inert_json(&String::from_utf8(bytes).context("the recording is no text")?))
}

async fn plain(client: &Client, path: &str) -> anyhow::Result<String> {
    let (mut plain, mut text, mut offset) = (Plain::default(), String::new(), 0);
    loop {
        let path = format!("{path}?limit={PAGE}&offset={offset}");
        let page = client.get(&path).await.map_err(refused)?;
        for event in list(&page, "events") {
            let part = |n: usize| event.get(n).and_then(Value::as_str).unwrap_or_default();
            if part(1) == "o" {
                text.push_str(&plain.pass(part(2)));
            }
        }
        if at(&page, "has_more").as_bool() != Some(true) {
            text.push_str(&plain.rest());
            return Ok(text);
        }
        offset += PAGE;
    }
}

/// What attackers typed may hold secrets of others: only this user reads it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
