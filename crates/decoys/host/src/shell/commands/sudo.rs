//! `sudo` and `su`.

use super::env::run_other;
use crate::fs::Creds;
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc, User};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.depth >= limits::DEPTH {
        return Ok(1);
    }
    if proc.name() == "su" { su(proc).await } else { sudo(proc).await }
}

fn become_user(proc: &mut Proc, name: &str) -> bool {
    let Some(account) = proc.host.account(name.as_bytes()) else { return false };
    let creds: Creds = proc.host.creds(&account);
    proc.user = User { name: account.name.clone(), creds, home: account.home.clone().into_bytes() };
    for (key, value) in
        [("USER", &account.name), ("LOGNAME", &account.name), ("HOME", &account.home)]
    {
        proc.env.insert(key.to_owned(), value.clone().into_bytes());
    }
    true
}

/// Asks for a password on the terminal, without echo.
async fn ask(proc: &Proc, prompt: &str) -> Option<Vec<u8>> {
    if !proc.io.is_tty() {
        return None;
    }
    proc.err(prompt).await;
    proc.io.lock().echo = false;
    let line = crate::shell::fd::Fd::Input.read(&proc.io, &proc.host, limits::LINE).await;
    proc.io.lock().echo = true;
    line.strip_suffix(b"\n").map(<[u8]>::to_vec)
}

async fn sudo(proc: &mut Proc) -> Outcome {
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
    let probe = crate::shell::interp::Interp::new(
        proc.clone(),
        b"sudo",
        crate::shell::interp::Dialect::Bash,
    );
    if probe.which(&name).is_err() {
        proc.err([&b"sudo: "[..], &name, b": command not found\n"].concat()).await;
        return Ok(1);
    }
    run_other(proc, rest, "sudo").await
}

async fn su(proc: &mut Proc) -> Outcome {
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
