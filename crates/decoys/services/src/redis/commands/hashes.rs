//! Hashes.

use super::{Answer, Call, Reply, Value, glob, not_integer, syntax, wrong_type};
use crate::redis::parser;
use crate::redis::value::Hash;

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let key = call.arg(1).to_vec();
    match name {
        "hset" | "hmset" => {
            let pairs = call.from(2);
            if pairs.len() % 2 == 1 {
                return Err(Reply::error(format!(
                    "ERR wrong number of arguments for '{name}' command"
                )));
            }
            let new = edit(call, &key, |hash| {
                let pairs = pairs.iter().step_by(2).zip(pairs.iter().skip(1).step_by(2));
                Ok(pairs
                    .filter(|(field, value)| hash.set((*field).clone(), (*value).clone()))
                    .count())
            })?;
            Ok(if name == "hmset" { Reply::ok() } else { Reply::count(new) })
        }
        "hsetnx" => {
            let (field, value) = (call.arg(2), call.arg(3));
            edit(call, &key, |hash| {
                let new = hash.get(field).is_none();
                if new {
                    hash.set(field.to_vec(), value.to_vec());
                }
                Ok(Reply::yes(new))
            })
        }
        "hdel" => {
            let fields = call.from(2);
            if read(call, &key)?.is_none() {
                return Ok(Reply::Int(0));
            }
            edit(call, &key, |hash| {
                Ok(Reply::count(fields.iter().filter(|field| hash.remove(field)).count()))
            })
        }
        "hincrby" => {
            let (field, by) = (call.arg(2), call.int(3)?);
            edit(call, &key, |hash| {
                let old = match hash.get(field) {
                    Some(text) => parser::number(text)
                        .ok_or_else(|| Reply::error("ERR hash value is not an integer"))?,
                    None => 0,
                };
                let new = old
                    .checked_add(by)
                    .ok_or_else(|| Reply::error("ERR increment or decrement would overflow"))?;
                hash.set(field.to_vec(), new.to_string().into_bytes());
                Ok(Reply::Int(new))
            })
        }
        "hincrbyfloat" => {
            let (field, by) = (call.arg(2), call.float(3)?);
            edit(call, &key, |hash| {
                let old = match hash.get(field) {
                    Some(text) => super::float(text)
                        .ok_or_else(|| Reply::error("ERR hash value is not a float"))?,
                    None => 0.0,
                };
                let shown = format!("{}", old + by);
                hash.set(field.to_vec(), shown.clone().into_bytes());
                Ok(Reply::text(shown))
            })
        }
        "hscan" => scan(call, &key),
        "hrandfield" => random(call, &key),
        _ => {
            let hash = read(call, &key)?;
            Ok(look(call, name, hash))
        }
    }
}

/// Commands that only read.
fn look(call: &Call<'_>, name: &str, hash: Option<Hash>) -> Reply {
    let hash = hash.unwrap_or_default();
    let field = call.arg(2);
    match name {
        "hget" => Reply::maybe(hash.get(field).cloned()),
        "hexists" => Reply::yes(hash.get(field).is_some()),
        "hstrlen" => Reply::count(hash.get(field).map_or(0, Vec::len)),
        "hlen" => Reply::count(hash.len()),
        "hmget" => Reply::Array(
            call.from(2).iter().map(|field| Reply::maybe(hash.get(field).cloned())).collect(),
        ),
        "hkeys" => Reply::bulks(hash.iter().map(|(field, _)| field.clone())),
        "hvals" => Reply::bulks(hash.iter().map(|(_, value)| value.clone())),
        _ => Reply::Map(
            hash.iter()
                .map(|(field, value)| (Reply::Bulk(field.clone()), Reply::Bulk(value.clone())))
                .collect(),
        ),
    }
}

fn read(call: &mut Call<'_>, key: &[u8]) -> Result<Option<Hash>, Reply> {
    match call.look(key).map(|entry| &entry.value) {
        None => Ok(None),
        Some(Value::Hash(hash)) => Ok(Some(hash.clone())),
        Some(_) => Err(wrong_type()),
    }
}

fn edit<T>(
    call: &mut Call<'_>,
    key: &[u8],
    change: impl FnOnce(&mut Hash) -> Result<T, Reply>,
) -> Result<T, Reply> {
    call.change(
        key,
        || Value::Hash(Hash::default()),
        |value| match value {
            Value::Hash(hash) => change(hash),
            _ => Err(wrong_type()),
        },
    )
}

fn scan(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let hash = read(call, key)?.unwrap_or_default();
    let options = super::keys::scan_options(call, 3)?;
    super::keys::cursor(call.arg(2))?;
    // Small hashes are answered whole.
    let hits = hash.iter().filter(|(field, _)| glob(&options.pattern, field));
    let items = hits.flat_map(|(field, value)| [field.clone(), value.clone()]);
    Ok(Reply::Array(vec![Reply::text("0"), Reply::bulks(items)]))
}

fn random(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let hash = read(call, key)?.unwrap_or_default();
    let all: Vec<(Vec<u8>, Vec<u8>)> = hash.iter().map(|(f, v)| (f.clone(), v.clone())).collect();
    if call.args.len() == 2 {
        let at = call.draw(all.len());
        return Ok(Reply::maybe(all.get(at).map(|(field, _)| field.clone())));
    }
    let count = call.int(2)?;
    let values = match (call.args.len(), call.word(3).as_str()) {
        (3, _) => false,
        (4, "withvalues") => true,
        _ => return Err(syntax()),
    };
    let picked = super::sets::pick(call, &all, count).ok_or_else(not_integer)?;
    Ok(Reply::bulks(
        picked.into_iter().flat_map(|(f, v)| if values { vec![f, v] } else { vec![f] }),
    ))
}
