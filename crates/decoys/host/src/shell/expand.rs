//! Expansion of words: tilde, parameters, commands, arithmetic, fields, file names.

use std::sync::{Arc, Mutex, PoisonError};

use base_shell::ast::Word;
use base_shell::text::{decode, encode};
use base_shell::word::{self, Operation, Parameter, Piece};

use super::arith::{self, Variables};
use super::fd::Fd;
use super::interp::{Flow, Interp};
use super::io::Boxed;
use super::limits;
use super::pattern;
use crate::fs::Creds;

/// Substitutions inside one word.
const DEPTH: usize = 16;
/// Most fields one command line expands to.
const MAX_FIELDS: usize = 20_000;
/// Most directory entries looked at for one pattern.
const MAX_GLOB: usize = 20_000;

/// An expansion that ends the command; its message is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abort {
    /// The command fails.
    Command,
    /// A shell that runs a script ends.
    Shell,
}

/// A field being built, as a pattern: quoted text is escaped.
#[derive(Default)]
struct Fields {
    done: Vec<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl Fields {
    fn push(&mut self, text: &[u8], quoted: bool) {
        let current = self.current.get_or_insert_default();
        if quoted {
            current.extend(pattern::escape(text));
        } else {
            current.extend_from_slice(text);
        }
    }

    fn end(&mut self) {
        if self.done.len() < MAX_FIELDS {
            self.done.extend(self.current.take());
        } else {
            self.current = None;
        }
    }

    /// Adds the result of an unquoted expansion, split at `ifs`.
    fn split(&mut self, text: &[u8], ifs: &[u8]) {
        let blank = |b: &u8| ifs.contains(b) && b.is_ascii_whitespace();
        let mut rest = text;
        if rest.first().is_some_and(blank) {
            self.end();
        }
        while !rest.is_empty() {
            let skip = rest.iter().take_while(|b| blank(b)).count();
            rest = rest.get(skip..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let length = rest.iter().take_while(|b| !ifs.contains(b)).count();
            let (field, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let current = self.current.get_or_insert_default();
            for &byte in field {
                if byte == b'\\' {
                    current.push(b'\\');
                }
                current.push(byte);
            }
            if !tail.is_empty() {
                self.end();
            }
            let skip = tail.iter().take_while(|b| blank(b)).count();
            rest = tail.get(skip..).unwrap_or_default();
            if rest.first().is_some_and(|b| ifs.contains(b)) {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
}

impl Interp {
    pub(crate) fn aborted(&mut self, abort: Abort) -> Flow {
        self.status = if self.status == 0 { 1 } else { self.status };
        match abort {
            Abort::Shell if !self.interactive => {
                self.status = 127;
                Flow::Exit
            }
            _ if !self.interactive && abort == Abort::Shell => Flow::Exit,
            _ => Flow::Next,
        }
    }

    /// All fields that `words` expand to.
    pub(crate) async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<Vec<u8>>, Abort> {
        let mut out = Vec::new();
        for word in words {
            out.extend(self.expand_word(&word.value).await?);
        }
        Ok(out)
    }

    /// The fields that `word` expands to.
    pub(crate) async fn expand_word(&mut self, word: &str) -> Result<Vec<Vec<u8>>, Abort> {
        let mut out = Vec::new();
        for word in word::expand_braces(word) {
            self.proc.io.tick().await;
            let mut fields = Fields::default();
            for piece in self.pieces(&word).await? {
                self.add_piece(piece, &mut fields).await?;
            }
            fields.end();
            for field in fields.done {
                if !self.options.noglob && pattern::is_pattern(&field) {
                    let found = self.glob(&field);
                    if !found.is_empty() {
                        out.extend(found);
                        continue;
                    }
                }
                out.push(pattern::unescape(&field));
            }
            if out.len() > MAX_FIELDS {
                self.proc.io.lock().killed = true;
                return Err(Abort::Command);
            }
        }
        Ok(out)
    }

    /// `word` as one string: for assignments, redirections, `case`.
    pub(crate) async fn expand_string(&mut self, word: &str) -> Result<Vec<u8>, Abort> {
        Ok(pattern::unescape(&self.expand_pattern(word).await?))
    }

    /// `word` as one pattern in which quoted text is escaped.
    pub(crate) async fn expand_pattern(&mut self, word: &str) -> Result<Vec<u8>, Abort> {
        let pieces = self.pieces(word).await?;
        self.join_pieces(pieces).await
    }

    /// The body of a here-document.
    pub(crate) async fn expand_here(&mut self, body: &str) -> Result<Vec<u8>, Abort> {
        match word::here_document(body, DEPTH) {
            Ok(pieces) => Ok(pattern::unescape(&self.join_pieces(pieces).await?)),
            Err(_) => Err(Abort::Command),
        }
    }

    async fn pieces(&mut self, word: &str) -> Result<Vec<Piece>, Abort> {
        match word::pieces(word, DEPTH) {
            Ok(pieces) => Ok(pieces),
            Err(_) => {
                self.complain([&decode(word)[..], b": bad substitution"].concat()).await;
                Err(Abort::Command)
            }
        }
    }

    /// Joins pieces without splitting; `"$@"` becomes one string.
    fn join_pieces(&mut self, pieces: Vec<Piece>) -> Boxed<'_, Result<Vec<u8>, Abort>> {
        Box::pin(async move {
            let mut out = Vec::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => out.extend(decode(&text)),
                    Piece::Quoted(text) => out.extend(pattern::escape(&decode(&text))),
                    Piece::Tilde(name) => out.extend(pattern::escape(&self.tilde(&name))),
                    Piece::Parameter { parameter, quoted } => {
                        let value = self.parameter(&parameter).await?.join(&b' ');
                        if quoted {
                            out.extend(pattern::escape(&value));
                        } else {
                            out.extend(value.iter().flat_map(|&b| {
                                let slash = (b == b'\\').then_some(b'\\');
                                slash.into_iter().chain([b])
                            }));
                        }
                    }
                    Piece::Command { source, .. } => {
                        out.extend(pattern::escape(&self.substitute(&source).await));
                    }
                    Piece::Arithmetic { expression, .. } => {
                        out.extend(self.arithmetic(&expression).await?.to_string().into_bytes());
                    }
                }
                if out.len() > limits::VALUE * 4 {
                    self.proc.io.lock().killed = true;
                    return Err(Abort::Command);
                }
            }
            Ok(out)
        })
    }

    async fn add_piece(&mut self, piece: Piece, fields: &mut Fields) -> Result<(), Abort> {
        match piece {
            Piece::Text(text) => fields.push(&decode(&text), false),
            Piece::Quoted(text) => fields.push(&decode(&text), true),
            Piece::Tilde(name) => fields.push(&self.tilde(&name), true),
            Piece::Parameter { parameter, quoted } => {
                let values = self.parameter(&parameter).await?;
                let all = parameter.name == "@" || parameter.name == "*";
                let apart = parameter.name == "@" || !quoted;
                if all && apart && parameter.operation == Operation::Value {
                    for (at, value) in values.iter().enumerate() {
                        if at > 0 {
                            fields.end();
                        }
                        if quoted {
                            fields.push(value, true);
                        } else {
                            self.split_into(value, fields);
                        }
                    }
                } else {
                    let value = values.join(&b' ');
                    if quoted {
                        fields.push(&value, true);
                    } else {
                        self.split_into(&value, fields);
                    }
                }
            }
            Piece::Command { source, quoted } => {
                let value = self.substitute(&source).await;
                if quoted {
                    fields.push(&value, true);
                } else {
                    self.split_into(&value, fields);
                }
            }
            Piece::Arithmetic { expression, .. } => {
                let value = self.arithmetic(&expression).await?.to_string();
                fields.push(value.as_bytes(), false);
            }
        }
        Ok(())
    }

    fn split_into(&self, value: &[u8], fields: &mut Fields) {
        let ifs = self.variable("IFS").unwrap_or_else(|| b" \t\n".to_vec());
        fields.split(value, &ifs);
    }

    fn tilde(&self, name: &str) -> Vec<u8> {
        let spelled = || format!("~{name}").into_bytes();
        match name {
            "" => self.variable("HOME").unwrap_or_else(|| self.proc.user.home.clone()),
            "+" => self.proc.cwd.clone(),
            "-" => self.variable("OLDPWD").unwrap_or_else(spelled),
            user => match self.proc.host.account(user.as_bytes()) {
                Some(account) => account.home.into_bytes(),
                None => spelled(),
            },
        }
    }

    /// The values of a parameter: one, or all positional ones.
    fn plain(&self, name: &str) -> Option<Vec<Vec<u8>>> {
        let one = |value: Vec<u8>| Some(vec![value]);
        match name {
            "@" | "*" => Some(self.params.clone()),
            "#" => one(self.params.len().to_string().into_bytes()),
            "?" => one(self.status.to_string().into_bytes()),
            "$" => one(self.shell_pid.to_string().into_bytes()),
            "!" => one(self.background.map_or(Vec::new(), |pid| pid.to_string().into_bytes())),
            "-" => one(if self.interactive { b"himBHs".to_vec() } else { b"hBc".to_vec() }),
            "0" => one(self.name.clone()),
            "RANDOM" => {
                let bytes = self.proc.host.with(|m| m.read_device(crate::fs::Device::Random, 2));
                let number = bytes.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) & 0x7fff;
                one(number.to_string().into_bytes())
            }
            "UID" | "EUID" => one(self.proc.user.creds.uid.to_string().into_bytes()),
            "PPID" => one(self.proc.session_pid.saturating_sub(1).to_string().into_bytes()),
            "SECONDS" => one(b"0".to_vec()),
            "LINENO" => one(self.line.to_string().into_bytes()),
            "HOSTNAME" if !self.variables.contains_key(name) => {
                one(self.proc.host.with(|m| m.facts().hostname.clone()).into_bytes())
            }
            "BASH_VERSION" if self.dialect != super::interp::Dialect::Dash => {
                one(self.proc.host.distro().bash_version.clone().into_bytes())
            }
            "BASH" if self.dialect != super::interp::Dialect::Dash => one(b"/bin/bash".to_vec()),
            "HOSTTYPE" => one(b"x86_64".to_vec()),
            "OSTYPE" => one(b"linux-gnu".to_vec()),
            _ if name.bytes().all(|b| b.is_ascii_digit()) => {
                let at = name.parse::<usize>().ok()?.checked_sub(1)?;
                self.params.get(at).cloned().map(|value| vec![value])
            }
            _ => self.variable(name).map(|value| vec![value]),
        }
    }

    async fn parameter(&mut self, parameter: &Parameter) -> Result<Vec<Vec<u8>>, Abort> {
        let name = parameter.name.as_str();
        let values = self.plain(name);
        if values.is_none()
            && self.options.nounset
            && !matches!(parameter.operation, Operation::Test { .. } | Operation::Bad(_))
        {
            self.complain(format!("{name}: unbound variable")).await;
            return Err(Abort::Shell);
        }
        let value = || values.clone().unwrap_or_default().join(&b' ');
        let one = |value: Vec<u8>| Ok(vec![value]);
        match &parameter.operation {
            Operation::Value => Ok(values.unwrap_or_default()),
            Operation::Length => {
                let length = match name {
                    "@" | "*" => self.params.len(),
                    _ => encode(&value()).chars().count(),
                };
                one(length.to_string().into_bytes())
            }
            Operation::Indirect => {
                let inner = String::from_utf8_lossy(&value()).into_owned();
                Ok(self.plain(&inner).unwrap_or_default())
            }
            Operation::Test { kind, or_empty, word } => {
                let missing = match &values {
                    None => true,
                    Some(values) => *or_empty && values.iter().all(Vec::is_empty),
                };
                match (kind, missing) {
                    ('+', true) => Ok(Vec::new()),
                    ('+', false) => one(self.operand(word).await?),
                    (_, false) => Ok(values.unwrap_or_default()),
                    ('=', true) => {
                        let value = self.operand(word).await?;
                        self.assign(name, value.clone());
                        one(value)
                    }
                    ('?', true) => {
                        let mut text = self.operand(word).await?;
                        if text.is_empty() {
                            text = b"parameter null or not set".to_vec();
                        }
                        self.complain([name.as_bytes(), b": ", &text].concat()).await;
                        Err(Abort::Shell)
                    }
                    _ => one(self.operand(word).await?),
                }
            }
            Operation::Remove { suffix, longest, pattern } => {
                let pattern = self.operand_pattern(pattern).await?;
                let strip = |value: &[u8]| remove(value, &pattern, *suffix, *longest);
                Ok(values.unwrap_or_default().iter().map(|value| strip(value)).collect())
            }
            Operation::Substring { offset, length } => {
                let text = value();
                let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
                let offset = self.arithmetic(offset).await?;
                let from = if offset < 0 { size.saturating_add(offset) } else { offset };
                let to = match length {
                    None => size,
                    Some(length) => match self.arithmetic(length).await? {
                        length if length < 0 => size.saturating_add(length),
                        length => from.saturating_add(length),
                    },
                };
                let clamp = |n: i64| usize::try_from(n.clamp(0, size)).unwrap_or(0);
                one(text.get(clamp(from)..clamp(to)).unwrap_or_default().to_vec())
            }
            Operation::Replace { which, pattern, with } => {
                let pattern = self.operand_pattern(pattern).await?;
                let with = self.operand(with).await?;
                one(replace(&value(), &pattern, &with, *which))
            }
            Operation::Case { upper, all } => {
                let mut text = value();
                let count = if *all { text.len() } else { 1 };
                for byte in text.iter_mut().take(count) {
                    *byte =
                        if *upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
                }
                one(text)
            }
            Operation::Bad(text) => {
                self.complain([b"${", &decode(text)[..], b"}: bad substitution"].concat()).await;
                Err(Abort::Command)
            }
        }
    }

    async fn operand(&mut self, word: &str) -> Result<Vec<u8>, Abort> {
        Ok(pattern::unescape(&self.operand_pattern(word).await?))
    }

    fn operand_pattern<'a>(&'a mut self, word: &'a str) -> Boxed<'a, Result<Vec<u8>, Abort>> {
        Box::pin(async move {
            self.proc.io.tick().await;
            // Each level parses a shorter word, so nesting ends with the word.
            self.expand_pattern(word).await
        })
    }

    /// The output of `source`, without trailing newlines.
    fn substitute<'a>(&'a mut self, source: &'a str) -> Boxed<'a, Vec<u8>> {
        Box::pin(async move {
            self.proc.io.tick().await;
            if self.proc.depth >= limits::DEPTH {
                self.proc.io.lock().killed = true;
                return Vec::new();
            }
            let buffer = Arc::new(Mutex::new(Vec::new()));
            let mut sub = self.subshell();
            sub.proc.fds.insert(1, Fd::Capture(buffer.clone()));
            let _ = sub.run_source(&decode(source)).await;
            self.status = sub.status;
            drop(sub);
            let mut out =
                std::mem::take(&mut *buffer.lock().unwrap_or_else(PoisonError::into_inner));
            out.retain(|&b| b != 0);
            while out.last() == Some(&b'\n') {
                out.pop();
            }
            out
        })
    }

    /// The value of an arithmetic expression; its message is out when it fails.
    pub(crate) async fn arithmetic(&mut self, expression: &str) -> Result<i64, Abort> {
        let text = match word::here_document(expression, DEPTH) {
            Ok(pieces) => pattern::unescape(&self.join_pieces(pieces).await?),
            Err(_) => return Err(Abort::Command),
        };
        match arith::evaluate(&text, self) {
            Ok(value) => Ok(value),
            Err(message) => {
                self.status = 1;
                self.complain(message).await;
                Err(Abort::Command)
            }
        }
    }

    /// Paths that match `pattern`, sorted; none when nothing does.
    fn glob(&self, field: &[u8]) -> Vec<Vec<u8>> {
        let absolute = field.first() == Some(&b'/');
        let mut found: Vec<Vec<u8>> = vec![if absolute { b"/".to_vec() } else { Vec::new() }];
        let mut looked = 0;
        let parts: Vec<&[u8]> = field.split(|&b| b == b'/').filter(|p| !p.is_empty()).collect();
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            let mut next = Vec::new();
            for prefix in &found {
                let joined = |name: &[u8]| {
                    let mut path = prefix.clone();
                    path.extend_from_slice(name);
                    if !last {
                        path.push(b'/');
                    }
                    path
                };
                if !pattern::is_pattern(part) {
                    next.push(joined(&pattern::unescape(part)));
                    continue;
                }
                let directory = if prefix.is_empty() { &b"."[..] } else { prefix };
                for name in self.names_in(directory) {
                    looked += 1;
                    let hidden = name.first() == Some(&b'.') && part.first() != Some(&b'.');
                    if !hidden && pattern::matches(part, &name) {
                        next.push(joined(&name));
                    }
                    if looked > MAX_GLOB {
                        return Vec::new();
                    }
                }
            }
            found = next;
        }
        let user = &self.proc.user.creds;
        self.proc.host.with(|machine| {
            found.retain(|path| machine.fs.find(user, &self.proc.cwd, path, false).is_ok());
        });
        found.sort();
        found
    }

    fn names_in(&self, directory: &[u8]) -> Vec<Vec<u8>> {
        let creds: &Creds = &self.proc.user.creds;
        self.proc.host.with(|machine| {
            let ino = machine.fs.find(creds, &self.proc.cwd, directory, true);
            let list = ino.and_then(|ino| machine.fs.list(creds, ino)).unwrap_or_default();
            list.into_iter().map(|(name, _)| name).collect()
        })
    }
}

impl Variables for Interp {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.plain(name).and_then(|values| values.into_iter().next())
    }

    fn set(&mut self, name: &str, value: i64) {
        self.assign(name, value.to_string().into_bytes());
    }
}

/// Longest value on which all cuts are tried.
const MAX_CUTS: usize = 16 * 1024;

fn remove(value: &[u8], pattern: &[u8], suffix: bool, longest: bool) -> Vec<u8> {
    let size = value.len();
    if size > MAX_CUTS {
        return value.to_vec();
    }
    let cuts: Box<dyn Iterator<Item = usize>> =
        if suffix == longest { Box::new(0..=size) } else { Box::new((0..=size).rev()) };
    for cut in cuts {
        let (head, tail) = value.split_at_checked(cut).unwrap_or((value, &[]));
        let (tested, kept) = if suffix { (tail, head) } else { (head, tail) };
        if pattern::matches(pattern, tested) {
            return kept.to_vec();
        }
    }
    value.to_vec()
}

fn replace(value: &[u8], pattern: &[u8], with: &[u8], which: Option<char>) -> Vec<u8> {
    if pattern.is_empty() || value.len() > MAX_CUTS {
        return value.to_vec();
    }
    // The longest match that starts at each place; bounded by the square of `MAX_CUTS` at worst,
    // so long values are tried against literal patterns only.
    let literal = (!pattern::is_pattern(pattern)).then(|| pattern::unescape(pattern));
    if literal.is_none() && value.len() > 1024 {
        return value.to_vec();
    }
    let match_at = |from: usize| -> Option<usize> {
        let rest = value.get(from..)?;
        if let Some(literal) = &literal {
            return rest.starts_with(literal).then_some(literal.len());
        }
        (0..=rest.len())
            .rev()
            .find(|end| rest.get(..*end).is_some_and(|t| pattern::matches(pattern, t)))
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < value.len() {
        let length = match which {
            Some('#') if at > 0 => None,
            Some('%') => match_at(at).filter(|length| at + length == value.len()),
            _ => match_at(at),
        };
        match length.filter(|length| *length > 0) {
            Some(length) => {
                out.extend_from_slice(with);
                at += length;
                if which != Some('/') {
                    break;
                }
            }
            None => {
                out.extend(value.get(at));
                at += 1;
            }
        }
    }
    out.extend_from_slice(value.get(at..).unwrap_or_default());
    out
}
