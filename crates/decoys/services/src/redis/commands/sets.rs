//! Sets.

use std::collections::BTreeSet;

use super::{Answer, Call, Reply, Value, glob, not_integer, syntax, wrong_type};
use crate::redis::parser;

type Set = BTreeSet<Vec<u8>>;

/// Most items that a random draw with repetition answers.
const MOST_DRAWN: usize = 10_000;

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let key = call.arg(1).to_vec();
    match name {
        "sadd" => {
            let items = call.from(2);
            edit(call, &key, |set| {
                Ok(Reply::count(items.iter().filter(|item| set.insert((*item).clone())).count()))
            })
        }
        "srem" => {
            let items = call.from(2);
            if read(call, &key)?.is_none() {
                return Ok(Reply::Int(0));
            }
            edit(call, &key, |set| {
                Ok(Reply::count(items.iter().filter(|item| set.remove(*item)).count()))
            })
        }
        "scard" => Ok(Reply::count(read(call, &key)?.map_or(0, |set| set.len()))),
        "sismember" => {
            let set = read(call, &key)?.unwrap_or_default();
            Ok(Reply::yes(set.contains(call.arg(2))))
        }
        "smismember" => {
            let set = read(call, &key)?.unwrap_or_default();
            Ok(Reply::Array(
                call.from(2).iter().map(|item| Reply::yes(set.contains(item))).collect(),
            ))
        }
        "smembers" => {
            let set = read(call, &key)?.unwrap_or_default();
            Ok(listed(call, &set))
        }
        "sinter" | "sunion" | "sdiff" => {
            let set = combine(call, name, call.from(1))?;
            Ok(listed(call, &set))
        }
        "sinterstore" | "sunionstore" | "sdiffstore" => {
            let set = combine(call, name, call.from(2))?;
            let count = set.len();
            call.remove(&key);
            if count > 0 {
                call.put(&key, Value::Set(set), None)?;
            }
            Ok(Reply::count(count))
        }
        "sintercard" => {
            let keys = usize::try_from(call.int(1)?).ok().filter(|keys| *keys > 0);
            let keys = keys.ok_or_else(|| Reply::error("ERR numkeys should be greater than 0"))?;
            let names = call.from(2).get(..keys).ok_or_else(|| {
                Reply::error("ERR Number of keys can't be greater than number of args")
            })?;
            let set = combine(call, "sinter", names)?;
            let limit = if call.word(keys + 2) == "limit" { call.int(keys + 3)? } else { 0 };
            let limit =
                usize::try_from(limit).map_err(|_| Reply::error("ERR LIMIT can't be negative"))?;
            Ok(Reply::count(if limit == 0 { set.len() } else { set.len().min(limit) }))
        }
        "smove" => {
            let (target, item) = (call.arg(2), call.arg(3));
            let there = read(call, &key)?.is_some_and(|set| set.contains(item));
            read(call, target)?;
            if !there {
                return Ok(Reply::Int(0));
            }
            edit(call, &key, |set| Ok(set.remove(item)))?;
            edit(call, target, |set| Ok(set.insert(item.to_vec())))?;
            Ok(Reply::Int(1))
        }
        "spop" => pop(call, &key),
        "srandmember" => {
            let set = read(call, &key)?.unwrap_or_default();
            let all: Vec<Vec<u8>> = set.into_iter().collect();
            if call.args.len() == 2 {
                let at = call.draw(all.len());
                return Ok(Reply::maybe(all.get(at).cloned()));
            }
            let count = call.int(2)?;
            Ok(Reply::bulks(pick(call, &all, count).ok_or_else(not_integer)?))
        }
        "sscan" => {
            let set = read(call, &key)?.unwrap_or_default();
            let options = super::keys::scan_options(call, 3)?;
            super::keys::cursor(call.arg(2))?;
            let items = call.server.keys.scatter(set.iter()).into_iter().map(|(_, item)| item);
            let items = items.filter(|item| glob(&options.pattern, item));
            Ok(Reply::Array(vec![Reply::text("0"), Reply::bulks(items)]))
        }
        _ => Err(syntax()),
    }
}

fn read(call: &mut Call<'_>, key: &[u8]) -> Result<Option<Set>, Reply> {
    match call.look(key).map(|entry| &entry.value) {
        None => Ok(None),
        Some(Value::Set(set)) => Ok(Some(set.clone())),
        Some(_) => Err(wrong_type()),
    }
}

fn edit<T>(
    call: &mut Call<'_>,
    key: &[u8],
    change: impl FnOnce(&mut Set) -> Result<T, Reply>,
) -> Result<T, Reply> {
    call.change(
        key,
        || Value::Set(Set::new()),
        |value| match value {
            Value::Set(set) => change(set),
            _ => Err(wrong_type()),
        },
    )
}

/// Members as the server lists them: numbers in order, others as they lie in a table.
fn listed(call: &Call<'_>, set: &Set) -> Reply {
    let mut numbers: Vec<i64> = set.iter().filter_map(|item| parser::number(item)).collect();
    if numbers.len() == set.len() {
        numbers.sort_unstable();
        let items = numbers.into_iter().map(|number| number.to_string().into_bytes());
        return Reply::Set(items.map(Reply::Bulk).collect());
    }
    let items = call.server.keys.scatter(set.iter());
    Reply::Set(items.into_iter().map(|(_, item)| Reply::Bulk(item)).collect())
}

fn combine(call: &mut Call<'_>, how: &str, keys: &[Vec<u8>]) -> Result<Set, Reply> {
    let mut sets = Vec::new();
    for key in keys {
        sets.push(read(call, key)?.unwrap_or_default());
    }
    let mut sets = sets.into_iter();
    let first = sets.next().unwrap_or_default();
    Ok(sets.fold(first, |all, set| match how.get(..4) {
        Some("sint") => all.intersection(&set).cloned().collect(),
        Some("suni") => all.union(&set).cloned().collect(),
        _ => all.difference(&set).cloned().collect(),
    }))
}

fn pop(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let set = read(call, key)?;
    let all: Vec<Vec<u8>> = set.unwrap_or_default().into_iter().collect();
    let count = if call.args.len() > 2 {
        let count = call.int(2)?;
        if count < 0 {
            return Err(Reply::error("ERR value is out of range, must be positive"));
        }
        Some(count)
    } else {
        None
    };
    if all.is_empty() {
        return Ok(if count.is_some() { Reply::Set(Vec::new()) } else { Reply::Null });
    }
    let mut picked = pick(call, &all, count.unwrap_or(1)).unwrap_or_default();
    edit(call, key, |set| {
        for item in &picked {
            set.remove(item);
        }
        Ok(())
    })?;
    Ok(if count.is_some() {
        Reply::Set(picked.into_iter().map(Reply::Bulk).collect())
    } else {
        Reply::maybe(picked.pop())
    })
}

/// `count` of `all` at random: different ones, or with repetition when negative.
pub(super) fn pick<T: Clone>(call: &mut Call<'_>, all: &[T], count: i64) -> Option<Vec<T>> {
    if all.is_empty() {
        return Some(Vec::new());
    }
    if count < 0 {
        let count = usize::try_from(count.checked_neg()?).ok()?.min(MOST_DRAWN);
        return Some(
            (0..count)
                .filter_map(|_| {
                    let at = call.draw(all.len());
                    all.get(at).cloned()
                })
                .collect(),
        );
    }
    let count = usize::try_from(count).ok()?.min(all.len());
    let mut left: Vec<T> = all.to_vec();
    Some(
        (0..count)
            .map(|_| {
                let at = call.draw(left.len());
                left.swap_remove(at)
            })
            .collect(),
    )
}
