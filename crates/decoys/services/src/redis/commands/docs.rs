//! `COMMAND`, and what `HELP` says.

use super::{Answer, Call, Reply, glob, syntax};
use crate::redis::table::{self, Spec};

pub(super) fn run(call: &mut Call<'_>) -> Answer {
    let seven = call.server.persona.seven;
    match call.word(1).as_str() {
        "" => Ok(Reply::Array(table::all(seven).map(|spec| entry(spec, seven)).collect())),
        "count" => Ok(Reply::count(table::all(seven).count())),
        "info" if call.args.len() == 2 => {
            Ok(Reply::Array(table::all(seven).map(|spec| entry(spec, seven)).collect()))
        }
        "info" => Ok(Reply::Array(
            (2..call.args.len().min(258))
                .map(|at| {
                    let name = call.word(at);
                    let found = match name.split_once('|') {
                        Some((container, sub)) => table::find_sub(container, sub),
                        None => table::find(&name),
                    };
                    let none = if seven { Reply::Null } else { Reply::NullArray };
                    found.filter(|s| s.is_in(seven)).map_or(none, |s| entry(s, seven))
                })
                .collect(),
        )),
        "docs" if call.args.len() == 2 => Ok(Reply::Map(table::all(seven).map(docs).collect())),
        "docs" => {
            let names = (2..call.args.len().min(258)).map(|at| call.word(at));
            let found = names.filter_map(|name| table::find(&name));
            Ok(Reply::Map(found.map(docs).collect()))
        }
        "list" => list(call),
        "getkeys" => keys(call),
        _ => Ok(help(call, "command")),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn entry(spec: &Spec, seven: bool) -> Reply {
    let (first, last, step) = spec.keys;
    let status = |word: &str| Reply::Simple(word.to_owned());
    let list = |items: Vec<Reply>| if seven { Reply::Set(items) } else { Reply::Array(items) };
    let mut out = vec![
        Reply::text(spec.name.replace(' ', "|")),
        Reply::Int(spec.arity),
        list(words(spec.flags).map(status).collect()),
        Reply::Int(first),
        Reply::Int(last),
        Reply::Int(step),
        list(words(spec.families).map(|family| status(&format!("@{family}"))).collect()),
    ];
    if seven {
        out.push(Reply::Set(Vec::new()));
        out.push(Reply::Set(key_places(spec)));
        let subs = table::subs(spec.name);
        out.push(Reply::Set(subs.map(|sub| entry(sub, seven)).collect()));
    }
    Reply::Array(out)
}

/// Where the keys of a command stand, as Redis 7 describes it.
fn key_places(spec: &Spec) -> Vec<Reply> {
    let (first, last, step) = spec.keys;
    if first == 0 {
        return Vec::new();
    }
    let flags = if spec.has("readonly") { ["RO", "access"] } else { ["RW", "update"] };
    let pair = |key: &str, value: Reply| (Reply::text(key), value);
    let last = if last < 0 { last } else { last - first };
    vec![Reply::Map(vec![
        pair(
            "flags",
            Reply::Set(flags.iter().map(|flag| Reply::Simple((*flag).to_owned())).collect()),
        ),
        pair(
            "begin_search",
            Reply::Map(vec![
                pair("type", Reply::text("index")),
                pair("spec", Reply::Map(vec![pair("index", Reply::Int(first))])),
            ]),
        ),
        pair(
            "find_keys",
            Reply::Map(vec![
                pair("type", Reply::text("range")),
                pair(
                    "spec",
                    Reply::Map(vec![
                        pair("lastkey", Reply::Int(last)),
                        pair("keystep", Reply::Int(step)),
                        pair("limit", Reply::Int(0)),
                    ]),
                ),
            ]),
        ),
    ])]
}

fn docs(spec: &Spec) -> (Reply, Reply) {
    let pair = |key: &str, value: &str| (Reply::text(key), Reply::text(value));
    let mut out =
        vec![pair("summary", spec.summary), pair("since", spec.since), pair("group", spec.group)];
    if !spec.complexity.is_empty() {
        out.push(pair("complexity", spec.complexity));
    }
    let subs: Vec<_> = table::subs(spec.name).map(docs).collect();
    if !subs.is_empty() {
        out.push((Reply::text("subcommands"), Reply::Map(subs)));
    }
    (Reply::text(spec.name.replace(' ', "|")), Reply::Map(out))
}

fn list(call: &Call<'_>) -> Answer {
    let seven = call.server.persona.seven;
    let (by, what) = match (call.args.len(), call.word(2).as_str(), call.word(3)) {
        (2, ..) => (String::new(), String::new()),
        (5, "filterby", by) => (by, call.word(4)),
        _ => return Err(syntax()),
    };
    let fits = |spec: &&Spec| match by.as_str() {
        "aclcat" => words(spec.families).any(|family| family == what),
        "pattern" => glob(what.as_bytes(), spec.name.as_bytes()),
        "module" => false,
        _ => true,
    };
    Ok(Reply::Array(table::all(seven).filter(fits).map(|spec| Reply::text(spec.name)).collect()))
}

fn keys(call: &Call<'_>) -> Answer {
    let args = call.from(2);
    let Some((spec, _)) = super::specs(args) else {
        return Err(Reply::error("ERR Invalid command specified"));
    };
    if !spec.takes(args.len()) {
        return Err(Reply::error("ERR Invalid number of arguments specified for command"));
    }
    let (first, last, step) = spec.keys;
    let count = i64::try_from(args.len()).unwrap_or(i64::MAX);
    let last = if last < 0 { count + last } else { last };
    if first == 0 {
        return Err(Reply::error("ERR The command has no key arguments"));
    }
    let mut out = Vec::new();
    let mut at = first;
    while at <= last && step > 0 {
        out.extend(usize::try_from(at).ok().and_then(|at| args.get(at)).cloned());
        at += step;
    }
    Ok(Reply::bulks(out))
}

/// What `container HELP` lists.
pub(super) fn help(call: &Call<'_>, container: &str) -> Reply {
    let seven = call.server.persona.seven;
    let upper = container.to_ascii_uppercase();
    let mut out = vec![format!("{upper} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")];
    for sub in table::subs(container).filter(|sub| sub.is_in(seven)) {
        let name = sub.name.rsplit(' ').next().unwrap_or_default();
        if name != "help" {
            out.push(name.to_ascii_uppercase());
            out.push(format!("    {}.", sub.summary));
        }
    }
    out.push("HELP".to_owned());
    out.push("    Prints this help.".to_owned());
    Reply::Array(out.into_iter().map(Reply::Simple).collect())
}
