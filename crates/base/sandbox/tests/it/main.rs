//! The jail, entered for real. It is irreversible and needs a process with one thread, so each test
//! runs its scenario in a child: this program, started again with the scenario's name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod child;
mod escape;
mod missing;
mod privilege;
mod work;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A scenario, run in the child with the state folder it was given.
type Scenario = fn(&Path);

/// One test: what the child does, and what is done and checked around it.
struct Test {
    name: &'static str,
    needs_root: bool,
    scenario: Scenario,
    around: fn(child::World),
}

fn main() -> ExitCode {
    let tests = [escape::TESTS, missing::TESTS, privilege::TESTS, work::TESTS];
    let tests = || tests.into_iter().flatten();
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, name, folder] = &arguments[..]
        && flag == child::FLAG
    {
        let test = tests().find(|test| test.name == name.as_str()).unwrap();
        (test.scenario)(Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let trials = tests().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(test: &'static Test) -> Trial {
    // A skip is a failure where all tests must run: the test then fails for want of root.
    let strict = std::env::var_os("DECNET_TESTS_STRICT").is_some_and(|value| value == "1");
    let skipped = test.needs_root && !base_sandbox::is_root() && !strict;
    Trial::test(test.name, move || {
        (test.around)(child::World::new(test.name));
        Ok(())
    })
    // Shown as ignored, with the reason.
    .with_kind(if skipped { "needs root" } else { "" })
    .with_ignored_flag(skipped)
}
