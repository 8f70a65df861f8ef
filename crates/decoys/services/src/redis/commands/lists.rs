//! Lists.

use std::collections::VecDeque;

use super::strings::span;
use super::{Answer, Call, Reply, Value, not_integer, syntax, wrong_type};

type List = VecDeque<Vec<u8>>;

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let key = call.arg(1).to_vec();
    match name {
        "lpush" | "rpush" | "lpushx" | "rpushx" => push(call, &key, name),
        "lpop" | "rpop" => pop(call, &key, name == "lpop"),
        "llen" => Ok(Reply::count(read(call, &key)?.map_or(0, |list| list.len()))),
        "lrange" => {
            let (from, to) = (call.int(2)?, call.int(3)?);
            let list = read(call, &key)?.unwrap_or_default();
            let (from, to) = span(list.len(), from, to).unwrap_or((0, 0));
            Ok(Reply::bulks(list.range(from..to).cloned()))
        }
        "lindex" => {
            let at = call.int(2)?;
            let list = read(call, &key)?.unwrap_or_default();
            Ok(Reply::maybe(place(&list, at).and_then(|at| list.get(at).cloned())))
        }
        "lset" => {
            let at = call.int(2)?;
            let value = call.arg(3);
            if read(call, &key)?.is_none() {
                return Err(Reply::error("ERR no such key"));
            }
            edit(call, &key, |list| {
                let slot = place(list, at).and_then(|at| list.get_mut(at));
                let slot = slot.ok_or_else(|| Reply::error("ERR index out of range"))?;
                *slot = value.to_vec();
                Ok(Reply::ok())
            })
        }
        "lrem" => remove(call, &key),
        "ltrim" => {
            let (from, to) = (call.int(2)?, call.int(3)?);
            if read(call, &key)?.is_none() {
                return Ok(Reply::ok());
            }
            edit(call, &key, |list| {
                let (from, to) = span(list.len(), from, to).unwrap_or((0, 0));
                *list = list.range(from..to).cloned().collect();
                Ok(Reply::ok())
            })
        }
        "linsert" => insert(call, &key),
        "lpos" => position(call, &key),
        "rpoplpush" => shift(call, false, true),
        "lmove" => {
            let side = |word: String| match word.as_str() {
                "left" => Ok(true),
                "right" => Ok(false),
                _ => Err(syntax()),
            };
            let (from, to) = (side(call.word(3))?, side(call.word(4))?);
            shift(call, from, to)
        }
        "lmpop" => pop_first(call),
        _ => Err(syntax()),
    }
}

fn read(call: &mut Call<'_>, key: &[u8]) -> Result<Option<List>, Reply> {
    match call.look(key).map(|entry| &entry.value) {
        None => Ok(None),
        Some(Value::List(list)) => Ok(Some(list.clone())),
        Some(_) => Err(wrong_type()),
    }
}

fn edit<T>(
    call: &mut Call<'_>,
    key: &[u8],
    change: impl FnOnce(&mut List) -> Result<T, Reply>,
) -> Result<T, Reply> {
    call.change(
        key,
        || Value::List(List::new()),
        |value| match value {
            Value::List(list) => change(list),
            _ => Err(wrong_type()),
        },
    )
}

fn place(list: &List, at: i64) -> Option<usize> {
    let length = i64::try_from(list.len()).ok()?;
    usize::try_from(if at < 0 { length + at } else { at }).ok()
}

fn push(call: &mut Call<'_>, key: &[u8], name: &str) -> Answer {
    let items = call.from(2);
    if name.ends_with('x') && read(call, key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    edit(call, key, |list| {
        for item in items {
            if name.starts_with('l') {
                list.push_front(item.clone());
            } else {
                list.push_back(item.clone());
            }
        }
        Ok(Reply::count(list.len()))
    })
}

fn take(list: &mut List, left: bool, count: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    while out.len() < count {
        let item = if left { list.pop_front() } else { list.pop_back() };
        match item {
            Some(item) => out.push(item),
            None => break,
        }
    }
    out
}

fn pop(call: &mut Call<'_>, key: &[u8], left: bool) -> Answer {
    let count = match call.args.len() {
        2 => None,
        3 => Some(
            usize::try_from(call.int(2)?)
                .map_err(|_| Reply::error("ERR value is out of range, must be positive"))?,
        ),
        _ => return Err(syntax()),
    };
    if read(call, key)?.is_none() {
        return Ok(if count.is_some() { Reply::NullArray } else { Reply::Null });
    }
    let mut items = edit(call, key, |list| Ok(take(list, left, count.unwrap_or(1))))?;
    Ok(if count.is_some() { Reply::bulks(items) } else { Reply::maybe(items.pop()) })
}

fn pop_first(call: &mut Call<'_>) -> Answer {
    let keys = usize::try_from(call.int(1)?).ok().filter(|keys| *keys > 0);
    let keys = keys.ok_or_else(|| Reply::error("ERR numkeys should be greater than 0"))?;
    let left = match call.word(keys.saturating_add(2)).as_str() {
        "left" => true,
        "right" => false,
        _ => return Err(syntax()),
    };
    let count = if call.args.len() > keys + 3 {
        if call.word(keys + 3) != "count" {
            return Err(syntax());
        }
        usize::try_from(call.int(keys + 4)?).map_err(|_| not_integer())?
    } else {
        1
    };
    let names = call.from(2).get(..keys).unwrap_or_default();
    for key in names {
        if read(call, key)?.is_some() {
            let items = edit(call, key, |list| Ok(take(list, left, count)))?;
            return Ok(Reply::Array(vec![Reply::Bulk(key.clone()), Reply::bulks(items)]));
        }
    }
    Ok(Reply::NullArray)
}

fn shift(call: &mut Call<'_>, from_left: bool, to_left: bool) -> Answer {
    let (source, target) = (call.arg(1), call.arg(2));
    if read(call, source)?.is_none() {
        return Ok(Reply::Null);
    }
    read(call, target)?;
    let item = edit(call, source, |list| Ok(take(list, from_left, 1).pop()))?;
    let Some(item) = item else { return Ok(Reply::Null) };
    let moved = item.clone();
    edit(call, target, |list| {
        if to_left {
            list.push_front(moved);
        } else {
            list.push_back(moved);
        }
        Ok(())
    })?;
    Ok(Reply::Bulk(item))
}

fn remove(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let (count, value) = (call.int(2)?, call.arg(3));
    if read(call, key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    edit(call, key, |list| {
        let most = match count {
            0 => usize::MAX,
            count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
        };
        let mut gone = 0;
        let mut keep = |item: &Vec<u8>| {
            let hit = item == value && gone < most;
            gone += usize::from(hit);
            !hit
        };
        if count < 0 {
            let mut kept: Vec<Vec<u8>> = list.drain(..).rev().filter(|item| keep(item)).collect();
            kept.reverse();
            *list = kept.into();
        } else {
            list.retain(|item| keep(item));
        }
        Ok(Reply::count(gone))
    })
}

fn insert(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let after = match call.word(2).as_str() {
        "before" => 0,
        "after" => 1,
        _ => return Err(syntax()),
    };
    let (pivot, value) = (call.arg(3), call.arg(4));
    if read(call, key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    edit(call, key, |list| {
        let Some(at) = list.iter().position(|item| item == pivot) else {
            return Ok(Reply::Int(-1));
        };
        list.insert(at + after, value.to_vec());
        Ok(Reply::count(list.len()))
    })
}

fn position(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let (mut rank, mut count) = (1_i64, None);
    let mut at = 3;
    while at < call.args.len() {
        match call.word(at).as_str() {
            "rank" => rank = call.int(at + 1)?,
            "count" => {
                let given = call.int(at + 1)?;
                count = Some(
                    usize::try_from(given)
                        .map_err(|_| Reply::error("ERR COUNT can't be negative"))?,
                );
            }
            "maxlen" => drop(call.int(at + 1)?),
            _ => return Err(syntax()),
        }
        at += 2;
    }
    if rank == 0 {
        return Err(Reply::error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
        ));
    }
    let list = read(call, key)?.unwrap_or_default();
    let value = call.arg(2);
    let mut hits: Vec<usize> =
        list.iter().enumerate().filter(|(_, item)| *item == value).map(|(at, _)| at).collect();
    if rank < 0 {
        hits.reverse();
    }
    let skip = usize::try_from(rank.unsigned_abs()).unwrap_or(usize::MAX).saturating_sub(1);
    let mut hits = hits.into_iter().skip(skip);
    Ok(match count {
        None => hits.next().map_or(Reply::Null, Reply::count),
        Some(0) => Reply::Array(hits.map(Reply::count).collect()),
        Some(count) => Reply::Array(hits.take(count).map(Reply::count).collect()),
    })
}
