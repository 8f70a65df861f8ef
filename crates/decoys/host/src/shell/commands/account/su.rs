//! `su`.

use super::become_user::{ask, become_user};
use crate::shell::commands::system::env::run_other;
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    if proc.depth >= limits::DEPTH {
        return Ok(1);
    }
    let mut target = "root".to_owned();
    let mut command = None;
    let mut login = false;
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_slice() {
            b"-c" | b"--command" => command = arguments.next(),
            b"-" | b"-l" | b"--login" => login = true,
            name if !name.starts_with(b"-") => target = String::from_utf8_lossy(name).into_owned(),
            _ => {}
        }
    }
    if proc.host.account(target.as_bytes()).is_none() {
        proc.err(format!("su: user {target} does not exist or the user entry does not contain all the required fields\n")).await;
        return Ok(1);
    }
    if proc.user.creds.uid != 0 {
        let password = ask(proc, "Password: ").await;
        if !password.is_some_and(|password| proc.host.check_login(target.as_bytes(), &password)) {
            proc.io.sleep(std::time::Duration::from_millis(1700)).await;
            proc.err("su: Authentication failure\n").await;
            return Ok(1);
        }
    }
    become_user(proc, &target);
    if login {
        proc.cwd.clone_from(&proc.user.home.clone());
    }
    let arguments = match command {
        Some(command) => vec![b"bash".to_vec(), b"-c".to_vec(), command],
        None => vec![b"bash".to_vec()],
    };
    run_other(proc, arguments, "su").await
}
