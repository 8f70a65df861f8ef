//! Changing who runs a program, and asking for the password.

use crate::fs::Creds;
use crate::shell::fd::Fd;
use crate::shell::limits;
use crate::shell::proc::{Proc, User};

/// Makes `proc` run as the user `name`; false when there is none.
pub(super) fn become_user(proc: &mut Proc, name: &str) -> bool {
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
pub(super) async fn ask(proc: &Proc, prompt: &str) -> Option<Vec<u8>> {
    if !proc.io.is_tty() {
        return None;
    }
    proc.err(prompt).await;
    proc.io.lock().echo = false;
    let line = Fd::Input.read(&proc.io, &proc.host, limits::LINE).await;
    proc.io.lock().echo = true;
    line.strip_suffix(b"\n").map(<[u8]>::to_vec)
}
