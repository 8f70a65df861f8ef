//! `decnet man`: manual pages, made from the commands themselves.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::answer;
use crate::cli::Cli;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet man --out man1\n  man -l man1/decnet-deploy.1")]
pub(crate) struct Man {
    /// Folder to write them to; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
pub(crate) fn run(options: &Man) -> ExitCode {
    answer(write(options))
}

fn write(options: &Man) -> anyhow::Result<String> {
    let folder = options.out.display();
    std::fs::create_dir_all(&options.out).with_context(|| format!("failed to make `{folder}`"))?;
    let written = clap_mangen::generate_to(Cli::command(), &options.out);
    written.with_context(|| format!("failed to write to `{folder}`"))?;
    Ok(format!("Manual pages are in {folder}.\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_hidden_ones_have_none() {
        let folder = tempfile::tempdir().unwrap();
        write(&Man { out: folder.path().join("man1") }).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.path().join("man1").join(name));
        assert!(page("decnet.1").unwrap().contains("deploy"));
        assert!(page("decnet-sessions-play.1").unwrap().contains("idle"));
        assert!(page("decnet-decoy.1").is_err());
    }
}
