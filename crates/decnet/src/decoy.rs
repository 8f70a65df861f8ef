//! The decoy process: sandbox first, then everything else.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use base_runtime::telemetry;
use base_sandbox::{Jail, SandboxError};
use decoys_runtime::Options;
use events_journal::journal::Limits;
use rustix::fs::FlockOperation;

use crate::cli::Decoy;
use crate::refusal;

/// How long to wait for an earlier decoy process to let go of the state folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);
/// Threads that serve connections.
const MAX_THREADS: usize = 4;

/// Runs the decoy process with its link on standard input.
pub(crate) fn run(options: &Decoy) -> ExitCode {
    telemetry::start("decoy");
    quiet_panics();
    let outcome = if options.check { check(options) } else { enter(options) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refusal::report(&error),
    }
}

fn enter(options: &Decoy) -> anyhow::Result<()> {
    let link = io::stdin().as_fd().try_clone_to_owned().context("no link on standard input")?;
    let _lock = lock(options)?;
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS));
    let sandbox = isolate(options)?;
    serve(link, sandbox, threads)
}

/// Closes the jail and tries to get out of it. Says what is in force, and what is missing.
fn isolate(options: &Decoy) -> anyhow::Result<Vec<String>> {
    let jail = Jail {
        state_dir: options.state_dir.clone(),
        user: base_sandbox::is_root().then(base_sandbox::unprivileged_user),
        open_files: options.open_files,
        allow_weak: options.allow_weak_sandbox,
    };
    let report = base_sandbox::enter(&jail).context("failed to isolate the decoy process")?;
    let mut sandbox = vec![report.to_string()];
    for weakness in &report.weaknesses {
        tracing::warn!(%weakness, "the decoy process is NOT fully isolated");
        sandbox.push(weakness.to_string());
    }
    match base_sandbox::verify() {
        Ok(verified) => tracing::info!(tried = verified.tried, "sandbox holds"),
        Err(SandboxError::Open { worked }) if options.allow_weak_sandbox => {
            tracing::warn!(?worked, "the sandbox lets these through");
        }
        Err(error) => return Err(error).context("the sandbox does not hold"),
    }
    Ok(sandbox)
}

fn serve(link: OwnedFd, sandbox: Vec<String>, threads: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(8)
        .thread_name("decoy")
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let options = Options { root: ".".into(), sandbox, journal: Limits::default() };
    runtime.block_on(decoys_runtime::run(link, decoys_services::ALL, options))?;
    Ok(())
}

/// Says whether the jail closes and holds on this machine.
#[expect(clippy::print_stdout, reason = "this is what is asked for")]
fn check(options: &Decoy) -> anyhow::Result<()> {
    println!("{}", isolate(options)?.join("; "));
    Ok(())
}

/// One decoy process per state folder: waits for an orphan to finish its journal.
fn lock(options: &Decoy) -> anyhow::Result<OwnedFd> {
    let path = options.state_dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = OwnedFd::from(file.with_context(|| format!("failed to open `{}`", path.display()))?);
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        anyhow::ensure!(waited < LOCK_PATIENCE, "another decoy process holds `{}`", path.display());
        std::thread::sleep(step);
        waited += step;
    }
    Ok(file)
}

/// The text of a panic may hold what an attacker typed; the place is enough to find it.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, "panic");
    }));
}
