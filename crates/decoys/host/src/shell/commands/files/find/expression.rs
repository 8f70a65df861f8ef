//! The expression: tests and actions joined by operators.

use super::plan::{Action, Compare, Expression, Plan, Test, Time};
use crate::shell::proc::Proc;
use crate::shell::regex::Regex;

/// Parentheses inside parentheses.
const MAX_DEPTH: usize = 64;

/// What is wrong with an expression.
pub(super) struct Fault {
    pub(super) text: Vec<u8>,
}

fn fault<T>(text: impl Into<Vec<u8>>) -> Result<T, Fault> {
    Err(Fault { text: text.into() })
}

pub(super) fn parse(proc: &Proc, words: &[Vec<u8>]) -> Result<Plan, Fault> {
    let mut parser =
        Parser { proc, words, at: 0, depth: 0, acts: false, plan: (0, usize::MAX, false, false) };
    let tree =
        if words.is_empty() { Expression::Test(Test::Always(true)) } else { parser.comma()? };
    if parser.at < words.len() {
        let word = words.get(parser.at).cloned().unwrap_or_default();
        if word == b")" {
            return fault("invalid expression; you have too many ')'");
        }
        return fault([&b"paths must precede expression: `"[..], &word, b"'"].concat());
    }
    // Without an action of its own, what is found is printed.
    let tree = if parser.acts {
        tree
    } else {
        Expression::And(vec![tree, Expression::Act(Action::Print { zero: false })])
    };
    let (min_depth, max_depth, depth_first, one_system) = parser.plan;
    Ok(Plan { tree, min_depth, max_depth, depth_first, one_system })
}

struct Parser<'a> {
    proc: &'a Proc,
    words: &'a [Vec<u8>],
    at: usize,
    depth: usize,
    acts: bool,
    plan: (usize, usize, bool, bool),
}

impl Parser<'_> {
    fn peek(&self) -> Option<&[u8]> {
        self.words.get(self.at).map(Vec::as_slice)
    }

    fn takes(&mut self, words: &[&[u8]]) -> bool {
        let takes = self.peek().is_some_and(|word| words.contains(&word));
        self.at += usize::from(takes);
        takes
    }

    fn comma(&mut self) -> Result<Expression, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fault("memory exhausted");
        }
        let mut parts = vec![self.or()?];
        while self.takes(&[b","]) {
            parts.push(self.or()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Comma(parts) })
    }

    fn or(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.and()?];
        while self.takes(&[b"-o", b"-or"]) {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn and(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.not()?];
        loop {
            let joined = self.takes(&[b"-a", b"-and"]);
            match self.peek() {
                None | Some(b"-o" | b"-or" | b")" | b",") if !joined => break,
                _ => parts.push(self.not()?),
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn not(&mut self) -> Result<Expression, Fault> {
        let mut negated = false;
        while self.takes(&[b"!", b"-not"]) {
            negated = !negated;
        }
        let inner = if self.takes(&[b"("]) {
            if self.peek() == Some(b")") {
                return fault("invalid expression; empty parentheses are not allowed.");
            }
            let inner = self.comma()?;
            if !self.takes(&[b")"]) {
                return fault(
                    "invalid expression; I was expecting to find a ')' somewhere but did not see one.",
                );
            }
            inner
        } else {
            self.primary()?
        };
        Ok(if negated { Expression::Not(Box::new(inner)) } else { inner })
    }

    fn value(&mut self, word: &[u8]) -> Result<Vec<u8>, Fault> {
        match self.words.get(self.at) {
            Some(value) => {
                self.at += 1;
                Ok(value.clone())
            }
            None => fault([&b"missing argument to `"[..], word, b"'"].concat()),
        }
    }

    fn act(&mut self, action: Action) -> Result<Expression, Fault> {
        self.acts |= !matches!(action, Action::Prune);
        Ok(Expression::Act(action))
    }

    fn primary(&mut self) -> Result<Expression, Fault> {
        let Some(word) = self.words.get(self.at).cloned() else {
            return fault("expected an expression after `!'");
        };
        self.at += 1;
        let fold = word.starts_with(b"-i");
        let test = match word.as_slice() {
            b"-name" | b"-iname" => Test::Name(self.value(&word)?, fold),
            b"-path" | b"-wholename" | b"-ipath" | b"-iwholename" => {
                Test::Path(self.value(&word)?, fold)
            }
            b"-lname" | b"-ilname" => Test::Link(self.value(&word)?, fold),
            b"-regex" | b"-iregex" => {
                let pattern = self.value(&word)?;
                let whole = [b"^\\(", &pattern[..], b"\\)$"].concat();
                match Regex::new(&whole, false, fold) {
                    Ok(regex) => Test::Regex(Box::new(regex)),
                    Err(why) => return fault(why.text()),
                }
            }
            b"-regextype" => {
                self.value(&word)?;
                Test::Always(true)
            }
            b"-type" | b"-xtype" => self.kind(&word)?,
            b"-size" => self.size(&word)?,
            b"-empty" => Test::Empty,
            b"-user" => Test::User(self.owner(&word, true)?),
            b"-group" => Test::Group(self.owner(&word, false)?),
            b"-uid" => Test::User(self.number(&word)?),
            b"-gid" => Test::Group(self.number(&word)?),
            b"-nouser" => Test::NoUser,
            b"-nogroup" => Test::NoGroup,
            b"-perm" => self.perm(&word)?,
            b"-mtime" => Test::Age(Time::Modify, self.compare(&word)?, 86_400),
            b"-atime" => Test::Age(Time::Access, self.compare(&word)?, 86_400),
            b"-ctime" => Test::Age(Time::Change, self.compare(&word)?, 86_400),
            b"-mmin" => Test::Age(Time::Modify, self.compare(&word)?, 60),
            b"-amin" => Test::Age(Time::Access, self.compare(&word)?, 60),
            b"-cmin" => Test::Age(Time::Change, self.compare(&word)?, 60),
            b"-newer" | b"-anewer" | b"-cnewer" => self.newer(&word)?,
            b"-links" => Test::Links(self.compare(&word)?),
            b"-inum" => Test::Inode(self.compare(&word)?),
            b"-readable" => Test::Readable,
            b"-writable" => Test::Writable,
            b"-executable" => Test::Executable,
            b"-true" => Test::Always(true),
            b"-false" => Test::Always(false),
            b"-maxdepth" | b"-mindepth" => {
                let value = self.value(&word)?;
                let text = String::from_utf8_lossy(&value).into_owned();
                let Ok(depth) = text.parse::<usize>() else {
                    let name = String::from_utf8_lossy(&word).into_owned();
                    return fault(format!(
                        "Expected a positive decimal integer argument to {name}, but got ‘{text}’"
                    ));
                };
                if word == b"-maxdepth" {
                    self.plan.1 = depth
                } else {
                    self.plan.0 = depth
                }
                Test::Always(true)
            }
            b"-depth" | b"-d" => {
                self.plan.2 = true;
                Test::Always(true)
            }
            b"-xdev" | b"-mount" => {
                self.plan.3 = true;
                Test::Always(true)
            }
            b"-noleaf" | b"-daystart" | b"-warn" | b"-nowarn" | b"-ignore_readdir_race" => {
                Test::Always(true)
            }
            b"-print" => return self.act(Action::Print { zero: false }),
            b"-print0" => return self.act(Action::Print { zero: true }),
            b"-printf" => {
                let format = self.value(&word)?;
                return self.act(Action::Printf(format));
            }
            b"-ls" => return self.act(Action::List),
            b"-delete" => {
                self.plan.2 = true;
                return self.act(Action::Delete);
            }
            b"-prune" => return self.act(Action::Prune),
            b"-quit" => return self.act(Action::Quit),
            b"-exec" | b"-execdir" | b"-ok" => return self.exec(&word),
            other if other.starts_with(b"-") => {
                return fault([&b"unknown predicate `"[..], other, b"'"].concat());
            }
            other => {
                return fault([&b"paths must precede expression: `"[..], other, b"'"].concat());
            }
        };
        Ok(Expression::Test(test))
    }

    fn exec(&mut self, word: &[u8]) -> Result<Expression, Fault> {
        let mut words = Vec::new();
        loop {
            let Some(next) = self.words.get(self.at).cloned() else {
                return fault([&b"missing argument to `"[..], word, b"'"].concat());
            };
            self.at += 1;
            let many = next == b"+" && words.last().is_some_and(|w: &Vec<u8>| w == b"{}");
            if next == b";" || many {
                if many {
                    words.pop();
                }
                if words.is_empty() {
                    return fault([&b"invalid argument `;' to `"[..], word, b"'"].concat());
                }
                return self.act(Action::Exec { words, many, inside: word == b"-execdir" });
            }
            words.push(next);
        }
    }

    fn kind(&mut self, word: &[u8]) -> Result<Test, Fault> {
        let value = self.value(word)?;
        let kinds: Vec<u8> = value.iter().copied().filter(|b| *b != b',').collect();
        let known = |b: &u8| b"bcdpflsD".contains(b);
        match kinds.iter().find(|b| !known(b)) {
            Some(wrong) => fault(format!("Unknown argument to -type: {}", char::from(*wrong))),
            None if kinds.is_empty() => {
                fault("Arguments to -type should contain at least one letter")
            }
            None => Ok(Test::Kind(kinds)),
        }
    }

    fn size(&mut self, word: &[u8]) -> Result<Test, Fault> {
        let value = self.value(word)?;
        let (digits, unit) = match value.split_last() {
            Some((b'c', digits)) => (digits, 1),
            Some((b'w', digits)) => (digits, 2),
            Some((b'b', digits)) => (digits, 512),
            Some((b'k', digits)) => (digits, 1 << 10),
            Some((b'M', digits)) => (digits, 1 << 20),
            Some((b'G', digits)) => (digits, 1 << 30),
            _ => (&value[..], 512),
        };
        match compare(digits) {
            Some(compare) => Ok(Test::Size(compare, unit)),
            None => fault([&b"Invalid argument `"[..], &value, b"' to -size"].concat()),
        }
    }

    fn compare(&mut self, word: &[u8]) -> Result<Compare, Fault> {
        let value = self.value(word)?;
        match compare(&value) {
            Some(compare) => Ok(compare),
            None => fault([&b"invalid argument `"[..], &value, b"' to `", word, b"'"].concat()),
        }
    }

    fn number(&mut self, word: &[u8]) -> Result<u32, Fault> {
        let value = self.value(word)?;
        let text = String::from_utf8_lossy(&value).into_owned();
        match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => {
                fault(format!("invalid argument `{text}' to `{}'", String::from_utf8_lossy(word)))
            }
        }
    }

    fn owner(&mut self, word: &[u8], user: bool) -> Result<u32, Fault> {
        let value = self.value(word)?;
        let text = String::from_utf8_lossy(&value).into_owned();
        let known = self.proc.host.with(|machine| {
            let accounts = machine.accounts();
            if user { accounts.by_name(&text).map(|a| a.uid) } else { accounts.group_id(&text) }
        });
        match known.or_else(|| text.parse().ok()) {
            Some(id) => Ok(id),
            None if user => fault(format!("‘{text}’ is not the name of a known user")),
            None => fault(format!("‘{text}’ is not the name of an existing group")),
        }
    }

    fn perm(&mut self, word: &[u8]) -> Result<Test, Fault> {
        let value = self.value(word)?;
        let (kind, text) = match value.split_first() {
            Some((kind @ (b'-' | b'/'), rest)) => (*kind, rest),
            _ => (b'=', &value[..]),
        };
        match crate::shell::commands::files::mode::change(text, 0, false, 0) {
            Some(mode) => Ok(Test::Perm(mode, kind)),
            None => fault([&b"invalid mode \xe2\x80\x98"[..], &value, b"\xe2\x80\x99"].concat()),
        }
    }

    fn newer(&mut self, word: &[u8]) -> Result<Test, Fault> {
        let path = self.value(word)?;
        let proc = self.proc;
        let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, &path, true));
        let time = match word {
            b"-anewer" => Time::Access,
            b"-cnewer" => Time::Change,
            _ => Time::Modify,
        };
        match stat {
            Ok(stat) => Ok(Test::Newer(time, stat.node.mtime)),
            Err(errno) => fault(
                [&b"\xe2\x80\x98"[..], &path, b"\xe2\x80\x99: ", errno.text().as_bytes()].concat(),
            ),
        }
    }
}

fn compare(text: &[u8]) -> Option<Compare> {
    let (sign, digits) = match text.split_first() {
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        _ => (0, text),
    };
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(Compare { sign, number })
}
