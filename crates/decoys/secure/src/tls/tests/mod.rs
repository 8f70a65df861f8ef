//! Keys, certificates and handshakes with OpenSSL's own client.

mod certificate;
mod handshake;

use base_model::PersonaSecret;
use decoys_kit::Choices;

use super::{Identity, Kind, Subject};

const DAY: i64 = 86_400;

fn subject() -> Subject {
    Subject {
        name: "srv-web-12.kestrel.lan".to_owned(),
        company: "Kestrel Foods".to_owned(),
        installed: 1_700_000_000,
        booted: 1_700_000_000 + 200 * DAY,
    }
}

/// The first secret whose administrator's key is on a curve, or is not; the former are quick to make.
fn secret(curve: bool) -> PersonaSecret {
    let mut secrets = (0..=255).map(|n| PersonaSecret::new([n; 32]));
    let wanted = |secret: &PersonaSecret| {
        (Choices::new(secret).range("tls.site.algorithm", 0, 3) == 0) == curve
    };
    secrets.find(|secret| wanted(secret)).unwrap()
}

fn site(curve: bool) -> Identity {
    Identity::derive(Kind::Site, &Choices::new(&secret(curve)), &subject()).unwrap()
}
