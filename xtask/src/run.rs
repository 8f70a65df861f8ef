//! Running other programs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// Runs `command` in the workspace, showing it first; fails when it does.
#[expect(clippy::print_stderr, reason = "a task talks to whoever runs it")]
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    eprintln!("── {shown}");
    let status =
        command.current_dir(root()).status().with_context(|| format!("cannot run {shown}"))?;
    ensure!(status.success(), "failed: {shown}");
    Ok(())
}

/// What `command` prints.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = shown(command);
    let output =
        command.current_dir(root()).output().with_context(|| format!("cannot run {shown}"))?;
    ensure!(output.status.success(), "failed: {shown}");
    String::from_utf8(output.stdout).context("output is not text")
}

/// `cargo` with `args`.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(args);
    command
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
