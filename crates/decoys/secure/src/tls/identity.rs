//! The keys and certificates of a decky.
//!
//! A Debian machine has two: the one that the package `ssl-cert` made when it was installed, which
//! Postfix and the databases use out of the box, and the one that its administrator made for web and
//! file transfer with `openssl req -x509`. Both follow from the persona secret, so they come again
//! when kept state is lost.

use decoys_kit::{Choices, TlsServer};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use ssh_key::private::RsaKeypair;

const DAY: i64 = 86_400;
/// What `openssl req` makes by default, and `ssl-cert` too.
const RSA_BITS: usize = 2048;
/// Most certificates of a chain that an operator gives.
const MAX_CHAIN: usize = 8;
/// Longest common name (RFC 5280, `ub-common-name`).
const MAX_NAME: usize = 64;

/// Which of a machine's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Made by the package `ssl-cert`.
    System,
    /// Made by the administrator.
    Site,
}

impl Kind {
    /// The one that `server` uses.
    #[must_use]
    pub const fn of(server: TlsServer) -> Self {
        match server {
            TlsServer::Postfix | TlsServer::Postgres | TlsServer::MySql | TlsServer::Plain => {
                Self::System
            }
            TlsServer::Apache
            | TlsServer::Nginx
            | TlsServer::Vsftpd
            | TlsServer::ProFtpd
            | TlsServer::PureFtpd => Self::Site,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Site => "site",
        }
    }
}

/// Whose certificate it is.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Host name with domain.
    pub name: String,
    /// The company.
    pub company: String,
    /// When the machine was installed, seconds since the epoch.
    pub installed: i64,
    /// When it booted.
    pub booted: i64,
}

/// A key or certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// OpenSSL refused.
    #[error("failed to make or read a certificate or key")]
    OpenSsl(#[from] ErrorStack),
    /// The RSA key could not be made.
    #[error("failed to make an rsa key")]
    Rsa(#[from] ssh_key::Error),
    /// There is no certificate in the text.
    #[error("there is no certificate in the text")]
    Empty,
    /// Certificate and key are not a pair.
    #[error("the key does not belong to the certificate")]
    NoPair,
}

/// A key with its certificate.
#[derive(Clone)]
pub struct Identity {
    pub(super) key: PKey<Private>,
    /// The machine's own first.
    pub(super) chain: Vec<X509>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Identity {
    /// The certificate of `kind` that follows from `choices`. With an RSA key it takes up to seconds
    /// of one core: not for a reactor thread.
    ///
    /// # Errors
    /// When the libraries refuse; a bug.
    pub fn derive(
        kind: Kind,
        choices: &Choices<'_>,
        subject: &Subject,
    ) -> Result<Self, IdentityError> {
        let label = |what: &str| format!("tls.{}.{what}", kind.label());
        let curve = kind == Kind::Site && choices.range(&label("algorithm"), 0, 3) == 0;
        let key = if curve {
            elliptic(&choices.bytes(&label("ecdsa")))?
        } else {
            rsa(&RsaKeypair::random(&mut choices.stream(&label("rsa")), RSA_BITS)?)?
        };
        let chain = vec![certificate(kind, choices, subject, &key)?];
        Ok(Self { key, chain })
    }

    /// What [`Identity::to_pem`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_pem(text: &[u8]) -> Result<Self, IdentityError> {
        Self::from_pems(text, text)
    }

    /// From a chain and a key of it.
    ///
    /// # Errors
    /// When they are none, or do not fit.
    pub fn from_pems(chain: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        // Without a callback OpenSSL would ask for a passphrase on the terminal.
        let key = PKey::private_key_from_pem_callback(key, |_| Ok(0))?;
        let mut chain = X509::stack_from_pem(chain)?;
        chain.truncate(MAX_CHAIN);
        let own = chain.first().ok_or(IdentityError::Empty)?;
        if !own.public_key()?.public_eq(&key) {
            return Err(IdentityError::NoPair);
        }
        Ok(Self { key, chain })
    }

    /// As text for keeping: the key, then the chain.
    ///
    /// # Errors
    /// When OpenSSL refuses; a bug.
    pub fn to_pem(&self) -> Result<Vec<u8>, IdentityError> {
        let (chain, key) = self.pems()?;
        Ok([key, chain].concat())
    }

    /// Chain and key as PEM texts.
    ///
    /// # Errors
    /// When OpenSSL refuses; a bug.
    pub fn pems(&self) -> Result<(Vec<u8>, Vec<u8>), IdentityError> {
        let mut chain = Vec::new();
        for certificate in &self.chain {
            chain.extend(certificate.to_pem()?);
        }
        Ok((chain, self.key.private_key_to_pem_pkcs8()?))
    }

    /// The machine's own certificate in DER.
    ///
    /// # Errors
    /// When OpenSSL refuses; a bug.
    pub fn certificate(&self) -> Result<Vec<u8>, IdentityError> {
        Ok(self.chain.first().ok_or(IdentityError::Empty)?.to_der()?)
    }
}

fn rsa(pair: &RsaKeypair) -> Result<PKey<Private>, ErrorStack> {
    let number = |mpint: &ssh_key::Mpint| BigNum::from_slice(mpint.as_bytes());
    let (public, private) = (pair.public(), pair.private());
    let (d, p, q) = (number(private.d())?, number(private.p())?, number(private.q())?);
    let mut context = BigNumContext::new_secure()?;
    let mut exponent = |prime: &BigNum| {
        let (mut less, mut rest) = (BigNum::from_slice(&prime.to_vec())?, BigNum::new()?);
        less.sub_word(1)?;
        rest.nnmod(&d, &less, &mut context)?;
        Ok::<_, ErrorStack>(rest)
    };
    let (dmp1, dmq1) = (exponent(&p)?, exponent(&q)?);
    let (n, e, iqmp) = (number(public.n())?, number(public.e())?, number(private.iqmp())?);
    PKey::from_rsa(Rsa::from_private_components(n, e, d, p, q, dmp1, dmq1, iqmp)?)
}

/// The P-256 key of a secret scalar made of `seed`.
fn elliptic(seed: &[u8; 48]) -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let mut context = BigNumContext::new_secure()?;
    let (mut order, mut secret, mut less) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
    group.order(&mut order, &mut context)?;
    // 384 bits reduced modulo 256 are even to 2^-128; plus one is never zero.
    less.checked_sub(&order, &*BigNum::from_u32(1)?)?;
    secret.nnmod(&*BigNum::from_slice(seed)?, &less, &mut context)?;
    secret.add_word(1)?;
    let mut public = EcPoint::new(&group)?;
    public.mul_generator2(&group, &secret, &mut context)?;
    PKey::from_ec_key(EcKey::from_private_components(&group, &secret, &public)?)
}

fn certificate(
    kind: Kind,
    choices: &Choices<'_>,
    subject: &Subject,
    key: &PKey<Private>,
) -> Result<X509, ErrorStack> {
    let label = |what: &str| format!("tls.{}.{what}", kind.label());
    let fits = subject.name.len() <= MAX_NAME;
    let short = subject.name.split('.').next().unwrap_or_default();
    let common = if fits { subject.name.as_str() } else { short };
    let mut name = X509NameBuilder::new()?;
    if kind == Kind::Site && choices.range(&label("organisation"), 0, 2) > 0 {
        name.append_entry_by_nid(Nid::ORGANIZATIONNAME, &subject.company)?;
    }
    name.append_entry_by_nid(Nid::COMMONNAME, common)?;
    let name = name.build();

    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    // As `openssl req` draws it: 159 bits.
    let mut serial: [u8; 20] = choices.bytes(&label("serial"));
    serial[0] = serial[0] & 0x7f | 0x40;
    builder.set_serial_number(&*BigNum::from_slice(&serial)?.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    let (from, days) = validity(kind, choices, subject);
    builder.set_not_before(&*Asn1Time::from_unix(from)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(from + days * DAY)?)?;
    builder.set_pubkey(key)?;
    let alternative = |builder: &X509Builder| {
        SubjectAlternativeName::new().dns(&subject.name).build(&builder.x509v3_context(None, None))
    };
    match kind {
        Kind::System => {
            builder.append_extension(BasicConstraints::new().build()?)?;
            builder.append_extension(alternative(&builder)?)?;
            let id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
            builder.append_extension(id)?;
        }
        Kind::Site => {
            let id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
            builder.append_extension(id)?;
            let mut authority = AuthorityKeyIdentifier::new();
            let authority = authority.keyid(true).build(&builder.x509v3_context(None, None))?;
            builder.append_extension(authority)?;
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            if choices.range(&label("alternative"), 0, 3) > 0 {
                builder.append_extension(alternative(&builder)?)?;
            }
        }
    }
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// From when, and for how many days.
fn validity(kind: Kind, choices: &Choices<'_>, subject: &Subject) -> (i64, i64) {
    let label = |what: &str| format!("tls.{}.{what}", kind.label());
    let draw = |what: &str, low: i64, high: i64| {
        let bound = |value: i64| u64::try_from(value).unwrap_or(0);
        let drawn = choices.range(&label(what), bound(low), bound(high.max(low)));
        i64::try_from(drawn).unwrap_or(low)
    };
    match kind {
        Kind::System => (subject.installed + draw("after", 300, 900), 3650),
        Kind::Site => {
            let life = subject.booted.saturating_sub(subject.installed);
            let from = subject.installed + draw("after", 3600, life.max(3600));
            // One that ran out would have been made again.
            let needed = (subject.booted - from) / DAY + 180;
            let usual = [365, 365, 730, 825, 1095];
            let long: Vec<i64> = usual.into_iter().filter(|&days| days > needed).collect();
            (from, *choices.pick(&label("days"), &long).unwrap_or(&1825))
        }
    }
}
