//! `sudo`.

use super::become_user::{ask, become_user};
use crate::shell::commands::system::env::run_other;
use crate::shell::interp::{Dialect, Interp};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    if proc.depth >= limits::DEPTH {
        return Ok(1);
    }
    let mut arguments = proc.arguments().into_iter().peekable();
    let mut target = "root".to_owned();
    let (mut shell, mut list, mut quiet) = (false, false, false);
    while let Some(argument) = arguments.peek().filter(|a| a.starts_with(b"-") && a.len() > 1) {
        let letters = argument.clone();
        arguments.next();
        if letters == b"--" {
            break;
        }
        shell |= letters.contains(&b'i') || letters.contains(&b's');
        list |= letters == b"-l";
        quiet |= letters.contains(&b'n');
        if letters.ends_with(b"u") {
            target = String::from_utf8_lossy(&arguments.next().unwrap_or_default()).into_owned();
        }
    }
    let rest: Vec<Vec<u8>> = arguments.collect();
    let me = proc.user.name.clone();
    if rest.is_empty() && !shell && !list {
        proc.err("usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\n").await;
        return Ok(1);
    }
    if proc.user.creds.uid != 0 {
        if quiet || !proc.io.is_tty() {
            let text = if quiet {
                "sudo: a password is required\n"
            } else {
                "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n"
            };
            proc.err(text).await;
            return Ok(1);
        }
        let mut tries = 0;
        loop {
            let Some(password) = ask(proc, &format!("[sudo] password for {me}: ")).await else {
                return Ok(1);
            };
            if proc.host.check_login(me.as_bytes(), &password) {
                break;
            }
            proc.io.sleep(std::time::Duration::from_millis(1900)).await;
            tries += 1;
            if tries == 3 {
                proc.err("sudo: 3 incorrect password attempts\n").await;
                return Ok(1);
            }
            proc.err("Sorry, try again.\n").await;
        }
        let sudoers = proc.host.with(|m| m.accounts().group_id("sudo")).unwrap_or(27);
        if !proc.user.creds.groups.contains(&sudoers) {
            proc.err(format!("{me} is not in the sudoers file.\n")).await;
            return Ok(1);
        }
    }
    let host = proc.host.with(|machine| machine.facts().hostname.clone());
    if list {
        proc.out(format!(
            "Matching Defaults entries for {me} on {host}:\n    env_reset, mail_badpass, secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin\n\nUser {me} may run the following commands on {host}:\n    (ALL : ALL) ALL\n"
        ))
        .await?;
        return Ok(0);
    }
    if !become_user(proc, &target) {
        proc.err(format!(
            "sudo: unknown user {target}\nsudo: error initializing audit plugin sudoers_audit\n"
        ))
        .await;
        return Ok(1);
    }
    proc.env.insert("SUDO_USER".to_owned(), me.into_bytes());
    if shell && rest.is_empty() {
        proc.cwd.clone_from(&proc.user.home.clone());
        return run_other(proc, vec![b"bash".to_vec()], "sudo").await;
    }
    let name = rest.first().cloned().unwrap_or_default();
    let probe = Interp::new(proc.clone(), b"sudo", Dialect::Bash);
    if probe.which(&name).is_err() {
        proc.err([&b"sudo: "[..], &name, b": command not found\n"].concat()).await;
        return Ok(1);
    }
    run_other(proc, rest, "sudo").await
}
