//! SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL uses it: the user name is that of the startup
//! message, and no channel is bound.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// More would be meant to keep us busy.
const MOST_ITERATIONS: u32 = 100_000;
/// Base64 of `n,,`.
const CHANNEL: &str = "biws";

/// The first message, without its header `n,,`.
pub(super) fn first(nonce: &str) -> String {
    format!("n=,r={nonce}")
}

/// The last message, in answer to `server_first`; `None` when that is not what the protocol says.
pub(super) fn last(nonce: &str, server_first: &str, password: &str) -> Option<String> {
    let value = |key: &str| server_first.split(',').find_map(|part| part.strip_prefix(key));
    let both = value("r=").filter(|both| both.starts_with(nonce))?;
    let salt = STANDARD.decode(value("s=")?).ok()?;
    let iterations: u32 = value("i=")?.parse().ok()?;
    if !(1..=MOST_ITERATIONS).contains(&iterations) {
        return None;
    }
    let salted = salted(password.as_bytes(), &salt, iterations)?;
    let key = keyed(&salted, &[b"Client Key"])?;
    let stored = Sha256::digest(key);
    let without = format!("c={CHANNEL},r={both}");
    let message = format!("{},{server_first},{without}", first(nonce));
    let signature = keyed(&stored, &[message.as_bytes()])?;
    let proof: Vec<u8> = key.iter().zip(signature).map(|(key, mask)| key ^ mask).collect();
    Some(format!("{without},p={}", STANDARD.encode(proof)))
}

/// `Hi` of RFC 5802 §2.2.
fn salted(password: &[u8], salt: &[u8], iterations: u32) -> Option<[u8; 32]> {
    let mut last = keyed(password, &[salt, &1u32.to_be_bytes()])?;
    let mut out = last;
    for _ in 1..iterations {
        last = keyed(password, &[&last])?;
        out.iter_mut().zip(last).for_each(|(out, byte)| *out ^= byte);
    }
    Some(out)
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_salted_password_is_that_of_rfc_7677() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let salted = salted(b"pencil", &salt, 4096).unwrap();
        let key = keyed(&salted, &[b"Client Key"]).unwrap();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,\
                       r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = keyed(&Sha256::digest(key), &[message.as_bytes()]).unwrap();
        let proof: Vec<u8> = key.iter().zip(signature).map(|(key, mask)| key ^ mask).collect();
        assert_eq!(STANDARD.encode(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    }

    #[test]
    fn an_answer_that_is_not_ours_is_refused() {
        assert!(
            last("abc", "r=abcdef,s=c2FsdA==,i=4096", "x")
                .unwrap()
                .starts_with("c=biws,r=abcdef,p=")
        );
        for odd in ["r=xyz,s=c2FsdA==,i=4096", "r=abcd,s=!,i=1", "r=abcd,s=c2FsdA==,i=999999999"] {
            assert_eq!(last("abc", odd, "x"), None, "{odd}");
        }
    }
}
