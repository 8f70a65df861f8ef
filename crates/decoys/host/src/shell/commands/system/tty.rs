//! `tty`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    match proc.env.get("SSH_TTY").cloned().filter(|_| proc.in_is_tty()) {
        Some(mut name) => {
            name.push(b'\n');
            proc.out(name).await?;
            Ok(0)
        }
        None => {
            proc.out("not a tty\n").await?;
            Ok(1)
        }
    }
}
