//! DECNET itself: the daemon, its database, its port.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use api::local::{Client, ClientError};
use serde_json::Value;
use store_db::{Db, DbUrl, SchemaState};

use super::Finding;
use crate::commands::daemon::{at, list, text};
use crate::refusal::chain;

/// The DECNET that runs, if one does.
pub(super) struct Running {
    /// How it is.
    pub(super) health: Finding,
    /// Ports its fleet has.
    pub(super) sockets: usize,
    /// Where its API is.
    api: Option<SocketAddr>,
    runs: bool,
}

impl Running {
    /// Asks it.
    pub(super) async fn look(client: &Client, state: &Path) -> Self {
        const ABOUT: &str = "daemon";
        let nobody = |health| Self { health, sockets: 0, api: None, runs: false };
        let health = match client.get("/health").await {
            Ok(body) => body,
            Err(ClientError::Problem { body, .. }) if body.get("components").is_some() => body,
            Err(ClientError::Unreachable(_, cause))
                if cause.kind() != std::io::ErrorKind::PermissionDenied =>
            {
                let what = "no DECNET runs on this state folder";
                return nobody(Finding::weak(ABOUT, what, "start it with `decnet up`"));
            }
            Err(error) => {
                let fix = "call this as the user that runs DECNET, or see its diagnostics";
                return nobody(Finding::wrong(ABOUT, chain(&error), fix));
            }
        };
        let ready = std::fs::read(state.join("ready.json")).unwrap_or_default();
        let ready: Value = serde_json::from_slice(&ready).unwrap_or_default();
        let api = text(&ready, "api").strip_prefix("http://").and_then(|at| at.parse().ok());
        let deckies = client.get("/deckies").await.unwrap_or_default();
        let deckies = deckies.as_array().map_or(&[][..], Vec::as_slice);
        let sockets = deckies.iter().map(|decky| list(decky, "ports").len()).sum();
        Self { health: healthy(ABOUT, &health), sockets, api, runs: true }
    }

    /// Whether the API has its port, or could have it.
    pub(super) fn port(&self, wanted: SocketAddr) -> Finding {
        const ABOUT: &str = "API port";
        if let Some(ours) = self.api {
            return Finding::fine(ABOUT, format!("the DECNET that runs answers on {ours}"));
        }
        if self.runs {
            // It was told to write its ready file elsewhere.
            return Finding::fine(ABOUT, "the DECNET that runs has one");
        }
        match TcpListener::bind(wanted) {
            Ok(_) => Finding::fine(ABOUT, format!("{wanted} is free")),
            Err(error) => {
                let fix = "see who has it with `ss -ltnp`, or choose another with --api-addr";
                Finding::wrong(ABOUT, format!("{wanted} cannot be had: {error}"), fix)
            }
        }
    }
}

fn healthy(about: &'static str, health: &Value) -> Finding {
    let status = text(health, "status");
    let components = at(health, "components").as_object().into_iter().flatten();
    let ill: Vec<String> = components
        .filter(|(_, state)| text(state, "status") != "ok")
        .map(|(name, state)| format!("{name}: {}", text(state, "detail")))
        .collect();
    if status == "healthy" && ill.is_empty() {
        return Finding::fine(about, "it answers and is healthy");
    }
    let what = format!("it is {status}: {}", ill.join("; "));
    Finding::wrong(about, what, "see `decnet status` and its diagnostics")
}

/// Whether the database answers, and whether this version knows its schema.
pub(super) async fn database(wanted: Option<&str>, state: &Path) -> Finding {
    const ABOUT: &str = "database";
    let url = match wanted.map(str::parse::<DbUrl>) {
        None => DbUrl::Sqlite(state.join("decnet.db")),
        Some(Ok(url)) => url,
        Some(Err(error)) => {
            let fix = "give a file, or mysql://user:password@host:port/name";
            return Finding::wrong(ABOUT, error.to_string(), fix);
        }
    };
    match Db::schema_at(&url).await {
        Ok(found) => schema(ABOUT, &url, found),
        Err(error) => Finding::wrong(ABOUT, chain(&error), "see what the message says to check"),
    }
}

fn schema(about: &'static str, url: &DbUrl, found: Option<SchemaState>) -> Finding {
    let Some(found) = found else {
        return Finding::fine(about, format!("`{url}` is made at the first start"));
    };
    if !found.unknown.is_empty() {
        let what = format!("`{url}` is of a newer version ({})", found.unknown.join(", "));
        return Finding::wrong(about, what, "use that version, or restore a backup");
    }
    let newest = found.applied.last().map_or("empty", String::as_str);
    let what = format!("`{url}` answers, schema {newest}");
    if found.pending.is_empty() {
        return Finding::fine(about, what);
    }
    let pending = found.pending.join(", ");
    Finding::fine(about, format!("{what}; the next start applies {pending}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Level;
    use super::*;

    #[test]
    fn an_ill_component_is_named() {
        let ill = json!({"status": "degraded", "components": {
            "fleet": {"status": "failing", "detail": "web-01: port 22 is taken"},
            "database": {"status": "ok"},
        }});
        let found = healthy("daemon", &ill);
        assert_eq!(found.level, Level::Wrong);
        assert_eq!(found.what, "it is degraded: fleet: web-01: port 22 is taken");
    }

    #[test]
    fn a_port_that_somebody_has_is_wrong_unless_it_is_ours() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let running = |runs, api| Running { health: Finding::fine("", ""), sockets: 0, api, runs };
        assert_eq!(running(false, None).port(address).level, Level::Wrong);
        assert_eq!(running(true, Some(address)).port(address).level, Level::Fine);
        drop(taken);
        assert_eq!(running(false, None).port(address).level, Level::Fine);
    }

    #[test]
    fn a_newer_schema_is_wrong_and_an_older_one_is_not() {
        let url = DbUrl::Sqlite("/x.db".into());
        let state = |unknown: &[&str], pending: &[&str]| SchemaState {
            applied: vec!["m0001_initial".into()],
            pending: pending.iter().map(|&name| name.to_owned()).collect(),
            unknown: unknown.iter().map(|&name| name.to_owned()).collect(),
        };
        assert_eq!(schema("", &url, Some(state(&["m9"], &[]))).level, Level::Wrong);
        let older = schema("", &url, Some(state(&[], &["m0002"])));
        assert!(older.level == Level::Fine && older.what.contains("m0002"));
        assert_eq!(schema("", &url, None).level, Level::Fine);
    }
}
