//! The bytes of one file: as programs see them, and as a power cut leaves them.

use std::collections::BTreeSet;

/// What a disk writes whole or not at all.
pub(super) const PAGE: u64 = 4096;

/// Bytes with a memory of what was made durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Pages in which the two may differ.
    dirty: BTreeSet<u64>,
}

impl Content {
    /// Content that is durable.
    fn settled(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), live: bytes, dirty: BTreeSet::new() }
    }

    pub(super) fn len(&self) -> u64 {
        self.live.len() as u64
    }

    pub(super) fn read(&self, offset: u64, size: u64) -> &[u8] {
        let start = offset.min(self.len()) as usize;
        let end = offset.saturating_add(size).min(self.len()) as usize;
        &self.live[start..end]
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len() as u64;
        if end > self.len() {
            self.resize(end);
        }
        self.live[offset as usize..end as usize].copy_from_slice(bytes);
        self.dirty.extend(offset / PAGE..=(end - 1) / PAGE);
    }

    pub(super) fn resize(&mut self, len: u64) {
        let (from, to) = (len.min(self.len()), len.max(self.len()));
        self.dirty.extend(from / PAGE..to.div_ceil(PAGE));
        self.live.resize(len as usize, 0);
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for page in std::mem::take(&mut self.dirty) {
            let start = ((page * PAGE) as usize).min(self.live.len());
            let end = ((page + 1) * PAGE).min(self.len()) as usize;
            self.durable[start..end].copy_from_slice(&self.live[start..end]);
        }
    }

    /// What a power cut leaves: the durable bytes, and of the pages written since those that `keep`
    /// says had reached the disk.
    pub(super) fn after_power_cut(&self, mut keep: impl FnMut() -> bool) -> Self {
        let mut left = self.durable.clone();
        if self.live.len() < left.len() && keep() {
            left.truncate(self.live.len());
        }
        for page in &self.dirty {
            let start = ((page * PAGE) as usize).min(self.live.len());
            let end = ((page + 1) * PAGE).min(self.len()) as usize;
            if start < end && keep() {
                left.resize(left.len().max(end), 0);
                left[start..end].copy_from_slice(&self.live[start..end]);
            }
        }
        Self::settled(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_synced_is_gone_or_torn_by_pages() {
        let mut content = Content::default();
        content.write(0, &[1; 5000]);
        content.sync();
        content.write(4000, &[2; 6000]);
        assert_eq!(content.len(), 10_000);
        assert_eq!(content.after_power_cut(|| false).read(0, 9999), [1; 5000]);
        assert_eq!(content.after_power_cut(|| true).read(0, 99_999), content.read(0, 99_999));
        let mut turns = [false, true, false].into_iter();
        let torn = content.after_power_cut(|| turns.next().unwrap());
        assert_eq!(torn.len(), 8192);
        assert_eq!(torn.read(0, 4096), [1; 4096]);
        assert_eq!(torn.read(4096, 4096), [2; 4096]);
    }

    #[test]
    fn a_cut_that_was_not_synced_comes_back() {
        let mut content = Content::default();
        content.write(0, &[1; 9000]);
        content.sync();
        content.resize(10);
        assert_eq!(content.after_power_cut(|| false).len(), 9000);
        content.resize(6000);
        content.sync();
        let left = content.after_power_cut(|| false);
        assert_eq!((left.len(), left.read(9, 2)), (6000, &[1, 0][..]));
    }
}
