//! Splits a script into the tokens of POSIX.1-2017 XCU §2.3, with bash's additions.
//!
//! Nested substitutions stay inside their word, verbatim; only their extent is found here, by
//! functions that carry their depth.

use std::sync::Arc;

use brush_parser::{SourcePosition, SourceSpan, Token};

use crate::fault::{Limits, Missing, ParseFault};
use crate::text::LITERAL_BRACKET;

/// Operators, longer ones first.
const OPERATORS: &[&str] = &[
    "&>>", "<<<", "<<-", ";;&", "&>", "&&", ";;", ";&", "|&", "||", ">|", "<<", ">>", "<&", ">&",
    "<>", "&", "(", ")", ";", "|", "<", ">",
];
/// File descriptor numbers longer than this are words.
const MAX_FD_DIGITS: usize = 9;

pub(crate) fn tokens(source: &str, limits: &Limits) -> Result<Vec<Token>, ParseFault> {
    let mut lexer = Lexer { source, at: 0, line: 1, tokens: Vec::new(), here: Vec::new() };
    while lexer.next(limits)? {
        if lexer.tokens.len() > limits.tokens {
            return Err(ParseFault::TooLong);
        }
    }
    Ok(lexer.tokens)
}

/// A here-document whose body has not come yet.
struct Pending {
    /// Where its body belongs among the tokens: right after its tag.
    index: usize,
    tag: String,
    end: String,
    strip_tabs: bool,
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    here: Vec<Pending>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn position(&self) -> Arc<SourcePosition> {
        Arc::new(SourcePosition { index: self.at, line: self.line, column: 1 })
    }

    fn next(&mut self, limits: &Limits) -> Result<bool, ParseFault> {
        let rest = self.rest();
        let Some(first) = rest.bytes().next() else {
            return if self.here.is_empty() {
                Ok(false)
            } else {
                Err(ParseFault::Incomplete(Missing::HereDocument))
            };
        };
        match first {
            b' ' | b'\t' => self.at += 1,
            b'\\' if rest.starts_with("\\\n") => {
                self.at += 2;
                self.line += 1;
                if self.at >= self.source.len() {
                    return Err(ParseFault::Incomplete(Missing::Compound));
                }
            }
            b'#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            b'\n' => {
                self.operator("\n");
                self.line += 1;
                self.bodies()?;
            }
            _ => match OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
                Some(operator) => self.operator(operator),
                None => self.word(limits)?,
            },
        }
        Ok(true)
    }

    fn operator(&mut self, operator: &str) {
        let start = self.position();
        self.at += operator.len();
        let location = SourceSpan { start, end: self.position() };
        self.tokens.push(Token::Operator(operator.to_owned(), location));
    }

    fn word(&mut self, limits: &Limits) -> Result<(), ParseFault> {
        let start = self.position();
        let length = word_length(self.rest(), limits.depth)?;
        let raw = self.rest().get(..length).unwrap_or_default();
        let newlines = raw.matches('\n').count();
        let text = hide_subscript(&join_lines(raw));
        self.at += length;
        self.line += newlines;
        let mut end = self.position();
        if text.len() > MAX_FD_DIGITS && text.bytes().all(|b| b.is_ascii_digit()) {
            // Not touching the operator that follows, so that it is not read as a descriptor.
            end = Arc::new(SourcePosition { index: usize::MAX, line: self.line, column: 1 });
        }
        let strip_tabs = match self.tokens.last() {
            Some(Token::Operator(operator, _)) if operator == "<<" => Some(false),
            Some(Token::Operator(operator, _)) if operator == "<<-" => Some(true),
            _ => None,
        };
        self.tokens.push(Token::Word(text.clone(), SourceSpan { start, end }));
        if let Some(strip_tabs) = strip_tabs {
            let index = self.tokens.len() + 2 * self.here.len();
            let end = unquote(&text);
            self.here.push(Pending { index, tag: text, end, strip_tabs });
        }
        Ok(())
    }

    /// Reads the bodies announced on the line that just ended.
    fn bodies(&mut self) -> Result<(), ParseFault> {
        for pending in std::mem::take(&mut self.here) {
            let start = self.position();
            let rest = self.rest();
            let (body, used) = here_body(rest, &pending.end, pending.strip_tabs)
                .ok_or(ParseFault::Incomplete(Missing::HereDocument))?;
            self.line += rest.get(..used).unwrap_or_default().matches('\n').count();
            self.at += used;
            let location = SourceSpan { start, end: self.position() };
            let at = pending.index.min(self.tokens.len());
            self.tokens.insert(at, Token::Word(pending.tag, location.clone()));
            self.tokens.insert(at, Token::Word(body, location));
        }
        Ok(())
    }
}

/// The body before the line `end`, and the bytes up to and with that line.
fn here_body(rest: &str, end: &str, strip_tabs: bool) -> Option<(String, usize)> {
    let mut body = String::new();
    let mut used = 0;
    for line in rest.split_inclusive('\n') {
        used += line.len();
        let line = if strip_tabs { line.trim_start_matches('\t') } else { line };
        if line.strip_suffix('\n').unwrap_or(line) == end {
            return Some((body, used));
        }
        body.push_str(line);
    }
    None
}

/// A word without the backslash-newline pairs outside single quotes.
fn join_lines(raw: &str) -> String {
    if !raw.contains("\\\n") {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut single = false;
    let mut double = false;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '\\' if !single => {
                if chars.next_if_eq(&'\n').is_none() {
                    out.push(c);
                    out.extend(chars.next());
                }
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// `name[…` would be handed to an unbounded grammar of subscripts; arrays are not supported, so
/// the bracket is made an ordinary character.
fn hide_subscript(word: &str) -> String {
    let name = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
    match word.split_at_checked(name) {
        Some((head, tail)) if !head.is_empty() && tail.starts_with('[') => {
            format!("{head}{LITERAL_BRACKET}{}", tail.get(1..).unwrap_or_default())
        }
        _ => word.to_owned(),
    }
}

/// A here-document tag with its quoting removed.
pub(crate) fn unquote(word: &str) -> String {
    let mut out = String::new();
    let mut chars = word.chars();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

/// The length of the word at the start of `rest`.
fn word_length(rest: &str, depth: usize) -> Result<usize, ParseFault> {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'&' | b'(' | b')' | b';' | b'|' | b'<' | b'>' => break,
            _ => at = skip_piece(bytes, at, depth)?,
        }
    }
    Ok(at)
}

/// The end of the character, quotation or substitution at `at`.
pub(crate) fn skip_piece(bytes: &[u8], at: usize, depth: usize) -> Result<usize, ParseFault> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\\'), next) => Ok(at + 1 + usize::from(next.is_some())),
        (Some(b'\''), _) => skip_single(bytes, at + 1),
        (Some(b'"'), _) => skip_double(bytes, at + 1, depth),
        (Some(b'`'), _) => skip_backquote(bytes, at + 1),
        (Some(b'$'), Some(b'\'')) => skip_ansi(bytes, at + 2),
        (Some(b'$'), Some(b'(' | b'{')) => skip_dollar(bytes, at, depth),
        _ => Ok(at + 1),
    }
}

fn skip_single(bytes: &[u8], from: usize) -> Result<usize, ParseFault> {
    find(bytes, from, b'\'').ok_or(ParseFault::Incomplete(Missing::Close('\'')))
}

fn skip_ansi(bytes: &[u8], from: usize) -> Result<usize, ParseFault> {
    find_unescaped(bytes, from, b'\'').ok_or(ParseFault::Incomplete(Missing::Close('\'')))
}

fn skip_backquote(bytes: &[u8], from: usize) -> Result<usize, ParseFault> {
    find_unescaped(bytes, from, b'`').ok_or(ParseFault::Incomplete(Missing::Close('`')))
}

fn skip_double(bytes: &[u8], mut at: usize, depth: usize) -> Result<usize, ParseFault> {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            // Single quotes and `$'` are ordinary inside double quotes.
            b'\'' => at += 1,
            b'$' if bytes.get(at + 1) == Some(&b'\'') => at += 1,
            _ => at = skip_piece(bytes, at, depth)?,
        }
    }
    Err(ParseFault::Incomplete(Missing::Close('"')))
}

/// The end of the `$(…)`, `$((…))` or `${…}` that starts at `at`.
fn skip_dollar(bytes: &[u8], at: usize, depth: usize) -> Result<usize, ParseFault> {
    let depth = depth.checked_sub(1).ok_or(ParseFault::TooDeep)?;
    if bytes.get(at + 1) == Some(&b'{') {
        return skip_braces(bytes, at + 2, depth);
    }
    skip_command(bytes, at + 2, depth)
}

fn skip_braces(bytes: &[u8], mut at: usize, depth: usize) -> Result<usize, ParseFault> {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'}' => return Ok(at + 1),
            _ => at = skip_piece(bytes, at, depth)?,
        }
    }
    Err(ParseFault::Incomplete(Missing::Close('}')))
}

/// The end of a command substitution whose `(` is before `at`.
fn skip_command(bytes: &[u8], mut at: usize, depth: usize) -> Result<usize, ParseFault> {
    let mut parens = 0_usize;
    let mut cases = 0_usize;
    let mut here: Vec<(String, bool)> = Vec::new();
    let mut word_start = true;
    while let Some(&byte) = bytes.get(at) {
        let starts_word = word_start;
        word_start = matches!(byte, b' ' | b'\t' | b'\n' | b'(' | b')' | b';' | b'&' | b'|');
        match byte {
            b'(' => {
                parens += 1;
                if parens > depth {
                    return Err(ParseFault::TooDeep);
                }
                at += 1;
            }
            // The `)` after a pattern of `case` closes nothing.
            b')' if parens == 0 && cases > 0 => at += 1,
            b')' if parens == 0 => return Ok(at + 1),
            b')' => {
                parens -= 1;
                at += 1;
            }
            b'#' if starts_word => {
                while bytes.get(at).is_some_and(|&b| b != b'\n') {
                    at += 1;
                }
            }
            b'\n' => {
                at += 1;
                for (end, strip) in std::mem::take(&mut here) {
                    let rest = bytes.get(at..).and_then(|rest| std::str::from_utf8(rest).ok());
                    let (_, used) = rest
                        .and_then(|rest| here_body(rest, &end, strip))
                        .ok_or(ParseFault::Incomplete(Missing::HereDocument))?;
                    at += used;
                }
            }
            b'<' if bytes.get(at..).is_some_and(|b| b.starts_with(b"<<<")) => at += 3,
            b'<' if bytes.get(at..).is_some_and(|b| b.starts_with(b"<<")) => {
                let strip = bytes.get(at + 2) == Some(&b'-');
                at += 2 + usize::from(strip);
                while bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'\t')) {
                    at += 1;
                }
                let rest = bytes.get(at..).and_then(|rest| std::str::from_utf8(rest).ok());
                let rest = rest.unwrap_or_default();
                let length = word_length(rest, depth)?;
                // In `$((1<<2))` the shift is no here-document; digits are no tag worth having.
                let tag = rest.get(..length).unwrap_or_default();
                if !tag.is_empty() && !tag.starts_with(|c: char| c.is_ascii_digit() || c == '$') {
                    here.push((unquote(tag), strip));
                }
                at += length;
            }
            b'c' | b'e' if starts_word => {
                let rest = bytes.get(at..).unwrap_or_default();
                if keyword(rest, b"case") {
                    cases += 1;
                } else if keyword(rest, b"esac") {
                    cases = cases.saturating_sub(1);
                }
                at += 1;
            }
            _ => at = skip_piece(bytes, at, depth)?,
        }
    }
    Err(ParseFault::Incomplete(Missing::Close(')')))
}

fn keyword(rest: &[u8], word: &[u8]) -> bool {
    rest.strip_prefix(word).is_some_and(|after| {
        after.first().is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_' && *b != b'=')
    })
}

/// The place after the next `wanted`.
fn find(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().position(|&b| b == wanted).map(|at| from + at + 1)
}

/// The place after the next `wanted` that no backslash precedes.
fn find_unescaped(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let mut at = from;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == wanted => return Some(at + 1),
            _ => at += 1,
        }
    }
}
