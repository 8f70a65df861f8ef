//! `nohup`.

use crate::shell::commands::system::env::run_other;
use crate::shell::interp::{Dialect, Interp, Opening};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.is_empty() {
        return Err(proc.missing_operand().await);
    }
    if proc.out_is_tty() {
        proc.err("nohup: ignoring input and appending output to 'nohup.out'\n").await;
        let shell = Interp::new(proc.clone(), b"nohup", Dialect::Bash);
        if let Ok(fd) = shell.open_file(b"nohup.out", Opening::Append) {
            proc.fds.insert(1, fd.clone());
            proc.fds.insert(2, fd);
        }
    }
    run_other(proc, arguments, "nohup: failed to run command").await
}
