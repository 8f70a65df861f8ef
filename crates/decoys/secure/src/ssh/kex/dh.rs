//! Diffie-Hellman over the integers modulo a prime (RFC 4253 §8, RFC 4419).

use chacha20::ChaCha12Rng;
use crypto_bigint::BoxedUint;
use crypto_bigint::modular::BoxedMontyForm;
use rand_core::Rng as _;

use super::group::Group;
use super::{Answer, BadPublic};
use crate::ssh::wire::Put as _;

/// Twice the strength of the strongest cipher: more would not make anything stronger.
const EXPONENT: u32 = 512;

pub(super) fn answer(
    client: &[u8],
    group: Group,
    rng: &mut ChaCha12Rng,
) -> Result<Answer, BadPublic> {
    let params = group.params();
    let bits = params.bits_precision();
    let theirs = BoxedUint::from_be_slice(trim(client), bits).map_err(|_| BadPublic)?;
    let one = BoxedUint::one_with_precision(bits);
    let highest = params.modulus().as_ref().wrapping_sub(&one);
    if theirs <= one || theirs >= highest {
        return Err(BadPublic);
    }
    let mut exponent = [0; EXPONENT as usize / 8];
    rng.fill_bytes(&mut exponent);
    let exponent = BoxedUint::from_be_slice(&exponent, EXPONENT).map_err(|_| BadPublic)?;
    let power = |base: BoxedUint| {
        let power = BoxedMontyForm::new(base, params).pow_bounded_exp(&exponent, EXPONENT);
        mpint(&power.retrieve().to_be_bytes())
    };
    let two = one.wrapping_add(&one);
    Ok(Answer { client: mpint(client), server: power(two), secret: power(theirs) })
}

fn mpint(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 5);
    out.put_mpint(bytes);
    out
}

fn trim(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn both_sides_agree() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        for group in [Group::Modp1024, Group::Modp2048, Group::Modp4096] {
            // The other side is 2^3: its secret is ours to the third.
            let ours = answer(&[8], group, &mut rng).unwrap();
            let params = group.params();
            let public = BoxedUint::from_be_slice(trim(&ours.server[4..]), params.bits_precision());
            let cube = BoxedMontyForm::new(public.unwrap(), params)
                .pow(&BoxedUint::from(3_u32))
                .retrieve();
            assert_eq!(ours.secret, mpint(&cube.to_be_bytes()));
        }
    }

    #[test]
    fn values_that_give_no_secret_are_refused() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let highest = {
            let mut prime = Group::Modp2048.params().modulus().as_ref().to_be_bytes().to_vec();
            *prime.last_mut().unwrap() -= 1;
            prime
        };
        for client in [&[][..], &[0], &[1], &[0, 0, 1], &highest, &[0xff; 256], &[0xff; 300]] {
            assert_eq!(answer(client, Group::Modp2048, &mut rng).unwrap_err(), BadPublic);
        }
    }
}
