//! The file format of snapshots, as `SAVE` writes it: what lands in a folder an intruder chose.
//!
//! Containers are written in their general forms, which every version reads.

use super::keyspace::{DATABASES, Keyspace};
use super::value::Value;

/// Facts of a server that a snapshot names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    pub(super) version: &'a str,
    pub(super) seven: bool,
    /// Seconds since the epoch.
    pub(super) at: i64,
    pub(super) used_memory: u64,
}

/// All of `keys` that is there at `now` (milliseconds), as a file.
pub(super) fn dump(keys: &Keyspace, stamp: Stamp<'_>, now: i64) -> Vec<u8> {
    let mut out = if stamp.seven { b"REDIS0010" } else { b"REDIS0009" }.to_vec();
    let mut aux = |name: &str, value: &[u8]| {
        out.push(0xfa);
        string(&mut out, name.as_bytes());
        string(&mut out, value);
    };
    aux("redis-ver", stamp.version.as_bytes());
    aux("redis-bits", b"64");
    aux("ctime", stamp.at.to_string().as_bytes());
    aux("used-mem", stamp.used_memory.to_string().as_bytes());
    aux(if stamp.seven { "aof-base" } else { "aof-preamble" }, b"0");
    for db in 0..DATABASES {
        let live: Vec<Vec<u8>> = keys
            .scattered(db)
            .into_iter()
            .map(|(_, key)| key)
            .filter(|key| keys.get(db, key, now).is_some())
            .collect();
        if live.is_empty() {
            continue;
        }
        let timed = |key: &&Vec<u8>| keys.get(db, key, now).is_some_and(|e| e.expires.is_some());
        out.push(0xfe);
        length(&mut out, db);
        out.push(0xfb);
        length(&mut out, live.len());
        length(&mut out, live.iter().filter(timed).count());
        for key in &live {
            let Some(entry) = keys.get(db, key, now) else { continue };
            if let Some(at) = entry.expires {
                out.push(0xfc);
                out.extend_from_slice(&at.to_le_bytes());
            }
            out.push(kind(&entry.value));
            string(&mut out, key);
            value(&mut out, &entry.value);
        }
    }
    out.push(0xff);
    let sum = crc64(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// One value as `DUMP` gives it.
pub(super) fn one(entry: &Value, seven: bool) -> Vec<u8> {
    let mut out = vec![kind(entry)];
    value(&mut out, entry);
    out.extend_from_slice(&(if seven { 10_u16 } else { 9 }).to_le_bytes());
    let sum = crc64(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Whether the footer of `payload` is right for this server.
pub(super) fn is_sealed(payload: &[u8], seven: bool) -> bool {
    let Some((body, sum)) = payload.split_last_chunk::<8>() else { return false };
    let Some((_, version)) = body.split_last_chunk::<2>() else { return false };
    u16::from_le_bytes(*version) <= if seven { 10 } else { 9 }
        && (*sum == [0; 8] || u64::from_le_bytes(*sum) == crc64(body))
}

/// The text in `payload`, if it holds one that is not compressed.
pub(super) fn read_text(payload: &[u8]) -> Option<Vec<u8>> {
    let (body, _) = payload.split_last_chunk::<10>()?;
    let rest = body.strip_prefix(&[0])?;
    let (first, rest) = rest.split_first()?;
    let number = |bytes: &[u8]| {
        let mut wide = [if bytes.last()? & 0x80 == 0 { 0 } else { 0xff }; 8];
        wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Some(i64::from_le_bytes(wide).to_string().into_bytes())
    };
    let exactly = |length: usize, rest: &[u8]| (rest.len() == length).then(|| rest.to_vec());
    match first >> 6 {
        0 => exactly(usize::from(*first), rest),
        1 => {
            let (low, rest) = rest.split_first()?;
            exactly(usize::from(first & 0x3f) << 8 | usize::from(*low), rest)
        }
        2 if *first == 0x80 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            exactly(usize::try_from(u32::from_be_bytes(*length)).ok()?, rest)
        }
        3 if *first <= 0xc2 && rest.len() == 1 << (first & 3) => number(rest),
        _ => None,
    }
}

const fn kind(value: &Value) -> u8 {
    match value {
        Value::Text(_) => 0,
        Value::List(_) => 1,
        Value::Set(_) => 2,
        Value::Hash(_) => 4,
        Value::Sorted(_) => 5,
    }
}

fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => string(out, text),
        Value::List(items) => {
            length(out, items.len());
            items.iter().for_each(|item| string(out, item));
        }
        Value::Set(items) => {
            length(out, items.len());
            items.iter().for_each(|item| string(out, item));
        }
        Value::Hash(hash) => {
            length(out, hash.len());
            for (field, value) in hash.iter() {
                string(out, field);
                string(out, value);
            }
        }
        Value::Sorted(sorted) => {
            length(out, sorted.len());
            for (member, score) in sorted.ranked().into_iter().rev() {
                string(out, &member);
                out.extend_from_slice(&score.to_le_bytes());
            }
        }
    }
}

/// A string, small numbers in their short form.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() <= 11
        && let Some(number) = super::parser::number(bytes)
    {
        if let Ok(number) = i8::try_from(number) {
            out.push(0xc0);
            return out.extend_from_slice(&number.to_le_bytes());
        }
        if let Ok(number) = i16::try_from(number) {
            out.push(0xc1);
            return out.extend_from_slice(&number.to_le_bytes());
        }
        if let Ok(number) = i32::try_from(number) {
            out.push(0xc2);
            return out.extend_from_slice(&number.to_le_bytes());
        }
    }
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn length(out: &mut Vec<u8>, length: usize) {
    let [.., high, low] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    if length < 64 {
        out.push(low);
    } else if length < 16_384 {
        out.extend_from_slice(&[0x40 | high, low]);
    } else {
        out.push(0x80);
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
}

/// CRC-64 with the polynomial of Jones, reflected.
fn crc64(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte), |crc: u64, _| {
            if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::keyspace::Entry;

    #[test]
    fn the_checksum_is_that_of_redis() {
        // The check value of crc64.c.
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }

    #[test]
    fn a_key_planted_by_an_intruder_is_readable_in_the_file() {
        let mut keys = Keyspace::new(1);
        let value = Value::Text(b"\n\nssh-rsa AAAAB3 x@y\n\n".to_vec());
        keys.put(0, b"crackit", Entry { value, expires: None, touched: 0 }).unwrap();
        let stamp =
            Stamp { version: "7.0.15", seven: true, at: 1_795_629_433, used_memory: 900_000 };
        let file = dump(&keys, stamp, 0);
        assert!(file.starts_with(b"REDIS0010\xfa\x09redis-ver\x067.0.15"));
        let planted = b"\x00\x07crackit\x16\n\nssh-rsa AAAAB3 x@y\n\n\xff";
        assert!(file.windows(planted.len()).any(|window| window == planted));
    }

    #[test]
    fn a_dumped_value_is_sealed() {
        let payload = one(&Value::Text(b"10".to_vec()), true);
        // As the real server answers `DUMP` for 10.
        assert_eq!(payload[..5], [0x00, 0xc0, 0x0a, 0x0a, 0x00]);
        assert!(is_sealed(&payload, true) && !is_sealed(b"x", true));
        for text in [&b"10"[..], b"-1", b"70000", b"", &[b'x'; 300], &[7; 20_000]] {
            let payload = one(&Value::Text(text.to_vec()), true);
            assert_eq!(read_text(&payload).as_deref(), Some(text));
        }
    }
}
