//! The environment a program of a session starts in, as `sshd` sets it up.

use super::{Entry, Spawn, Stdio};
use crate::HostHandle;
use crate::shell::fd::{Fd, Fds};
use crate::shell::io::{Shared, Stream};
use crate::shell::proc::{Proc, User};

/// The process that `spawn` starts in the login `session`.
pub(super) fn process_of(
    host: &HostHandle,
    io: &Shared,
    spawn: &Spawn,
    session: &crate::LoginSession,
) -> Proc {
    let account = &spawn.account;
    let (client, client_port, server, server_port) = &spawn.connection;
    let path = match (account.uid, spawn.command.is_some()) {
        (0, _) => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        (_, true) => "/usr/local/bin:/usr/bin:/bin:/usr/games",
        _ => "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
    };
    let mut proc = Proc {
        host: host.clone(),
        io: io.clone(),
        user: User {
            name: account.name.clone(),
            creds: host.creds(account),
            home: account.home.clone().into_bytes(),
        },
        cwd: account.home.clone().into_bytes(),
        env: std::collections::BTreeMap::new(),
        fds: Fds::from([
            (0, Fd::Input),
            (1, Fd::Session(Stream::Out)),
            (2, Fd::Session(Stream::Err)),
        ]),
        args: Vec::new(),
        pid: session.pid,
        parent: session.pid - 1,
        session_pid: session.pid,
        depth: 0,
        umask: 0o022,
    };
    let mut set =
        |name: &str, value: String| drop(proc.env.insert(name.to_owned(), value.into_bytes()));
    set("USER", account.name.clone());
    set("LOGNAME", account.name.clone());
    set("HOME", account.home.clone());
    set("SHELL", account.shell.clone());
    set("PATH", path.to_owned());
    if spawn.entry == Entry::Ssh {
        set("SSH_CLIENT", format!("{client} {client_port} {server_port}"));
        set("SSH_CONNECTION", format!("{client} {client_port} {server} {server_port}"));
    }
    if let (Stdio::Terminal { term, .. }, Some(tty)) = (&spawn.stdio, &session.tty) {
        if spawn.entry == Entry::Ssh {
            set("SSH_TTY", format!("/dev/{tty}"));
        }
        let term = String::from_utf8_lossy(term).into_owned();
        set("TERM", if term.is_empty() { "xterm".to_owned() } else { term });
    }
    for (name, value) in &spawn.env {
        // sshd's `AcceptEnv LANG LC_*`.
        if name == b"LANG" || name.starts_with(b"LC_") {
            proc.env.insert(String::from_utf8_lossy(name).into_owned(), value.clone());
        }
    }
    if proc.host.with(|m| m.fs.find(&proc.user.creds, b"/", &proc.cwd, true).is_err()) {
        proc.cwd = b"/".to_vec();
    }
    proc
}
