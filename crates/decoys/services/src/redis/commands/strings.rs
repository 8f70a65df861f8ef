//! Strings.

use super::{Answer, Call, MAX_BYTES, Reply, Value, not_integer, oom, syntax, wrong_type};
use crate::redis::replies::double;

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let key = call.arg(1).to_vec();
    match name {
        "get" => Ok(Reply::maybe(text(call, &key)?)),
        "set" => set(call, &key),
        "setnx" => {
            if call.peek(&key).is_some() {
                return Ok(Reply::Int(0));
            }
            let value = Value::Text(call.arg(2).to_vec());
            call.put(&key, value, None)?;
            Ok(Reply::Int(1))
        }
        "setex" | "psetex" => {
            let unit = if name == "setex" { "ex" } else { "px" };
            let expires = expiry(call, unit, 2, name)?;
            let value = Value::Text(call.arg(3).to_vec());
            call.put(&key, value, Some(expires))
        }
        "getset" => {
            let old = text(call, &key)?;
            let value = Value::Text(call.arg(2).to_vec());
            call.put(&key, value, None)?;
            Ok(Reply::maybe(old))
        }
        "getdel" => {
            let old = text(call, &key)?;
            call.remove(&key);
            Ok(Reply::maybe(old))
        }
        "getex" => getex(call, &key),
        "mget" => {
            let keys = call.from(1);
            Ok(Reply::Array(
                keys.iter().map(|key| Reply::maybe(text(call, key).unwrap_or(None))).collect(),
            ))
        }
        "mset" | "msetnx" => {
            let pairs = call.from(1);
            if pairs.len() % 2 == 1 {
                return Err(Reply::error(format!(
                    "ERR wrong number of arguments for '{name}' command"
                )));
            }
            let keys = || pairs.iter().step_by(2);
            if name == "msetnx" && keys().any(|key| call.peek(key).is_some()) {
                return Ok(Reply::Int(0));
            }
            for (key, value) in keys().zip(pairs.iter().skip(1).step_by(2)) {
                call.put(key, Value::Text(value.clone()), None)?;
            }
            Ok(if name == "mset" { Reply::ok() } else { Reply::Int(1) })
        }
        "strlen" => Ok(Reply::count(text(call, &key)?.map_or(0, |text| text.len()))),
        "append" => {
            let more = call.arg(2);
            edit(call, &key, |text| {
                text.extend_from_slice(more);
                Ok(Reply::count(text.len()))
            })
        }
        "incr" => add(call, &key, 1),
        "decr" => add(call, &key, -1),
        "incrby" => {
            let by = call.int(2)?;
            add(call, &key, by)
        }
        "decrby" => {
            let by = call.int(2)?;
            let by =
                by.checked_neg().ok_or_else(|| Reply::error("ERR decrement would overflow"))?;
            add(call, &key, by)
        }
        "incrbyfloat" => {
            let by = call.float(2)?;
            let old = text(call, &key)?.unwrap_or_else(|| b"0".to_vec());
            let old =
                super::float(&old).ok_or_else(|| Reply::error("ERR value is not a valid float"))?;
            let new = old + by;
            if !new.is_finite() {
                return Err(Reply::error("ERR increment would produce NaN or Infinity"));
            }
            // Long doubles are printed with 17 digits there; the shortest form reads the same.
            let shown = if new == new.trunc() { double(new) } else { format!("{new}") };
            let expires = call.peek(&key).and_then(|entry| entry.expires);
            call.put(&key, Value::Text(shown.clone().into_bytes()), expires)?;
            Ok(Reply::text(shown))
        }
        "getrange" | "substr" => {
            let (from, to) = (call.int(2)?, call.int(3)?);
            let text = text(call, &key)?.unwrap_or_default();
            Ok(Reply::Bulk(slice(&text, from, to).to_vec()))
        }
        "setrange" => setrange(call, &key),
        "lcs" => lcs(call),
        _ => Err(syntax()),
    }
}

/// The text at `key`.
pub(super) fn text(call: &mut Call<'_>, key: &[u8]) -> Result<Option<Vec<u8>>, Reply> {
    match call.look(key).map(|entry| &entry.value) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong_type()),
    }
}

fn edit(call: &mut Call<'_>, key: &[u8], change: impl FnOnce(&mut Vec<u8>) -> Answer) -> Answer {
    call.change(
        key,
        || Value::Text(Vec::new()),
        |value| match value {
            Value::Text(text) => change(text),
            _ => Err(wrong_type()),
        },
    )
}

fn add(call: &mut Call<'_>, key: &[u8], by: i64) -> Answer {
    call.change(
        key,
        || Value::Text(b"0".to_vec()),
        |value| {
            let Value::Text(text) = value else { return Err(wrong_type()) };
            let old = crate::redis::parser::number(text).ok_or_else(not_integer)?;
            let new = old
                .checked_add(by)
                .ok_or_else(|| Reply::error("ERR increment or decrement would overflow"))?;
            *text = new.to_string().into_bytes();
            Ok(Reply::Int(new))
        },
    )
}

/// The instant in milliseconds that option `unit` with the number at `at` means.
fn expiry(call: &Call<'_>, unit: &str, at: usize, command: &str) -> Result<i64, Reply> {
    let given = call.int(at)?;
    let invalid = || {
        Reply::error(if call.server.persona.seven {
            format!("ERR invalid expire time in '{command}' command")
        } else {
            format!("ERR invalid expire time in {command}")
        })
    };
    let scaled = match unit {
        "ex" | "exat" => given.checked_mul(1000),
        _ => Some(given),
    };
    let scaled = scaled.filter(|ms| given > 0 && *ms > 0).ok_or_else(invalid)?;
    match unit {
        "ex" | "px" => scaled.checked_add(call.ms()).ok_or_else(invalid),
        _ => Ok(scaled),
    }
}

fn set(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let (mut expires, mut keep, mut condition, mut get) = (None, false, "", false);
    let mut at = 3;
    while at < call.args.len() {
        let word = call.word(at);
        match word.as_str() {
            "nx" | "xx" if condition.is_empty() => {
                condition = if word == "nx" { "nx" } else { "xx" };
            }
            "get" => get = true,
            "keepttl" if expires.is_none() => keep = true,
            "ex" | "px" | "exat" | "pxat"
                if expires.is_none() && !keep && at + 1 < call.args.len() =>
            {
                at += 1;
                expires = Some(expiry(call, &word, at, "set")?);
            }
            _ => return Err(syntax()),
        }
        at += 1;
    }
    let old = if get { text(call, key)? } else { None };
    let there = call.peek(key).is_some();
    if condition == "nx" && there || condition == "xx" && !there {
        return Ok(Reply::maybe(old));
    }
    if keep {
        expires = call.peek(key).and_then(|entry| entry.expires);
    }
    let value = Value::Text(call.arg(2).to_vec());
    call.put(key, value, expires)?;
    Ok(if get { Reply::maybe(old) } else { Reply::ok() })
}

fn getex(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let Some(old) = text(call, key)? else { return Ok(Reply::Null) };
    let expires = match (call.word(2).as_str(), call.args.len()) {
        ("", 2) => return Ok(Reply::Bulk(old)),
        ("persist", 3) => None,
        (unit @ ("ex" | "px" | "exat" | "pxat"), 4) => Some(expiry(call, unit, 3, "getex")?),
        _ => return Err(syntax()),
    };
    call.put(key, Value::Text(old.clone()), expires)?;
    Ok(Reply::Bulk(old))
}

fn setrange(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let offset =
        usize::try_from(call.int(2)?).map_err(|_| Reply::error("ERR offset is out of range"))?;
    let piece = call.arg(3);
    if offset.saturating_add(piece.len()) > 512 * 1024 * 1024 {
        return Err(Reply::error("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    if offset + piece.len() > MAX_BYTES {
        return Err(oom());
    }
    if piece.is_empty() {
        return Ok(Reply::count(text(call, key)?.map_or(0, |text| text.len())));
    }
    edit(call, key, |text| {
        if text.len() < offset + piece.len() {
            text.resize(offset + piece.len(), 0);
        }
        if let Some(place) = text.get_mut(offset..offset + piece.len()) {
            place.copy_from_slice(piece);
        }
        Ok(Reply::count(text.len()))
    })
}

/// The part of `text` from `from` to `to`, both counted from the end when negative.
fn slice(text: &[u8], from: i64, to: i64) -> &[u8] {
    match span(text.len(), from, to) {
        Some((from, to)) => text.get(from..to).unwrap_or_default(),
        None => &[],
    }
}

/// The half-open range that `from..=to` means in something of `length`.
pub(super) fn span(length: usize, from: i64, to: i64) -> Option<(usize, usize)> {
    let length = i64::try_from(length).ok()?;
    let place = |at: i64| if at < 0 { (length + at).max(0) } else { at };
    let (from, to) = (place(from), if to < 0 { length + to } else { to.min(length - 1) });
    if from > to || from >= length {
        return None;
    }
    Some((usize::try_from(from).ok()?, usize::try_from(to + 1).ok()?))
}

/// The longest common subsequence; its table is bounded.
fn lcs(call: &mut Call<'_>) -> Answer {
    const MOST: usize = 1_000_000;
    let (a, b) = (call.arg(1), call.arg(2));
    let a = text(call, a)?.unwrap_or_default();
    let b = text(call, b)?.unwrap_or_default();
    let only_length = call.word(3) == "len";
    if call.args.len() > 3 && !only_length {
        return Err(syntax());
    }
    if (a.len() + 1).saturating_mul(b.len() + 1) > MOST {
        return Err(Reply::error(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    let width = b.len() + 1;
    let mut table = vec![0_u32; (a.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            let best = if x == y {
                at(&table, i, j) + 1
            } else {
                at(&table, i, j + 1).max(at(&table, i + 1, j))
            };
            if let Some(cell) = table.get_mut((i + 1) * width + j + 1) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut out = Vec::new();
    while i > 0 && j > 0 {
        if a.get(i - 1) == b.get(j - 1) {
            out.extend(a.get(i - 1));
            (i, j) = (i - 1, j - 1);
        } else if at(&table, i - 1, j) > at(&table, i, j - 1) {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    out.reverse();
    Ok(if only_length { Reply::count(out.len()) } else { Reply::Bulk(out) })
}
