//! `decnet user`: accounts, through the API, or in the database when nobody can log in.

use std::process::ExitCode;

use api::local::Client;
use api::{AccountError, Accounts, Role};
use base_runtime::Clock;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};
use store_db::{AuditEntry, Db, UserRow};

use super::daemon::{block_on, client, list, refused, text};
use super::inert::inert;
use super::rows::{Column, rows};
use super::{answer_as, confirmed, passwords, print};
use crate::cli::Local;
use crate::refusal::{Exit, Refusal};
use crate::up;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet user list\n  decnet user add eve --role admin\n  \
                        decnet user passwd eve --password-stdin < secret\n  decnet user rm eve\n\n\
                        Locked out? End the daemon, then:\n  decnet user passwd admin --local")]
pub(crate) struct User {
    #[command(subcommand)]
    command: Command,
    /// Work on the database itself, for when nobody can log in; no daemon may run.
    #[arg(long = "local", global = true)]
    offline: bool,
    /// Database of --local: a SQLite file, or mysql://user:password@host:port/name.
    #[arg(long, value_name = "URL", env = "DECNET_DB_URL", hide_env_values = true, global = true)]
    db: Option<String>,
    #[command(flatten)]
    local: Global,
}

/// [`Local`], also after the subcommand.
#[derive(Clone, Debug, Args)]
struct Global {
    /// State folder of the DECNET; /var/lib/decnet for root, else ~/.local/state/decnet.
    #[arg(long, value_name = "DIR", env = "DECNET_STATE_DIR", global = true)]
    state_dir: Option<std::path::PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the accounts.
    List,
    /// Add an account; its password is asked for, and is to be changed at the first login.
    Add {
        /// Login name.
        name: String,
        /// What it may do.
        #[arg(long, default_value = "viewer", value_parser = ["viewer", "admin"])]
        role: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an account another password, which is to be changed at the next login. Its sessions end.
    Passwd {
        /// Login name.
        name: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an account another role. Its sessions and API tokens end.
    Role {
        /// Login name.
        name: String,
        /// What it may do.
        #[arg(value_parser = ["viewer", "admin"])]
        role: String,
    },
    /// Remove an account with its sessions and API tokens.
    Rm {
        /// Login name.
        name: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

const COLUMNS: &[Column] = &[
    ("Name", "username"),
    ("Role", "role"),
    ("To change its password", "must_change_password"),
    ("Id", "uuid"),
];

/// Runs the command.
pub(crate) fn run(options: &User) -> ExitCode {
    let Global { state_dir, json } = options.local.clone();
    let outcome = block_on(async {
        let local = Local { state_dir, json };
        let accounts = match options.offline {
            false => Backend::Api(client(&local)),
            true => Backend::open(&local, options.db.as_deref()).await?,
        };
        act(&options.command, &accounts, json).await
    });
    answer_as(json, outcome)
}

/// Does what is asked, and says so.
async fn act(command: &Command, accounts: &Backend, as_json: bool) -> anyhow::Result<String> {
    let (name, done) = match command {
        Command::List => {
            let users = accounts.list().await?;
            return if as_json {
                print(&json!({ "users": users }))
            } else {
                Ok(rows("Accounts", COLUMNS, &users))
            };
        }
        Command::Add { name, role, password_stdin } => {
            accounts.add(name, &passwords::new(*password_stdin)?, role).await?;
            (name, format!("is added as {role}"))
        }
        Command::Passwd { name, password_stdin } => {
            let uuid = accounts.id(name).await?;
            accounts.reset(&uuid, &passwords::new(*password_stdin)?).await?;
            (name, "has another password".to_owned())
        }
        Command::Role { name, role } => {
            accounts.role(&accounts.id(name).await?, role).await?;
            (name, format!("is {role}"))
        }
        Command::Rm { name, yes } => {
            let uuid = accounts.id(name).await?;
            if !yes && !confirmed(&format!("Remove the account {}?", inert(name)), "--yes")? {
                return Ok("Nothing was changed.\n".to_owned());
            }
            accounts.remove(&uuid).await?;
            (name, "is removed".to_owned())
        }
    };
    match as_json {
        true => print(&json!({ "username": name, "done": done })),
        false => Ok(format!("{} {done}.\n", inert(name))),
    }
}

/// Where accounts are changed.
enum Backend {
    Api(Client),
    Db {
        db: Db,
        clock: Clock,
        /// Held, so that no daemon starts meanwhile.
        _folder: up::Folder,
    },
}

impl Backend {
    async fn open(local: &Local, db: Option<&str>) -> anyhow::Result<Self> {
        let folder = up::Folder::open(local.state_dir.as_deref())?;
        let db = up::open_db(db, &folder).await?;
        Ok(Self::Db { db, clock: Clock::start(), _folder: folder })
    }

    async fn list(&self) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Api(client) => {
                let config = client.get("/config").await.map_err(refused)?;
                Ok(list(&config, "users").to_vec())
            }
            Self::Db { db, .. } => Ok(db.users().list().await?.into_iter().map(shown).collect()),
        }
    }

    /// The id of the account called `name`.
    async fn id(&self, name: &str) -> anyhow::Result<String> {
        let users = self.list().await?;
        let names: Vec<&str> = users.iter().map(|user| text(user, "username")).collect();
        if let Some(user) = users.iter().find(|user| text(user, "username") == name) {
            return Ok(text(user, "uuid").to_owned());
        }
        let hint = operate_fleet::did_you_mean(name, names);
        let hint = hint.unwrap_or_else(|| "`decnet user list` lists those there are".to_owned());
        let what = format!("there is no account {}", inert(name));
        Err(Refusal::new(Exit::NotFound, what, hint).into())
    }

    async fn add(&self, name: &str, password: &str, role: &str) -> anyhow::Result<()> {
        match self {
            Self::Api(client) => {
                let body = json!({"username": name, "password": password, "role": role});
                client.post("/config/users", &body).await.map_err(refused)?;
                Ok(())
            }
            Self::Db { db, clock, .. } => {
                let hash = api::hash_password(password)?;
                let role = Role::parse(role).unwrap_or(Role::Viewer);
                let added = Accounts::new(db, clock.now()).add(name, hash, role, true).await;
                self.told("user add", name, added.map(drop)).await
            }
        }
    }

    async fn reset(&self, uuid: &str, password: &str) -> anyhow::Result<()> {
        match self {
            Self::Api(client) => {
                let path = format!("/config/users/{uuid}/reset-password");
                self.put(client, &path, &json!({ "new_password": password })).await
            }
            Self::Db { db, clock, .. } => {
                let hash = api::hash_password(password)?;
                let accounts = Accounts::new(db, clock.now());
                // Whoever types it here is who will log in with it.
                let reset = accounts.reset_password(uuid.parse()?, &hash, false).await;
                self.told("user passwd", uuid, reset).await
            }
        }
    }

    async fn role(&self, uuid: &str, role: &str) -> anyhow::Result<()> {
        match self {
            Self::Api(client) => {
                let path = format!("/config/users/{uuid}/role");
                self.put(client, &path, &json!({ "role": role })).await
            }
            Self::Db { db, clock, .. } => {
                let role = Role::parse(role).unwrap_or(Role::Viewer);
                let set = Accounts::new(db, clock.now()).set_role(uuid.parse()?, role).await;
                self.told("user role", uuid, set).await
            }
        }
    }

    async fn remove(&self, uuid: &str) -> anyhow::Result<()> {
        match self {
            Self::Api(client) => {
                let path = format!("/config/users/{uuid}");
                client.call(Method::DELETE, &path, None).await.map_err(refused)?;
                Ok(())
            }
            Self::Db { db, clock, .. } => {
                let removed = Accounts::new(db, clock.now()).remove(uuid.parse()?).await;
                self.told("user rm", uuid, removed).await
            }
        }
    }

    async fn put(&self, client: &Client, path: &str, body: &Value) -> anyhow::Result<()> {
        client.call(Method::PUT, path, Some(body)).await.map_err(refused)?;
        Ok(())
    }

    /// Keeps in the audit log what was done without the API.
    async fn told(
        &self,
        action: &str,
        target: &str,
        outcome: Result<(), AccountError>,
    ) -> anyhow::Result<()> {
        if let Self::Db { db, clock, .. } = self {
            let entry = AuditEntry {
                username: Some(format!("local ({})", base_sandbox::Ids::current())),
                action: format!("decnet {action} --local"),
                target: Some(target.to_owned()),
                ok: outcome.is_ok(),
                ..AuditEntry::default()
            };
            db.audit().insert(clock.now(), entry).await?;
        }
        outcome.map_err(|error| {
            let exit = match error {
                AccountError::Name => Exit::Usage,
                AccountError::Taken | AccountError::LastAdmin => Exit::Conflict,
                AccountError::Missing => Exit::NotFound,
                AccountError::Entropy(_) | AccountError::Db(_) => Exit::Failed,
            };
            let what = crate::refusal::chain(&error);
            Refusal::new(exit, what, "nothing was changed").into()
        })
    }
}

fn shown(user: UserRow) -> Value {
    json!({
        "uuid": user.uuid,
        "username": user.username,
        "role": user.role,
        "must_change_password": user.must_change_password,
    })
}
