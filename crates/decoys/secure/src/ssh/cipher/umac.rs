//! UMAC (RFC 4418) with tags of 8 and 16 bytes, as OpenSSH's `umac-64` and `umac-128`.
//!
//! Messages are SSH packets, so the part of the second layer that takes over beyond 16 MiB is not
//! here. Nothing branches on key or message except the marker of the polynomial, as in the RFC.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};

/// Bytes of message per first-layer block.
const BLOCK: usize = 1024;
/// The first layer's key of one stream, in words; each further stream begins four words later.
const L1_WORDS: usize = BLOCK / 4;
/// 2^64 - 59.
const P64: u128 = 0xffff_ffff_ffff_ffc5;
/// 2^36 - 5.
const P36: u64 = 0xf_ffff_fffb;
const MASK64: u64 = 0x01ff_ffff_01ff_ffff;

/// One of the parallel hashes whose outputs make up the tag, 4 bytes each.
struct Stream {
    l1: Vec<u32>,
    l2: u64,
    l3: [u64; 8],
    mask: u32,
}

/// A keyed UMAC.
pub(super) struct Umac {
    pad: Aes128,
    streams: Vec<Stream>,
}

impl Umac {
    /// With a tag of `tag` bytes: 8 or 16.
    pub(super) fn new(key: &[u8; 16], tag: usize) -> Self {
        let cipher = Aes128::new(key.into());
        let streams = tag / 4;
        let l1 = derive(&cipher, 1, BLOCK + (streams - 1) * 16);
        let l1: Vec<u32> = words(&l1).collect();
        let l2 = derive(&cipher, 2, streams * 24);
        let l3 = derive(&cipher, 3, streams * 64);
        let masks = derive(&cipher, 4, streams * 4);
        let streams = l2.chunks_exact(24).zip(l3.chunks_exact(64)).zip(words(&masks)).enumerate();
        let streams = streams.map(|(at, ((l2, l3), mask))| Stream {
            l1: l1.iter().copied().skip(at * 4).take(L1_WORDS).collect(),
            l2: double_words(l2).next().unwrap_or_default() & MASK64,
            l3: to_array(double_words(l3).map(|key| key % P36)),
            mask,
        });
        let streams = streams.collect();
        let pad = Aes128::new((&to_array::<u8, 16>(derive(&cipher, 0, 16).into_iter())).into());
        Self { pad, streams }
    }

    /// Appends the tag of `message` under `nonce`.
    pub(super) fn sign(&self, nonce: u64, message: &[u8], tag: &mut Vec<u8>) {
        let half = self.streams.len() == 2;
        let mut pad = [0; 16];
        let counted = if half { nonce & !1 } else { nonce };
        pad.iter_mut().zip(counted.to_be_bytes()).for_each(|(to, from)| *to = from);
        let mut pad = pad.into();
        self.pad.encrypt_block(&mut pad);
        let skipped = if half && nonce & 1 == 1 { 8 } else { 0 };
        let pad = words(&pad).collect::<Vec<_>>();
        let pad = pad.into_iter().skip(skipped / 4);
        for (stream, pad) in self.streams.iter().zip(pad) {
            tag.extend((stream.hash(message) ^ pad).to_be_bytes());
        }
    }
}

impl Stream {
    fn hash(&self, message: &[u8]) -> u32 {
        let high_low = if message.len() <= BLOCK {
            u128::from(self.l1(message))
        } else {
            let sums = message.chunks(BLOCK).map(|block| self.l1(block));
            sums.fold(1, |y, sum| self.l2(y, sum))
        };
        let bytes = high_low.to_be_bytes();
        let pairs =
            bytes.as_chunks::<2>().0.iter().map(|pair| u64::from(u16::from_be_bytes(*pair)));
        let sum = pairs.zip(self.l3).map(|(m, key)| m * key).sum::<u64>() % P36;
        low(sum) ^ self.mask
    }

    /// NH of one block and the length of what it holds.
    fn l1(&self, block: &[u8]) -> u64 {
        let bits = block.len() as u64 * 8;
        let (whole, rest) = block.as_chunks::<32>();
        let mut keys = self.l1.as_chunks::<8>().0.iter();
        let mut sum = bits;
        for (chunk, key) in whole.iter().zip(keys.by_ref()) {
            sum = sum.wrapping_add(nh(chunk, key));
        }
        if (!rest.is_empty() || whole.is_empty())
            && let Some(key) = keys.next()
        {
            let mut last = [0; 32];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            sum = sum.wrapping_add(nh(&last, key));
        }
        sum
    }

    /// One step of the polynomial hash modulo 2^64 - 59.
    fn l2(&self, y: u128, word: u64) -> u128 {
        let key = u128::from(self.l2);
        if word >= 0xffff_ffff_0000_0000 {
            let y = (key * y + (P64 - 1)) % P64;
            (key * y + u128::from(word - 59)) % P64
        } else {
            (key * y + u128::from(word)) % P64
        }
    }
}

/// Message words are little-endian here: the RFC swaps them first.
fn nh(chunk: &[u8; 32], key: &[u32; 8]) -> u64 {
    let (words, _) = chunk.as_chunks::<4>();
    let mut sums = [0_u32; 8];
    for ((sum, word), key) in sums.iter_mut().zip(words).zip(key) {
        *sum = u32::from_le_bytes(*word).wrapping_add(*key);
    }
    let [a, b, c, d, e, f, g, h] = sums.map(u64::from);
    (a * e).wrapping_add(b * f).wrapping_add(c * g).wrapping_add(d * h)
}

/// The key derivation of RFC 4418 §3.2.1.
fn derive(cipher: &Aes128, index: u64, bytes: usize) -> Vec<u8> {
    let blocks = (1..=bytes.div_ceil(16) as u64).flat_map(|count| {
        let mut block = [0; 16];
        let counted = index.to_be_bytes().into_iter().chain(count.to_be_bytes());
        block.iter_mut().zip(counted).for_each(|(to, from)| *to = from);
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        <[u8; 16]>::from(block)
    });
    blocks.take(bytes).collect()
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word))
}

fn double_words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word))
}

fn to_array<T: Copy + Default, const N: usize>(items: impl Iterator<Item = T>) -> [T; N] {
    let mut array = [T::default(); N];
    array.iter_mut().zip(items).for_each(|(to, from)| *to = from);
    array
}

#[expect(clippy::cast_possible_truncation, reason = "the hash is the low half")]
const fn low(value: u64) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(bytes: usize, message: &[u8]) -> String {
        let mut tag = Vec::new();
        let nonce = u64::from_be_bytes(*b"bcdefghi");
        Umac::new(b"abcdefghijklmnop", bytes).sign(nonce, message, &mut tag);
        tag.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// RFC 4418 appendix, without the messages beyond 16 MiB; 128-bit tags extend its 96-bit ones.
    #[test]
    fn tags_are_those_of_rfc_4418() {
        for (message, short, long) in [
            (Vec::new(), "6E155FAD26900BE1", "32FEDB100C79AD58F07FF7643CC60465"),
            (b"aaa".to_vec(), "44B5CB542F220104", "185E4FE905CBA7BD85E4C2DC3D117D8D"),
            (vec![b'a'; 1 << 10], "26BF2F5D60118BD9", "7A54ABE04AF82D60FB298C3CBD195BCB"),
            (vec![b'a'; 1 << 15], "27F8EF643B0D118D", "7B136BD911E4B734286EF2BE501F2C3C"),
            (b"abc".to_vec(), "D4D7B9F6BD4FBFCF", "883C3D4B97A61976FFCF232308CBA5A5"),
            (b"abc".repeat(500), "D4CF26DDEFD5C01A", "8824A260C53C66A36C9260A62CB83AA1"),
        ] {
            assert_eq!(tag(8, &message), short, "{} bytes", message.len());
            assert_eq!(tag(16, &message), long, "{} bytes", message.len());
        }
    }

    #[test]
    fn neighbouring_nonces_have_tags_of_their_own() {
        let umac = Umac::new(&[7; 16], 8);
        let mut tags = std::collections::BTreeSet::new();
        for nonce in 0..64 {
            let mut tag = Vec::new();
            umac.sign(nonce, b"message", &mut tag);
            assert!(tags.insert(tag));
        }
    }
}
