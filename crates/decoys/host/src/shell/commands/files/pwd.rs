//! `pwd`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let line = [&proc.cwd[..], b"\n"].concat();
    proc.out(line).await?;
    Ok(0)
}
