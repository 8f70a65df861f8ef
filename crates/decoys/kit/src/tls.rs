//! What a session says of the TLS it is reached through.
//!
//! Ciphers and keys are the secure edge's; a session only says which server it plays, and hears
//! what came of the handshake.

/// The server software whose TLS manners a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsServer {
    /// Apache httpd with `mod_ssl`.
    Apache,
    /// nginx.
    Nginx,
    /// Postfix.
    Postfix,
    /// vsftpd.
    Vsftpd,
    /// `ProFTPD` with `mod_tls`.
    ProFtpd,
    /// Pure-FTPd.
    PureFtpd,
    /// `PostgreSQL`.
    Postgres,
    /// `MySQL` or `MariaDB`.
    MySql,
    /// A program that takes what its library offers.
    Plain,
}

/// How a session wants to be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsOffer {
    /// Whose manners.
    pub server: TlsServer,
    /// The name the certificate is for; the machine's own when `None`.
    pub name: Option<String>,
    /// Certificate chain and key as PEM text, given by the operator.
    pub given: Option<(String, String)>,
}

impl TlsOffer {
    /// The manners of `server`, for the machine's own name with a certificate of its own.
    #[must_use]
    pub const fn of(server: TlsServer) -> Self {
        Self { server, name: None, given: None }
    }
}

/// What was agreed in a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// Version as OpenSSL names it, e.g. `TLSv1.3`.
    pub version: String,
    /// Cipher suite as OpenSSL names it.
    pub cipher: String,
    /// JA4 of the client.
    pub ja4: String,
    /// Host name the client asked for.
    pub sni: Option<String>,
    /// The protocol chosen by ALPN.
    pub alpn: Option<String>,
    /// An earlier session was resumed.
    pub resumed: bool,
}
