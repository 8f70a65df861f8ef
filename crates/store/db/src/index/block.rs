//! One block of the index: in which of its groups each slot occurs.
//!
//! A page holds the slots that share their upper byte, those without any group left out: lower byte,
//! count, and that many group numbers; or lower byte, 0, and a bit per group when that is shorter.

use super::slots;

/// Rows of a group. Neighbours share most of what they say and lie on one page of the database:
/// to name them together makes the index several times smaller, and testing a few rows more costs
/// little.
pub(crate) const GROUP_ROWS: u64 = 16;
/// Rows of a block.
pub const BLOCK_ROWS: u64 = GROUP_ROWS * 256;
/// Slots, and as many sets in the memory of a block in the making: 2 MiB.
const SLOTS: usize = 1 << 16;
/// Length of a set with a bit per group.
const BITS: usize = 32;

/// Some groups of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Groups([u64; 4]);

impl Groups {
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);
    pub(crate) const NONE: Self = Self([0; 4]);

    fn insert(&mut self, group: u8) {
        if let Some(word) = self.0.get_mut(usize::from(group >> 6)) {
            *word |= 1 << (group & 63);
        }
    }

    fn contains(self, group: u8) -> bool {
        self.0.get(usize::from(group >> 6)).is_some_and(|word| word >> (group & 63) & 1 == 1)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    pub(crate) fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |group| self.contains(*group))
    }

    fn write(self, page: &mut Vec<u8>) {
        match u8::try_from(self.len()) {
            Ok(count) if usize::from(count) < BITS => {
                page.push(count);
                page.extend(self.iter());
            }
            _ => {
                page.push(0);
                page.extend(self.0.iter().flat_map(|word| word.to_le_bytes()));
            }
        }
    }

    fn of_bits(bytes: &[u8]) -> Self {
        let mut groups = Self::NONE;
        for (word, bytes) in groups.0.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        groups
    }

    fn of_list(bytes: &[u8]) -> Self {
        let mut groups = Self::NONE;
        bytes.iter().for_each(|group| groups.insert(*group));
        groups
    }
}

/// A block in the making.
pub(super) struct Marks(Vec<Groups>);

impl Marks {
    pub(super) fn new() -> Self {
        Self(vec![Groups::NONE; SLOTS])
    }

    /// Says that a row of `group` has `text`.
    pub(super) fn add(&mut self, group: u8, text: &str) {
        slots::each(text, |slot| {
            if let Some(groups) = self.0.get_mut(usize::from(slot)) {
                groups.insert(group);
            }
        });
    }

    /// The pages that are not empty, by the upper byte of their slots.
    pub(super) fn pages(&self) -> Vec<(u8, Vec<u8>)> {
        let page = |sets: &[Groups]| {
            let mut page = Vec::new();
            for (low, groups) in (0..=u8::MAX).zip(sets).filter(|(_, set)| **set != Groups::NONE) {
                page.push(low);
                groups.write(&mut page);
            }
            page
        };
        let all = (0..=u8::MAX).zip(self.0.chunks(256).map(page));
        all.filter(|(_, page)| !page.is_empty()).collect()
    }
}

/// The groups of the slot with this lower byte. A damaged page has whatever it says.
pub(super) fn groups(mut page: &[u8], low: u8) -> Groups {
    while let [at, count, rest @ ..] = page {
        let length = if *count == 0 { BITS } else { usize::from(*count) };
        let (set, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if *at == low {
            return if *count == 0 { Groups::of_bits(set) } else { Groups::of_list(set) };
        }
        page = rest;
    }
    Groups::NONE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_up(pages: &[(u8, Vec<u8>)], slot: u16) -> Groups {
        let [high, low] = slot.to_be_bytes();
        let page = pages.iter().find(|(number, _)| *number == high);
        page.map_or(Groups::NONE, |(_, page)| groups(page, low))
    }

    #[test]
    fn the_largest_block_is_a_fixed_size() {
        let mut marks = Marks::new();
        marks.0.iter_mut().for_each(|set| *set = Groups::ALL);
        let pages = marks.pages();
        assert_eq!(pages.iter().map(|(_, page)| page.len()).sum::<usize>(), 65_536 * 34);
        assert_eq!(looked_up(&pages, 0xffff), Groups::ALL);
    }

    proptest::proptest! {
        #[test]
        fn a_slot_reads_back_as_it_was_written(
            sets in proptest::collection::btree_map(
                0..600_u16, proptest::collection::btree_set(0..=255_u8, 0..80), 0..40),
        ) {
            let mut marks = Marks::new();
            for (slot, set) in &sets {
                set.iter().for_each(|group| marks.0[usize::from(*slot)].insert(*group));
            }
            let pages = marks.pages();
            for slot in 0..600 {
                let read: Vec<u8> = looked_up(&pages, slot).iter().collect();
                let written: Vec<u8> = sets.get(&slot).into_iter().flatten().copied().collect();
                proptest::prop_assert_eq!(read.len(), looked_up(&pages, slot).len() as usize);
                proptest::prop_assert_eq!(read, written);
            }
        }

        #[test]
        fn any_bytes_read_as_some_groups(
            page in proptest::collection::vec(0..=255_u8, 0..200), low in 0..=255_u8,
        ) {
            proptest::prop_assert!(groups(&page, low).len() <= 256);
        }
    }
}
