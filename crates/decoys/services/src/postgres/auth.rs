//! Proof of passwords: MD5 and SCRAM-SHA-256 (RFC 5802, RFC 7677).
//!
//! A line for hashcat exists for the MD5 exchange (mode 11100). For an exchange of SCRAM there is
//! none: hashcat's modes 28600 and 24200 take verifiers out of a server's tables, which a client's
//! proof does not give. Salt, iterations and the whole authentication message are told instead, with
//! which a password can be tested.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;

/// Iterations that PostgreSQL uses.
pub(super) const ITERATIONS: u32 = 4096;

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a client answers to the MD5 challenge `salt`.
pub(super) fn md5_answer(user: &[u8], password: &[u8], salt: [u8; 4]) -> String {
    let inner = hex(&Md5::digest([password, user].concat()));
    format!("md5{}", hex(&Md5::digest([inner.as_bytes(), &salt].concat())))
}

/// The line that hashcat takes in mode 11100 (PostgreSQL CRAM, MD5).
pub(super) fn md5_line(user: &[u8], salt: [u8; 4], answer: &str) -> String {
    let user = String::from_utf8_lossy(user);
    format!("$postgres${user}*{}*{}", hex(&salt), answer.trim_start_matches("md5"))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// `Hi` of RFC 5802: one block of PBKDF2.
fn salted(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut last = hmac(password, &[salt, &[0, 0, 0, 1]].concat());
    let mut out = last;
    for _ in 1..iterations {
        last = hmac(password, &last);
        out.iter_mut().zip(last).for_each(|(to, from)| *to ^= from);
    }
    out
}

/// What tables of roles keep of `password` (hashcat's mode 28600).
pub(super) fn verifier(password: &[u8], salt: &[u8]) -> String {
    let salted = salted(password, salt, ITERATIONS);
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let server = hmac(&salted, b"Server Key");
    let text = |bytes: &[u8]| STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${ITERATIONS}:{}${}:{}", text(salt), text(&stored), text(&server))
}

/// Whether an exchange is bound to the TLS it runs in (RFC 5929, `tls-server-end-point`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// There is no TLS.
    Impossible,
    /// Offered, and another mechanism was chosen.
    Declined,
    /// Chosen.
    Chosen,
}

/// One exchange.
#[derive(Clone, Debug)]
pub(super) struct Scram {
    /// Header of channel binding, as the client sent it.
    header: Vec<u8>,
    /// Whether the client says which certificate it saw.
    bound: bool,
    client_first: Vec<u8>,
    nonce: String,
    salt: [u8; 16],
}

/// The end of an exchange.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) proof: Vec<u8>,
    /// The message that both sides sign.
    pub(super) message: Vec<u8>,
    pub(super) salt: [u8; 16],
}

impl Scram {
    /// Reads the client's first message; `fresh` makes our part of the nonce, `binding` says where
    /// the channel is. None when it is malformed, or at odds with the binding that was chosen.
    pub(super) fn begin(
        message: &[u8],
        fresh: &[u8; 18],
        salt: [u8; 16],
        binding: Binding,
    ) -> Option<Self> {
        let text = std::str::from_utf8(message).ok().filter(|text| text.len() <= 4096)?;
        let mut parts = text.splitn(3, ',');
        let (flag, name, bare) = (parts.next()?, parts.next()?, parts.next()?);
        let fits = match binding {
            Binding::Impossible => flag == "n" || flag == "y",
            // `y` would say that the server cannot, which somebody between them made the client believe.
            Binding::Declined => flag == "n",
            Binding::Chosen => flag == "p=tls-server-end-point",
        };
        if !fits {
            return None;
        }
        let client = bare.split(',').find_map(|part| part.strip_prefix("r="))?;
        let plain = |c: char| c.is_ascii_graphic() && c != ',';
        if client.is_empty() || !client.chars().all(plain) {
            return None;
        }
        Some(Self {
            header: format!("{flag},{name},").into_bytes(),
            bound: binding == Binding::Chosen,
            client_first: bare.as_bytes().to_vec(),
            nonce: format!("{client}{}", STANDARD.encode(fresh)),
            salt,
        })
    }

    /// The server's first message.
    pub(super) fn first(&self) -> String {
        format!("r={},s={},i={ITERATIONS}", self.nonce, STANDARD.encode(self.salt))
    }

    /// Reads the client's last message; none when it is not one of this exchange.
    pub(super) fn finish(&self, message: &[u8]) -> Option<Proof> {
        let text = std::str::from_utf8(message).ok().filter(|text| text.len() <= 4096)?;
        let (without, proof) = text.rsplit_once(",p=")?;
        let binding = without.split(',').find_map(|part| part.strip_prefix("c="))?;
        let nonce = without.split(',').find_map(|part| part.strip_prefix("r="))?;
        let proof = STANDARD.decode(proof).ok().filter(|proof| proof.len() == 32)?;
        let binding = STANDARD.decode(binding).ok()?;
        let channel = binding.strip_prefix(self.header.as_slice())?;
        // The hash of the certificate that the client saw: what it is does not matter for the proof.
        let fits = if self.bound { channel.len() == 32 } else { channel.is_empty() };
        if nonce != self.nonce || !fits {
            return None;
        }
        let first = self.first();
        let message =
            [&self.client_first, b",".as_slice(), first.as_bytes(), b",", without.as_bytes()]
                .concat();
        Some(Proof { proof, message, salt: self.salt })
    }
}

impl Proof {
    /// Whether it proves `password`; if so, the server's own proof.
    pub(super) fn proves(&self, password: &[u8]) -> Option<String> {
        let salted = salted(password, &self.salt, ITERATIONS);
        let client_key = hmac(&salted, b"Client Key");
        let stored: [u8; 32] = Sha256::digest(client_key).into();
        let signature = hmac(&stored, &self.message);
        let proven = self.proof.iter().zip(signature).map(|(a, b)| a ^ b).eq(client_key);
        proven.then(|| {
            let server_key = hmac(&salted, b"Server Key");
            format!("v={}", STANDARD.encode(hmac(&server_key, &self.message)))
        })
    }
}

#[cfg(test)]
pub(super) fn prove(password: &[u8], salt: &[u8], iterations: u32, message: &[u8]) -> Vec<u8> {
    let salted = salted(password, salt, iterations);
    let client_key = hmac(&salted, b"Client Key");
    let stored: [u8; 32] = Sha256::digest(client_key).into();
    client_key.iter().zip(hmac(&stored, message)).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_md5_line_is_one_that_hashcat_verifies() {
        // hashcat's own example for mode 11100: user postgres, password hashcat.
        let line = "$postgres$postgres*f0784ea5*2091bb7d4725d1ca85e8de6ec349baf6";
        let salt = [0xf0, 0x78, 0x4e, 0xa5];
        let answer = md5_answer(b"postgres", b"hashcat", salt);
        assert_eq!(md5_line(b"postgres", salt, &answer), line);
    }

    #[test]
    fn the_example_of_rfc_7677_is_proven() {
        let salt: [u8; 16] =
            STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let proof = Proof { proof, message: message.to_vec(), salt };
        let signed = proof.proves(b"pencil");
        assert_eq!(signed.as_deref(), Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert_eq!(proof.proves(b"pencils"), None);
    }

    #[test]
    fn what_is_told_of_an_exchange_is_enough_to_test_a_password() {
        let scram = Scram::begin(b"n,,n=,r=abc", &[7; 18], [9; 16], Binding::Impossible).unwrap();
        let without = format!("c=biws,r={}", scram.nonce);
        let message = format!("n=,r=abc,{},{without}", scram.first());
        let proof = prove(b"s3cret", &[9; 16], ITERATIONS, message.as_bytes());
        let last = format!("{without},p={}", STANDARD.encode(&proof));
        let told = scram.finish(last.as_bytes()).unwrap();
        assert_eq!(told.message, message.as_bytes());
        assert!(told.proves(b"s3cret").is_some() && told.proves(b"other").is_none());
        assert_eq!(prove(b"s3cret", &told.salt, ITERATIONS, &told.message), told.proof);
    }

    #[test]
    fn a_bound_exchange_names_the_certificate_and_an_unbound_one_does_not() {
        let begin = |message: &[u8], binding| Scram::begin(message, &[7; 18], [9; 16], binding);
        assert!(begin(b"y,,n=,r=abc", Binding::Declined).is_none());
        assert!(begin(b"p=tls-server-end-point,,n=,r=abc", Binding::Declined).is_none());
        assert!(begin(b"n,,n=,r=abc", Binding::Chosen).is_none());
        let scram = begin(b"p=tls-server-end-point,,n=,r=abc", Binding::Chosen).unwrap();
        let last = |channel: &[u8]| {
            let binding = [b"p=tls-server-end-point,,", channel].concat();
            let (binding, proof) = (STANDARD.encode(binding), STANDARD.encode([0; 32]));
            scram.finish(format!("c={binding},r={},p={proof}", scram.nonce).as_bytes())
        };
        assert!(last(&[1; 32]).is_some());
        assert!(last(&[]).is_none());
    }

    #[test]
    fn a_verifier_is_one_that_hashcat_verifies() {
        // hashcat's own example for mode 28600; its password is `hashcat`.
        let line = "SCRAM-SHA-256$4096:IKfxzJ8Nq4PkLJCfgKcPmA==$iRw3qwTp18uaBnsTOEExbtgWdKeBMbSSnZvqD4sdqLQ=:hPciC1CcnBna3szR8Mf3MVc8t0W7QPbIHoMMrh4zRV0=";
        let salt = STANDARD.decode("IKfxzJ8Nq4PkLJCfgKcPmA==").unwrap();
        assert_eq!(verifier(b"hashcat", &salt), line);
    }

    #[test]
    fn malformed_exchanges_are_refused() {
        for bad in [&b""[..], b"n,,", b"p=tls-unique,,n=,r=a", b"n,,n=", b"n,,n=,r=", b"\xff,,r=a"]
        {
            assert!(Scram::begin(bad, &[0; 18], [0; 16], Binding::Impossible).is_none());
        }
        let scram = Scram::begin(b"n,,n=,r=abc", &[7; 18], [9; 16], Binding::Impossible).unwrap();
        for bad in [&b""[..], b"c=biws,r=abc,p=AA==", b"c=biws,r=x", b"p=,p="] {
            assert!(scram.finish(bad).is_none());
        }
    }
}
