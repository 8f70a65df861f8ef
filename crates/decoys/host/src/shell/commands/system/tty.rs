//! `tty`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let pid = proc.session_pid;
    let terminal = proc
        .host
        .with(|machine| machine.every_session().find(|session| session.pid == pid)?.tty.clone());
    match terminal.filter(|_| proc.in_is_tty()) {
        Some(name) => {
            proc.out(format!("/dev/{name}\n")).await?;
            Ok(0)
        }
        None => {
            proc.out("not a tty\n").await?;
            Ok(1)
        }
    }
}
