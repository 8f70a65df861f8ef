//! `decnet completions`: what a shell offers after Tab. The shell asks this program at that moment,
//! so it knows the deckies there are.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCandidates, CompletionCandidate};

use super::answer;
use super::daemon::{block_on, client, text};
use crate::cli::{Cli, Local};
use crate::refusal::{Exit, Refusal};

/// How the shell tells this program that it wants completions.
const VARIABLE: &str = "_DECNET_COMPLETE";
/// How long a daemon may take to say which deckies there are.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  source <(decnet completions bash)\n  \
                        decnet completions zsh > ~/.zfunc/_decnet\n  \
                        decnet completions fish > ~/.config/fish/completions/decnet.fish")]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// Answers a shell that asks for completions, and ends the process then.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).complete();
}

/// Runs the command.
pub(crate) fn run(options: &Completions) -> ExitCode {
    answer(script(options.shell))
}

fn script(shell: Shell) -> anyhow::Result<String> {
    let name = shell.to_possible_value();
    let name = name.as_ref().map_or("bash", |value| value.get_name());
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(name) else {
        let what = format!("there are no completions for {name}");
        return Err(Refusal::new(Exit::Usage, what, "use another shell").into());
    };
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "decnet", "decnet", "decnet", &mut script)?;
    Ok(String::from_utf8(script)?)
}

/// Names of the deckies there are, as values of an argument.
pub(crate) fn deckies() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let asked = block_on(async {
            // What was typed before is not known here; the usual folder and the variable are.
            let state_dir = base_runtime::environment::variable("DECNET_STATE_DIR");
            let local = Local { state_dir: state_dir.map(Into::into), json: false };
            let client = client(&local);
            let deckies = tokio::time::timeout(PATIENCE, client.get("/deckies")).await??;
            Ok(deckies.as_array().cloned().unwrap_or_default())
        });
        let names = asked.unwrap_or_default();
        names.iter().map(|one| CompletionCandidate::new(text(one, "name"))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_a_script_that_asks_this_program() {
        for shell in Shell::value_variants() {
            let script = script(*shell).unwrap();
            assert!(script.contains(VARIABLE) && script.contains("decnet"), "{shell:?}");
        }
    }
}
