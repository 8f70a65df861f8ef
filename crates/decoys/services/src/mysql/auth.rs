//! Proof of passwords: `mysql_native_password`.

use sha1::{Digest as _, Sha1};

/// The stored form of a password: `SHA1(SHA1(password))`.
pub(super) type Stored = [u8; 20];

/// The stored form of `password`.
pub(super) fn stored(password: &[u8]) -> Stored {
    Sha1::digest(Sha1::digest(password)).into()
}

/// Whether `response` proves the password of `stored` for `salt`.
pub(super) fn proves(response: &[u8], salt: &[u8; 20], stored: &Stored) -> bool {
    let mut mask = Sha1::new();
    mask.update(salt);
    mask.update(stored);
    let mask: [u8; 20] = mask.finalize().into();
    if response.len() != mask.len() {
        return false;
    }
    let first: Vec<u8> = response.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let again: [u8; 20] = Sha1::digest(&first).into();
    again == *stored
}

/// What a client answers to `salt` with `password`.
#[cfg(test)]
pub(super) fn respond(password: &[u8], salt: &[u8; 20]) -> Vec<u8> {
    let first: [u8; 20] = Sha1::digest(password).into();
    let mut mask = Sha1::new();
    mask.update(salt);
    mask.update(stored(password));
    let mask: [u8; 20] = mask.finalize().into();
    first.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// The line that hashcat takes in mode 11200 (MySQL CRAM): salt and response.
pub(super) fn crack_line(salt: &[u8; 20], response: &[u8]) -> String {
    format!("$mysqlna${}*{}", hex(salt), hex(response))
}

/// `*…`, as tables of users and `PASSWORD()` show a stored form.
pub(super) fn shown(stored: &Stored) -> String {
    format!("*{}", hex(stored).to_uppercase())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_password_proves_itself_and_no_other_does() {
        let salt = *b"abcdefghijklmnopqrst";
        let response = respond(b"toor", &salt);
        assert!(proves(&response, &salt, &stored(b"toor")));
        assert!(!proves(&response, &salt, &stored(b"root")));
        assert!(!proves(&response, b"bbcdefghijklmnopqrst", &stored(b"toor")));
        assert!(!proves(b"", &salt, &stored(b"")));
        // As the real server shows `PASSWORD('toor')`.
        assert_eq!(shown(&stored(b"toor")), "*9CFBBC772F3F6C106020035386DA5BBBF1249A11");
    }

    #[test]
    fn the_crack_line_is_one_that_hashcat_verifies() {
        // hashcat's own example for mode 11200; its password is `hashcat`.
        let line = "$mysqlna$1c24ab8d0ee94d70ab1f2e814d8f0948a14d10b9*437e93572f18ae44d9e779160c2505271f85821d";
        let (salt, response) = line.strip_prefix("$mysqlna$").unwrap().split_once('*').unwrap();
        let bytes = |text: &str| -> Vec<u8> {
            (0..20).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
        };
        let salt: [u8; 20] = bytes(salt).try_into().unwrap();
        assert!(proves(&bytes(response), &salt, &stored(b"hashcat")));
        assert_eq!(crack_line(&salt, &bytes(response)), line);
        assert_eq!(respond(b"hashcat", &salt), bytes(response));
    }
}
