//! `decnet simulate`: harmless attackers against a running `decnet up`.
//!
//! Targets, plan and run are `operate-simulate`'s; here are files, progress and exit codes.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use base_runtime::environment;
use operate_simulate::{ALL, Actor, Happening, Outcome, Pace, Plan, Progress, Summary, World};
use serde_json::json;

use super::answer;
use super::table::table;
use crate::cli::Simulate;
use crate::refusal::{self, Exit, Refusal};
use crate::up;

/// Bytes read of a ready file: more than that of the largest fleet.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Where a ready file is looked for in the state folder.
const READY: &str = "ready.json";
const START: &str =
    "start one with `decnet up --ready-file FILE`, and give that FILE with --target";

/// Runs the command.
pub(crate) fn run(options: &Simulate) -> ExitCode {
    if options.list {
        return answer(listed(options.json));
    }
    let plan = match plan(options) {
        Ok(plan) => plan,
        Err(error) => return refusal::report(&error),
    };
    if options.dry_run {
        return answer(shown(&plan, options.json));
    }
    match act(&plan, options) {
        Ok(summary) => finish(&summary, options.json),
        Err(error) => refusal::report(&error),
    }
}

fn listed(as_json: bool) -> anyhow::Result<String> {
    if as_json {
        let one = |scenario: &operate_simulate::Scenario| json!({ "name": scenario.name, "summary": scenario.summary });
        let all: Vec<_> = ALL.iter().map(|scenario| one(scenario)).collect();
        return Ok(serde_json::to_string_pretty(&all)? + "\n");
    }
    let row = |scenario: &&operate_simulate::Scenario| {
        vec![scenario.name.to_owned(), scenario.summary.to_owned()]
    };
    let rows: Vec<_> = ALL.iter().map(row).collect();
    Ok(table("Scenarios", &["Name", "What attackers do"], &rows))
}

fn shown(plan: &Plan, as_json: bool) -> anyhow::Result<String> {
    match as_json {
        true => Ok(serde_json::to_string_pretty(plan)? + "\n"),
        false => Ok(plan.to_string()),
    }
}

fn plan(options: &Simulate) -> anyhow::Result<Plan> {
    let mut world: Option<World> = None;
    for path in targets(options) {
        let read = read(&path)?;
        world = Some(match world {
            Some(world) => world.with(read),
            None => read,
        });
    }
    let world = world.context("no target")?;
    let scenarios = if options.scenario.is_empty() { ALL } else { &options.scenario };
    Ok(Plan::new(&world, options.seed, scenarios, options.rounds.into()))
}

fn targets(options: &Simulate) -> Vec<PathBuf> {
    if !options.target.is_empty() {
        return options.target.clone();
    }
    let folder = options.state_dir.clone();
    let folder = folder.unwrap_or_else(|| environment::default_state_dir(base_sandbox::is_root()));
    vec![folder.join(READY)]
}

fn read(path: &Path) -> Result<World, Refusal> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| {
        let what = format!("cannot read the ready file `{shown}`: {error}");
        match error.kind() {
            ErrorKind::NotFound => Refusal::new(Exit::NotFound, what, START),
            ErrorKind::PermissionDenied => {
                Refusal::new(Exit::Permission, what, "run as the user who started `decnet up`")
            }
            _ => Refusal::new(Exit::Failed, what, START),
        }
    })?;
    World::read(&bytes).map_err(|error| {
        let what = format!("cannot use `{shown}`: {}", refusal::chain(&error));
        Refusal::new(Exit::Usage, what, START)
    })
}

fn act(plan: &Plan, options: &Simulate) -> anyhow::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("simulate")
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let pace =
        Pace { per_minute: options.rate, at_once: options.at_once.into(), speed: options.speed };
    let quiet = options.quiet;
    runtime.block_on(async {
        let shutdown = up::on_signals()?;
        let heard = |actor: &Actor, what: &Happening| {
            if !quiet {
                progress(actor, what);
            }
        };
        for line in plan.skipped.iter().filter(|_| !quiet) {
            say(&format!("skipped {line}"));
        }
        Ok(operate_simulate::run(plan, pace, &shutdown, heard).await)
    })
}

fn progress(actor: &Actor, what: &Happening) {
    let Actor { name, source, .. } = actor;
    let text = match what {
        Happening::Began => format!("starts from {source}"),
        Happening::Unreachable(door) => format!("cannot reach {door}"),
        Happening::Tried { door, login, accepted: true } => {
            format!("is let in at {} of {} as {login}", door.service, door.decky)
        }
        Happening::Uploaded(path) => format!("left {path}"),
        Happening::Failed(fault) => format!("failed: {}", refusal::chain(fault)),
        Happening::Ended => "is done".to_owned(),
        Happening::Connected(_)
        | Happening::Tried { .. }
        | Happening::Commanded(_)
        | Happening::Requested
        | Happening::Mailed => return,
    };
    say(&format!("{name} {text}"));
}

#[expect(clippy::print_stderr, reason = "progress is for the user")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Tells what came of it and gives the exit code.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn finish(summary: &Summary, as_json: bool) -> ExitCode {
    let text = if as_json {
        serde_json::to_string_pretty(summary).map(|text| text + "\n")
    } else {
        Ok(told(summary))
    };
    match text {
        Ok(text) => print!("{text}"),
        Err(error) => return refusal::report(&error.into()),
    }
    let (exit, what, hint) = match summary.outcome {
        Outcome::Complete => return ExitCode::SUCCESS,
        Outcome::Partial => (
            Exit::Partial,
            format!("{} acts ended early", summary.total.errors),
            "each is named above; `decnet up` tells why a service ended",
        ),
        Outcome::Unreachable => (
            Exit::Unreachable,
            "no running DECNET answers".to_owned(),
            "is `decnet up` still running? The ready file may be of an earlier start",
        ),
        Outcome::Interrupted => {
            say("stopped");
            return ExitCode::from(Exit::Interrupted as u8);
        }
    };
    refusal::report(&Refusal::new(exit, what, hint).into())
}

fn told(summary: &Summary) -> String {
    let row = |name: &str, source: &str, counts: &operate_simulate::Counts| {
        let numbers = [
            counts.connections,
            counts.logins_tried,
            counts.logins_accepted,
            counts.commands,
            counts.requests,
            counts.uploads + counts.mails,
            counts.errors,
        ];
        let names = [name.to_owned(), source.to_owned()].into_iter();
        names.chain(numbers.map(|number| number.to_string())).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = summary
        .actors
        .iter()
        .map(|actor| row(&actor.name, &actor.source.to_string(), &actor.counts))
        .collect();
    rows.push(row("all", "", &summary.total));
    let headers = [
        "Actor",
        "From",
        "Connections",
        "Logins",
        "Let in",
        "Commands",
        "Requests",
        "Left",
        "Errors",
    ];
    let done = summary.actors.iter().filter(|actor| actor.progress == Progress::Done).count();
    let title = format!("Seed {}: {done} of {} actors done", summary.seed, summary.actors.len());
    table(&title, &headers, &rows)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(arguments: &[&str]) -> Simulate {
        let command = ["decnet", "simulate"].iter().chain(arguments);
        let Command::Simulate(options) = Cli::try_parse_from(command).unwrap().command else {
            panic!("another command");
        };
        options
    }

    fn refused(ready: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        std::fs::write(&path, ready).unwrap();
        let error = plan(&options(&["--target", path.to_str().unwrap()])).unwrap_err();
        refusal::chain(error.as_ref())
    }

    #[test]
    fn a_target_outside_loopback_is_refused() {
        let said = refused(
            r#"{"api": "http://127.0.0.1:8000", "deckies": [{"name": "web-01", "ip": "192.0.2.7", "logins": [], "services": []}]}"#,
        );
        assert!(said.ends_with("`web-01` is at 192.0.2.7, outside 127.0.0.0/8: attackers are let loose on loopback only"), "{said}");
        assert!(refused("{}").contains("not a ready file of `decnet up`"));
    }

    #[test]
    fn the_ready_file_of_the_state_folder_is_the_default() {
        let found = targets(&options(&["--state-dir", "/srv/decnet"]));
        assert_eq!(found, [PathBuf::from("/srv/decnet/ready.json")]);
        let error = plan(&options(&["--state-dir", "/nowhere"])).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the ready file `/nowhere/ready.json`"), "{error}");
    }

    #[test]
    fn scenarios_are_listed_and_others_refused() {
        let list = listed(false).unwrap();
        assert!(ALL.iter().all(|scenario| list.contains(scenario.name)), "{list}");
        let said = Cli::try_parse_from(["decnet", "simulate", "--scenario", "worm"]).unwrap_err();
        assert!(said.to_string().contains("there are brute-force, careful-human"), "{said}");
        assert!(Cli::try_parse_from(["decnet", "simulate", "--speed", "0"]).is_err());
    }
}
