//! Who is logged in.

use base_model::Timestamp;

use super::Machine;
use crate::accounts::Account;
use crate::shell::Entry;

/// Most logins that are remembered for `Last login`.
const MAX_LAST_LOGINS: usize = 256;

/// Somebody logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    /// Login name.
    pub user: String,
    /// Terminal without `/dev/`; none without one.
    pub tty: Option<String>,
    /// Address they came from.
    pub from: String,
    /// Port they came from.
    pub port: u16,
    /// When.
    pub since: Timestamp,
    /// The login shell's process.
    pub pid: u32,
    /// What runs in it now.
    pub running: String,
    /// The server they came in by.
    pub entry: Entry,
}

impl Machine {
    /// When `user` logged in last, in microseconds, and from where.
    #[must_use]
    pub fn last_login(&self, user: &str) -> Option<(i64, &str)> {
        self.last_logins.get(user).map(|(at, from)| (*at, from.as_str()))
    }

    /// Notes that `account` logged in; the terminal is the first free one.
    pub fn log_in(
        &mut self,
        account: &Account,
        with_tty: bool,
        (from, port): (&str, u16),
        now: Timestamp,
    ) -> LoginSession {
        // The server forks twice before the shell.
        self.new_pid();
        self.new_pid();
        let pid = self.new_pid();
        let tty = with_tty.then(|| {
            let taken = |n: &usize| {
                let name = format!("pts/{n}");
                !self.sessions.values().any(|session| session.tty.as_deref() == Some(&name))
            };
            format!("pts/{}", (0..4096).find(taken).unwrap_or(0))
        });
        let session = LoginSession {
            user: account.name.clone(),
            tty,
            from: from.to_owned(),
            port,
            since: now,
            pid,
            running: "-bash".to_owned(),
            entry: Entry::Ssh,
        };
        if with_tty {
            if self.last_logins.len() < MAX_LAST_LOGINS
                || self.last_logins.contains_key(&account.name)
            {
                self.last_logins.insert(account.name.clone(), (now.micros(), from.to_owned()));
            }
            self.revision += 1;
        }
        self.sessions.insert(pid, session.clone());
        session
    }

    /// Notes by which server the login of process `pid` came.
    pub fn came_by(&mut self, pid: u32, entry: Entry) {
        if let Some(session) = self.sessions.get_mut(&pid) {
            session.entry = entry;
        }
    }

    /// Notes that the login of process `pid` is over.
    pub fn log_out(&mut self, pid: u32) {
        self.sessions.remove(&pid);
    }

    /// Notes what runs in the login of process `pid`.
    pub fn set_running(&mut self, pid: u32, command: &str) {
        if let Some(session) = self.sessions.get_mut(&pid) {
            session.running = command.to_owned();
        }
    }

    /// Every login, on a terminal or not.
    pub(crate) fn every_session(&self) -> impl Iterator<Item = &LoginSession> {
        self.sessions.values()
    }

    /// Who is logged in on a terminal.
    pub fn sessions(&self) -> impl Iterator<Item = &LoginSession> {
        self.sessions.values().filter(|session| session.tty.is_some())
    }
}
