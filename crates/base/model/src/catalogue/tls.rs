//! TLS handshakes (`spec/fingerprints.md` §4).

use super::{Fact, Kind};
use crate::Fields;

/// A client said what TLS it speaks.
pub const TLS_CLIENT_HELLO: Kind = Kind::info("tls_client_hello");
/// A TLS session was agreed on.
pub const TLS_SESSION: Kind = Kind::warning("tls_session");
/// A TLS handshake failed.
pub const TLS_ALERT: Kind = Kind::warning("tls_alert");

/// What [`tls_client_hello`] records. Lists are decimal numbers joined by `-`, without GREASE.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// JA3.
    pub ja3: &'a str,
    /// JA4.
    pub ja4: &'a str,
    /// JA4 with its lists instead of digests.
    pub ja4_raw: &'a str,
    /// Highest version, e.g. `TLS 1.3`.
    pub version: &'a str,
    /// Host name asked for, as sent.
    pub sni: Option<&'a [u8]>,
    /// Protocols, joined by commas.
    pub alpn: &'a [u8],
    /// Cipher suites.
    pub ciphers: &'a str,
    /// Extensions.
    pub extensions: &'a str,
    /// Groups.
    pub groups: &'a str,
    /// Ways to resume an earlier session that it tried, joined by commas.
    pub resumption: &'a str,
}

impl ClientHello<'_> {
    fn fields(&self, ja3s: Option<&str>) -> Fields {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut fields = Fields::new()
            .with("ja3", self.ja3)
            .with_some("ja3s", ja3s.map(str::to_owned))
            .with("ja4", self.ja4)
            .with("ja4_r", self.ja4_raw)
            .with("tls_version", self.version);
        if let Some(sni) = self.sni {
            fields = fields.bytes("sni", sni);
        }
        if !self.alpn.is_empty() {
            fields = fields.bytes("alpn", self.alpn);
        }
        fields
            .with("raw_ciphers", self.ciphers)
            .with("raw_extensions", self.extensions)
            .with("raw_groups", self.groups)
            .with_some("resumption", given(self.resumption))
    }
}

/// The first message of a TLS client.
#[must_use]
pub fn tls_client_hello(hello: &ClientHello<'_>) -> Fact {
    Fact::new(&TLS_CLIENT_HELLO, hello.fields(None))
}

/// What [`tls_session`] records.
#[derive(Clone, Copy, Debug)]
pub struct TlsSession<'a> {
    /// What the client had said.
    pub hello: ClientHello<'a>,
    /// JA3S of our answer.
    pub ja3s: Option<&'a str>,
    /// Version agreed on, as OpenSSL names it.
    pub version: &'a str,
    /// Cipher agreed on, as OpenSSL names it.
    pub cipher: &'a str,
    /// Protocol agreed on.
    pub alpn: Option<&'a str>,
    /// An earlier session was resumed.
    pub resumed: bool,
}

/// A handshake came to its end.
#[must_use]
pub fn tls_session(session: &TlsSession<'_>) -> Fact {
    let fields = session
        .hello
        .fields(session.ja3s)
        .with("version", session.version)
        .with("cipher", session.cipher)
        .with_some("alpn_selected", session.alpn.map(str::to_owned))
        .with("resumed", session.resumed);
    Fact::new(&TLS_SESSION, fields)
}

/// A handshake failed for `reason`, which is ours or OpenSSL's; `alert` is what the client sent, and
/// `sample` the beginning of what was no TLS.
#[must_use]
pub fn tls_alert(reason: &str, alert: Option<u8>, sample: &[u8]) -> Fact {
    let mut fields = Fields::new().with("reason", reason).with_some("alert", alert.map(u64::from));
    if !sample.is_empty() {
        fields = fields.bytes("sample", sample);
    }
    Fact::new(&TLS_ALERT, fields)
}
