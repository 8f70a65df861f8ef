//! The project's own tasks: `cargo xtask <task>`.

mod bench;
mod check;
mod layers;
mod licences;
mod new_service;
mod run;
mod test;
mod up;
mod versions;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <task>

  up [OPTIONS]        build and start a demo fleet; OPTIONS go to `decnet up`
  check               format, lints, layer table, docs, licences
  test                install what tests need (when root), then check and every test
  bench [SCENARIO…]   measure the real binary: ssh, http, ingest, memory (--help says more)
  new-service NAME    begin a decoy service from the template
";

#[expect(clippy::print_stderr, reason = "a task talks to whoever runs it")]
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let rest: Vec<String> = args.collect();
    let outcome = match task.as_deref() {
        Some("up") => up::run(&rest),
        Some("check") => check::run(),
        Some("test") => test::run(),
        Some("bench") => bench::run(&rest),
        Some("new-service") => new_service::run(&rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
