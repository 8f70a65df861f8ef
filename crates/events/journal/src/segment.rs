//! The bytes of a segment file.
//!
//! ```text
//! segment := "DECNETJ1" boot[16] first_seq:u64le frame*
//! frame   := length:u32le crc32:u32le payload[length]
//! payload := blobs:u8 sha256[32]*blobs MessagePack(Record)
//! ```
//! The blob digests stand in front so that shipping needs no decoding. A frame whose length or
//! checksum does not fit ends the segment: it is what a crash left half-written.

use base_model::{BootId, Record, Sha256Digest};

/// First bytes of every segment.
const MAGIC: &[u8; 8] = b"DECNETJ1";
/// Bytes before the first frame.
pub const HEADER: usize = 32;
/// Bytes before a frame's payload.
const FRAME_HEADER: usize = 8;
/// Longest payload. Larger content travels as a blob.
pub const MAX_PAYLOAD: usize = 2 * 1024 * 1024;

/// The bytes before the first frame.
#[must_use]
pub fn header(boot: BootId, first_seq: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&boot.to_bytes());
    out.extend_from_slice(&first_seq.to_le_bytes());
    out
}

/// Boot and first sequence number of a segment, if it is one.
#[must_use]
pub fn parse_header(bytes: &[u8]) -> Option<(BootId, u64)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (boot, rest) = rest.split_first_chunk::<16>()?;
    let (seq, _) = rest.split_first_chunk::<8>()?;
    Some((BootId::from_bytes(*boot), u64::from_le_bytes(*seq)))
}

/// A record cannot be journaled.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Longer than [`MAX_PAYLOAD`].
    #[error("record of {0} bytes exceeds the journal's limit of {MAX_PAYLOAD}")]
    TooLong(usize),
    /// More than 255 blobs.
    #[error("record names {0} blobs, more than 255")]
    TooManyBlobs(usize),
    /// Not encodable; a bug of ours.
    #[error("failed to encode record")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// Appends the frame of `record` to `out`.
///
/// # Errors
/// When it does not fit the format; `out` is then unchanged.
pub fn write_frame(out: &mut Vec<u8>, record: &Record) -> Result<(), Unfit> {
    let blobs =
        u8::try_from(record.blobs.len()).map_err(|_| Unfit::TooManyBlobs(record.blobs.len()))?;
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEADER]);
    out.push(blobs);
    for blob in &record.blobs {
        out.extend_from_slice(blob.as_bytes());
    }
    if let Err(error) = rmp_serde::encode::write_named(out, record) {
        out.truncate(start);
        return Err(error.into());
    }
    let payload = out.get(start + FRAME_HEADER..).unwrap_or_default();
    let (length, checksum) = (payload.len(), crc32fast::hash(payload));
    if length > MAX_PAYLOAD {
        out.truncate(start);
        return Err(Unfit::TooLong(length));
    }
    let mut head = [0; FRAME_HEADER];
    let (left, right) = head.split_at_mut(4);
    left.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    right.copy_from_slice(&checksum.to_le_bytes());
    if let Some(place) = out.get_mut(start..start + FRAME_HEADER) {
        place.copy_from_slice(&head);
    }
    Ok(())
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'b> {
    /// A payload, and how many bytes its frame takes.
    Frame(&'b [u8], usize),
    /// The beginning of a frame; more bytes are needed.
    Partial,
    /// Nothing a frame could begin with.
    Broken,
}

/// Reads one frame.
#[must_use]
pub fn next_frame(bytes: &[u8]) -> Next<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Next::Partial };
    let Some((checksum, rest)) = rest.split_first_chunk::<4>() else { return Next::Partial };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_PAYLOAD {
        return Next::Broken;
    }
    let Some(payload) = rest.get(..length) else { return Next::Partial };
    if crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
        return Next::Broken;
    }
    Next::Frame(payload, FRAME_HEADER + length)
}

/// The blobs a payload names, and its encoded record.
#[must_use]
pub fn split_payload(payload: &[u8]) -> Option<(Vec<Sha256Digest>, &[u8])> {
    let (count, mut rest) = payload.split_first()?;
    let mut blobs = Vec::with_capacity(usize::from(*count));
    for _ in 0..*count {
        let (digest, after) = rest.split_first_chunk::<32>()?;
        blobs.push(Sha256Digest::from_bytes(*digest));
        rest = after;
    }
    Some((blobs, rest))
}

/// The record of a payload.
///
/// # Errors
/// When it is not one; a newer version's record that still has our members is.
pub fn decode(payload: &[u8]) -> Result<Record, rmp_serde::decode::Error> {
    let (_, encoded) = split_payload(payload)
        .ok_or_else(|| rmp_serde::decode::Error::Uncategorized("blob list is cut off".into()))?;
    rmp_serde::from_slice(encoded)
}
