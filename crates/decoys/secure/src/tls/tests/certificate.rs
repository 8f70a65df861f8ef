use std::cmp::Ordering;

use base_model::PersonaSecret;
use decoys_kit::Choices;
use openssl::asn1::Asn1Time;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::x509::X509;

use super::{DAY, secret, site, subject};
use crate::tls::{Identity, IdentityError, Kind};

fn own(identity: &Identity) -> X509 {
    X509::from_der(&identity.certificate().unwrap()).unwrap()
}

#[test]
fn keys_and_serials_are_the_deckys_own_and_come_again() {
    for curve in [true, false] {
        let (one, two) = (site(curve), site(curve));
        let key = own(&one).public_key().unwrap();
        assert_eq!(key.id(), if curve { Id::EC } else { Id::RSA });
        assert!(key.public_eq(&own(&two).public_key().unwrap()));
        let serial = |identity: &Identity| own(identity).serial_number().to_bn().unwrap();
        assert_eq!(serial(&one), serial(&two));
        assert!(serial(&one).num_bits() > 150);
    }
    // An RSA signature is always the same, so the whole certificate is.
    assert_eq!(site(false).to_pem().unwrap(), site(false).to_pem().unwrap());
    let other = PersonaSecret::new([0xaa; 32]);
    let system =
        |secret| Identity::derive(Kind::System, &Choices::new(secret), &subject()).unwrap();
    let (one, two) = (own(&system(&secret(true))), own(&system(&other)));
    assert!(!one.public_key().unwrap().public_eq(&two.public_key().unwrap()));
    assert_ne!(one.serial_number().to_bn().unwrap(), two.serial_number().to_bn().unwrap());
    assert!(!one.public_key().unwrap().public_eq(&own(&site(false)).public_key().unwrap()));
}

#[test]
fn names_and_dates_fit_the_machine() {
    let at = |seconds| Asn1Time::from_unix(seconds).unwrap();
    let subject = subject();
    for number in 0..40 {
        let secret = PersonaSecret::new([number; 32]);
        let choices = Choices::new(&secret);
        if choices.range("tls.site.algorithm", 0, 3) > 0 {
            continue;
        }
        let certificate = own(&Identity::derive(Kind::Site, &choices, &subject).unwrap());
        let common = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next().unwrap();
        assert_eq!(common.data().as_slice(), subject.name.as_bytes());
        let (from, until) = (certificate.not_before(), certificate.not_after());
        assert!(from.compare(&at(subject.installed)).unwrap() == Ordering::Greater);
        assert!(from.compare(&at(subject.booted + DAY)).unwrap() == Ordering::Less);
        assert!(until.compare(&at(subject.booted + 180 * DAY)).unwrap() == Ordering::Greater);
        let years = from.diff(until).unwrap().days / 365;
        assert!((1..=5).contains(&years), "{years}");
        assert!(certificate.verify(&certificate.public_key().unwrap()).unwrap());
    }
}

#[test]
fn kept_and_given_keys_are_read_and_strangers_refused() {
    let (curve, rsa) = (site(true), site(false));
    let pem = curve.to_pem().unwrap();
    let read = Identity::from_pem(&pem).unwrap();
    assert_eq!(read.certificate().unwrap(), curve.certificate().unwrap());
    let mixed = Identity::from_pems(&pem, &rsa.to_pem().unwrap());
    assert!(matches!(mixed, Err(IdentityError::NoPair)), "{mixed:?}");
    assert!(Identity::from_pem(b"no pem").is_err());
    assert!(Identity::from_pem(&pem[..pem.len() / 2]).is_err());
}

#[test]
fn a_name_that_is_too_long_is_told_short_and_in_full() {
    let mut subject = subject();
    subject.name = format!("web.{}.lan", "x".repeat(80));
    let secret = secret(true);
    let identity = Identity::derive(Kind::System, &Choices::new(&secret), &subject).unwrap();
    let certificate = own(&identity);
    let common = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next().unwrap();
    assert_eq!(common.data().as_slice(), b"web");
    let names = certificate.subject_alt_names().unwrap();
    assert_eq!(names[0].dnsname(), Some(subject.name.as_str()));
}
