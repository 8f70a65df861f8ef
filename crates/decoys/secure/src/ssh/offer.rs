//! What each version of OpenSSH's server offers, so that a persona can claim its version.
//!
//! The lists equal those of the packages' `sshd` with its default configuration, so the
//! `hasshServer` of a decky equals that of a real machine of its version. Sources:
//!
//! - Debian 12: the KEXINIT of `openssh-server` 1:9.2p1-2+deb12u10 as it is sent, and its change
//!   log, which dates the suffixless sntrup761 name to deb12u4.
//! - Ubuntu 22.04 and 20.04: `myproposal.h` of OpenSSH 8.9p1 and 8.2p1, and the change logs of
//!   1:8.9p1-3ubuntu0.6 and 1:8.2p1-4ubuntu0.10, which add strict key exchange.
//! - RHEL 9 and Fedora 39: the DEFAULT system-wide policy, as `openssh.py` of crypto-policies writes
//!   it to `opensshserver.config` (order of ciphers, MACs with encrypt-then-MAC first, no SNTRUP
//!   before Fedora 40). Strict key exchange by the packages' change logs.
//! - CentOS 7: `myproposal.h` of OpenSSH 7.4p1 as packaged, with the old algorithms its server still
//!   takes; strict key exchange never came to it.
//! - OpenSSH 9.6 and 9.7 (Alpine 3.19, Kali, Arch): `myproposal.h`, and `kex_proposal_populate_entries`
//!   for `ext-info-s`.
//!
//! Only Debian's was compared with what a running server sends; the others are read from sources.

/// A server's side of the negotiation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) kex: &'static [&'static str],
    /// Signatures by RSA host keys.
    pub(super) rsa: &'static [&'static str],
    pub(super) ciphers: &'static [&'static str],
    pub(super) macs: &'static [&'static str],
    pub(super) compressions: &'static [&'static str],
    /// `server-sig-algs` of `SSH_MSG_EXT_INFO`.
    pub(super) signatures: &'static str,
    /// Extensions told after that, each with value `0`.
    pub(super) extensions: &'static [&'static str],
    /// What marks the server among the key exchange methods, in the first exchange.
    pub(super) marks: &'static [&'static str],
}

/// Host key algorithms by the key that has them, in the order of `sshd_config`'s default keys. The
/// signatures of RSA keys depend on the version, see [`Offer::rsa`].
pub(super) const RSA: &[&str] = &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"];
pub(super) const ECDSA: &[&str] = &["ecdsa-sha2-nistp256"];
pub(super) const ED25519: &[&str] = &["ssh-ed25519"];

/// RSA without SHA-1: since 8.8, and where a policy forbids it.
const RSA_SHA2: &[&str] = &["rsa-sha2-512", "rsa-sha2-256"];
/// 7.4 put the new names last.
const RSA_7: &[&str] = &["ssh-rsa", "rsa-sha2-512", "rsa-sha2-256"];

/// Marks a server that resets sequence numbers (PROTOCOL §1.10); only in the first key exchange.
pub(super) const STRICT_SERVER: &str = "kex-strict-s-v00@openssh.com";
/// Marks a server that understands `SSH_MSG_EXT_INFO`, since 9.6.
const EXT_INFO_SERVER: &str = "ext-info-s";
/// The client's mark.
pub(super) const STRICT_CLIENT: &str = "kex-strict-c-v00@openssh.com";
/// Marks a client that understands `SSH_MSG_EXT_INFO` (RFC 8308).
pub(super) const EXT_INFO_CLIENT: &str = "ext-info-c";

const STRICT: &[&str] = &[STRICT_SERVER];
const HOSTBOUND: &[&str] = &["publickey-hostbound@openssh.com"];

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
    rsa: RSA_SHA2,
    ciphers: CIPHERS,
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,\
                 ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,\
                 webauthn-sk-ecdsa-sha2-nistp256@openssh.com,ssh-dss,ssh-rsa,rsa-sha2-256,\
                 rsa-sha2-512",
    extensions: HOSTBOUND,
    marks: STRICT,
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
    rsa: RSA_SHA2,
    ciphers: CIPHERS,
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "ssh-ed25519,sk-ssh-ed25519@openssh.com,ssh-rsa,rsa-sha2-256,rsa-sha2-512,ssh-dss,\
                 ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,\
                 sk-ecdsa-sha2-nistp256@openssh.com,webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    extensions: HOSTBOUND,
    marks: STRICT,
};

/// Curves and groups up to 9.x, without sntrup761.
const KEX_8: &[&str] = &[
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
];

/// OpenSSH 8.2p1 as in Ubuntu 20.04.
static OPENSSH_8_2: Offer = Offer {
    kex: KEX_8,
    rsa: RSA,
    ciphers: CIPHERS,
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "ssh-ed25519,sk-ssh-ed25519@openssh.com,ssh-rsa,rsa-sha2-256,rsa-sha2-512,ssh-dss,\
                 ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,\
                 sk-ecdsa-sha2-nistp256@openssh.com",
    extensions: &[],
    marks: STRICT,
};

/// Key exchange of the DEFAULT policy of RHEL 9 and Fedora 39.
const POLICY_KEX: &[&str] = &[
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
];
/// Its ciphers.
const POLICY_CIPHERS: &[&str] = &[
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes128-ctr",
];
/// Its message authentication codes.
const POLICY_MACS: &[&str] = &[
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "umac-128-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha1",
    "umac-128@openssh.com",
    "hmac-sha2-512",
];

/// OpenSSH 8.7p1 as in RHEL 9 and its rebuilds.
static OPENSSH_8_7: Offer = Offer {
    kex: POLICY_KEX,
    rsa: RSA_SHA2,
    ciphers: POLICY_CIPHERS,
    macs: POLICY_MACS,
    compressions: COMPRESSIONS,
    signatures: OPENSSH_8_9.signatures,
    extensions: &[],
    marks: STRICT,
};

/// OpenSSH 9.3p1 as in Fedora 39.
static OPENSSH_9_3: Offer = Offer {
    kex: POLICY_KEX,
    rsa: RSA_SHA2,
    ciphers: POLICY_CIPHERS,
    macs: POLICY_MACS,
    compressions: COMPRESSIONS,
    signatures: OPENSSH_9_2.signatures,
    extensions: HOSTBOUND,
    marks: STRICT,
};

/// OpenSSH 9.6 and 9.7 as released: Alpine 3.19, Kali and Arch change nothing of it.
static OPENSSH_9_6: Offer = Offer {
    kex: &[
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
    rsa: RSA_SHA2,
    ciphers: CIPHERS,
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,\
                 sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,\
                 rsa-sha2-256",
    extensions: &["publickey-hostbound@openssh.com", "ping@openssh.com"],
    marks: &[EXT_INFO_SERVER, STRICT_SERVER],
};

/// OpenSSH 7.4p1 as in CentOS 7.
static OPENSSH_7_4: Offer = Offer {
    kex: &[
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
    ],
    rsa: RSA_7,
    ciphers: &[
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "blowfish-cbc",
        "cast128-cbc",
        "3des-cbc",
    ],
    macs: MACS,
    compressions: COMPRESSIONS,
    signatures: "rsa-sha2-256,rsa-sha2-512",
    extensions: &[],
    marks: &[],
};

/// Offers by the version they are of.
const VERSIONS: &[(&str, &Offer)] = &[
    ("OpenSSH_7.4", &OPENSSH_7_4),
    ("OpenSSH_8.2", &OPENSSH_8_2),
    ("OpenSSH_8.7", &OPENSSH_8_7),
    ("OpenSSH_8.9", &OPENSSH_8_9),
    ("OpenSSH_9.3", &OPENSSH_9_3),
    ("OpenSSH_9.6", &OPENSSH_9_6),
    ("OpenSSH_9.7", &OPENSSH_9_6),
];

/// What the server that calls itself `banner` offers; Debian 12's when its version is not known.
pub(super) fn of(banner: &str) -> &'static Offer {
    let known = VERSIONS.iter().find(|(version, _)| banner.contains(version));
    known.map_or(&OPENSSH_9_2, |(_, offer)| offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The string whose MD5 is `hasshServer`.
    fn hassh_server(banner: &str) -> String {
        let offer = of(banner);
        let kex = [offer.kex, offer.marks].concat();
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

    #[track_caller]
    fn starts(banner: &str, text: &str) {
        let string = hassh_server(banner);
        assert!(string.starts_with(text), "{banner}: {string}");
    }

    #[test]
    fn hassh_server_of_ubuntu_20_04_has_no_sntrup() {
        starts(
            "SSH-2.0-OpenSSH_8.2p1 Ubuntu-4ubuntu0.11",
            "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,\
             ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,\
             diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,\
             kex-strict-s-v00@openssh.com;chacha20-poly1305@openssh.com,",
        );
        assert_eq!(of("OpenSSH_8.2p1").rsa, ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]);
    }

    #[test]
    fn hassh_server_of_rhel_9_and_fedora_is_that_of_the_default_policy() {
        for banner in ["SSH-2.0-OpenSSH_8.7", "SSH-2.0-OpenSSH_9.3"] {
            assert_eq!(
                hassh_server(banner),
                "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,\
                 ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,\
                 diffie-hellman-group14-sha256,diffie-hellman-group16-sha512,\
                 diffie-hellman-group18-sha512,kex-strict-s-v00@openssh.com;\
                 aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,\
                 aes128-gcm@openssh.com,aes128-ctr;\
                 hmac-sha2-256-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-128-etm@openssh.com,\
                 hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha1,umac-128@openssh.com,\
                 hmac-sha2-512;none,zlib@openssh.com"
            );
        }
    }

    #[test]
    fn hassh_server_of_centos_7_has_the_old_algorithms_and_no_mark() {
        let string = hassh_server("SSH-2.0-OpenSSH_7.4");
        assert!(string.contains(
            ",diffie-hellman-group14-sha1,diffie-hellman-group1-sha1;chacha20-poly1305@openssh.com,"
        ));
        assert!(string.contains(",aes256-cbc,blowfish-cbc,cast128-cbc,3des-cbc;umac-64-etm@"));
        assert_eq!(of("OpenSSH_7.4").rsa.first(), Some(&"ssh-rsa"));
    }

    #[test]
    fn hassh_server_of_9_6_and_9_7_is_one() {
        let (alpine, arch) = ("SSH-2.0-OpenSSH_9.6", "SSH-2.0-OpenSSH_9.7");
        assert_eq!(hassh_server(alpine), hassh_server(arch));
        assert_eq!(hassh_server(alpine), hassh_server("SSH-2.0-OpenSSH_9.6p1 Debian-4"));
        starts(alpine, "sntrup761x25519-sha512@openssh.com,curve25519-sha256,");
        assert!(hassh_server(alpine).contains(",ext-info-s,kex-strict-s-v00@openssh.com;"));
    }

    #[test]
    fn every_method_offered_is_there() {
        for (_, offer) in VERSIONS {
            assert!(offer.kex.iter().all(|name| crate::ssh::kex::Method::find(name).is_some()));
            assert!(offer.rsa.iter().all(|name| RSA.contains(name)));
        }
    }
}
