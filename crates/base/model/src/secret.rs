//! Credentials as captured: exact bytes, with a printable form for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Fields;

/// How a secret travelled, so that only like is compared with like (`spec/ingest.md` §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// The password itself.
    Plaintext,
    /// A bearer token.
    HttpBearer,
    /// The `response` of HTTP Digest.
    HttpDigestMd5,
    /// An SSH public key, by its SHA-256 fingerprint.
    SshPubkey,
    /// The scramble of MySQL's native password plugin.
    MysqlNativePassword,
    /// The scramble of MySQL's SHA-256 plugin with a cache.
    MysqlCachingSha2,
    /// The digest that answers PostgreSQL's MD5 challenge.
    PostgresMd5,
    /// The client proof of SCRAM-SHA-256.
    ScramSha256,
}

impl SecretKind {
    /// The name stored in `credentials.secret_kind`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::HttpBearer => "http_bearer",
            Self::HttpDigestMd5 => "http_digest_md5",
            Self::SshPubkey => "ssh_pubkey",
            Self::MysqlNativePassword => "mysql_native_password",
            Self::MysqlCachingSha2 => "mysql_caching_sha2",
            Self::PostgresMd5 => "postgres_md5_challenge",
            Self::ScramSha256 => "scram_sha256",
        }
    }
}

/// A secret that an attacker sent. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// How it travelled.
    pub kind: SecretKind,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

impl Secret {
    /// A password as typed.
    #[must_use]
    pub fn plaintext(bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind: SecretKind::Plaintext, bytes: bytes.into() }
    }

    /// The universal credential fields of an event.
    #[must_use]
    pub fn fields(&self) -> Fields {
        Fields::new()
            .with("secret_kind", self.kind.name())
            .with("secret_printable", self.shown())
            .with("secret_b64", STANDARD.encode(&self.bytes))
    }

    /// The form people know it in: text, or what its protocol writes.
    fn shown(&self) -> String {
        let hex = || self.bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self.kind {
            SecretKind::MysqlNativePassword | SecretKind::MysqlCachingSha2 => hex(),
            SecretKind::PostgresMd5 => format!("md5{}", hex()),
            SecretKind::ScramSha256 => STANDARD.encode(&self.bytes),
            SecretKind::Plaintext
            | SecretKind::HttpBearer
            | SecretKind::HttpDigestMd5
            | SecretKind::SshPubkey => printable(&self.bytes),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({}, {} bytes)", self.kind.name(), self.bytes.len())
    }
}

/// Bytes outside 0x20..=0x7e become `?`.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| if (0x20..=0x7e).contains(&b) { char::from(b) } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_blanks_and_nuls_survive() {
        let fields = Secret::plaintext(*b"pass \0 ").fields();
        assert_eq!(fields.text("secret_printable"), Some("pass ? "));
        let decoded = STANDARD.decode(fields.text("secret_b64").unwrap()).unwrap();
        assert_eq!(decoded, b"pass \0 ");
    }

    #[test]
    fn debug_hides_the_secret() {
        assert!(!format!("{:?}", Secret::plaintext(*b"hunter2")).contains("hunter2"));
    }
}
