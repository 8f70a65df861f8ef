//! Keys of any kind.

use super::{Answer, Call, Reply, Value, float, glob, not_integer, syntax, wrong_type};
use crate::redis::keyspace::{DATABASES, Entry};
use crate::redis::{parser, rdb};

/// Options of the `SCAN` family.
pub(super) struct ScanOptions {
    pub(super) pattern: Vec<u8>,
    pub(super) count: usize,
    kind: Option<String>,
}

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let key = call.arg(1).to_vec();
    match name {
        "del" | "unlink" => {
            Ok(Reply::count(call.from(1).iter().filter(|key| call.remove(key)).count()))
        }
        "exists" | "touch" => {
            Ok(Reply::count(call.from(1).iter().filter(|key| call.look(key).is_some()).count()))
        }
        "type" => {
            let kind = call.peek(&key).map_or("none", |entry| entry.value.kind());
            Ok(Reply::Simple(kind.to_owned()))
        }
        "expire" | "pexpire" | "expireat" | "pexpireat" => expire(call, &key, name),
        "ttl" | "pttl" | "expiretime" | "pexpiretime" => {
            let now = call.ms();
            let Some(entry) = call.peek(&key) else { return Ok(Reply::Int(-2)) };
            let Some(at) = entry.expires else { return Ok(Reply::Int(-1)) };
            Ok(Reply::Int(match name {
                "ttl" => (at - now + 500) / 1000,
                "pttl" => at - now,
                "expiretime" => at / 1000,
                _ => at,
            }))
        }
        "persist" => {
            let Some(entry) = call.peek(&key).filter(|entry| entry.expires.is_some()).cloned()
            else {
                return Ok(Reply::Int(0));
            };
            call.put(&key, entry.value, None)?;
            Ok(Reply::Int(1))
        }
        "keys" => {
            let pattern = call.arg(1);
            let now = call.ms();
            let keys = call.server.keys.scattered(call.me.db).into_iter().map(|(_, key)| key);
            let live = keys.filter(|key| {
                glob(pattern, key) && call.server.keys.get(call.me.db, key, now).is_some()
            });
            Ok(Reply::bulks(live))
        }
        "scan" => scan(call),
        "randomkey" => {
            let keys = call.server.keys.scattered(call.me.db);
            let at = call.draw(keys.len());
            Ok(Reply::maybe(keys.get(at).map(|(_, key)| key.clone())))
        }
        "rename" | "renamenx" => {
            let target = call.arg(2).to_vec();
            let Some(entry) = call.peek(&key).cloned() else {
                return Err(Reply::error("ERR no such key"));
            };
            if name == "renamenx" && call.peek(&target).is_some() {
                return Ok(Reply::Int(0));
            }
            call.remove(&key);
            call.put(&target, entry.value, entry.expires)?;
            Ok(if name == "rename" { Reply::ok() } else { Reply::Int(1) })
        }
        "copy" => copy(call, &key),
        "move" => {
            let target = database(call, 2)?;
            if target == call.me.db {
                return Err(Reply::error("ERR source and destination objects are the same"));
            }
            let now = call.ms();
            let Some(entry) = call.peek(&key).cloned() else { return Ok(Reply::Int(0)) };
            if call.server.keys.get(target, &key, now).is_some() {
                return Ok(Reply::Int(0));
            }
            call.remove(&key);
            call.server.keys.put(target, &key, entry).map_err(|_| super::oom())?;
            Ok(Reply::Int(1))
        }
        "object" => object(call),
        "dump" => {
            let seven = call.server.persona.seven;
            Ok(Reply::maybe(call.peek(&key).map(|entry| rdb::one(&entry.value, seven))))
        }
        "restore" | "restore-asking" => restore(call, &key),
        "sort" | "sort_ro" => sort(call, &key),
        "migrate" => migrate(call),
        "wait" => Ok(Reply::Int(0)),
        _ => Err(syntax()),
    }
}

/// The database numbered by argument `at`.
pub(super) fn database(call: &Call<'_>, at: usize) -> Result<usize, Reply> {
    let number = call.int(at)?;
    let number = usize::try_from(number).ok().filter(|number| *number < DATABASES);
    number.ok_or_else(|| Reply::error("ERR DB index is out of range"))
}

/// Checks a cursor.
pub(super) fn cursor(text: &[u8]) -> Result<u64, Reply> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.parse().map_err(|_| Reply::error("ERR invalid cursor"))
}

/// Options from argument `at` on.
pub(super) fn scan_options(call: &Call<'_>, mut at: usize) -> Result<ScanOptions, Reply> {
    let mut options = ScanOptions { pattern: b"*".to_vec(), count: 10, kind: None };
    while at < call.args.len() {
        if at + 1 >= call.args.len() {
            return Err(syntax());
        }
        match call.word(at).as_str() {
            "match" => options.pattern = call.arg(at + 1).to_vec(),
            "count" => {
                let count = usize::try_from(call.int(at + 1)?).ok().filter(|count| *count > 0);
                options.count = count.ok_or_else(syntax)?;
            }
            "type" if call.word(0) == "scan" => options.kind = Some(call.word(at + 1)),
            _ => return Err(syntax()),
        }
        at += 2;
    }
    Ok(options)
}

fn scan(call: &mut Call<'_>) -> Answer {
    let from = cursor(call.arg(1))?;
    let options = scan_options(call, 2)?;
    let now = call.ms();
    let mut next = 0;
    let mut seen = 0;
    let mut out = Vec::new();
    for (bucket, key) in call.server.keys.scattered(call.me.db) {
        if bucket < from {
            continue;
        }
        // A bucket is answered whole.
        if seen >= options.count && bucket != next {
            return Ok(Reply::Array(vec![Reply::text(bucket.to_string()), Reply::bulks(out)]));
        }
        next = bucket;
        seen += 1;
        let entry = call.server.keys.get(call.me.db, &key, now);
        let kind = entry.map(|entry| entry.value.kind());
        let fits = options.kind.as_deref().is_none_or(|wanted| kind == Some(wanted));
        if kind.is_some() && fits && glob(&options.pattern, &key) {
            out.push(key);
        }
    }
    Ok(Reply::Array(vec![Reply::text("0"), Reply::bulks(out)]))
}

fn expire(call: &mut Call<'_>, key: &[u8], name: &str) -> Answer {
    let given = call.int(2)?;
    let invalid = || {
        Reply::error(if call.server.persona.seven {
            format!("ERR invalid expire time in '{name}' command")
        } else {
            format!("ERR invalid expire time in {name}")
        })
    };
    let scaled = if name.starts_with('p') { Some(given) } else { given.checked_mul(1000) };
    let base = if name.ends_with("at") { 0 } else { call.ms() };
    let at = scaled.and_then(|ms| ms.checked_add(base)).ok_or_else(invalid)?;
    let Some(entry) = call.peek(key).cloned() else { return Ok(Reply::Int(0)) };
    let old = entry.expires;
    for option in call.from(3) {
        let go = match option.to_ascii_lowercase().as_slice() {
            b"nx" => old.is_none(),
            b"xx" => old.is_some(),
            b"gt" => old.is_some_and(|old| at > old),
            b"lt" => old.is_none_or(|old| at < old),
            other => {
                let other = String::from_utf8_lossy(other);
                return Err(Reply::error(format!("ERR Unsupported option {other}")));
            }
        };
        if !go {
            return Ok(Reply::Int(0));
        }
    }
    if at <= call.ms() {
        call.remove(key);
    } else {
        call.put(key, entry.value, Some(at))?;
    }
    Ok(Reply::Int(1))
}

fn copy(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let target = call.arg(2).to_vec();
    let (mut db, mut replace) = (call.me.db, false);
    let mut at = 3;
    while at < call.args.len() {
        match call.word(at).as_str() {
            "replace" => replace = true,
            "db" => {
                at += 1;
                db = database(call, at)?;
            }
            _ => return Err(syntax()),
        }
        at += 1;
    }
    if db == call.me.db && target == key {
        return Err(Reply::error("ERR source and destination objects are the same"));
    }
    let now = call.ms();
    let Some(entry) = call.peek(key).cloned() else { return Ok(Reply::Int(0)) };
    if !replace && call.server.keys.get(db, &target, now).is_some() {
        return Ok(Reply::Int(0));
    }
    call.server.keys.put(db, &target, entry).map_err(|_| super::oom())?;
    Ok(Reply::Int(1))
}

fn object(call: &mut Call<'_>) -> Answer {
    let what = call.word(1);
    if what == "help" {
        return Ok(super::docs::help(call, "object"));
    }
    let seven = call.server.persona.seven;
    let now = call.now.seconds();
    let key = call.arg(2);
    let Some(entry) = call.peek(key) else { return Ok(Reply::Null) };
    match what.as_str() {
        "encoding" => Ok(Reply::text(entry.value.encoding(seven))),
        "refcount" => Ok(Reply::Int(1)),
        "idletime" => Ok(Reply::Int((now - entry.touched).max(0))),
        _ => Err(Reply::error(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
        )),
    }
}

fn restore(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let ttl = call.int(2)?;
    let replace = call.from(4).iter().any(|word| word.eq_ignore_ascii_case(b"replace"));
    if ttl < 0 {
        return Err(Reply::error("ERR Invalid TTL value, must be >= 0"));
    }
    if !replace && call.peek(key).is_some() {
        return Err(Reply::error("BUSYKEY Target key name already exists."));
    }
    let payload = call.arg(3);
    if !rdb::is_sealed(payload, call.server.persona.seven) {
        return Err(Reply::error("ERR DUMP payload version or checksum are wrong"));
    }
    let Some(text) = rdb::read_text(payload) else {
        return Err(Reply::error("ERR Bad data format"));
    };
    let expires = (ttl > 0).then(|| ttl.saturating_add(call.ms()));
    call.put(key, Value::Text(text), expires)
}

fn sort(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let mut items: Vec<Vec<u8>> = match call.look(key).map(|entry| &entry.value) {
        None => Vec::new(),
        Some(Value::List(list)) => list.iter().cloned().collect(),
        Some(Value::Set(set)) => set.iter().cloned().collect(),
        Some(Value::Sorted(set)) => set.ranked().into_iter().map(|(member, _)| member).collect(),
        Some(_) => return Err(wrong_type()),
    };
    let (mut alpha, mut descending, mut limit, mut store) = (false, false, None, None);
    let mut at = 2;
    while at < call.args.len() {
        match call.word(at).as_str() {
            "alpha" => alpha = true,
            "desc" => descending = true,
            "asc" => descending = false,
            "limit" => {
                limit = Some((call.int(at + 1)?, call.int(at + 2)?));
                at += 2;
            }
            "store" if call.word(0) == "sort" => {
                store = Some(call.arg(at + 1).to_vec());
                at += 1;
            }
            // Patterns name other keys; without one that exists the order stays.
            "by" | "get" => at += 1,
            _ => return Err(syntax()),
        }
        at += 1;
    }
    if alpha {
        items.sort();
    } else {
        let mut numbers = Vec::new();
        for item in items {
            let number = float(&item);
            let number = number.ok_or_else(|| {
                Reply::error("ERR One or more scores can't be converted into double")
            })?;
            numbers.push((number, item));
        }
        numbers.sort_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| x.cmp(y)));
        items = numbers.into_iter().map(|(_, item)| item).collect();
    }
    if descending {
        items.reverse();
    }
    if let Some((skip, take)) = limit {
        let skip = usize::try_from(skip).unwrap_or(0);
        let take = usize::try_from(take).unwrap_or(usize::MAX);
        items = items.into_iter().skip(skip).take(take).collect();
    }
    let Some(target) = store else { return Ok(Reply::bulks(items)) };
    let count = items.len();
    call.remove(&target);
    let entry =
        Entry { value: Value::List(items.into()), expires: None, touched: call.now.seconds() };
    call.server.keys.put(call.me.db, &target, entry).map_err(|_| super::oom())?;
    Ok(Reply::count(count))
}

/// Nothing is ever sent elsewhere: the other server cannot be reached.
fn migrate(call: &mut Call<'_>) -> Answer {
    let port = parser::number(call.arg(2));
    let (db, timeout) = (parser::number(call.arg(4)), parser::number(call.arg(5)));
    if port.is_none() || db.is_none() || timeout.is_none() {
        return Err(not_integer());
    }
    let single = call.arg(3).to_vec();
    let listed = call.from(6).iter().position(|word| word.eq_ignore_ascii_case(b"keys"));
    let there = match listed {
        Some(at) => call.from(7 + at).iter().any(|key| call.peek(key).is_some()),
        None => call.peek(&single).is_some(),
    };
    if !there {
        return Ok(Reply::Simple("NOKEY".to_owned()));
    }
    Err(Reply::error("IOERR error or timeout connecting to the client"))
}
