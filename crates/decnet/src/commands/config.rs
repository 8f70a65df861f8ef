//! `decnet config`: what is set, where, and to what.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::daemon::{at, block_on, client, is_unreachable, refused};
use super::table::table;
use super::{answer_as, answer_with, print};
use crate::cli::Local;
use crate::refusal::{Exit, Refusal};
use crate::settings::{self, Effective, Origin, Place, Setting};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  decnet config show\n  decnet config show --defaults > decnet.ini\n  \
                        decnet config get api-addr\n  decnet config set deployment-limit 50\n  \
                        decnet config set api-addr 127.0.0.1:9000\n  decnet config explain jwt-secret\n  \
                        decnet config validate"
)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every setting with its value and where that comes from; secrets are masked.
    Show {
        /// Show a configuration file with every setting as it is when nobody says otherwise.
        #[arg(long)]
        defaults: bool,
        #[command(flatten)]
        local: Local,
    },
    /// Show the value of one setting.
    Get {
        /// The setting, as `api-addr` or `DECNET_API_ADDR`.
        key: String,
        #[command(flatten)]
        local: Local,
    },
    /// Set one: in the DECNET that runs, or in the configuration file for its next start.
    Set {
        /// The setting.
        key: String,
        /// To what.
        value: String,
        #[command(flatten)]
        local: Local,
    },
    /// Say what is wrong in the configuration file and the environment.
    Validate(Local),
    /// Say what a setting is for and where it is set.
    Explain {
        /// The setting.
        key: String,
        #[command(flatten)]
        local: Local,
    },
}

/// Runs the command.
pub(crate) fn run(options: &Config) -> ExitCode {
    let (local, outcome) = match &options.command {
        Command::Show { defaults: true, local } => (local, Ok(settings::reference())),
        Command::Show { defaults: false, local } => (local, show(local)),
        Command::Get { key, local } => (local, get(key, local)),
        Command::Set { key, value, local } => (local, set(key, value, local)),
        Command::Explain { key, local } => (local, explain(key, local)),
        Command::Validate(local) => return answer_with(local.json, validate(local)),
    };
    answer_as(local.json, outcome)
}

/// The setting that `key` names.
fn named(key: &str) -> anyhow::Result<&'static Setting> {
    settings::find(key).ok_or_else(|| {
        let names = settings::ALL.iter().flat_map(|one| [one.key, one.variable.unwrap_or(one.key)]);
        let hint = operate_fleet::did_you_mean(key, names);
        let hint = hint.unwrap_or_else(|| "`decnet config show` lists those there are".to_owned());
        Refusal::new(Exit::NotFound, format!("there is no setting `{key}`"), hint).into()
    })
}

/// What a setting is here and now.
fn effective(setting: &'static Setting, local: &Local) -> anyhow::Result<Effective> {
    if setting.place == Place::Daemon {
        let asked = block_on(async { Ok(client(local).get("/config").await) })?;
        return match asked {
            Ok(config) => {
                let value = at(&config, setting.member()).to_string();
                Ok(Effective { value: Some(value), origin: Origin::Daemon })
            }
            Err(error) if is_unreachable(&error) => {
                Ok(Effective { value: None, origin: Origin::NoDaemon })
            }
            Err(error) => Err(refused(error).into()),
        };
    }
    if setting.key == "state-dir"
        && let Some(folder) = &local.state_dir
        && settings::variable(setting).is_none_or(|value| folder.as_os_str() != value.as_str())
    {
        return Ok(Effective { value: Some(folder.display().to_string()), origin: Origin::Flag });
    }
    Ok(settings::effective(setting))
}

fn shown(setting: &Setting, effective: &Effective) -> Value {
    json!({
        "key": setting.key,
        "variable": setting.variable,
        "value": effective.shown(setting),
        "origin": effective.origin.to_string(),
    })
}

fn show(local: &Local) -> anyhow::Result<String> {
    let mut all = Vec::new();
    for setting in settings::ALL {
        all.push(shown(setting, &effective(setting, local)?));
    }
    if local.json {
        return print(&json!({ "settings": all }));
    }
    let cell = |one: &Value, key: &str| super::rows::cell(at(one, key), 200);
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| ["key", "value", "origin", "variable"].map(|key| cell(one, key)).to_vec())
        .collect();
    Ok(table("Settings", &["Setting", "Value", "From", "Variable"], &rows))
}

fn get(key: &str, local: &Local) -> anyhow::Result<String> {
    let setting = named(key)?;
    let effective = effective(setting, local)?;
    if local.json {
        return print(&shown(setting, &effective));
    }
    Ok(effective.shown(setting).map(|value| value + "\n").unwrap_or_default())
}

fn set(key: &str, value: &str, local: &Local) -> anyhow::Result<String> {
    let setting = named(key)?;
    (setting.check)(value).map_err(|why| {
        let what = format!("`{}` cannot be that: {why}", setting.key);
        Refusal::new(Exit::Usage, what, format!("see `decnet config explain {}`", setting.key))
    })?;
    let told = match setting.place {
        Place::Daemon => {
            let body = json!({ setting.member(): serde_json::from_str::<Value>(value)? });
            let path = format!("/config/{}", setting.key);
            let asked = async { client(local).call(Method::PUT, &path, Some(&body)).await };
            block_on(async { asked.await.map_err(|error| refused(error).into()) })?;
            "the DECNET that runs".to_owned()
        }
        Place::File { section, key } => {
            let path = settings::path();
            settings::write(&path, section, key, value)?;
            format!("`{}`, for the next start", path.display())
        }
        Place::Environment => {
            let name = setting.variable.unwrap_or(setting.key);
            let what = format!("`{}` is not kept in a file", setting.key);
            let hint = format!("set the variable {name} where DECNET is started");
            return Err(Refusal::new(Exit::Usage, what, hint).into());
        }
    };
    if local.json {
        return print(&json!({ "key": setting.key, "value": value, "set_in": told }));
    }
    Ok(format!("{} is {value} in {told}.\n", setting.key))
}

fn explain(key: &str, local: &Local) -> anyhow::Result<String> {
    let setting = named(key)?;
    let effective = effective(setting, local)?;
    if local.json {
        let mut told = shown(setting, &effective);
        if let Some(told) = told.as_object_mut() {
            told.insert("about".to_owned(), setting.about.into());
            told.insert("default".to_owned(), setting.default.into());
            told.insert("flag".to_owned(), setting.flag.into());
        }
        return print(&told);
    }
    let mut text = format!("{}: {}\n\n", setting.key, setting.about);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{name:<10} {value}\n"));
        }
    };
    add("Flag", setting.flag.map(str::to_owned));
    add("Variable", setting.variable.map(str::to_owned));
    add(
        "File",
        match setting.place {
            Place::File { section, key } => Some(format!("[{section}] {key} = …")),
            Place::Environment | Place::Daemon => None,
        },
    );
    add("Default", setting.default.map(str::to_owned));
    add("Value", effective.shown(setting));
    add("From", Some(effective.origin.to_string()));
    Ok(text)
}

/// What is wrong, and whether anything is.
fn validate(local: &Local) -> anyhow::Result<(String, Option<Exit>)> {
    let faults = settings::faults();
    let exit = faults.iter().any(|fault| fault.is_error).then_some(Exit::Usage);
    if local.json {
        let faults: Vec<Value> = faults
            .iter()
            .map(|fault| json!({ "error": fault.is_error, "what": fault.to_string() }))
            .collect();
        return Ok((print(&json!({ "ok": exit.is_none(), "faults": faults }))?, exit));
    }
    if faults.is_empty() {
        return Ok(("Everything is as it should be.\n".to_owned(), None));
    }
    let lines = faults.iter().map(|fault| {
        let level = if fault.is_error { "error" } else { "warning" };
        format!("{level}: {}\n", super::inert::inert(&fault.to_string()))
    });
    Ok((lines.collect(), exit))
}
