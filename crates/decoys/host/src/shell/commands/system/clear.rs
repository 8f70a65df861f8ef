//! `clear`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    if !proc.env.contains_key("TERM") {
        proc.err("TERM environment variable not set.\n").await;
        return Ok(1);
    }
    proc.out("\x1b[H\x1b[2J\x1b[3J").await?;
    Ok(0)
}
