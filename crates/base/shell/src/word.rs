//! Takes one word apart into what is to be expanded.
//!
//! Each piece says whether it stood in double quotes, because that decides about field splitting
//! and file name patterns. The sources of nested commands stay text: whoever expands them calls
//! [`crate::parse`] again, with limits of its own.

use crate::fault::{Missing, ParseFault};
use crate::lexer::skip_piece;

mod braces;

pub use braces::expand as expand_braces;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Unquoted text: may be a pattern.
    Text(String),
    /// Quoted text, possibly empty: stands for itself.
    Quoted(String),
    /// A leading `~`, with the name that follows it.
    Tilde(String),
    /// `$name` or `${…}`.
    Parameter {
        /// Which, and what to do with it.
        parameter: Parameter,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// `$(…)` or backquotes.
    Command {
        /// What stands inside.
        source: String,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// `$((…))`.
    Arithmetic {
        /// What stands inside.
        expression: String,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// A variable name, digits, or one of `@*#?-$!`.
    pub name: String,
    /// What to do with its value.
    pub operation: Operation,
}

/// What a parameter expansion does with the value (POSIX.1-2017 XCU §2.6.2 and bash's additions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `$x`.
    Value,
    /// `${#x}`.
    Length,
    /// `${!x}`.
    Indirect,
    /// `${x-word}`, `${x:-word}`; also `=`, `?` and `+`.
    Test {
        /// `-`, `=`, `?` or `+`.
        kind: char,
        /// Whether an empty value counts as none.
        or_empty: bool,
        /// The word.
        word: String,
    },
    /// `${x#pattern}` and its kin.
    Remove {
        /// At the end (`%`) instead of the start (`#`).
        suffix: bool,
        /// The longest match instead of the shortest.
        longest: bool,
        /// The pattern.
        pattern: String,
    },
    /// `${x:offset:length}`.
    Substring {
        /// An arithmetic expression.
        offset: String,
        /// Another.
        length: Option<String>,
    },
    /// `${x/pattern/with}`.
    Replace {
        /// `/` all, `#` at the start, `%` at the end, else the first.
        which: Option<char>,
        /// The pattern.
        pattern: String,
        /// What replaces it.
        with: String,
    },
    /// `${x^}`, `${x^^}`, `${x,}`, `${x,,}`.
    Case {
        /// To upper case.
        upper: bool,
        /// The whole value instead of its first character.
        all: bool,
    },
    /// Anything else: `bad substitution`.
    Bad(String),
}

/// The pieces of `word`, whose substitutions may nest `depth` deep.
///
/// # Errors
/// An unfinished quotation, or nesting beyond `depth`.
pub fn pieces(word: &str, depth: usize) -> Result<Vec<Piece>, ParseFault> {
    let mut reader = Reader { word, at: 0, depth, out: Vec::new() };
    reader.tilde();
    reader.unquoted()?;
    Ok(reader.out)
}

/// The pieces of a here-document's body: quotes are ordinary characters there.
///
/// # Errors
/// As [`pieces`].
pub fn here_document(body: &str, depth: usize) -> Result<Vec<Piece>, ParseFault> {
    let mut reader = Reader { word: body, at: 0, depth, out: Vec::new() };
    reader.double(None)?;
    Ok(reader.out)
}

struct Reader<'w> {
    word: &'w str,
    at: usize,
    depth: usize,
    out: Vec<Piece>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.word.as_bytes().get(self.at + ahead).copied()
    }

    fn slice(&self, from: usize, to: usize) -> String {
        self.word.get(from..to).unwrap_or_default().to_owned()
    }

    fn tilde(&mut self) {
        let Some(rest) = self.word.strip_prefix('~') else { return };
        let end = rest.find('/').unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')) {
            self.out.push(Piece::Tilde(name.to_owned()));
            self.at = 1 + end;
        }
    }

    fn unquoted(&mut self) -> Result<(), ParseFault> {
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'\'', _) => {
                    let end = self.skip()?;
                    self.out.push(Piece::Quoted(self.slice(self.at + 1, end - 1)));
                    self.at = end;
                }
                (b'"', _) => {
                    self.at += 1;
                    let before = self.out.len();
                    self.double(Some(b'"'))?;
                    if self.out.len() == before {
                        self.out.push(Piece::Quoted(String::new()));
                    }
                }
                (b'\\', _) => {
                    let rest = self.word.get(self.at + 1..).unwrap_or_default();
                    let escaped: String = rest.chars().take(1).collect();
                    self.at += 1 + escaped.len();
                    let kept = if escaped.is_empty() { "\\".to_owned() } else { escaped };
                    self.out.push(Piece::Quoted(kept));
                }
                (b'$', Some(b'\'')) => {
                    let end = self.skip()?;
                    let text = ansi_c(&self.slice(self.at + 2, end - 1));
                    self.out.push(Piece::Quoted(text));
                    self.at = end;
                }
                (b'$', Some(b'"')) => self.at += 1,
                (b'$' | b'`', _) => self.substitution(false)?,
                _ => {
                    let rest = self.word.get(self.at..).unwrap_or_default();
                    let end = rest.find(['\'', '"', '\\', '$', '`']).unwrap_or(rest.len());
                    self.out.push(Piece::Text(self.slice(self.at, self.at + end)));
                    self.at += end;
                }
            }
        }
        Ok(())
    }

    /// Reads as in double quotes up to `close`, which is consumed.
    fn double(&mut self, close: Option<u8>) -> Result<(), ParseFault> {
        let mut text = String::new();
        loop {
            let Some(byte) = self.peek(0) else {
                if close.is_some() {
                    return Err(ParseFault::Incomplete(Missing::Close('"')));
                }
                break;
            };
            match (byte, self.peek(1)) {
                (byte, _) if Some(byte) == close => {
                    self.at += 1;
                    break;
                }
                (b'\\', Some(next @ (b'$' | b'`' | b'\\'))) => {
                    text.push(char::from(next));
                    self.at += 2;
                }
                (b'\\', Some(b'"')) if close.is_some() => {
                    text.push('"');
                    self.at += 2;
                }
                (b'\\', Some(b'\n')) => self.at += 2,
                (b'$', Some(b'\'')) => {
                    text.push('$');
                    self.at += 1;
                }
                (b'$' | b'`', _) => {
                    if !text.is_empty() {
                        self.out.push(Piece::Quoted(std::mem::take(&mut text)));
                    }
                    self.substitution(true)?;
                }
                _ => {
                    let rest = self.word.get(self.at..).unwrap_or_default();
                    let end = rest.find(['"', '\\', '$', '`']).unwrap_or(rest.len()).max(1);
                    text.push_str(rest.get(..end).unwrap_or_default());
                    self.at += end;
                }
            }
        }
        if !text.is_empty() {
            self.out.push(Piece::Quoted(text));
        }
        Ok(())
    }

    fn skip(&self) -> Result<usize, ParseFault> {
        skip_piece(self.word.as_bytes(), self.at, self.depth)
    }

    fn substitution(&mut self, quoted: bool) -> Result<(), ParseFault> {
        let start = self.at;
        let end = self.skip()?;
        if self.peek(0) == Some(b'`') {
            let source = backquoted(&self.slice(start + 1, end - 1), quoted);
            self.out.push(Piece::Command { source, quoted });
            self.at = end;
            return Ok(());
        }
        match self.peek(1) {
            Some(b'(') => {
                let inner = self.slice(start + 2, end - 1);
                let arithmetic = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                self.out.push(match arithmetic.filter(|rest| balanced(rest)) {
                    Some(rest) => Piece::Arithmetic { expression: rest.to_owned(), quoted },
                    None => Piece::Command { source: inner, quoted },
                });
                self.at = end;
            }
            Some(b'{') => {
                let parameter = braced(&self.slice(start + 2, end - 1));
                self.out.push(Piece::Parameter { parameter, quoted });
                self.at = end;
            }
            _ => {
                let rest = self.word.get(start + 1..).unwrap_or_default();
                let length = name_length(rest);
                if length == 0 {
                    let text = "$".to_owned();
                    self.out.push(if quoted { Piece::Quoted(text) } else { Piece::Text(text) });
                } else {
                    let name = rest.get(..length).unwrap_or_default().to_owned();
                    let parameter = Parameter { name, operation: Operation::Value };
                    self.out.push(Piece::Parameter { parameter, quoted });
                }
                self.at = start + 1 + length;
            }
        }
        Ok(())
    }
}

/// Whether every `)` closes a `(`: `$((a) + (b))` is arithmetic, `$((a); (b))` is a command.
fn balanced(text: &str) -> bool {
    let mut open = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'(' => open += 1,
            b')' if open == 0 => return false,
            b')' => open -= 1,
            b';' => return false,
            _ => {}
        }
    }
    open == 0
}

/// The length of the parameter name after a bare `$`.
fn name_length(rest: &str) -> usize {
    match rest.bytes().next() {
        Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' | b'0'..=b'9') => 1,
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
            rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
        }
        _ => 0,
    }
}

/// What stands between `${` and `}`.
fn braced(inner: &str) -> Parameter {
    let bad = || Parameter { name: String::new(), operation: Operation::Bad(inner.to_owned()) };
    let named = |name: &str, operation| Parameter { name: name.to_owned(), operation };
    if let Some(rest) = inner.strip_prefix('#')
        && !rest.is_empty()
        && braced_name_length(rest) == rest.len()
    {
        return named(rest, Operation::Length);
    }
    if let Some(rest) = inner.strip_prefix('!')
        && !rest.is_empty()
        && braced_name_length(rest) == rest.len()
    {
        return named(rest, Operation::Indirect);
    }
    let length = braced_name_length(inner);
    let (name, rest) = inner.split_at_checked(length).unwrap_or((inner, ""));
    if name.is_empty() {
        return bad();
    }
    match operation(rest) {
        Some(operation) => named(name, operation),
        None => bad(),
    }
}

fn braced_name_length(text: &str) -> usize {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 { digits } else { name_length(text) }
}

fn operation(rest: &str) -> Option<Operation> {
    let mut chars = rest.chars();
    let Some(first) = chars.next() else { return Some(Operation::Value) };
    let tail = chars.as_str();
    let doubled = |c: char| tail.strip_prefix(c).map_or((false, tail), |tail| (true, tail));
    Some(match first {
        '-' | '=' | '?' | '+' => {
            Operation::Test { kind: first, or_empty: false, word: tail.to_owned() }
        }
        ':' => match tail.chars().next() {
            Some(kind @ ('-' | '=' | '?' | '+')) => {
                let word = tail.get(1..).unwrap_or_default().to_owned();
                Operation::Test { kind, or_empty: true, word }
            }
            _ => {
                let (offset, length) = match tail.split_once(':') {
                    Some((offset, length)) => (offset, Some(length.to_owned())),
                    None => (tail, None),
                };
                Operation::Substring { offset: offset.to_owned(), length }
            }
        },
        '#' | '%' => {
            let (longest, pattern) = doubled(first);
            Operation::Remove { suffix: first == '%', longest, pattern: pattern.to_owned() }
        }
        '^' | ',' => {
            let (all, tail) = doubled(first);
            if !tail.is_empty() {
                return None;
            }
            Operation::Case { upper: first == '^', all }
        }
        '/' => {
            let which = tail.chars().next().filter(|c| matches!(c, '/' | '#' | '%'));
            let body = if which.is_some() { tail.get(1..).unwrap_or_default() } else { tail };
            let (pattern, with) = split_replacement(body);
            Operation::Replace { which, pattern, with }
        }
        _ => return None,
    })
}

/// Pattern and replacement at the first `/` that no backslash precedes.
fn split_replacement(body: &str) -> (String, String) {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            '/' if !escaped && at > 0 => {
                let (pattern, with) = body.split_at_checked(at).unwrap_or((body, ""));
                return (pattern.to_owned(), with.get(1..).unwrap_or_default().to_owned());
            }
            _ => escaped = c == '\\' && !escaped,
        }
    }
    (body.to_owned(), String::new())
}

fn backquoted(inner: &str, quoted: bool) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\'
            && let Some(next) =
                chars.next_if(|n| matches!(n, '`' | '\\' | '$') || (quoted && *n == '"'))
        {
            out.push(next);
        } else {
            out.push(c);
        }
    }
    out
}

/// The text of `$'…'`; escapes that make bytes above 0x7f come out in the encoding of
/// [`crate::text`].
fn ansi_c(inner: &str) -> String {
    let mut bytes = Vec::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend(crate::text::decode(c.encode_utf8(&mut [0; 4])));
            continue;
        }
        let mut digits = |radix: u32, max: usize| {
            let mut value = 0_u32;
            let mut count = 0;
            while count < max
                && let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix))
            {
                chars.next();
                value = value * radix + digit;
                count += 1;
            }
            (count > 0).then_some(value)
        };
        if let Some(octal) = digits(8, 3) {
            bytes.push(octal.to_le_bytes()[0]);
            continue;
        }
        match chars.next() {
            Some('n') => bytes.push(b'\n'),
            Some('t') => bytes.push(b'\t'),
            Some('r') => bytes.push(b'\r'),
            Some('a') => bytes.push(7),
            Some('b') => bytes.push(8),
            Some('e' | 'E') => bytes.push(0x1b),
            Some('f') => bytes.push(0x0c),
            Some('v') => bytes.push(0x0b),
            Some('x') => {
                let mut value = 0_u8;
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
                    chars.next();
                    value = value << 4 | digit.to_le_bytes()[0];
                }
                bytes.push(value);
            }
            Some(other @ ('\\' | '\'' | '"' | '?')) => {
                bytes.extend(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Some(other) => {
                bytes.push(b'\\');
                bytes.extend(crate::text::decode(other.encode_utf8(&mut [0; 4])));
            }
            None => bytes.push(b'\\'),
        }
    }
    crate::text::encode(&bytes)
}
