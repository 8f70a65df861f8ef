//! `nproc`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let cores = proc.host.with(|machine| machine.facts().cores);
    proc.out(format!("{cores}\n")).await?;
    Ok(0)
}
