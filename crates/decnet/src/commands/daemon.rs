//! Commands that ask the DECNET that runs on this machine.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use api::local::{Client, ClientError};
use base_runtime::environment;
use serde_json::Value;

use super::answer_as;
use crate::cli::Local;
use crate::refusal::{Exit, Refusal};

/// Runs a command that answers with a text.
pub(super) fn ask<F: Future<Output = anyhow::Result<String>>>(
    local: &Local,
    command: impl FnOnce(Client) -> F,
) -> ExitCode {
    answer_as(local.json, block_on(command(client(local))))
}

/// Runs `command` to its end.
pub(super) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command)
}

/// A client of the DECNET that `local` names.
pub(super) fn client(local: &Local) -> Client {
    Client::new(state_dir(local))
}

/// The state folder that `local` names.
pub(super) fn state_dir(local: &Local) -> PathBuf {
    let usual = || environment::default_state_dir(base_sandbox::is_root());
    local.state_dir.clone().unwrap_or_else(usual)
}

/// A member of an answer; null when it is not there.
pub(super) fn at<'v>(value: &'v Value, key: &str) -> &'v Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// A member that is a text; empty when it is not.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    at(value, key).as_str().unwrap_or_default()
}

/// A member that is a list; empty when it is not.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    at(value, key).as_array().map_or(&[], Vec::as_slice)
}

/// Whether nothing answers at all.
pub(super) const fn is_unreachable(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable(..))
}

/// What an answer that is none means for whoever typed the command.
pub(super) fn refused(error: ClientError) -> Refusal {
    match error {
        ClientError::Unreachable(_, cause)
            if cause.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            let what = "the DECNET there belongs to another user";
            Refusal::new(Exit::Permission, what, "call this as that user, or as root")
        }
        ClientError::Unreachable(..) => {
            let hint = "start it with `decnet up`, or name its folder with --state-dir";
            Refusal::new(Exit::Unreachable, error, hint)
        }
        ClientError::Timeout => {
            Refusal::new(Exit::Timeout, error, "see the diagnostics of the daemon")
        }
        ClientError::Broken(_) => {
            let hint = "did the daemon end? try `decnet status`";
            Refusal::new(Exit::Failed, crate::refusal::chain(&error), hint)
        }
        ClientError::Problem { status, body } => problem(status, &body),
    }
}

/// A problem (RFC 9457) as a refusal.
fn problem(status: u16, body: &Value) -> Refusal {
    let exit = match status {
        400 | 422 => Exit::Usage,
        401 | 403 => Exit::Permission,
        404 => Exit::NotFound,
        409 => Exit::Conflict,
        503 => Exit::Unreachable,
        _ => Exit::Failed,
    };
    let mut what = text(body, "detail").to_owned();
    for error in list(body, "errors") {
        let msg = text(error, "msg");
        if !what.ends_with(msg) {
            what.push_str(&format!("\n  {msg}"));
        }
    }
    let hint = match (exit, text(body, "error_id")) {
        (_, id) if !id.is_empty() => format!("the diagnostics of the daemon have more under {id}"),
        (Exit::NotFound, _) => {
            "see what there is with the `list` command, or `decnet status`".to_owned()
        }
        (Exit::Usage | Exit::Conflict, _) => "mend what is named; nothing was changed".to_owned(),
        _ => "see the diagnostics of the daemon".to_owned(),
    };
    Refusal::new(exit, what, hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_told_once_with_all_its_parts() {
        let body = json!({"detail": "bad: line 1: x", "errors": [{"msg": "line 1: x"}]});
        assert_eq!(problem(409, &body).to_string(), "bad: line 1: x");
        let body = json!({"detail": "2 problems", "errors": [{"msg": "a"}, {"msg": "b"}]});
        assert_eq!(problem(409, &body).to_string(), "2 problems\n  a\n  b");
    }
}
