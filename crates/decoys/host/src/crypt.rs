//! `crypt(3)` with SHA-512 (`$6$`), as Ulrich Drepper specified it: hashes in `/etc/shadow` that a
//! cracker can verify.

use sha2::{Digest, Sha512};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The specification's default.
const ROUNDS: usize = 5000;
/// Longer passwords are cut: hashing is quadratic in their length.
const MAX_PASSWORD: usize = 256;

/// Sixteen salt characters from as many bytes of entropy.
pub(crate) fn salt(entropy: &[u8; 16]) -> String {
    entropy.iter().map(|byte| character(u32::from(*byte))).collect()
}

/// Whether `hash`, a field of `/etc/shadow`, is that of `password`. Methods other than SHA-512 with
/// its default rounds let nobody in.
pub(crate) fn verifies(password: &[u8], hash: &str) -> bool {
    let mut parts = hash.splitn(4, '$');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(""), Some("6"), Some(salt), Some(_)) if !salt.contains('=') => {
            sha512(password, salt) == hash
        }
        _ => false,
    }
}

fn character(value: u32) -> char {
    let at = usize::try_from(value & 63).unwrap_or(0);
    ALPHABET.get(at).copied().map_or('.', char::from)
}

/// `$6$salt$hash` of `password`.
pub(crate) fn sha512(password: &[u8], salt: &str) -> String {
    let password = password.get(..MAX_PASSWORD).unwrap_or(password);
    let mut alternate = Sha512::new();
    alternate.update(password);
    alternate.update(salt);
    alternate.update(password);
    let alternate: [u8; 64] = alternate.finalize().into();

    let mut first = Sha512::new();
    first.update(password);
    first.update(salt);
    first.update(repeated(&alternate, password.len()));
    let mut length = password.len();
    while length > 0 {
        if length & 1 == 1 {
            first.update(alternate);
        } else {
            first.update(password);
        }
        length >>= 1;
    }
    let mut digest: [u8; 64] = first.finalize().into();

    let mut p = Sha512::new();
    for _ in 0..password.len() {
        p.update(password);
    }
    let p: [u8; 64] = p.finalize().into();
    let p = repeated(&p, password.len());
    let mut s = Sha512::new();
    for _ in 0..16 + usize::from(digest[0]) {
        s.update(salt);
    }
    let s: [u8; 64] = s.finalize().into();
    let s = repeated(&s, salt.len());

    for round in 0..ROUNDS {
        let mut hash = Sha512::new();
        if round % 2 == 1 {
            hash.update(&p);
        } else {
            hash.update(digest);
        }
        if round % 3 != 0 {
            hash.update(&s);
        }
        if round % 7 != 0 {
            hash.update(&p);
        }
        if round % 2 == 1 {
            hash.update(digest);
        } else {
            hash.update(&p);
        }
        digest = hash.finalize().into();
    }
    format!("$6${salt}${}", encode(&digest))
}

fn repeated(block: &[u8; 64], length: usize) -> Vec<u8> {
    block.iter().copied().cycle().take(length).collect()
}

fn encode(digest: &[u8; 64]) -> String {
    let byte = |at: usize| u32::from(digest.get(at).copied().unwrap_or(0));
    let mut out = String::with_capacity(86);
    let mut group = |value: u32, count: u32| {
        out.extend((0..count).map(|at| character(value >> (6 * at))));
    };
    let (mut a, mut b, mut c) = (0, 21, 42);
    for _ in 0..21 {
        group(byte(a) << 16 | byte(b) << 8 | byte(c), 4);
        (a, b, c) = (b + 1, c + 1, a + 1);
    }
    group(byte(63), 2);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_specification() {
        // The first test vector of the specification, and one with a longer password.
        assert_eq!(
            sha512(b"Hello world!", "saltstring"),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        assert_eq!(salt(&[0; 16]), "................");
    }
}
