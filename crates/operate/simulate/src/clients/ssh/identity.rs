//! How clients introduce themselves: identification and algorithm lists, so that each kind has a
//! fingerprint of its own.

use std::borrow::Cow;

use russh::client::Config;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, SshId, cipher, kex, mac};

use crate::plan::SshClient;

const RSA_SHA512: Algorithm = Algorithm::Rsa { hash: Some(HashAlg::Sha512) };
const RSA_SHA256: Algorithm = Algorithm::Rsa { hash: Some(HashAlg::Sha256) };
const P256: Algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
const P384: Algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 };
const P521: Algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 };

pub(super) fn config(client: SshClient) -> Config {
    let (id, preferred) = match client {
        SshClient::Go => ("SSH-2.0-Go", go()),
        SshClient::Libssh => ("SSH-2.0-libssh_0.9.6", libssh()),
        SshClient::OpenSsh => ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", openssh()),
        SshClient::Putty => ("SSH-2.0-PuTTY_Release_0.78", putty()),
    };
    Config { client_id: SshId::Standard(Cow::Borrowed(id)), preferred, ..Config::default() }
}

fn go() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            kex::ECDH_SHA2_NISTP256,
            kex::ECDH_SHA2_NISTP384,
            kex::ECDH_SHA2_NISTP521,
            kex::DH_G14_SHA256,
            kex::DH_G14_SHA1,
            kex::EXTENSION_SUPPORT_AS_CLIENT,
        ]),
        key: Cow::Borrowed(&[RSA_SHA256, RSA_SHA512, P256, P384, P521, Algorithm::Ed25519]),
        cipher: Cow::Borrowed(&[
            cipher::AES_128_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_128_CTR,
            cipher::AES_192_CTR,
            cipher::AES_256_CTR,
        ]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA256_ETM, mac::HMAC_SHA256, mac::HMAC_SHA1]),
        ..Preferred::default()
    }
}

fn libssh() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            kex::ECDH_SHA2_NISTP256,
            kex::ECDH_SHA2_NISTP384,
            kex::ECDH_SHA2_NISTP521,
            kex::DH_G18_SHA512,
            kex::DH_G16_SHA512,
            kex::DH_GEX_SHA256,
            kex::DH_G14_SHA256,
            kex::EXTENSION_SUPPORT_AS_CLIENT,
        ]),
        key: Cow::Borrowed(&[Algorithm::Ed25519, P521, P384, P256, RSA_SHA512, RSA_SHA256]),
        cipher: Cow::Borrowed(&[
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_GCM,
            cipher::AES_128_GCM,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        mac: Cow::Borrowed(&[
            mac::HMAC_SHA256_ETM,
            mac::HMAC_SHA512_ETM,
            mac::HMAC_SHA256,
            mac::HMAC_SHA512,
        ]),
        ..Preferred::default()
    }
}

fn openssh() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            kex::ECDH_SHA2_NISTP256,
            kex::ECDH_SHA2_NISTP384,
            kex::ECDH_SHA2_NISTP521,
            kex::DH_GEX_SHA256,
            kex::DH_G16_SHA512,
            kex::DH_G18_SHA512,
            kex::DH_G14_SHA256,
            kex::EXTENSION_SUPPORT_AS_CLIENT,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
        ]),
        key: Cow::Borrowed(&[Algorithm::Ed25519, P256, P384, P521, RSA_SHA512, RSA_SHA256]),
        cipher: Cow::Borrowed(&[
            cipher::CHACHA20_POLY1305,
            cipher::AES_128_CTR,
            cipher::AES_192_CTR,
            cipher::AES_256_CTR,
            cipher::AES_128_GCM,
            cipher::AES_256_GCM,
        ]),
        mac: Cow::Borrowed(&[
            mac::HMAC_SHA256_ETM,
            mac::HMAC_SHA512_ETM,
            mac::HMAC_SHA1_ETM,
            mac::HMAC_SHA256,
            mac::HMAC_SHA512,
            mac::HMAC_SHA1,
        ]),
        ..Preferred::default()
    }
}

fn putty() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            kex::ECDH_SHA2_NISTP256,
            kex::ECDH_SHA2_NISTP384,
            kex::ECDH_SHA2_NISTP521,
            kex::DH_GEX_SHA256,
            kex::DH_G14_SHA256,
            kex::DH_G14_SHA1,
            kex::EXTENSION_SUPPORT_AS_CLIENT,
        ]),
        key: Cow::Borrowed(&[Algorithm::Ed25519, P256, P384, P521, RSA_SHA512, RSA_SHA256]),
        cipher: Cow::Borrowed(&[
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_GCM,
            cipher::AES_128_GCM,
        ]),
        mac: Cow::Borrowed(&[
            mac::HMAC_SHA256,
            mac::HMAC_SHA1,
            mac::HMAC_SHA256_ETM,
            mac::HMAC_SHA1_ETM,
        ]),
        ..Preferred::default()
    }
}
