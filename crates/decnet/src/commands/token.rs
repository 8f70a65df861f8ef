//! `decnet token`: keys for programs.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::json;

use super::daemon::{ask, list, refused, text};
use super::inert::inert;
use super::rows::{Column, page};
use super::{note, print};
use crate::cli::Local;
use crate::refusal::{Exit, Refusal};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet token create siem\n  \
                        decnet token create deployer --role admin --days 30\n  \
                        decnet token list\n  decnet token revoke siem\n\n\
                        A token is sent as the header `Authorization: Bearer dk_…`.")]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token. It is shown this once.
    Create {
        /// What it is for.
        name: String,
        /// What it may do.
        #[arg(long, default_value = "viewer", value_parser = ["viewer", "admin"])]
        role: String,
        /// Days until it ends.
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
        /// It ends only when it is revoked.
        #[arg(long, conflicts_with = "days")]
        no_expiry: bool,
        #[command(flatten)]
        local: Local,
    },
    /// List the tokens there are.
    List(Local),
    /// End a token at once.
    Revoke {
        /// Its name or id.
        name: String,
        #[command(flatten)]
        local: Local,
    },
}

const COLUMNS: &[Column] = &[
    ("Name", "name"),
    ("Role", "role"),
    ("Made by", "created_by"),
    ("Made", "created_at"),
    ("Ends", "expires_at"),
    ("Last used", "last_used_at"),
];

/// Runs the command.
pub(crate) fn run(options: &Token) -> ExitCode {
    match &options.command {
        Command::List(local) => {
            page(local, "API tokens", COLUMNS, "tokens", || Ok("/config/tokens".to_owned()))
        }
        Command::Create { name, role, days, no_expiry, local } => ask(local, async |client| {
            let days = (!no_expiry).then_some(days);
            let body = json!({"name": name, "role": role, "expires_in_days": days});
            let made = client.post("/config/tokens", &body).await.map_err(refused)?;
            if local.json {
                return print(&made);
            }
            note("keep it now: it is not shown again");
            Ok(format!("{}\n", text(&made, "token")))
        }),
        Command::Revoke { name, local } => ask(local, async |client| {
            let all = client.get("/config/tokens").await.map_err(refused)?;
            let is_meant = |key: &str| {
                let mut tokens = list(&all, "tokens").iter();
                tokens.find(|token| text(token, key) == name).cloned()
            };
            let Some(token) = is_meant("name").or_else(|| is_meant("uuid")) else {
                let names = list(&all, "tokens").iter().map(|token| text(token, "name"));
                let hint = operate_fleet::did_you_mean(name, names);
                let hint = hint.unwrap_or_else(|| "see `decnet token list`".to_owned());
                let what = format!("there is no token {}", inert(name));
                return Err(Refusal::new(Exit::NotFound, what, hint).into());
            };
            let path = format!("/config/tokens/{}", text(&token, "uuid"));
            client.call(Method::DELETE, &path, None).await.map_err(refused)?;
            if local.json {
                return print(&json!({ "revoked": text(&token, "name") }));
            }
            Ok(format!("{} is revoked.\n", inert(text(&token, "name"))))
        }),
    }
}
