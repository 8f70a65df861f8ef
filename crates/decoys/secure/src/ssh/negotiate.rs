//! `SSH_MSG_KEXINIT` (RFC 4253 §7.1): ours, the client's, and what follows from both.

use decoys_kit::ssh::ClientLists;

use super::kex::Method;
use super::numbers::KEXINIT;
use super::offer::{EXT_INFO_CLIENT, Offer, STRICT_CLIENT};
use super::suite::{Cipher, Mac};
use super::wire::{Malformed, Put as _, Reader};

/// The message of a server with `offer` and keys for the algorithms `host_keys`; `first` on the
/// first exchange of a connection.
pub(super) fn ours(offer: &Offer, host_keys: &[&str], cookie: [u8; 16], first: bool) -> Vec<u8> {
    let mut kex = offer.kex.to_vec();
    if first {
        kex.extend(offer.marks);
    }
    let mut out = Vec::with_capacity(1200);
    out.push(KEXINIT);
    out.extend(cookie);
    let (ciphers, macs, compressions) = (offer.ciphers, offer.macs, offer.compressions);
    for list in [&kex[..], host_keys, ciphers, ciphers, macs, macs, compressions, compressions] {
        out.put_string(list.join(",").as_bytes());
    }
    // No languages, no guess, the reserved word.
    out.extend([0; 4 + 4 + 1 + 4]);
    out
}

/// A client's lists.
#[derive(Clone, Debug)]
pub(super) struct Theirs(pub(super) ClientLists);

impl Theirs {
    /// Reads the message without its number.
    pub(super) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        reader.take(16)?;
        let mut list = || Ok(reader.name()?.to_owned());
        let kex = list()?;
        let host_keys = list()?;
        let mut pair = || Ok::<_, Malformed>([list()?, list()?]);
        let (ciphers, macs, compressions, languages) = (pair()?, pair()?, pair()?, pair()?);
        let guesses = reader.bool()?;
        reader.u32()?;
        reader.end()?;
        Ok(Self(ClientLists { kex, host_keys, ciphers, macs, compressions, languages, guesses }))
    }

    /// Whether the client resets sequence numbers.
    pub(super) fn is_strict(&self) -> bool {
        names(&self.0.kex).any(|name| name == STRICT_CLIENT)
    }

    /// Whether the client understands `SSH_MSG_EXT_INFO`.
    pub(super) fn wants_ext_info(&self) -> bool {
        names(&self.0.kex).any(|name| name == EXT_INFO_CLIENT)
    }

    /// Whether the client knows host key algorithm `wanted`.
    pub(super) fn knows_host_key(&self, wanted: &str) -> bool {
        names(&self.0.host_keys).any(|name| name == wanted)
    }
}

/// What both sides use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) method: Method,
    pub(super) host_key: &'static str,
    /// From client to server, and back.
    pub(super) ciphers: [Cipher; 2],
    pub(super) macs: [Mac; 2],
    /// Whether each direction is compressed once the client is authenticated.
    pub(super) compressions: [bool; 2],
    /// The client's guess is wrong: the message after its lists means nothing.
    pub(super) skips_guess: bool,
}

/// There is no algorithm that both sides know; OpenSSH closes without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no matching {0} found")]
pub(super) struct NoMatch(&'static str);

/// The client's first choice that we have, for each kind of algorithm.
pub(super) fn choose(
    offer: &'static Offer,
    host_keys: &[&'static str],
    theirs: &ClientLists,
) -> Result<Chosen, NoMatch> {
    let both = |ours: &'static [&'static str], theirs: &[String; 2], what| {
        let [there, back] = theirs;
        Ok([first(ours, there).ok_or(NoMatch(what))?, first(ours, back).ok_or(NoMatch(what))?])
    };
    let kex = first(offer.kex, &theirs.kex).ok_or(NoMatch("key exchange method"))?;
    let method = Method::find(kex).ok_or(NoMatch("key exchange method"))?;
    let host_key = first(host_keys, &theirs.host_keys).ok_or(NoMatch("host key type"))?;
    let [there, back] = both(offer.ciphers, &theirs.ciphers, "cipher")?;
    let cipher = |name| Cipher::find(name).ok_or(NoMatch("cipher"));
    let ciphers = [cipher(there)?, cipher(back)?];
    let [there, back] = theirs.macs.each_ref();
    let mac = |list: &String, cipher: Cipher| match first(offer.macs, list).and_then(Mac::find) {
        Some(mac) => Ok(mac),
        // A MAC beside a cipher that authenticates is not used, and need not match.
        None if cipher.is_authenticated() => Mac::find("hmac-sha2-256").ok_or(NoMatch("MAC")),
        None => Err(NoMatch("MAC")),
    };
    let [cipher_there, cipher_back] = ciphers;
    let macs = [mac(there, cipher_there)?, mac(back, cipher_back)?];
    let compressions = both(offer.compressions, &theirs.compressions, "compression method")?;
    let guessed = names(&theirs.kex).next() == offer.kex.first().copied()
        && names(&theirs.host_keys).next() == host_keys.first().copied();
    Ok(Chosen {
        method,
        host_key,
        ciphers,
        macs,
        compressions: compressions.map(|name| name != "none"),
        skips_guess: theirs.guesses && !guessed,
    })
}

fn first(ours: &[&'static str], theirs: &str) -> Option<&'static str> {
    names(theirs).find_map(|name| ours.iter().copied().find(|ours| *ours == name))
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::offer;

    const KEYS: &[&str] = &["rsa-sha2-512", "ssh-ed25519"];

    fn client(kex: &str, host_keys: &str, cipher: &str, mac: &str) -> ClientLists {
        let pair = |text: &str| [text.to_owned(), text.to_owned()];
        ClientLists {
            kex: kex.into(),
            host_keys: host_keys.into(),
            ciphers: pair(cipher),
            macs: pair(mac),
            compressions: pair("none"),
            languages: pair(""),
            guesses: false,
        }
    }

    fn choose(theirs: &ClientLists) -> Result<Chosen, NoMatch> {
        super::choose(offer::of("OpenSSH_9.2p1"), KEYS, theirs)
    }

    #[test]
    fn our_own_message_reads_back() {
        let message = ours(offer::of("OpenSSH_9.2p1"), KEYS, [7; 16], true);
        let read = Theirs::read(&message[1..]).unwrap().0;
        assert!(read.kex.ends_with(",kex-strict-s-v00@openssh.com"));
        assert_eq!(read.host_keys, "rsa-sha2-512,ssh-ed25519");
        let again = ours(offer::of("OpenSSH_9.2p1"), KEYS, [7; 16], false);
        assert!(!Theirs::read(&again[1..]).unwrap().0.kex.contains("strict"));
        for end in 1..message.len() {
            assert!(Theirs::read(&message[1..end]).is_err());
        }
    }

    #[test]
    fn the_clients_order_decides() {
        let theirs = client(
            "foo,ecdh-sha2-nistp256,curve25519-sha256",
            "ssh-ed25519,rsa-sha2-512",
            "aes256-ctr,aes128-ctr",
            "hmac-md5,hmac-sha1",
        );
        let chosen = choose(&theirs).unwrap();
        assert_eq!(chosen.method, Method::P256);
        assert_eq!(chosen.host_key, "ssh-ed25519");
        assert_eq!(chosen.ciphers, [Cipher::AesCtr(32); 2]);
        assert_eq!(chosen.macs[0], Mac::find("hmac-sha1").unwrap());
    }

    #[test]
    fn without_a_common_algorithm_there_is_none() {
        let good = ["curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha1"];
        for wrong in 0..4 {
            let mut lists = good;
            lists[wrong] = "foo,bar";
            let [kex, host_keys, cipher, mac] = lists;
            assert!(choose(&client(kex, host_keys, cipher, mac)).is_err());
        }
        // GCM brings its own.
        let [kex, host_keys, ..] = good;
        assert!(choose(&client(kex, host_keys, "aes128-gcm@openssh.com", "foo")).is_ok());
    }

    #[test]
    fn a_wrong_guess_is_skipped() {
        let mut theirs = client(
            "sntrup761x25519-sha512,curve25519-sha256",
            "rsa-sha2-512",
            "aes128-ctr",
            "hmac-sha1",
        );
        theirs.guesses = true;
        assert!(!choose(&theirs).unwrap().skips_guess);
        theirs.host_keys = "ssh-ed25519,rsa-sha2-512".into();
        assert!(choose(&theirs).unwrap().skips_guess);
        theirs.guesses = false;
        assert!(!choose(&theirs).unwrap().skips_guess);
    }
}
