//! Sorted sets.

use std::collections::BTreeMap;

use super::strings::span;
use super::{Answer, Call, Reply, Value, float, glob, not_integer, syntax, wrong_type};
use crate::redis::value::Sorted;

/// Members with their scores.
type Ranked = Vec<(Vec<u8>, f64)>;

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    let key = call.arg(1).to_vec();
    match name {
        "zadd" => add(call, &key),
        "zincrby" => {
            let (by, member) = (call.float(2)?, call.arg(3).to_vec());
            edit(call, &key, |set| bump(set, member, by))
        }
        "zcard" => Ok(Reply::count(read(call, &key)?.len())),
        "zscore" => Ok(score(read(call, &key)?.get(call.arg(2)))),
        "zmscore" => {
            let set = read(call, &key)?;
            Ok(Reply::Array(call.from(2).iter().map(|member| score(set.get(member))).collect()))
        }
        "zrank" | "zrevrank" => {
            let mut ranked = read(call, &key)?.ranked();
            if name == "zrevrank" {
                ranked.reverse();
            }
            let member = call.arg(2);
            Ok(ranked.iter().position(|(m, _)| m == member).map_or(Reply::Null, Reply::count))
        }
        "zrem" => {
            let members = call.from(2);
            if read(call, &key)?.len() == 0 {
                return Ok(Reply::Int(0));
            }
            edit(call, &key, |set| {
                Ok(Reply::count(members.iter().filter(|member| set.remove(member)).count()))
            })
        }
        "zcount" | "zlexcount" => {
            let range = if name == "zcount" { Range::scores } else { Range::names };
            let range = range(call.arg(2), call.arg(3))?;
            let ranked = read(call, &key)?.ranked();
            Ok(Reply::count(ranked.iter().filter(|item| range.holds(item)).count()))
        }
        "zpopmin" | "zpopmax" => pop(call, &key, name == "zpopmin"),
        "zmpop" => pop_first(call),
        "zscan" => {
            let ranked = read(call, &key)?.ranked();
            let options = super::keys::scan_options(call, 3)?;
            super::keys::cursor(call.arg(2))?;
            let hits = ranked.into_iter().filter(|(member, _)| glob(&options.pattern, member));
            let items = hits.flat_map(|(member, score)| [member, plain(score)]);
            Ok(Reply::Array(vec![Reply::text("0"), Reply::bulks(items)]))
        }
        "zrandmember" => random(call, &key),
        "zremrangebyrank" | "zremrangebyscore" | "zremrangebylex" => remove_range(call, &key, name),
        "zunion" | "zinter" | "zdiff" => {
            let (ranked, scores) = combine(call, name, 1)?;
            Ok(shown(ranked, scores, call.me.three))
        }
        "zunionstore" | "zinterstore" | "zdiffstore" => {
            let how = name.trim_end_matches("store");
            let (ranked, _) = combine(call, how, 2)?;
            store(call, &key, ranked)
        }
        "zintercard" => {
            let (ranked, _) = combine(call, "zinter", 1)?;
            Ok(Reply::count(ranked.len()))
        }
        "zrangestore" => {
            let source = call.arg(2).to_vec();
            let (ranked, _) = range(call, &source, 3, "zrange")?;
            store(call, &key, ranked)
        }
        _ => {
            let (ranked, scores) = range(call, &key, 2, name)?;
            Ok(shown(ranked, scores, call.me.three))
        }
    }
}

fn read(call: &mut Call<'_>, key: &[u8]) -> Result<Sorted, Reply> {
    match call.look(key).map(|entry| &entry.value) {
        None => Ok(Sorted::default()),
        Some(Value::Sorted(set)) => Ok(set.clone()),
        Some(_) => Err(wrong_type()),
    }
}

fn edit<T>(
    call: &mut Call<'_>,
    key: &[u8],
    change: impl FnOnce(&mut Sorted) -> Result<T, Reply>,
) -> Result<T, Reply> {
    call.change(
        key,
        || Value::Sorted(Sorted::default()),
        |value| match value {
            Value::Sorted(set) => change(set),
            _ => Err(wrong_type()),
        },
    )
}

fn score(score: Option<f64>) -> Reply {
    score.map_or(Reply::Null, Reply::Double)
}

fn plain(score: f64) -> Vec<u8> {
    crate::redis::replies::double(score).into_bytes()
}

fn shown(ranked: Ranked, scores: bool, three: bool) -> Reply {
    let mut out = Vec::new();
    for (member, score) in ranked {
        match (scores, three) {
            (true, true) => {
                out.push(Reply::Array(vec![Reply::Bulk(member), Reply::Double(score)]));
            }
            (true, false) => out.extend([Reply::Bulk(member), Reply::Double(score)]),
            (false, _) => out.push(Reply::Bulk(member)),
        }
    }
    Reply::Array(out)
}

fn store(call: &mut Call<'_>, key: &[u8], ranked: Ranked) -> Answer {
    let count = ranked.len();
    call.remove(key);
    if count > 0 {
        let mut set = Sorted::default();
        for (member, score) in ranked {
            set.set(member, score);
        }
        call.put(key, Value::Sorted(set), None)?;
    }
    Ok(Reply::count(count))
}

fn bump(set: &mut Sorted, member: Vec<u8>, by: f64) -> Answer {
    let new = set.get(&member).unwrap_or(0.0) + by;
    if new.is_nan() {
        return Err(Reply::error("ERR resulting score is not a number (NaN)"));
    }
    set.set(member, new);
    Ok(Reply::Double(new))
}

fn add(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let (mut nx, mut xx, mut gt, mut lt, mut changed, mut incr) =
        (false, false, false, false, false, false);
    let mut at = 2;
    loop {
        match call.word(at).as_str() {
            "nx" => nx = true,
            "xx" => xx = true,
            "gt" => gt = true,
            "lt" => lt = true,
            "ch" => changed = true,
            "incr" => incr = true,
            _ => break,
        }
        at += 1;
    }
    let pairs = call.from(at);
    if pairs.is_empty() || pairs.len() % 2 == 1 {
        return Err(syntax());
    }
    if nx && (xx || gt || lt) {
        return Err(Reply::error("ERR XX and NX options at the same time are not compatible"));
    }
    if incr && pairs.len() > 2 {
        return Err(Reply::error("ERR INCR option supports a single increment-element pair"));
    }
    let mut items = Vec::new();
    for (score, member) in pairs.iter().step_by(2).zip(pairs.iter().skip(1).step_by(2)) {
        let score = float(score).ok_or_else(|| Reply::error("ERR value is not a valid float"))?;
        items.push((score, member.clone()));
    }
    if incr {
        return edit(call, key, |set| match items.pop() {
            Some((by, member)) => {
                let there = set.get(&member).is_some();
                if nx && there || xx && !there { Ok(Reply::Null) } else { bump(set, member, by) }
            }
            None => Err(syntax()),
        });
    }
    edit(call, key, |set| {
        let (mut new, mut moved) = (0, 0);
        for (score, member) in items {
            match set.get(&member) {
                Some(old) => {
                    let stays = nx || gt && score <= old || lt && score >= old;
                    if !stays && score.total_cmp(&old).is_ne() {
                        set.set(member, score);
                        moved += 1;
                    }
                }
                None if !xx => {
                    set.set(member, score);
                    new += 1;
                }
                None => {}
            }
        }
        Ok(Reply::Int(if changed { new + moved } else { new }))
    })
}

/// What a range takes.
enum Range {
    Scores { low: (f64, bool), high: (f64, bool) },
    Names { low: Bound, high: Bound },
}

enum Bound {
    Lowest,
    Highest,
    At(Vec<u8>, bool),
}

impl Range {
    fn scores(low: &[u8], high: &[u8]) -> Result<Self, Reply> {
        let bound = |text: &[u8]| {
            let (open, rest) = match text.split_first() {
                Some((b'(', rest)) => (true, rest),
                _ => (false, text),
            };
            let value = float(rest);
            value.map(|v| (v, open)).ok_or_else(|| Reply::error("ERR min or max is not a float"))
        };
        Ok(Self::Scores { low: bound(low)?, high: bound(high)? })
    }

    fn names(low: &[u8], high: &[u8]) -> Result<Self, Reply> {
        let bound = |text: &[u8]| match text {
            b"-" => Ok(Bound::Lowest),
            b"+" => Ok(Bound::Highest),
            [b'[', rest @ ..] => Ok(Bound::At(rest.to_vec(), false)),
            [b'(', rest @ ..] => Ok(Bound::At(rest.to_vec(), true)),
            _ => Err(Reply::error("ERR min or max not valid string range item")),
        };
        Ok(Self::Names { low: bound(low)?, high: bound(high)? })
    }

    fn holds(&self, (member, score): &(Vec<u8>, f64)) -> bool {
        match self {
            Self::Scores { low: (low, above), high: (high, below) } => {
                let over = if *above { score > low } else { score >= low };
                let under = if *below { score < high } else { score <= high };
                over && under
            }
            Self::Names { low, high } => {
                let over = match low {
                    Bound::Lowest => true,
                    Bound::Highest => false,
                    Bound::At(name, open) => member > name || !open && member == name,
                };
                let under = match high {
                    Bound::Lowest => false,
                    Bound::Highest => true,
                    Bound::At(name, open) => member < name || !open && member == name,
                };
                over && under
            }
        }
    }
}

/// The range that the arguments from `at` on mean, for `ZRANGE` and its older forms.
fn range(call: &mut Call<'_>, key: &[u8], at: usize, name: &str) -> Result<(Ranked, bool), Reply> {
    let mut by = match name {
        "zrangebyscore" | "zrevrangebyscore" => "score",
        "zrangebylex" | "zrevrangebylex" => "lex",
        _ => "rank",
    };
    let mut reverse = name.starts_with("zrev");
    let (mut scores, mut limit) = (false, None);
    let mut next = at + 2;
    while next < call.args.len() {
        match call.word(next).as_str() {
            "withscores" => scores = true,
            "byscore" if name == "zrange" => by = "score",
            "bylex" if name == "zrange" => by = "lex",
            "rev" if name == "zrange" => reverse = true,
            "limit" if next + 2 < call.args.len() => {
                limit = Some((call.int(next + 1)?, call.int(next + 2)?));
                next += 2;
            }
            _ => return Err(syntax()),
        }
        next += 1;
    }
    let (first, second) = (call.arg(at), call.arg(at + 1));
    if by == "rank" {
        let (from, to) = (call.int(at)?, call.int(at + 1)?);
        let mut ranked = read(call, key)?.ranked();
        if reverse {
            ranked.reverse();
        }
        let (from, to) = span(ranked.len(), from, to).unwrap_or((0, 0));
        return Ok((ranked.get(from..to).unwrap_or_default().to_vec(), scores));
    }
    let (low, high) = if reverse { (second, first) } else { (first, second) };
    let range = if by == "score" { Range::scores(low, high)? } else { Range::names(low, high)? };
    let mut ranked = read(call, key)?.ranked();
    ranked.retain(|item| range.holds(item));
    if reverse {
        ranked.reverse();
    }
    if let Some((skip, take)) = limit {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let take = usize::try_from(take).unwrap_or(usize::MAX);
        ranked = ranked.into_iter().skip(skip).take(take).collect();
    }
    Ok((ranked, scores))
}

fn remove_range(call: &mut Call<'_>, key: &[u8], name: &str) -> Answer {
    let ranked = read(call, key)?.ranked();
    let gone: Vec<Vec<u8>> = if name == "zremrangebyrank" {
        let (from, to) = span(ranked.len(), call.int(2)?, call.int(3)?).unwrap_or((0, 0));
        ranked.get(from..to).unwrap_or_default().iter().map(|(member, _)| member.clone()).collect()
    } else {
        let make = if name.ends_with("score") { Range::scores } else { Range::names };
        let range = make(call.arg(2), call.arg(3))?;
        ranked.into_iter().filter(|item| range.holds(item)).map(|(member, _)| member).collect()
    };
    if gone.is_empty() {
        return Ok(Reply::Int(0));
    }
    edit(call, key, |set| Ok(Reply::count(gone.iter().filter(|m| set.remove(m)).count())))
}

fn pop(call: &mut Call<'_>, key: &[u8], lowest: bool) -> Answer {
    let count = if call.args.len() > 2 {
        usize::try_from(call.int(2)?).map_err(|_| not_integer())?
    } else {
        1
    };
    let mut ranked = read(call, key)?.ranked();
    if !lowest {
        ranked.reverse();
    }
    ranked.truncate(count);
    if !ranked.is_empty() {
        edit(call, key, |set| {
            for (member, _) in &ranked {
                set.remove(member);
            }
            Ok(())
        })?;
    }
    let single = call.args.len() == 2;
    Ok(shown(ranked, true, call.me.three && !single))
}

fn pop_first(call: &mut Call<'_>) -> Answer {
    let keys = usize::try_from(call.int(1)?).ok().filter(|keys| *keys > 0);
    let keys = keys.ok_or_else(|| Reply::error("ERR numkeys should be greater than 0"))?;
    let lowest = match call.word(keys.saturating_add(2)).as_str() {
        "min" => true,
        "max" => false,
        _ => return Err(syntax()),
    };
    let count = if call.args.len() > keys + 3 {
        usize::try_from(call.int(keys + 4)?).map_err(|_| not_integer())?
    } else {
        1
    };
    let names = call.from(2).get(..keys).unwrap_or_default();
    for key in names {
        let mut ranked = read(call, key)?.ranked();
        if ranked.is_empty() {
            continue;
        }
        if !lowest {
            ranked.reverse();
        }
        ranked.truncate(count);
        edit(call, key, |set| {
            for (member, _) in &ranked {
                set.remove(member);
            }
            Ok(())
        })?;
        let pairs = ranked
            .into_iter()
            .map(|(member, score)| Reply::Array(vec![Reply::Bulk(member), Reply::Double(score)]));
        return Ok(Reply::Array(vec![Reply::Bulk(key.clone()), Reply::Array(pairs.collect())]));
    }
    Ok(Reply::NullArray)
}

fn random(call: &mut Call<'_>, key: &[u8]) -> Answer {
    let ranked = read(call, key)?.ranked();
    if call.args.len() == 2 {
        let at = call.draw(ranked.len());
        return Ok(Reply::maybe(ranked.get(at).map(|(member, _)| member.clone())));
    }
    let count = call.int(2)?;
    let scores = match (call.args.len(), call.word(3).as_str()) {
        (3, _) => false,
        (4, "withscores") => true,
        _ => return Err(syntax()),
    };
    let picked = super::sets::pick(call, &ranked, count).ok_or_else(not_integer)?;
    Ok(shown(picked, scores, call.me.three))
}

/// Union, intersection or difference of the sets whose number stands at `at`, and whether scores
/// are to be shown.
fn combine(call: &mut Call<'_>, how: &str, at: usize) -> Result<(Ranked, bool), Reply> {
    let count = usize::try_from(call.int(at)?).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| {
        Reply::error(format!("ERR at least 1 input key is needed for '{}' command", call.word(0)))
    })?;
    let names = call.from(at + 1).get(..count).ok_or_else(syntax)?;
    let (mut weights, mut together, mut scores) = (vec![1.0; count], "sum".to_owned(), false);
    let mut next = at + 1 + count;
    while next < call.args.len() {
        match call.word(next).as_str() {
            "weights" => {
                for (at, weight) in weights.iter_mut().enumerate() {
                    *weight = float(call.arg(next + 1 + at))
                        .ok_or_else(|| Reply::error("ERR weight value is not a float"))?;
                }
                next += count;
            }
            "aggregate" => {
                together = call.word(next + 1);
                next += 1;
            }
            "withscores" => scores = true,
            "limit" => next += 1,
            _ => return Err(syntax()),
        }
        next += 1;
    }
    let mut sets: Vec<BTreeMap<Vec<u8>, f64>> = Vec::new();
    for (key, weight) in names.iter().zip(&weights) {
        let members: Ranked = match call.look(key).map(|entry| &entry.value) {
            None => Vec::new(),
            Some(Value::Sorted(set)) => set.ranked(),
            Some(Value::Set(set)) => set.iter().map(|member| (member.clone(), 1.0)).collect(),
            Some(_) => return Err(wrong_type()),
        };
        sets.push(members.into_iter().map(|(member, score)| (member, score * weight)).collect());
    }
    let join = |a: f64, b: f64| match together.as_str() {
        "min" => a.min(b),
        "max" => a.max(b),
        _ => a + b,
    };
    let mut sets = sets.into_iter();
    let mut all = sets.next().unwrap_or_default();
    for set in sets {
        match how {
            "zdiff" => all.retain(|member, _| !set.contains_key(member)),
            "zinter" => {
                all.retain(|member, _| set.contains_key(member));
                for (member, score) in &mut all {
                    *score = join(*score, set.get(member).copied().unwrap_or(0.0));
                }
            }
            _ => {
                for (member, score) in set {
                    let entry = all.get(&member).copied();
                    all.insert(member, entry.map_or(score, |old| join(old, score)));
                }
            }
        }
    }
    let mut set = Sorted::default();
    for (member, score) in all {
        set.set(member, score);
    }
    Ok((set.ranked(), scores))
}
