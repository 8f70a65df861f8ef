//! What an actor can do.

use serde::{Deserialize, Serialize};

use crate::payload::Payload;
use crate::world::Door;

/// A user name and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The user.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Login {
    /// Of `username` and `password`.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Self { username: username.to_owned(), password: password.to_owned() }
    }
}

/// One step of an actor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Does nothing for so many milliseconds.
    Pause(u64),
    /// Several at once.
    Together(Vec<Act>),
    /// Connects, reads what a service says by itself, and leaves.
    Knock(Door),
    /// A connection over SSH.
    Ssh(SshVisit),
    /// A connection over Telnet.
    Telnet(TelnetVisit),
    /// A connection over FTP.
    Ftp(FtpVisit),
    /// A connection over SMTP.
    Smtp(SmtpVisit),
    /// Requests over HTTP.
    Http(HttpVisit),
    /// A connection to Redis.
    Redis(RedisVisit),
    /// A connection to MySQL for each login.
    Mysql(DatabaseVisit),
    /// A connection to PostgreSQL for each login.
    Postgres(DatabaseVisit),
}

/// Which program an SSH client is: identification and algorithm lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SshClient {
    /// Bots in Go.
    Go,
    /// Bots with libssh.
    Libssh,
    /// A Debian or Ubuntu machine's `ssh`.
    OpenSsh,
    /// PuTTY on Windows.
    Putty,
}

/// Passwords for one user, then work once one is taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SshVisit {
    /// Where.
    pub door: Door,
    /// With what.
    pub client: SshClient,
    /// As whom.
    pub username: String,
    /// Tried in this order.
    pub passwords: Vec<String>,
    /// Done when logged in.
    pub work: Vec<SshWork>,
}

/// What is done on an SSH connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SshWork {
    /// Does nothing for so many milliseconds.
    Pause(u64),
    /// Runs a command line.
    Exec(String),
    /// Leaves a file with `scp`.
    Scp {
        /// Where.
        path: String,
        /// What.
        payload: Payload,
    },
    /// Leaves a file over SFTP.
    Sftp {
        /// Where.
        path: String,
        /// What.
        payload: Payload,
    },
    /// A person at a terminal.
    Terminal {
        /// `TERM`.
        term: String,
        /// Columns and rows.
        size: (u32, u32),
        /// What is typed.
        lines: Vec<Typed>,
    },
}

/// A line that a person types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Typed {
    /// As it is meant.
    pub line: String,
    /// Decides pauses and slips; see [`crate::keys`].
    pub rhythm: u64,
    /// How long the answer is read, in milliseconds.
    pub read_ms: u64,
}

/// Logins over Telnet, then lines for the shell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TelnetVisit {
    /// Where.
    pub door: Door,
    /// Tried in this order.
    pub logins: Vec<Login>,
    /// Typed when logged in.
    pub lines: Vec<String>,
}

/// Logins over FTP, then work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FtpVisit {
    /// Where.
    pub door: Door,
    /// Tried in this order.
    pub logins: Vec<Login>,
    /// Done when logged in.
    pub work: Vec<FtpWork>,
}

/// What is done over FTP.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FtpWork {
    /// A command without data connection.
    Command(String),
    /// Lists the folder.
    List,
    /// Leaves a file in the folder.
    Store(Payload),
}

/// Logins over SMTP, then a mail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmtpVisit {
    /// Where.
    pub door: Door,
    /// The name given with `EHLO`.
    pub helo: String,
    /// Tried in this order.
    pub logins: Vec<Login>,
    /// Sent when logged in.
    pub mail: Option<Mail>,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// Requests to one web server, on as few connections as it allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HttpVisit {
    /// Where.
    pub door: Door,
    /// Sent with every request.
    pub user_agent: String,
    /// In this order.
    pub requests: Vec<Request>,
}

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path and query, as they are sent.
    pub path: String,
    /// Further headers, in this order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// The login that it carries.
    pub login: Option<Login>,
}

/// Logins to Redis, then commands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RedisVisit {
    /// Where.
    pub door: Door,
    /// Tried in this order; one without user name is `AUTH password`.
    pub logins: Vec<Login>,
    /// Sent whether or not a login was taken, as many servers need none.
    pub commands: Vec<Vec<String>>,
}

/// Logins to a database, each on a connection of its own, then queries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatabaseVisit {
    /// Where.
    pub door: Door,
    /// Tried in this order until one is taken.
    pub logins: Vec<Login>,
    /// Sent when logged in.
    pub queries: Vec<String>,
}
