//! Tries to log in.

use super::{Fact, Kind};
use crate::{Fields, Secret, SecretKind};

/// A credential was tried.
pub const AUTH_ATTEMPT: Kind = Kind::warning("auth_attempt");
/// A public key was offered or used.
pub const PUBKEY_ATTEMPT: Kind = Kind::warning("pubkey_attempt");
/// A login was accepted.
pub const LOGIN_SUCCESS: Kind = Kind::warning("login_success");

/// A try of `principal` with `secret` by `method` (`password`, `keyboard-interactive`, …).
#[must_use]
pub fn auth_attempt(principal: &[u8], secret: &Secret, method: &str, accepted: bool) -> Fact {
    let mut fields = Fields::new().bytes("username", principal).bytes("principal", principal);
    for (key, value) in secret.fields().iter() {
        fields.set(key, value.clone());
    }
    Fact::new(&AUTH_ATTEMPT, fields.with("method", method).with("outcome", outcome(accepted)))
}

/// A try of `principal` with `old`, asking for `new` in its place (RFC 4252 §8); refused.
#[must_use]
pub fn password_change(principal: &[u8], old: &Secret, new: &Secret) -> Fact {
    let (kind, mut fields, _) = auth_attempt(principal, old, "password", false).into_parts();
    for (key, value) in new.fields().iter().filter(|(key, _)| *key != "secret_kind") {
        fields.set(&format!("new_{key}"), value.clone());
    }
    Fact::new(kind, fields)
}

/// A public key of `algorithm` with the SHA-256 `fingerprint` (`SHA256:…`); `signed` when the
/// client proved possession.
#[must_use]
pub fn pubkey_attempt(
    principal: &[u8],
    algorithm: &str,
    fingerprint: &str,
    comment: &str,
    signed: bool,
    accepted: bool,
) -> Fact {
    let secret = Secret { kind: SecretKind::SshPubkey, bytes: fingerprint.into() };
    let mut fields = Fields::new().bytes("username", principal).bytes("principal", principal);
    for (key, value) in secret.fields().iter() {
        fields.set(key, value.clone());
    }
    let fields = fields
        .with("method", "publickey")
        .with("key_type", algorithm)
        .with("fingerprint", fingerprint)
        .with("comment", comment)
        .with("signed", signed)
        .with("outcome", outcome(accepted));
    Fact::new(&PUBKEY_ATTEMPT, fields)
}

/// `username` got in by `method` at the `attempts`th try of the connection.
#[must_use]
pub fn login_success(username: &[u8], method: &str, attempts: u32) -> Fact {
    let fields =
        Fields::new().bytes("username", username).with("method", method).with("attempts", attempts);
    Fact::new(&LOGIN_SUCCESS, fields)
}

const fn outcome(accepted: bool) -> &'static str {
    if accepted { "success" } else { "failure" }
}
