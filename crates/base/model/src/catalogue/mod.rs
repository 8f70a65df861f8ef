//! The closed catalogue of what our services can say happened: one constructor per kind.
//!
//! A [`Fact`] can only be built here, so a service cannot invent a kind or misspell a field.
//! Names and fields follow `spec/ingest.md` §8. A new kind is one constructor and one line in
//! [`ALL`].

mod auth;
mod database;
mod file;
mod ftp;
mod http;
mod mail;
mod session;
mod shell;
mod telnet;
mod tls;
mod transport;

pub use auth::{
    AUTH_ATTEMPT, LOGIN_SUCCESS, PUBKEY_ATTEMPT, auth_attempt, login_success, password_change,
    pubkey_attempt,
};
pub use database::{
    AUTH, Challenge, DatabaseAuth, EXFIL, KeyValueCommand, QUERY, Query, database_auth,
    database_file, exfil, key_value_command, needs_blob, postgres_startup, query,
};
pub use file::{
    Captured, FILE_CAPTURED, FILE_DOWNLOAD, FILE_SKIPPED, FILE_UPLOAD, file_captured,
    file_download, file_skipped, file_upload,
};
pub use ftp::{
    BOUNCE_ATTEMPT, DATA_REFUSED, LIST, UPLOAD, USER, bounce_attempt, data_refused, ftp_command,
    ftp_download, ftp_list, ftp_upload, ftp_user,
};
pub use http::{HTTP_REQUEST, Request, http_request};
pub use mail::{
    Attachment, Contents, EHLO, Envelope, MAIL_FROM, MESSAGE_ACCEPTED, MESSAGE_STORED, RCPT_DENIED,
    RCPT_REJECTED_SYNTAX, RCPT_TO, UNKNOWN_COMMAND, VRFY, ehlo, mail_from, message_accepted,
    message_stored, rcpt, unknown_command, vrfy,
};
pub use session::{
    SESSION_ENDED, SESSION_RECORDED, SESSION_SKIPPED, session_ended, session_recorded,
    session_skipped,
};
pub use shell::{
    COMMAND, Command, DOWNLOAD_ATTEMPT, TCPIP_FORWARD, command, download_attempt, running_command,
    tcpip_forward,
};
pub use telnet::{Negotiation, TELNET_NEGOTIATION, telnet_negotiation};
pub use tls::{
    ClientHello, TLS_ALERT, TLS_CLIENT_HELLO, TLS_SESSION, TlsSession, tls_alert, tls_client_hello,
    tls_session,
};
pub use transport::{
    CONNECT, DISCONNECT, ERROR, KexInit, PROTOCOL_ERROR, SSH_CLIENT_BANNER, SSH_CLIENT_KEXINIT,
    STARTUP, connect, connects, disconnect, error, protocol_error, ssh_client_banner,
    ssh_client_kexinit, startup,
};

use crate::{Fields, Sha256Digest};

/// RFC 5424 severity of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// 4.
    Warning,
    /// 6.
    Info,
}

/// A kind of event: its name and weight.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Name at rest, `events.kind`.
    pub name: &'static str,
    /// Severity of its syslog rendering.
    pub severity: Severity,
}

impl Kind {
    const fn info(name: &'static str) -> Self {
        Self { name, severity: Severity::Info }
    }

    const fn warning(name: &'static str) -> Self {
        Self { name, severity: Severity::Warning }
    }
}

/// Every kind there is.
pub const ALL: &[&Kind] = &[
    &AUTH,
    &AUTH_ATTEMPT,
    &BOUNCE_ATTEMPT,
    &COMMAND,
    &CONNECT,
    &DATA_REFUSED,
    &DISCONNECT,
    &DOWNLOAD_ATTEMPT,
    &EHLO,
    &ERROR,
    &EXFIL,
    &FILE_CAPTURED,
    &FILE_DOWNLOAD,
    &FILE_SKIPPED,
    &FILE_UPLOAD,
    &HTTP_REQUEST,
    &LIST,
    &LOGIN_SUCCESS,
    &MAIL_FROM,
    &MESSAGE_ACCEPTED,
    &MESSAGE_STORED,
    &PROTOCOL_ERROR,
    &PUBKEY_ATTEMPT,
    &QUERY,
    &RCPT_DENIED,
    &RCPT_REJECTED_SYNTAX,
    &RCPT_TO,
    &SESSION_ENDED,
    &SESSION_RECORDED,
    &SESSION_SKIPPED,
    &SSH_CLIENT_BANNER,
    &SSH_CLIENT_KEXINIT,
    &STARTUP,
    &TCPIP_FORWARD,
    &TELNET_NEGOTIATION,
    &TLS_ALERT,
    &TLS_CLIENT_HELLO,
    &TLS_SESSION,
    &UNKNOWN_COMMAND,
    &UPLOAD,
    &USER,
    &VRFY,
];

/// The kind called `name`, if it is ours.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name)
}

/// Something that happened, before the runtime binds it to decky, attacker and session.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    kind: &'static Kind,
    fields: Fields,
    blobs: Vec<Sha256Digest>,
}

impl Fact {
    const fn new(kind: &'static Kind, fields: Fields) -> Self {
        Self { kind, fields, blobs: Vec::new() }
    }

    fn naming(mut self, blob: Sha256Digest) -> Self {
        self.blobs.push(blob);
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Its fields.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Blobs that must reach control before this is acknowledged.
    #[must_use]
    pub fn blobs(&self) -> &[Sha256Digest] {
        &self.blobs
    }

    /// Takes it apart.
    #[must_use]
    pub fn into_parts(self) -> (&'static Kind, Fields, Vec<Sha256Digest>) {
        (self.kind, self.fields, self.blobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_the_syslog_msgid() {
        for (at, kind) in ALL.iter().enumerate() {
            assert!(kind.name.len() <= 32, "{} exceeds RFC 5424 MSGID", kind.name);
            assert!(ALL.iter().skip(at + 1).all(|other| other.name != kind.name), "{}", kind.name);
            assert_eq!(find(kind.name), Some(*kind));
        }
    }
}
