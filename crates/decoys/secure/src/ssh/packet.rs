//! Packets (RFC 4253 §6): framing, sequence numbers, padding, compression, and how much was sent
//! under the present keys.

use chacha20::ChaCha12Rng;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use rand_core::Rng as _;

use super::cipher::{Opener, Opening, Sealer};

/// OpenSSH's `PACKET_MAX_SIZE`.
const MAX_PACKET: u32 = 256 * 1024;
/// Longest payload after decompression.
const MAX_PAYLOAD: usize = 256 * 1024;
/// OpenSSH's `MAX_PACKETS`: keys are changed before sequence numbers come round.
const MAX_PACKETS: u64 = 1 << 31;
/// Spent bytes at the front of the input are cut off from here on.
const SPENT: usize = 64 * 1024;

/// A packet that OpenSSH closes the connection for without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Its length is out of range or no multiple of the block.
    #[error("bad packet length")]
    Length,
    /// Its tag is wrong.
    #[error("corrupted mac on input")]
    Mac,
    /// Its padding is longer than itself, or shorter than four bytes.
    #[error("corrupted padding on input")]
    Padding,
    /// It does not decompress, or to too much.
    #[error("corrupted compressed data")]
    Compression,
}

/// Traffic under one set of keys.
#[derive(Default)]
struct Spent {
    blocks: u64,
    packets: u64,
}

impl Spent {
    fn add(&mut self, bytes: usize, block: usize) {
        self.blocks += (bytes / block.max(1)) as u64;
        self.packets += 1;
    }

    /// OpenSSH's `RekeyLimit default none`: 2^32 blocks of AES, 1 GiB of smaller ones.
    fn is_over(&self, block: usize) -> bool {
        let blocks = if block >= 16 { 1 << (block * 2) } else { (1 << 30) / block.max(1) as u64 };
        self.blocks > blocks || self.packets > MAX_PACKETS
    }
}

/// What comes in.
pub(super) struct Inbound {
    bytes: Vec<u8>,
    /// Bytes in front that were taken.
    taken: usize,
    number: u32,
    /// Length of the packet that is coming in, once known.
    length: Option<usize>,
    opener: Opener,
    inflate: Option<Box<Decompress>>,
    spent: Spent,
}

impl Inbound {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            taken: 0,
            number: 0,
            length: None,
            opener: Opener::Clear,
            inflate: None,
            spent: Spent::default(),
        }
    }

    /// Adds bytes as they come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            // One large packet must not stay with an idle connection.
            self.bytes.shrink_to(SPENT);
            self.taken = 0;
        } else if self.taken > SPENT {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that were not taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.bytes.len().saturating_sub(self.taken)
    }

    /// Takes the next packet's payload into `payload` and returns its number, if it is whole.
    pub(super) fn take(&mut self, payload: &mut Vec<u8>) -> Result<Option<u32>, Fault> {
        let Some(unread) = self.bytes.get_mut(self.taken..) else { return Ok(None) };
        let length = match self.length {
            Some(length) => length,
            None => {
                let Opening::Length(length) = self.opener.begin(self.number, unread) else {
                    return Ok(None);
                };
                if !(5..=MAX_PACKET).contains(&length) || !self.opener.fits(length as usize) {
                    return Err(Fault::Length);
                }
                *self.length.insert(length as usize)
            }
        };
        let whole = 4 + length + self.opener.tag();
        let Some(packet) = unread.get_mut(..whole) else { return Ok(None) };
        if !self.opener.finish(self.number, packet) {
            return Err(Fault::Mac);
        }
        let plain = packet.get(4..4 + length).unwrap_or_default();
        let (padding, rest) = plain.split_first().ok_or(Fault::Padding)?;
        let end = rest.len().checked_sub(usize::from(*padding)).ok_or(Fault::Padding)?;
        let content = rest.get(..end).filter(|_| *padding >= 4).ok_or(Fault::Padding)?;
        payload.clear();
        match &mut self.inflate {
            Some(inflate) => decompress(inflate, content, payload)?,
            None => payload.extend_from_slice(content),
        }
        self.spent.add(whole, block(&self.opener));
        self.taken += whole;
        self.length = None;
        let number = self.number;
        self.number = number.wrapping_add(1);
        Ok(Some(number))
    }

    /// Takes packets under new keys from here on; `restart` of their numbers, and whether they
    /// are compressed, with a fresh state.
    pub(super) fn rekey(&mut self, opener: Opener, restart: bool, compressed: bool) {
        self.opener = opener;
        self.spent = Spent::default();
        self.inflate = None;
        if compressed {
            self.decompress();
        }
        if restart {
            self.number = 0;
        }
    }

    /// Decompresses from here on, with a fresh state.
    pub(super) fn decompress(&mut self) {
        self.inflate = Some(Box::new(Decompress::new(true)));
    }

    pub(super) fn is_worn(&self) -> bool {
        self.spent.is_over(block(&self.opener))
    }
}

const fn block(opener: &Opener) -> usize {
    match opener {
        Opener::Clear | Opener::ChaCha(_) => 8,
        Opener::Gcm(_) | Opener::Ctr(_) => 16,
    }
}

fn decompress(
    inflate: &mut Decompress,
    mut input: &[u8],
    payload: &mut Vec<u8>,
) -> Result<(), Fault> {
    loop {
        if payload.len() >= MAX_PAYLOAD {
            return Err(Fault::Compression);
        }
        payload.reserve(4096);
        let before = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress_vec(input, payload, FlushDecompress::Sync);
        let read = usize::try_from(inflate.total_in() - before.0).unwrap_or(usize::MAX);
        input = input.get(read..).unwrap_or_default();
        let status = status.map_err(|_| Fault::Compression)?;
        let moved = read > 0 || inflate.total_out() > before.1;
        if status == Status::StreamEnd || payload.len() > MAX_PAYLOAD {
            return Err(Fault::Compression);
        }
        // Room that was left means that all there was has come out.
        if !moved || (input.is_empty() && payload.len() < payload.capacity()) {
            return if input.is_empty() { Ok(()) } else { Err(Fault::Compression) };
        }
    }
}

/// What goes out.
pub(super) struct Outbound {
    number: u32,
    sealer: Sealer,
    deflate: Option<Box<Compress>>,
    spent: Spent,
}

impl Outbound {
    pub(super) fn new() -> Self {
        Self { number: 0, sealer: Sealer::Clear, deflate: None, spent: Spent::default() }
    }

    /// Appends the packet of `payload` to `out`.
    pub(super) fn put(&mut self, payload: &[u8], rng: &mut ChaCha12Rng, out: &mut Vec<u8>) {
        let compressed = self.deflate.as_mut().map(|deflate| compress(deflate, payload));
        let payload = compressed.as_deref().unwrap_or(payload);
        let (block, start) = (self.sealer.block(), out.len());
        let counted = 5 + payload.len() - self.sealer.uncounted();
        let mut padding = block - counted % block;
        if padding < 4 {
            padding += block;
        }
        let length = u32::try_from(payload.len() + padding + 1).unwrap_or(u32::MAX);
        out.reserve(4 + length as usize + 64);
        out.extend_from_slice(&length.to_be_bytes());
        out.push(u8::try_from(padding).unwrap_or(u8::MAX));
        out.extend_from_slice(payload);
        let mut bytes = [0; 32];
        // OpenSSH pads with zeros as long as nothing is encrypted.
        if !matches!(self.sealer, Sealer::Clear) {
            rng.fill_bytes(&mut bytes);
        }
        out.extend(bytes.iter().take(padding));
        self.sealer.seal(self.number, out, start);
        self.spent.add(out.len() - start, block);
        self.number = self.number.wrapping_add(1);
    }

    /// Sends packets under new keys from here on; `restart` of their numbers, and whether they
    /// are compressed, with a fresh state.
    pub(super) fn rekey(&mut self, sealer: Sealer, restart: bool, compressed: bool) {
        self.sealer = sealer;
        self.spent = Spent::default();
        self.deflate = None;
        if compressed {
            self.compress();
        }
        if restart {
            self.number = 0;
        }
    }

    /// Compresses from here on, with a fresh state.
    pub(super) fn compress(&mut self) {
        self.deflate = Some(Box::new(Compress::new(Compression::new(6), true)));
    }

    pub(super) fn is_worn(&self) -> bool {
        self.spent.is_over(self.sealer.block())
    }

    /// As after a long time.
    #[cfg(test)]
    pub(super) const fn wear_out(&mut self) {
        self.spent.packets = MAX_PACKETS + 1;
    }
}

fn compress(deflate: &mut Compress, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 64);
    let mut input = payload;
    loop {
        let before = deflate.total_in();
        // Never fails: every state takes input with a flush.
        drop(deflate.compress_vec(input, &mut out, FlushCompress::Sync));
        let read = usize::try_from(deflate.total_in() - before).unwrap_or(usize::MAX);
        input = input.get(read..).unwrap_or_default();
        if out.len() < out.capacity() {
            return out;
        }
        out.reserve(4096);
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    fn pair() -> (Outbound, Inbound, ChaCha12Rng) {
        (Outbound::new(), Inbound::new(), ChaCha12Rng::from_seed([1; 32]))
    }

    #[test]
    fn padding_before_keys_is_zero_and_fills_blocks() {
        let (mut outbound, _, mut rng) = pair();
        for length in 0..64 {
            let mut out = Vec::new();
            outbound.put(&vec![9; length], &mut rng, &mut out);
            assert_eq!(out.len() % 8, 0);
            assert!((4..12).contains(&out[4]));
            assert!(out[5 + length..].iter().all(|&byte| byte == 0));
        }
    }

    #[test]
    fn compressed_payloads_of_all_sizes_come_back() {
        let (mut outbound, mut inbound, mut rng) = pair();
        outbound.compress();
        inbound.decompress();
        let mut payload = Vec::new();
        for length in [1, 100, 4095, 4096, 4097, 33_000, 200_000] {
            for byte in [0_u8, 1] {
                let sent: Vec<u8> = (0..length)
                    .map(|at: u32| byte * at.wrapping_mul(2_654_435_761).to_be_bytes()[0])
                    .collect();
                let mut out = Vec::new();
                outbound.put(&sent, &mut rng, &mut out);
                inbound.push(&out);
                assert!(inbound.take(&mut payload).unwrap().is_some());
                assert!(payload == sent, "{length}");
            }
        }
    }

    #[test]
    fn a_compression_bomb_is_refused() {
        let (mut outbound, mut inbound, mut rng) = pair();
        outbound.compress();
        inbound.decompress();
        let mut out = Vec::new();
        outbound.put(&vec![0; 50 << 20], &mut rng, &mut out);
        assert!(out.len() < MAX_PACKET as usize);
        inbound.push(&out);
        assert_eq!(inbound.take(&mut Vec::new()), Err(Fault::Compression));
    }

    #[test]
    fn lengths_out_of_range_are_refused() {
        for length in [0_u32, 4, 5, 13, MAX_PACKET + 4, u32::MAX] {
            let mut inbound = Inbound::new();
            inbound.push(&length.to_be_bytes());
            assert_eq!(inbound.take(&mut Vec::new()), Ok(None));
            inbound.push(&[0; 4]);
            assert_eq!(inbound.take(&mut Vec::new()), Err(Fault::Length), "{length}");
        }
    }

    #[test]
    fn keys_wear_out_as_in_openssh() {
        let mut spent = Spent::default();
        spent.add(1 << 30, 8);
        assert!(!spent.is_over(8));
        spent.add(8, 8);
        assert!(spent.is_over(8) && !spent.is_over(16));
    }
}
