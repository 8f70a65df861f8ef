//! Streamlined NTRU Prime 761 beside X25519 (RFC 9941).
//!
//! A server only encapsulates: it hides a random small polynomial under the client's public one.
//! What depends on that polynomial runs in constant time: it is drawn by sorting with a fixed
//! network, and multiplied without looking at it.

use chacha20::ChaCha12Rng;
use rand_core::Rng as _;

use super::{Answer, BadPublic, Hash, ecdh};
use crate::ssh::wire::Put as _;

/// Degree of the polynomials.
const P: usize = 761;
/// Modulus of their coefficients.
const Q: i32 = 4591;
/// Half of it: coefficients are in `-HALF..=HALF`.
const HALF: i32 = (Q - 1) / 2;
/// Non-zero coefficients of a small polynomial.
const WEIGHT: usize = 286;
/// Bytes of a public key.
const PUBLIC: usize = 1158;
/// Rounded coefficients are multiples of three: as many as there are.
const ROUNDED: u32 = 1531;
/// Below this a value stays for the next level of the encoding.
const LIMIT: u32 = 16384;

pub(super) fn answer(client: &[u8], rng: &mut ChaCha12Rng) -> Result<Answer, BadPublic> {
    let (key, curve) = client.split_at_checked(PUBLIC).ok_or(BadPublic)?;
    let (hidden, secret) = encapsulate(key, rng);
    let (public, shared) = ecdh::agree(curve, rng)?;
    let mut server = Vec::with_capacity(hidden.len() + 36);
    server.put_string(&[&hidden[..], &public].concat());
    let mut mine = Vec::with_capacity(client.len() + 4);
    mine.put_string(client);
    let mut hashed = Vec::with_capacity(68);
    hashed.put_string(&Hash::Sha512.of(&[&secret, &shared]));
    Ok(Answer { client: mine, server, secret: hashed })
}

/// The ciphertext for the holder of `key`, and the secret it carries.
fn encapsulate(key: &[u8], rng: &mut ChaCha12Rng) -> (Vec<u8>, Vec<u8>) {
    let small = draw(rng);
    let encoded = encode_small(&small);
    let inner = prefixed(3, &[&encoded]);
    let product = multiply(&decode_public(key), &small);
    let mut hidden = encode_rounded(&product);
    hidden.extend(prefixed(2, &[&inner, &prefixed(4, &[key])]));
    let secret = prefixed(1, &[&inner, &hidden]);
    (hidden, secret)
}

/// The first half of the SHA-512 of `parts` behind a byte that tells uses apart.
fn prefixed(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut all: Vec<&[u8]> = vec![std::slice::from_ref(&prefix)];
    all.extend(parts);
    let mut hash = Hash::Sha512.of(&all);
    hash.truncate(32);
    hash
}

/// A random polynomial with [`WEIGHT`] coefficients of ±1 and the others 0.
fn draw(rng: &mut ChaCha12Rng) -> Vec<i32> {
    let mut list: Vec<u32> = (0..P).map(|_| rng.next_u32()).collect();
    for (at, value) in list.iter_mut().enumerate() {
        *value = if at < WEIGHT { *value & !1 } else { (*value & !3) | 1 };
    }
    sort(&mut list);
    // The low bits are 0 to 2.
    list.iter().map(|value| (value & 3).cast_signed() - 1).collect()
}

/// Sorts with comparisons that do not depend on what is sorted (Batcher's merge exchange).
fn sort(list: &mut [u32]) {
    let count = list.len();
    let mut top = 1;
    while top < count - top {
        top *= 2;
    }
    let mut p = top;
    while p > 0 {
        for at in 0..count - p {
            if at & p == 0 {
                exchange(list, at, at + p);
            }
        }
        let mut at = 0;
        let mut q = top;
        while q > p {
            while at + q < count {
                if at & p == 0 {
                    let mut r = q;
                    while r > p {
                        exchange(list, at + p, at + r);
                        r /= 2;
                    }
                }
                at += 1;
            }
            q /= 2;
        }
        p /= 2;
    }
}

/// Puts the smaller of two elements at `low`, without a branch.
fn exchange(list: &mut [u32], low: usize, high: usize) {
    let Ok([a, b]) = list.get_disjoint_mut([low, high]) else { return };
    let less = u64::from(*b).wrapping_sub(u64::from(*a)) >> 63;
    let swap = (*a ^ *b) & u32::from(less != 0).wrapping_neg();
    *a ^= swap;
    *b ^= swap;
}

/// The product modulo x^761 - x - 1, rounded to multiples of three.
fn multiply(public: &[i32], small: &[i32]) -> Vec<i32> {
    let mut product = vec![0; 2 * P - 1];
    for (at, factor) in small.iter().enumerate() {
        let room = product.iter_mut().skip(at);
        room.zip(public).for_each(|(sum, coefficient)| *sum += coefficient * factor);
    }
    let high = product.split_off(P);
    // x^(761 + n) = x^n + x^(n + 1).
    product.iter_mut().zip(&high).for_each(|(low, high)| *low += high);
    product.iter_mut().skip(1).zip(&high).for_each(|(low, high)| *low += high);
    for coefficient in &mut product {
        let centred = remainder(*coefficient + HALF, Q) - HALF;
        *coefficient = centred - (remainder(centred + 1, 3) - 1);
    }
    product
}

/// `value` modulo `modulus`, never negative, without a branch.
const fn remainder(value: i32, modulus: i32) -> i32 {
    let remainder = value % modulus;
    remainder + (modulus & (remainder >> 31))
}

/// Four coefficients to a byte.
fn encode_small(small: &[i32]) -> Vec<u8> {
    let byte = |four: &[i32]| {
        let bits = four.iter().rev().fold(0, |byte, coefficient| (byte << 2) + coefficient + 1);
        u8::try_from(bits).unwrap_or_default()
    };
    small.chunks(4).map(byte).collect()
}

fn encode_rounded(rounded: &[i32]) -> Vec<u8> {
    let thirds = rounded.iter().map(|coefficient| ((coefficient + HALF) * 10923) >> 15);
    let mut values: Vec<(u32, u32)> =
        thirds.map(|third| (third.cast_unsigned(), ROUNDED)).collect();
    let mut out = Vec::with_capacity(1039);
    let mut emit = |value: &mut u32, range: &mut u32, limit: u32| {
        while *range >= limit {
            out.extend(value.to_le_bytes().first());
            *value >>= 8;
            *range = range.div_ceil(256);
        }
    };
    while values.len() > 1 {
        let pairs = values.chunks(2).map(|pair| match *pair {
            [(first, range), (second, times)] => {
                let (mut value, mut range) = (first + second * range, times * range);
                emit(&mut value, &mut range, LIMIT);
                (value, range)
            }
            _ => pair.first().copied().unwrap_or_default(),
        });
        values = pairs.collect();
    }
    for (mut value, mut range) in values {
        emit(&mut value, &mut range, 2);
    }
    out
}

/// The client's polynomial; whatever the bytes are, its coefficients are in range.
fn decode_public(key: &[u8]) -> Vec<i32> {
    let mut bytes = key.iter().map(|&byte| u32::from(byte));
    let mut next = || bytes.next().unwrap_or_default();
    // Downwards: what each level took from the front, as a value and its range.
    let mut ranges = vec![Q.cast_unsigned(); P];
    let mut levels = Vec::new();
    while ranges.len() > 1 {
        let mut bottoms = Vec::with_capacity(ranges.len() / 2);
        let mut upper = Vec::with_capacity(ranges.len().div_ceil(2));
        for pair in ranges.chunks(2) {
            let [first, second] = *pair else {
                upper.extend(pair);
                continue;
            };
            let mut range = first * second;
            let (mut value, mut taken) = (0, 1);
            while range >= LIMIT {
                value += next() * taken;
                taken *= 256;
                range = range.div_ceil(256);
            }
            bottoms.push((value, taken));
            upper.push(range);
        }
        levels.push((std::mem::replace(&mut ranges, upper), bottoms));
    }
    // Upwards again, each value splitting into two.
    let mut values = Vec::new();
    for range in ranges {
        let value = if range > 256 { next() + 256 * next() } else { next() };
        values.push(value % range.max(1));
    }
    while let Some((ranges, bottoms)) = levels.pop() {
        let mut lower = Vec::with_capacity(ranges.len());
        let mut bottoms = bottoms.iter();
        for (pair, value) in ranges.chunks(2).zip(values) {
            match (pair, bottoms.next()) {
                ([first, second], Some((bottom, taken))) => {
                    let value = bottom + taken * value;
                    lower.push(value % first);
                    lower.push(value / first % second);
                }
                _ => lower.push(value),
            }
        }
        values = lower;
    }
    values.into_iter().map(|value| value.cast_signed() - HALF).collect()
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn sorting_sorts() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        for count in [1, 2, 3, 5, 64, 100, 761] {
            let mut list: Vec<u32> = (0..count).map(|_| rng.next_u32()).collect();
            let mut expected = list.clone();
            expected.sort_unstable();
            sort(&mut list);
            assert_eq!(list, expected);
        }
    }

    #[test]
    fn a_drawn_polynomial_has_the_right_weight() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let small = draw(&mut rng);
        assert_eq!(small.iter().filter(|coefficient| **coefficient != 0).count(), WEIGHT);
        assert!(small.contains(&1) && small.contains(&-1));
        assert_ne!(small, draw(&mut rng));
    }

    #[test]
    fn any_bytes_are_a_public_key() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        for key in [vec![0; PUBLIC], vec![0xff; PUBLIC], vec![0x5a; PUBLIC]] {
            let public = decode_public(&key);
            assert!(public.len() == P && public.iter().all(|c| (-HALF..=HALF).contains(c)));
            let (hidden, secret) = encapsulate(&key, &mut rng);
            assert_eq!((hidden.len(), secret.len()), (1039, 32));
        }
        assert_eq!(answer(&[0; PUBLIC], &mut rng).unwrap_err(), BadPublic);
    }
}
