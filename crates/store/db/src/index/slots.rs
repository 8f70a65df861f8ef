//! From texts to slots, for those that are indexed and those that are searched for alike.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Most slots of a search that are looked up: enough to tell any word from another.
const LOOKED_UP: usize = 24;

/// The slots of all runs of three bytes in `text`.
///
/// Letters that a database folds into ASCII ones count as those: what is found in the text with case
/// set aside is found in the slots too.
pub(super) fn each(text: &str, mut slot: impl FnMut(u16)) {
    let mut run = 0_u32;
    for (at, byte) in folded(text).bytes().enumerate() {
        run = (run << 8 | u32::from(byte.to_ascii_lowercase())) & 0x00ff_ffff;
        if at >= 2 {
            slot(of_run(run));
        }
    }
}

/// MariaDB's LOWER makes ASCII of two other letters, the Kelvin sign and the dotted capital I.
fn folded(text: &str) -> Cow<'_, str> {
    const TO_ASCII: [(char, &str); 2] = [('\u{212a}', "k"), ('\u{130}', "i")];
    let mut folded = Cow::Borrowed(text);
    if !text.is_ascii() {
        for (letter, ascii) in TO_ASCII {
            if folded.contains(letter) {
                folded = folded.replace(letter, ascii).into();
            }
        }
    }
    folded
}

/// Spreads runs of similar letters over all slots (Fibonacci hashing). Stored indices depend on it.
const fn of_run(run: u32) -> u16 {
    (run.wrapping_mul(0x9e37_79b1) >> 16) as u16
}

/// What a row must contain to be found, by slots.
#[derive(Debug, Default)]
pub(crate) struct Needles(BTreeSet<u16>);

impl Needles {
    /// Demands that one of a row's texts contains `text`, either as it is or as it stands in a JSON
    /// string: only the pieces count that are the same in both.
    pub(crate) fn add(&mut self, text: &str) {
        let escaped = |c: char| matches!(c, '"' | '\\' | '\0'..='\u{1f}');
        for piece in text.split(escaped) {
            self.add_exact(piece);
        }
    }

    /// Demands that one of a row's texts contains `text` as it is, but for the case of ASCII letters.
    pub(crate) fn add_exact(&mut self, text: &str) {
        each(text, |slot| {
            self.0.insert(slot);
        });
    }

    /// The slots to look up; empty when nothing is demanded that the index knows.
    pub(super) fn slots(&self) -> Vec<u16> {
        let step = self.0.len().div_ceil(LOOKED_UP).max(1);
        self.0.iter().copied().step_by(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(text: &str) -> Vec<u16> {
        let mut slots = Vec::new();
        each(text, |slot| slots.push(slot));
        slots
    }

    #[test]
    fn less_than_three_bytes_have_no_slot() {
        assert!(slots("ab").is_empty());
        assert_eq!(slots("abc").len(), 1);
        assert!(slots("ä").is_empty());
        assert_eq!(slots("❤").len(), 1);
    }

    #[test]
    fn letters_that_a_database_folds_into_ascii_share_slots_with_them() {
        assert_eq!(slots("KIWIS"), slots("\u{212a}\u{130}w\u{130}s"));
        assert_ne!(slots("ÄÖÜ"), slots("äöü"));
    }

    #[test]
    fn what_json_escapes_is_not_demanded() {
        let needles = |text: &str| {
            let mut needles = Needles::default();
            needles.add(text);
            needles.0
        };
        assert!(needles("a\"b\\c\nd").is_empty());
        assert_eq!(
            needles("wget\"http"),
            needles("wget").union(&needles("http")).copied().collect()
        );
    }

    #[test]
    fn a_long_text_asks_for_few_slots() {
        let mut needles = Needles::default();
        needles.add(&(0..250_u8).map(|n| char::from(b'!' + (n % 90))).collect::<String>());
        assert!((LOOKED_UP / 2..=LOOKED_UP).contains(&needles.slots().len()));
    }

    proptest::proptest! {
        #[test]
        fn a_text_has_the_slots_of_all_its_parts(
            before in ".{0,20}", part in ".{0,20}", after in ".{0,20}",
        ) {
            let whole: BTreeSet<u16> =
                slots(&format!("{before}{part}{after}")).into_iter().collect();
            let quoted = serde_json::Value::from(format!("{before}{part}{after}")).to_string();
            let quoted: BTreeSet<u16> = slots(&quoted).into_iter().collect();
            let mut needles = Needles::default();
            needles.add(&part);
            proptest::prop_assert!(needles.0.is_subset(&whole));
            proptest::prop_assert!(needles.0.is_subset(&quoted));
            let mut folded = Needles::default();
            folded.add_exact(&part.to_ascii_uppercase());
            proptest::prop_assert!(folded.0.is_subset(&whole));
        }
    }
}
