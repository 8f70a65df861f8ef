//! Channels.

use super::{Answer, Call, Reply, glob, syntax};
use crate::redis::server::Told;

/// Most channels and patterns of one connection.
const MAX_CHANNELS: usize = 1024;

pub(super) fn run(call: &mut Call<'_>, name: &str) -> Answer {
    match name {
        "subscribe" | "psubscribe" | "ssubscribe" => {
            let mut out = Vec::new();
            for channel in call.from(1) {
                let set = if name == "psubscribe" {
                    &mut call.me.patterns
                } else {
                    &mut call.me.channels
                };
                if set.len() < MAX_CHANNELS {
                    set.insert(channel.clone());
                }
                out.push(told(name, Reply::Bulk(channel.clone()), call.me.listening()));
            }
            Ok(Reply::Many(out))
        }
        "unsubscribe" | "punsubscribe" | "sunsubscribe" => {
            let set = if name == "punsubscribe" { &call.me.patterns } else { &call.me.channels };
            let named = call.from(1).to_vec();
            let named = if named.is_empty() { set.iter().cloned().collect() } else { named };
            if named.is_empty() {
                return Ok(told(name, Reply::Null, call.me.listening()));
            }
            let mut out = Vec::new();
            for channel in named {
                let set = if name == "punsubscribe" {
                    &mut call.me.patterns
                } else {
                    &mut call.me.channels
                };
                set.remove(&channel);
                out.push(told(name, Reply::Bulk(channel), call.me.listening()));
            }
            Ok(Reply::Many(out))
        }
        "publish" | "spublish" => {
            let (channel, message) = (call.arg(1).to_vec(), call.arg(2).to_vec());
            let listeners = call.server.clients.values().map(|client| {
                usize::from(client.subscriptions.0 > 0) + usize::from(client.subscriptions.1 > 0)
            });
            let anybody = listeners.sum::<usize>() > 0;
            let mine = usize::from(call.me.channels.contains(&channel))
                + call.me.patterns.iter().filter(|pattern| glob(pattern, &channel)).count();
            let others = call
                .server
                .heard
                .iter()
                .filter(|((id, _), _)| *id != call.me.id)
                .filter(
                    |((_, name), pattern)| {
                        if **pattern { glob(name, &channel) } else { *name == channel }
                    },
                )
                .count();
            if anybody {
                call.server.tell(Told::Message(channel, message));
            }
            Ok(Reply::count(mine + others))
        }
        "pubsub" => list(call),
        _ => Err(syntax()),
    }
}

fn told(what: &str, channel: Reply, count: usize) -> Reply {
    Reply::Push(vec![Reply::text(what), channel, Reply::count(count)])
}

fn list(call: &mut Call<'_>) -> Answer {
    let what = call.word(1);
    let mut channels: Vec<Vec<u8>> = call
        .server
        .heard
        .iter()
        .filter(|(_, pattern)| !**pattern)
        .map(|((_, channel), _)| channel.clone())
        .collect();
    channels.sort();
    Ok(match what.as_str() {
        "channels" => {
            channels.dedup();
            let pattern = if call.args.len() > 2 { call.arg(2) } else { b"*" };
            Reply::bulks(channels.into_iter().filter(|channel| glob(pattern, channel)))
        }
        "numsub" => Reply::Array(
            call.from(2)
                .iter()
                .flat_map(|name| {
                    let count = channels.iter().filter(|channel| *channel == name).count();
                    [Reply::Bulk(name.clone()), Reply::count(count)]
                })
                .collect(),
        ),
        "numpat" => Reply::count(call.server.heard.values().filter(|pattern| **pattern).count()),
        "shardchannels" | "shardnumsub" => Reply::Array(Vec::new()),
        _ => super::docs::help(call, "pubsub"),
    })
}
