//! `crypt(3)` with SHA-512 (`$6$`), as Ulrich Drepper specified it: hashes in `/etc/shadow` that a
//! cracker can verify.

use sha2::block_api::compress512;

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
    let alternate = digest_of(&[password, salt.as_bytes(), password].concat());

    let mut first = [password, salt.as_bytes()].concat();
    first.extend(repeated(&alternate, password.len()));
    let mut length = password.len();
    while length > 0 {
        first.extend_from_slice(if length & 1 == 1 { &alternate } else { password });
        length >>= 1;
    }
    let mut digest = digest_of(&first);

    let p = digest_of(&password.repeat(password.len()));
    let p = repeated(&p, password.len());
    let s = digest_of(&salt.as_bytes().repeat(16 + usize::from(digest[0])));
    let s = repeated(&s, salt.len());

    let mut input = Vec::with_capacity(2 * digest.len() + 2 * p.len() + s.len());
    for round in 0..ROUNDS {
        input.clear();
        let (outer, inner) =
            if round % 2 == 1 { (&p[..], &digest[..]) } else { (&digest[..], &p[..]) };
        input.extend_from_slice(outer);
        if round % 3 != 0 {
            input.extend_from_slice(&s);
        }
        if round % 7 != 0 {
            input.extend_from_slice(&p);
        }
        input.extend_from_slice(inner);
        digest = digest_of(&input);
    }
    format!("$6${salt}${}", encode(&digest))
}

/// SHA-512 of `input`. The hasher of the library is many small functions, which thousands of rounds
/// feel where they are not optimised.
fn digest_of(input: &[u8]) -> [u8; 64] {
    let mut state: [u64; 8] = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    let mut padded = input.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(128), 0);
    if padded.len() - input.len() < 17 {
        padded.resize(padded.len() + 128, 0);
    }
    let bits = (input.len() as u128 * 8).to_be_bytes();
    let end = padded.len() - bits.len();
    if let Some(last) = padded.get_mut(end..) {
        last.copy_from_slice(&bits);
    }
    compress512(&mut state, padded.as_chunks().0);
    let mut out = [0; 64];
    for (bytes, word) in out.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
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

    #[test]
    fn digests_of_every_length_are_those_of_the_library() {
        use sha2::Digest as _;
        for length in 0..300 {
            let input = vec![7; length];
            assert_eq!(digest_of(&input), <[u8; 64]>::from(sha2::Sha512::digest(&input)));
        }
    }
}
