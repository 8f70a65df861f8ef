//! Access tokens: JWT (RFC 7519) signed with HS256, and nothing else.

use std::time::Duration;

use base_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::JwtSecret;

const ISSUER: &str = "decnet";
const AUDIENCE: &str = "decnet-dashboard";
const TYPE: &str = "access";
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// Longer ones are not ours.
const MAX_LENGTH: usize = 2048;

/// A session: what a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) uuid: Uuid,
    /// Names the token; absent tokens are refused after the account is known to exist.
    pub(crate) jti: Option<String>,
    /// Seconds since the epoch.
    pub(crate) iat: i64,
    /// Seconds since the epoch.
    pub(crate) exp: i64,
}

impl Claims {
    /// When the session ends by itself.
    pub(crate) const fn ends(&self) -> Timestamp {
        Timestamp::from_micros(self.exp.saturating_mul(1_000_000))
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    uuid: Option<String>,
    jti: Option<String>,
    iat: Option<i64>,
    exp: Option<i64>,
    iss: Option<String>,
    aud: Option<String>,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct Algorithm {
    alg: String,
}

/// Signs and verifies.
pub(crate) struct Tokens {
    key: Zeroizing<[u8; BLOCK]>,
    lifetime: i64,
}

impl Tokens {
    pub(crate) fn new(secret: &JwtSecret, lifetime: Duration) -> Self {
        let key = block_key(secret.expose());
        Self { key, lifetime: i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX) }
    }

    /// A token for account `uuid`. `valid_from` is when the account's sessions begin to count: a
    /// token made in the same second as the ones it replaces still counts.
    pub(crate) fn issue(
        &self,
        uuid: Uuid,
        jti: &str,
        now: Timestamp,
        valid_from: Option<Timestamp>,
    ) -> String {
        let iat = now.seconds().max(valid_from.map_or(i64::MIN, Timestamp::seconds));
        let payload = Payload {
            uuid: Some(uuid.hyphenated().to_string()),
            jti: Some(jti.to_owned()),
            iat: Some(iat),
            exp: Some(iat.saturating_add(self.lifetime)),
            iss: Some(ISSUER.to_owned()),
            aud: Some(AUDIENCE.to_owned()),
            typ: Some(TYPE.to_owned()),
        };
        let header = Header { alg: "HS256".to_owned(), typ: "JWT".to_owned() };
        let mut token = format!("{}.{}", encode(&header), encode(&payload));
        let mac = self.mac(&token).finalize().into_bytes();
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(mac));
        token
    }

    /// What `token` says, if it is ours and has not ended (`spec/api.md` §3.2, up to the account).
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Option<Claims> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // Compares in constant time.
        self.mac(signed).verify_slice(&signature).ok()?;
        let (header, payload) = signed.split_once('.')?;
        let algorithm: Algorithm = decode(header)?;
        if algorithm.alg != "HS256" {
            return None;
        }
        let payload: Payload = decode(payload)?;
        if payload.exp? <= now.seconds() {
            return None;
        }
        if payload.iss? != ISSUER || payload.aud? != AUDIENCE {
            return None;
        }
        let (iat, uuid) = (payload.iat?, Uuid::try_parse(&payload.uuid?).ok()?);
        if payload.typ? != TYPE {
            return None;
        }
        Some(Claims { uuid, jti: payload.jti, iat, exp: payload.exp? })
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&(*self.key).into());
        mac.update(signed.as_bytes());
        mac
    }
}

/// A key of any length as one of a block, in the way of RFC 2104 §2: zeros after a short one, the
/// digest in place of a long one.
fn block_key(secret: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret)));
    let secret = if secret.len() > BLOCK { digest.as_slice() } else { secret };
    let mut key = Zeroizing::new([0; BLOCK]);
    key.iter_mut().zip(secret).for_each(|(place, byte)| *place = *byte);
    key
}

fn encode(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
    const USER: Uuid = Uuid::from_bytes([7; 16]);

    fn tokens() -> Tokens {
        Tokens::new(&JwtSecret::new([9; 32]), Duration::from_secs(60))
    }

    /// A token of these parts, signed with `tokens`' key.
    fn forge(tokens: &Tokens, header: &Value, payload: &Value) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let mac = tokens.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    fn good() -> (Value, Value) {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let payload = json!({
            "uuid": USER.to_string(), "jti": "a", "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
            "iss": "decnet", "aud": "decnet-dashboard", "typ": "access",
        });
        (header, payload)
    }

    #[test]
    fn what_was_issued_verifies_until_it_ends() {
        let tokens = tokens();
        let token = tokens.issue(USER, "a", NOW, None);
        let claims = tokens.verify(&token, NOW).unwrap();
        assert_eq!((claims.uuid, claims.jti.as_deref()), (USER, Some("a")));
        assert!(tokens.verify(&token, NOW + Duration::from_secs(59)).is_some());
        assert!(tokens.verify(&token, NOW + Duration::from_secs(60)).is_none());
    }

    #[test]
    fn the_signature_is_that_of_rfc_7515_for_its_key() {
        // RFC 7515 appendix A.1.
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let tokens = Tokens::new(
            &JwtSecret::new(URL_SAFE_NO_PAD.decode(key).unwrap()),
            Duration::from_secs(1),
        );
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mac = URL_SAFE_NO_PAD.encode(tokens.mac(signed).finalize().into_bytes());
        assert_eq!(mac, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn keys_of_every_length_are_those_of_rfc_4231() {
        // Test cases 2 and 6.
        let long = "Test Using Larger Than Block-Size Key - Hash Key First";
        for (key, text, expected) in [
            (
                b"Jefe".to_vec(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                long,
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let tokens = Tokens::new(&JwtSecret::new(key), Duration::ZERO);
            let mac = tokens.mac(text).finalize().into_bytes();
            let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected);
        }
    }

    #[test]
    fn another_key_algorithm_or_claim_is_refused() {
        let tokens = tokens();
        let (header, payload) = good();
        assert!(tokens.verify(&forge(&tokens, &header, &payload), NOW).is_some(), "the control");
        let other = Tokens::new(&JwtSecret::new([8; 32]), Duration::from_secs(60));
        assert!(tokens.verify(&other.issue(USER, "a", NOW, None), NOW).is_none());
        for alg in ["none", "None", "HS512", "RS256", "hs256", ""] {
            let header = json!({"alg": alg, "typ": "JWT"});
            assert!(tokens.verify(&forge(&tokens, &header, &payload), NOW).is_none(), "{alg}");
        }
        for (claim, wrong) in [
            ("iss", json!("evil")),
            ("aud", json!("decnet")),
            ("typ", json!("refresh")),
            ("exp", json!(NOW.seconds())),
            ("uuid", json!("not-a-uuid")),
        ] {
            let mut payload = payload.clone();
            payload[claim] = wrong;
            assert!(tokens.verify(&forge(&tokens, &header, &payload), NOW).is_none(), "{claim}");
            payload.as_object_mut().unwrap().remove(claim);
            assert!(tokens.verify(&forge(&tokens, &header, &payload), NOW).is_none(), "no {claim}");
        }
    }

    #[test]
    fn unsigned_and_mangled_tokens_are_refused() {
        let tokens = tokens();
        let token = tokens.issue(USER, "a", NOW, None);
        let unsigned = token.rsplit_once('.').unwrap().0;
        let none = encode(&json!({"alg": "none"}));
        let payload = unsigned.split_once('.').unwrap().1;
        for bad in [
            String::new(),
            "a.b.c".to_owned(),
            unsigned.to_owned(),
            format!("{unsigned}."),
            format!("{none}.{payload}."),
            format!("{none}.{payload}"),
            format!("{token}="),
            format!("{token}.x"),
            token.to_uppercase(),
            "A".repeat(1 << 20),
        ] {
            assert!(tokens.verify(&bad, NOW).is_none());
        }
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(bad) = String::from_utf8(bytes) {
                assert!(tokens.verify(&bad, NOW).is_none(), "a flipped bit at {at}");
            }
        }
    }

    #[test]
    fn a_token_of_the_second_of_a_revocation_counts_from_the_next() {
        let tokens = tokens();
        let valid_from = NOW + Duration::from_secs(1);
        let token = tokens.issue(USER, "a", NOW, Some(valid_from));
        assert_eq!(tokens.verify(&token, NOW).unwrap().iat, valid_from.seconds());
    }
}
