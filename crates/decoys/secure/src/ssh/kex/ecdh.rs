//! Elliptic curves: X25519 (RFC 8731) and the NIST curves (RFC 5656).

use chacha20::ChaCha12Rng;
use curve25519_dalek::MontgomeryPoint;
use p256::elliptic_curve::Generate as _;
use rand_core::Rng as _;

use super::{Answer, BadPublic};
use crate::ssh::wire::Put as _;

/// An ephemeral X25519 public value and the secret shared with `client`.
pub(super) fn agree(
    client: &[u8],
    rng: &mut ChaCha12Rng,
) -> Result<([u8; 32], [u8; 32]), BadPublic> {
    let client = MontgomeryPoint(client.try_into().map_err(|_| BadPublic)?);
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let shared = client.mul_clamped(secret).to_bytes();
    if shared == [0; 32] {
        return Err(BadPublic);
    }
    Ok((MontgomeryPoint::mul_base_clamped(secret).to_bytes(), shared))
}

pub(super) fn x25519(client: &[u8], rng: &mut ChaCha12Rng) -> Result<Answer, BadPublic> {
    let (public, shared) = agree(client, rng)?;
    Ok(answer(client, &public, &shared))
}

/// Defines agreement on a NIST curve.
macro_rules! nist {
    ($name:ident) => {
        pub(super) fn $name(client: &[u8], rng: &mut ChaCha12Rng) -> Result<Answer, BadPublic> {
            // OpenSSH takes uncompressed points only.
            if client.first() != Some(&4) {
                return Err(BadPublic);
            }
            let theirs = $name::PublicKey::from_sec1_bytes(client).map_err(|_| BadPublic)?;
            let secret = $name::ecdh::EphemeralSecret::generate_from_rng(rng);
            let shared = secret.diffie_hellman(&theirs);
            let public = $name::Sec1Point::from(secret.public_key());
            Ok(answer(client, public.as_bytes(), shared.raw_secret_bytes()))
        }
    };
}

nist!(p256);
nist!(p384);
nist!(p521);

fn answer(client: &[u8], public: &[u8], shared: &[u8]) -> Answer {
    let string = |bytes: &[u8]| {
        let mut out = Vec::with_capacity(bytes.len() + 4);
        out.put_string(bytes);
        out
    };
    let mut secret = Vec::with_capacity(shared.len() + 5);
    secret.put_mpint(shared);
    Answer { client: string(client), server: string(public), secret }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn points_that_give_no_secret_are_refused() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        // Of small order: the secret would be zero whatever ours is.
        for low in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            assert_eq!(x25519(&low, &mut rng).unwrap_err(), BadPublic);
        }
        assert_eq!(x25519(&[9; 31], &mut rng).unwrap_err(), BadPublic);
        let mut off_curve = [1; 65];
        off_curve[0] = 4;
        assert_eq!(p256(&off_curve, &mut rng).unwrap_err(), BadPublic);
        assert_eq!(p256(&[0], &mut rng).unwrap_err(), BadPublic);
        assert_eq!(p384(&[], &mut rng).unwrap_err(), BadPublic);
        assert_eq!(p521(&[4; 133], &mut rng).unwrap_err(), BadPublic);
    }
}
