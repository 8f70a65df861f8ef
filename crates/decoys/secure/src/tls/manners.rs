//! Configurations of OpenSSL that the imitated servers run with.
//!
//! Values are those of Debian 12's packages. Its OpenSSL is built with security level 2 and the
//! group list of version 3.0, which ours is not: both are said explicitly.

use std::time::Duration;

use decoys_kit::TlsServer;
use openssl::bn::BigNum;
use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode,
    SslVersion, select_next_proto,
};

use super::identity::Identity;

/// OpenSSL 3.0's own groups, in its order.
const GROUPS: &str =
    "X25519:P-256:X448:P-521:P-384:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192";
/// Sessions that one decky remembers for clients that come again.
const REMEMBERED: i32 = 64;

/// The list that is built into Pure-FTPd.
const PURE_FTPD: &str = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:\
     ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
     ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:\
     ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:\
     ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:\
     ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:\
     DHE-RSA-AES256-SHA256:DHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:\
     AES256-SHA256:AES128-SHA:AES256-SHA:!DSS:@SECLEVEL=2";

/// What a server sets.
struct Manners {
    ciphers: &'static str,
    groups: &'static str,
    /// The server's order of ciphers wins.
    own_order: bool,
    /// Key exchanges with plain Diffie-Hellman.
    dh: bool,
    tickets: bool,
    /// Sessions are kept by the server.
    remembers: bool,
    lowest: Option<SslVersion>,
    /// How long a handshake may take.
    patience: Duration,
}

const fn manners(server: TlsServer) -> Manners {
    let usual = Manners {
        ciphers: "DEFAULT:@SECLEVEL=2",
        groups: GROUPS,
        own_order: false,
        dh: true,
        tickets: true,
        remembers: false,
        lowest: Some(SslVersion::TLS1_2),
        patience: Duration::from_secs(60),
    };
    match server {
        TlsServer::Nginx => {
            Manners { ciphers: "HIGH:!aNULL:!MD5:@SECLEVEL=2", own_order: true, dh: false, ..usual }
        }
        TlsServer::Apache => Manners {
            ciphers: "HIGH:!aNULL:@SECLEVEL=2",
            tickets: false,
            remembers: true,
            patience: Duration::from_secs(20),
            ..usual
        },
        TlsServer::Postfix => Manners {
            ciphers: "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:@SECLEVEL=0",
            groups: "X25519:X448:P-256:P-521:P-384",
            lowest: Some(SslVersion::TLS1),
            patience: Duration::from_secs(300),
            ..usual
        },
        TlsServer::Vsftpd => {
            Manners { ciphers: "HIGH:@SECLEVEL=2", groups: "P-256", remembers: true, ..usual }
        }
        TlsServer::ProFtpd => Manners {
            ciphers: "DEFAULT:!ADH:!EXPORT:!DES:@SECLEVEL=2",
            own_order: true,
            remembers: true,
            ..usual
        },
        TlsServer::PureFtpd => {
            Manners { ciphers: PURE_FTPD, groups: "P-256", own_order: true, ..usual }
        }
        TlsServer::Postgres => Manners {
            ciphers: "HIGH:MEDIUM:+3DES:!aNULL:@SECLEVEL=2",
            groups: "P-256",
            own_order: true,
            tickets: false,
            ..usual
        },
        TlsServer::MySql | TlsServer::Plain => usual,
    }
}

/// How long a handshake with `server` may take.
pub(super) const fn patience(server: TlsServer) -> Duration {
    manners(server).patience
}

/// A context with the manners of `server`, as `identity`.
pub(super) fn context(server: TlsServer, identity: &Identity) -> Result<SslContext, ErrorStack> {
    let manners = manners(server);
    let mut builder = SslContextBuilder::new(SslMethod::tls_server())?;
    builder.clear_options(SslOptions::all());
    let mut options = SslOptions::NO_COMPRESSION
        | SslOptions::NO_RENEGOTIATION
        | SslOptions::ENABLE_MIDDLEBOX_COMPAT
        // Many clients close without a word; the servers do not mind either.
        | SslOptions::IGNORE_UNEXPECTED_EOF
        | SslOptions::NO_SSLV3;
    options.set(SslOptions::CIPHER_SERVER_PREFERENCE, manners.own_order);
    options.set(SslOptions::NO_TICKET, !manners.tickets);
    builder.set_options(options);
    // An idle connection holds no buffers.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    builder.set_min_proto_version(manners.lowest)?;
    builder.set_cipher_list(manners.ciphers)?;
    builder.set_groups_list(manners.groups)?;
    if manners.dh {
        let prime = BigNum::get_rfc3526_prime_2048()?;
        builder.set_tmp_dh(&*Dh::from_pqg(prime, None, BigNum::from_u32(2)?)?)?;
    }
    builder.set_session_id_context(b"decky")?;
    if manners.remembers {
        builder.set_session_cache_mode(SslSessionCacheMode::SERVER);
        builder.set_session_cache_size(REMEMBERED);
    } else {
        builder
            .set_session_cache_mode(SslSessionCacheMode::SERVER | SslSessionCacheMode::NO_INTERNAL);
    }
    builder.set_private_key(&identity.key)?;
    let mut chain = identity.chain.iter();
    if let Some(own) = chain.next() {
        builder.set_certificate(own)?;
    }
    for further in chain {
        builder.add_extra_chain_cert(further.clone())?;
    }
    builder.check_private_key()?;
    match server {
        TlsServer::Nginx => {
            builder.set_alpn_select_callback(|_, offered| {
                let known = b"\x08http/1.1\x08http/1.0\x08http/0.9";
                select_next_proto(known, offered).ok_or(AlpnError::ALERT_FATAL)
            });
            // It takes note of every name, so the extension is answered.
            builder.set_servername_callback(|_, _| Ok(()));
        }
        // mod_ssl says its default protocol to whoever asks, offered or not.
        TlsServer::Apache => builder.set_alpn_select_callback(|_, _| Ok(b"http/1.1")),
        _ => {}
    }
    Ok(builder.build())
}
