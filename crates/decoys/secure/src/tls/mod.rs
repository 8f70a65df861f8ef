//! TLS as the servers that deckies imitate speak it: with OpenSSL, because they do.
//!
//! ```text
//! client ─► Tap ─► OpenSSL ─► TlsStream ─► session       bytes
//!            └─► Hello, Answer ─► facts                   what the handshake gave away
//! Choices ─► Identity ─► Acceptor (an SSL_CTX) ◄─ manners keys and configuration
//! ```
//! Services see plain text only. [`accept()`] makes an encrypted stream of a plain one within bounds of
//! time and size; whatever a client does ends at most its own connection. No file is read: keys come
//! from the decky's own folder by way of the runtime, and OpenSSL's configuration file is never
//! looked for.
//!
//! How near the handshake is to the real server's, as packaged by Debian 12 (OpenSSL 3.0):
//!
//! | server | protocols, ciphers, order, ALPN, tickets | measured against the real one |
//! | --- | --- | --- |
//! | nginx 1.22, Apache 2.4 | the package's configuration | equal JARM, with RSA and P-256 keys |
//! | Postfix 3.7 | defaults, opportunistic ciphers | no |
//! | vsftpd, `ProFTPD`, Pure-FTPd | as usually set up with TLS | cipher, curve and tickets chosen |
//! | `PostgreSQL`, `MySQL` | defaults | no |
//!
//! Other distributions' personas get the same. Not here: client certificates, OCSP stapling, DTLS,
//! QUIC, SSL 2.0 hellos, a certificate authority that several deckies share.

mod accept;
mod answer;
mod hello;
mod identity;
mod manners;
mod reader;
mod tap;

pub use accept::{Acceptor, Failure, Handshake, TlsStream, accept};
pub use answer::Answer;
pub use hello::{Heard, Hello};
pub use identity::{Identity, IdentityError, Kind, Subject};

#[cfg(test)]
mod tests;
