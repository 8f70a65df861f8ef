//! The persistent choices of one decky.

use base_model::PersonaSecret;
use chacha20::ChaCha12Rng;
use hkdf::Hkdf;
use rand_core::{Rng, SeedableRng};
use sha2::Sha256;

/// Draws from a [`PersonaSecret`], one independent stream per label: HKDF-SHA256 (RFC 5869) with
/// the label as `info`. The same label always gives the same draw; adding one moves no other.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'a>(&'a PersonaSecret);

impl<'a> Choices<'a> {
    /// The choices of the decky that owns `secret`.
    #[must_use]
    pub const fn new(secret: &'a PersonaSecret) -> Self {
        Self(secret)
    }

    /// `N` bytes for `label`.
    #[must_use]
    pub fn bytes<const N: usize>(&self, label: &str) -> [u8; N] {
        let mut out = [0; N];
        self.stream(label).fill_bytes(&mut out);
        out
    }

    /// An endless stream for `label`.
    #[must_use]
    pub fn stream(&self, label: &str) -> ChaCha12Rng {
        let mut seed = [0; 32];
        let hkdf = Hkdf::<Sha256>::new(Some(b"decnet persona v1"), self.0.expose());
        // 32 bytes is always a valid HKDF-SHA256 length; a failure would leave the zero seed.
        let expanded = hkdf.expand(label.as_bytes(), &mut seed);
        debug_assert!(expanded.is_ok());
        ChaCha12Rng::from_seed(seed)
    }

    /// A number in `low..=high`.
    #[must_use]
    pub fn range(&self, label: &str, low: u64, high: u64) -> u64 {
        let span = u128::from(high.saturating_sub(low)) + 1;
        let scaled = (u128::from(self.stream(label).next_u64()) * span) >> 64;
        low.saturating_add(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    /// One of `options`; `None` when there are none.
    #[must_use]
    pub fn pick<'o, T>(&self, label: &str, options: &'o [T]) -> Option<&'o T> {
        let last = u64::try_from(options.len().checked_sub(1)?).ok()?;
        options.get(usize::try_from(self.range(label, 0, last)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_stable_and_independent_of_others() {
        let secret = PersonaSecret::new([7; 32]);
        let choices = Choices::new(&secret);
        assert_eq!(choices.bytes::<16>("a"), choices.bytes::<16>("a"));
        assert_ne!(choices.bytes::<16>("a"), choices.bytes::<16>("b"));
        let other = PersonaSecret::new([8; 32]);
        assert_ne!(choices.bytes::<16>("a"), Choices::new(&other).bytes::<16>("a"));
    }

    #[test]
    fn ranges_reach_both_ends_and_stay_inside() {
        let secret = PersonaSecret::new([7; 32]);
        let choices = Choices::new(&secret);
        let draws: Vec<u64> = (0..200).map(|n| choices.range(&n.to_string(), 3, 5)).collect();
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&3), Some(&5)));
        assert_eq!(choices.pick::<u8>("x", &[]), None);
    }
}
