//! What each version of OpenSSH's server offers, so that a persona can claim its version.
//!
//! The lists equal those of the packages' `sshd` with its default configuration, so the
//! `hasshServer` of a decky equals that of a real machine of its version. Sources: the KEXINIT of
//! `openssh-server` 1:9.2p1-2+deb12u10 as it is sent, and its change log, which dates the suffixless
//! sntrup761 name to deb12u4; `myproposal.h` of OpenSSH 8.9p1, and the change log of
//! 1:8.9p1-3ubuntu0.6, which adds strict key exchange.

/// A server's side of the negotiation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) kex: &'static [&'static str],
    pub(super) ciphers: &'static [&'static str],
    pub(super) macs: &'static [&'static str],
    pub(super) compressions: &'static [&'static str],
    /// `server-sig-algs` of `SSH_MSG_EXT_INFO`.
    pub(super) signatures: &'static str,
}

/// Host key algorithms by the key that has them, in the order of `sshd_config`'s default keys.
pub(super) const RSA: &[&str] = &["rsa-sha2-512", "rsa-sha2-256"];
pub(super) const ECDSA: &[&str] = &["ecdsa-sha2-nistp256"];
pub(super) const ED25519: &[&str] = &["ssh-ed25519"];

/// Marks a server that resets sequence numbers (PROTOCOL §1.10); only in the first key exchange.
pub(super) const STRICT_SERVER: &str = "kex-strict-s-v00@openssh.com";
/// The client's mark.
pub(super) const STRICT_CLIENT: &str = "kex-strict-c-v00@openssh.com";
/// Marks a client that understands `SSH_MSG_EXT_INFO` (RFC 8308).
pub(super) const EXT_INFO_CLIENT: &str = "ext-info-c";

const CIPHERS: &[&str] = &[
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
];

const MACS: &[&str] = &[
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
];

const COMPRESSIONS: &[&str] = &["none", "zlib@openssh.com"];

/// OpenSSH 9.2p1 as in Debian 12.
static OPENSSH_9_2: Offer = Offer {
    kex: &[
        "sntrup761x25519-sha512",
        "sntrup761x25519-sha512@openssh.com",
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group14-sha256",
    ],
    ciphers: CIPHERS,
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,\
                 ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,\
                 webauthn-sk-ecdsa-sha2-nistp256@openssh.com,ssh-dss,ssh-rsa,rsa-sha2-256,\
                 rsa-sha2-512",
};

/// OpenSSH 8.9p1 as in Ubuntu 22.04.
static OPENSSH_8_9: Offer = Offer {
    kex: &[
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "sntrup761x25519-sha512@openssh.com",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group14-sha256",
    ],
    ciphers: CIPHERS,
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "ssh-ed25519,sk-ssh-ed25519@openssh.com,ssh-rsa,rsa-sha2-256,rsa-sha2-512,ssh-dss,\
                 ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,\
                 sk-ecdsa-sha2-nistp256@openssh.com,webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
};

/// What the server that calls itself `banner` offers; Debian 12's when its version is not known.
pub(super) fn of(banner: &str) -> &'static Offer {
    if banner.contains("OpenSSH_8.9") { &OPENSSH_8_9 } else { &OPENSSH_9_2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The string whose MD5 is `hasshServer`.
    fn hassh_server(banner: &str) -> String {
        let offer = of(banner);
        let kex: Vec<_> = offer.kex.iter().copied().chain([STRICT_SERVER]).collect();
        let lists = [&kex[..], offer.ciphers, offer.macs, offer.compressions];
        lists.map(|list| list.join(",")).join(";")
    }

    #[test]
    fn hassh_server_is_that_of_debian_12s_sshd() {
        assert_eq!(
            hassh_server("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7"),
            "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,\
             curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,\
             ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,\
             diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,\
             diffie-hellman-group14-sha256,kex-strict-s-v00@openssh.com;\
             chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,\
             aes128-gcm@openssh.com,aes256-gcm@openssh.com;\
             umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,\
             hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,\
             umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1;\
             none,zlib@openssh.com"
        );
    }

    #[test]
    fn hassh_server_is_that_of_ubuntu_22_04s_sshd() {
        let string = hassh_server("SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.13");
        assert!(string.starts_with(
            "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,\
             ecdh-sha2-nistp384,ecdh-sha2-nistp521,sntrup761x25519-sha512@openssh.com,\
             diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,\
             diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,\
             kex-strict-s-v00@openssh.com;chacha20-poly1305@openssh.com,"
        ));
    }
}
