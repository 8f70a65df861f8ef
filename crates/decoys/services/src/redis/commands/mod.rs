//! The commands: who may run them, what they do.
//!
//! `run` finds a command in the table, checks what the server checks before it runs anything, and
//! hands it to the family that knows it.

mod client;
mod config;
mod docs;
mod hashes;
mod info;
mod keys;
mod lists;
mod messages;
mod security;
mod server;
mod sets;
mod sorted;
mod strings;

use base_model::Timestamp;
use chacha20::ChaCha12Rng;
use decoys_host::Machine;

pub(super) use self::client::{Me, start as queue};
use super::keyspace::{Entry, Full, MAX_BYTES};
use super::parser;
use super::replies::Reply;
use super::server::Server;
use super::table::{self, Spec};
use super::value::Value;

/// Longest part of an unknown command's arguments that the error repeats.
const SHOWN: usize = 128;

/// A file the server wrote into the machine.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) path: Vec<u8>,
    pub(super) content: Vec<u8>,
    /// Whose rights it had.
    pub(super) uid: u32,
}

/// What came of a command beside its reply.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) written: Vec<Written>,
    /// A login was tried: user, password, whether it was accepted.
    pub(super) logins: Vec<(Option<Vec<u8>>, Vec<u8>, bool)>,
    /// The connection ends after the reply.
    pub(super) close: bool,
}

/// A command as it runs.
pub(super) struct Call<'c> {
    /// Its words, the name first; never empty.
    pub(super) args: &'c [Vec<u8>],
    pub(super) server: &'c mut Server,
    pub(super) machine: &'c mut Machine,
    pub(super) me: &'c mut Me,
    pub(super) now: Timestamp,
    pub(super) rng: &'c mut ChaCha12Rng,
    pub(super) outcome: &'c mut Outcome,
}

/// The reply, or the error that ends the command.
type Answer = Result<Reply, Reply>;

/// Runs one command.
pub(super) fn run(call: &mut Call<'_>) -> Reply {
    let name = call.word(0);
    let seven = call.server.persona.seven;
    let found = table::find(&name).filter(|spec| spec.is_in(seven));
    let Some(spec) = found else {
        call.me.spoil();
        return unknown(call);
    };
    let sub = if spec.is_container() && call.args.len() > 1 {
        let word = call.word(1);
        match table::find_sub(spec.name, &word).filter(|sub| sub.is_in(seven)) {
            Some(sub) => Some(sub),
            None => {
                call.me.spoil();
                return unknown_sub(call, spec);
            }
        }
    } else {
        None
    };
    if let Err(error) = allowed(call, spec, sub) {
        call.me.spoil();
        call.server.count(&full_name(spec, sub), 1);
        return error;
    }
    if let Some(queued) = queue(call, spec) {
        return queued;
    }
    perform(call, spec, sub)
}

/// Runs a command that may run.
pub(super) fn perform(call: &mut Call<'_>, spec: &Spec, sub: Option<&Spec>) -> Reply {
    let reply = match family(call, spec) {
        Ok(reply) | Err(reply) => reply,
    };
    let failed = if reply.failure().is_some() { 2 } else { 0 };
    call.server.count(&full_name(spec, sub), failed);
    reply
}

/// The command and subcommand of `args`, for those queued before.
pub(super) fn specs(args: &[Vec<u8>]) -> Option<(&'static Spec, Option<&'static Spec>)> {
    let word = |at: usize| {
        String::from_utf8_lossy(args.get(at).map_or(&[][..], Vec::as_slice)).to_ascii_lowercase()
    };
    let spec = table::find(&word(0))?;
    let sub = if args.len() > 1 { table::find_sub(spec.name, &word(1)) } else { None };
    Some((spec, sub))
}

fn family(call: &mut Call<'_>, spec: &Spec) -> Answer {
    match spec.group {
        "string" | "bitmap" => strings::run(call, spec.name),
        "generic" => keys::run(call, spec.name),
        "hash" => hashes::run(call, spec.name),
        "list" => lists::run(call, spec.name),
        "set" => sets::run(call, spec.name),
        "sorted-set" => sorted::run(call, spec.name),
        "pubsub" => messages::run(call, spec.name),
        "connection" | "transactions" => client::run(call, spec.name),
        _ => server::run(call, spec.name),
    }
}

fn full_name(spec: &Spec, sub: Option<&Spec>) -> String {
    sub.map_or_else(|| spec.name.to_owned(), |sub| sub.name.replace(' ', "|"))
}

/// What the server checks before any command, in its order.
fn allowed(call: &Call<'_>, spec: &Spec, sub: Option<&Spec>) -> Result<(), Reply> {
    let seven = call.server.persona.seven;
    let name = full_name(spec, sub);
    if !sub.unwrap_or(spec).takes(call.args.len()) {
        if sub.is_some() && !seven {
            return Err(old_container(call, spec));
        }
        return Err(Reply::error(format!("ERR wrong number of arguments for '{name}' command")));
    }
    let open = spec.has("no_auth") || sub.is_some_and(|sub| sub.has("no_auth"));
    if !call.me.known && !open {
        return Err(Reply::error("NOAUTH Authentication required."));
    }
    let may = call.server.users.get(&call.me.user).is_some_and(|user| user.may(spec, sub));
    if !may && !open {
        return Err(Reply::error(if seven {
            format!("NOPERM this user has no permissions to run the '{name}' command")
        } else {
            format!(
                "NOPERM this user has no permissions to run the '{name}' command or its subcommand"
            )
        }));
    }
    let size: usize = call.args.iter().map(|arg| arg.len() + 96).sum();
    if spec.has("denyoom") && call.server.keys.used() + size > MAX_BYTES {
        return Err(oom());
    }
    if spec.has("write") && call.server.kept.master.is_some() {
        return Err(Reply::error("READONLY You can't write against a read only replica."));
    }
    let told = ["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ping", "quit", "reset"];
    if call.me.listens() && !call.me.three && !told.contains(&spec.name) {
        let forms = if seven {
            "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE"
        } else {
            "(P)SUBSCRIBE / (P)UNSUBSCRIBE"
        };
        let more = if seven { "PING / QUIT / RESET" } else { "PING / QUIT" };
        return Err(Reply::error(format!(
            "ERR Can't execute '{name}': only {forms} / {more} are allowed in this context"
        )));
    }
    Ok(())
}

fn unknown(call: &Call<'_>) -> Reply {
    let cut = |arg: &Vec<u8>| String::from_utf8_lossy(arg.get(..SHOWN).unwrap_or(arg)).into_owned();
    let name = call.args.first().map(cut).unwrap_or_default();
    let mut args = String::new();
    for arg in call.args.iter().skip(1) {
        if args.len() >= SHOWN {
            break;
        }
        let room = SHOWN - args.len();
        let arg = String::from_utf8_lossy(arg.get(..room).unwrap_or(arg)).into_owned();
        if call.server.persona.seven {
            args.push_str(&format!("'{arg}' "));
        } else {
            args.push_str(&format!("`{arg}`, "));
        }
    }
    Reply::error(if call.server.persona.seven {
        format!("ERR unknown command '{name}', with args beginning with: {args}")
    } else {
        format!("ERR unknown command `{name}`, with args beginning with: {args}")
    })
}

fn unknown_sub(call: &Call<'_>, spec: &Spec) -> Reply {
    if !call.server.persona.seven {
        return old_container(call, spec);
    }
    let given = call.args.get(1).map_or(&[][..], |arg| arg.get(..SHOWN).unwrap_or(arg));
    let given = String::from_utf8_lossy(given);
    let upper = spec.name.to_ascii_uppercase();
    Reply::error(format!("ERR unknown subcommand '{given}'. Try {upper} HELP."))
}

/// How Redis 6 refuses a subcommand, whatever is wrong with it.
fn old_container(call: &Call<'_>, spec: &Spec) -> Reply {
    let given = call.args.get(1).map_or(&[][..], |arg| arg.get(..SHOWN).unwrap_or(arg));
    Reply::error(format!(
        "ERR Unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
        String::from_utf8_lossy(given),
        spec.name.to_ascii_uppercase()
    ))
}

/// The store is full.
pub(super) fn oom() -> Reply {
    Reply::error("OOM command not allowed when used memory > 'maxmemory'.")
}

pub(super) fn wrong_type() -> Reply {
    Reply::error("WRONGTYPE Operation against a key holding the wrong kind of value")
}

pub(super) fn syntax() -> Reply {
    Reply::error("ERR syntax error")
}

pub(super) fn not_integer() -> Reply {
    Reply::error("ERR value is not an integer or out of range")
}

impl<'c> Call<'c> {
    /// Word `at` in lower case, for names and options.
    pub(super) fn word(&self, at: usize) -> String {
        String::from_utf8_lossy(self.arg(at)).to_ascii_lowercase()
    }

    /// Argument `at`; empty when there is none.
    pub(super) fn arg(&self, at: usize) -> &'c [u8] {
        self.args.get(at).map_or(&[], Vec::as_slice)
    }

    /// Arguments from `at` on.
    pub(super) fn from(&self, at: usize) -> &'c [Vec<u8>] {
        self.args.get(at..).unwrap_or_default()
    }

    /// Argument `at` as a number.
    pub(super) fn int(&self, at: usize) -> Result<i64, Reply> {
        parser::number(self.arg(at)).ok_or_else(not_integer)
    }

    /// Argument `at` as a floating-point number.
    pub(super) fn float(&self, at: usize) -> Result<f64, Reply> {
        float(self.arg(at)).ok_or_else(|| Reply::error("ERR value is not a valid float"))
    }

    /// Milliseconds since the epoch.
    pub(super) const fn ms(&self) -> i64 {
        self.now.micros() / 1000
    }

    /// What `key` holds; counted as a read.
    pub(super) fn look(&mut self, key: &[u8]) -> Option<&Entry> {
        let now = self.ms();
        let found = self.server.keys.get(self.me.db, key, now).is_some();
        if found {
            self.server.counts.hits += 1;
            self.server.keys.touch(self.me.db, key, now);
        } else {
            self.server.counts.misses += 1;
        }
        self.server.keys.get(self.me.db, key, now)
    }

    /// What `key` holds, not counted.
    pub(super) fn peek(&self, key: &[u8]) -> Option<&Entry> {
        self.server.keys.get(self.me.db, key, self.ms())
    }

    /// Puts `value` under `key`, with `expires`.
    pub(super) fn put(&mut self, key: &[u8], value: Value, expires: Option<i64>) -> Answer {
        let entry = Entry { value, expires, touched: self.now.seconds() };
        match self.server.keys.put(self.me.db, key, entry) {
            Ok(()) => Ok(Reply::ok()),
            Err(Full) => Err(oom()),
        }
    }

    /// Changes what `key` holds, `new` when there is nothing.
    pub(super) fn change<T>(
        &mut self,
        key: &[u8],
        new: impl FnOnce() -> Value,
        change: impl FnOnce(&mut Value) -> Result<T, Reply>,
    ) -> Result<T, Reply> {
        let (mut value, expires) = match self.peek(key) {
            Some(entry) => (entry.value.clone(), entry.expires),
            None => (new(), None),
        };
        let done = change(&mut value)?;
        self.put(key, value, expires)?;
        Ok(done)
    }

    /// Removes `key`; says whether it was there.
    pub(super) fn remove(&mut self, key: &[u8]) -> bool {
        let there = self.peek(key).is_some();
        there && self.server.keys.remove(self.me.db, key).is_some()
    }

    /// A number below `bound`.
    pub(super) fn draw(&mut self, bound: usize) -> usize {
        use rand_core::Rng as _;
        usize::try_from(self.rng.next_u64()).unwrap_or(0).checked_rem(bound).unwrap_or(0)
    }
}

impl Server {
    /// Counts a call of `command`: `how` is 0 for done, 1 for rejected, 2 for failed.
    fn count(&mut self, command: &str, how: usize) {
        if self.counts.by_command.len() >= 512 && !self.counts.by_command.contains_key(command) {
            return;
        }
        let calls = self.counts.by_command.entry(command.to_owned()).or_default();
        if how != 1
            && let Some(done) = calls.first_mut()
        {
            *done += 1;
        }
        if let Some(other) = calls.get_mut(how).filter(|_| how > 0) {
            *other += 1;
        }
    }
}

/// Checks that argument `at` is a number of milliseconds.
pub(super) fn not_negative(call: &Call<'_>, at: usize) -> Result<i64, Reply> {
    let invalid = || Reply::error("ERR timeout is not an integer or out of range");
    let given = parser::number(call.arg(at)).ok_or_else(invalid)?;
    if given < 0 { Err(Reply::error("ERR timeout is negative")) } else { Ok(given) }
}

/// A floating-point number as the server reads it.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let lower = text.to_ascii_lowercase();
    match lower.trim_start_matches(['+', '-']) {
        "inf" | "infinity" => {
            return Some(if lower.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        _ => {}
    }
    let plain =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain { text.parse().ok() } else { None }
}

/// Whether `text` matches the shell-like `pattern` of the server; work is bounded.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let mut steps = 100_000_u32;
    matches(pattern, text, &mut steps, 0)
}

fn matches(mut pattern: &[u8], mut text: &[u8], steps: &mut u32, depth: u32) -> bool {
    loop {
        *steps = steps.saturating_sub(1);
        if *steps == 0 || depth > 64 {
            return false;
        }
        let Some((first, rest)) = pattern.split_first() else { return text.is_empty() };
        match first {
            b'*' => {
                let mut after = rest;
                while let Some((b'*', more)) = after.split_first() {
                    after = more;
                }
                if after.is_empty() {
                    return true;
                }
                return (0..=text.len()).any(|at| {
                    *steps > 0
                        && text.get(at..).is_some_and(|tail| matches(after, tail, steps, depth + 1))
                });
            }
            b'?' => {
                let Some((_, tail)) = text.split_first() else { return false };
                (pattern, text) = (rest, tail);
            }
            b'[' => {
                let Some((byte, tail)) = text.split_first() else { return false };
                let (hit, after) = class(rest, *byte);
                if !hit {
                    return false;
                }
                (pattern, text) = (after, tail);
            }
            _ => {
                let (want, rest) = match (first, rest.split_first()) {
                    (b'\\', Some((escaped, rest))) => (*escaped, rest),
                    _ => (*first, rest),
                };
                match text.split_first() {
                    Some((byte, tail)) if *byte == want => (pattern, text) = (rest, tail),
                    _ => return false,
                }
            }
        }
    }
}

/// Whether the class that starts at `pattern` holds `byte`, and what follows it.
fn class(pattern: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut rest) = match pattern.split_first() {
        Some((b'^', rest)) => (true, rest),
        _ => (false, pattern),
    };
    let mut hit = false;
    loop {
        match rest {
            [] => return (hit != negated, rest),
            [b']', after @ ..] => return (hit != negated, after),
            [b'\\', escaped, after @ ..] => {
                hit |= *escaped == byte;
                rest = after;
            }
            [low, b'-', high, after @ ..] => {
                hit |= (*low.min(high)..=*low.max(high)).contains(&byte);
                rest = after;
            }
            [one, after @ ..] => {
                hit |= *one == byte;
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_the_server() {
        assert!(
            glob(b"*", b"") && glob(b"session:*", b"session:1") && glob(b"h[a-c]?lo", b"hbxlo")
        );
        assert!(glob(b"\\*", b"*") && !glob(b"\\*", b"a") && glob(b"[^a]x", b"bx"));
        assert!(!glob(b"a", b"ab") && !glob(b"[", b"") && !glob(b"?", b""));
        // Work is bounded whatever the pattern.
        let mut evil = b"*a".repeat(60);
        evil.push(b'b');
        assert!(!glob(&evil, &vec![b'a'; 3000]));
    }
}
