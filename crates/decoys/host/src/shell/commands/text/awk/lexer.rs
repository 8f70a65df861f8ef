//! Words of a program.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(Vec<u8>),
    Regex(Vec<u8>),
    Name(String),
    /// A name with a parenthesis right behind it.
    Call(String),
    Word(Word),
    Mark(&'static str),
    Newline,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Begin,
    End,
    Function,
    If,
    Else,
    While,
    For,
    Do,
    Break,
    Continue,
    Next,
    Exit,
    Return,
    Delete,
    In,
    Getline,
    Print,
    Printf,
}

const WORDS: &[(&str, Word)] = &[
    ("BEGIN", Word::Begin),
    ("END", Word::End),
    ("function", Word::Function),
    ("func", Word::Function),
    ("if", Word::If),
    ("else", Word::Else),
    ("while", Word::While),
    ("for", Word::For),
    ("do", Word::Do),
    ("break", Word::Break),
    ("continue", Word::Continue),
    ("next", Word::Next),
    ("nextfile", Word::Next),
    ("exit", Word::Exit),
    ("return", Word::Return),
    ("delete", Word::Delete),
    ("in", Word::In),
    ("getline", Word::Getline),
    ("print", Word::Print),
    ("printf", Word::Printf),
];

/// Longer marks come first.
const MARKS: &[&str] = &[
    "**=", "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=",
    "**", ">>", "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!",
    ">", "<", "|", "?", ":", "~", "$", "=",
];

pub(super) struct Lexer<'s> {
    source: &'s [u8],
    at: usize,
    pub(super) line: usize,
}

/// What is wrong, in mawk's words after `line N: `.
pub(super) type Fault = String;

impl<'s> Lexer<'s> {
    pub(super) const fn new(source: &'s [u8]) -> Self {
        Self { source, at: 0, line: 1 }
    }

    fn rest(&self) -> &'s [u8] {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The next word; `divides` when a slash there is a division.
    pub(super) fn next(&mut self, divides: bool) -> Result<Token, Fault> {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\r', ..] => self.at += 1,
                [b'\\', b'\n', ..] => {
                    self.at += 2;
                    self.line += 1;
                }
                [b'#', rest @ ..] => {
                    self.at += 1 + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                }
                _ => break,
            }
        }
        let rest = self.rest();
        let Some(&first) = rest.first() else { return Ok(Token::End) };
        match first {
            b'\n' => {
                self.at += 1;
                self.line += 1;
                return Ok(Token::Newline);
            }
            b'"' => return self.text(),
            b'/' if !divides => return self.regex(),
            b'0'..=b'9' => return Ok(self.number()),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => return Ok(self.number()),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => return Ok(self.name()),
            _ => {}
        }
        match MARKS.iter().find(|mark| rest.starts_with(mark.as_bytes())) {
            Some(mark) => {
                self.at += mark.len();
                Ok(Token::Mark(match *mark {
                    "**" => "^",
                    "**=" => "^=",
                    other => other,
                }))
            }
            None => Err(format!("syntax error at or near {}", char::from(first))),
        }
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let length = super::value::number_length(rest);
        self.at += length.max(1);
        let digits = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
        Token::Number(digits.parse().unwrap_or(0.0))
    }

    fn name(&mut self) -> Token {
        let rest = self.rest();
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        self.at += length;
        let name = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
        if let Some((_, word)) = WORDS.iter().find(|(known, _)| *known == name) {
            return Token::Word(*word);
        }
        if rest.get(length) == Some(&b'(') { Token::Call(name) } else { Token::Name(name) }
    }

    fn text(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let Some(&byte) = self.source.get(self.at) else {
                let rest = self.source.get(start..).unwrap_or_default();
                let shown = String::from_utf8_lossy(rest.get(..12).unwrap_or(rest)).into_owned();
                return Err(format!("runaway string constant {shown} ..."));
            };
            self.at += 1;
            match byte {
                b'"' => return Ok(Token::Text(out)),
                b'\n' => {
                    let rest = self.source.get(start..).unwrap_or_default();
                    let shown =
                        String::from_utf8_lossy(rest.get(..12).unwrap_or(rest)).into_owned();
                    return Err(format!("runaway string constant {shown} ..."));
                }
                b'\\' => {
                    let escaped = self.source.get(self.at).copied();
                    self.at += 1;
                    match escaped {
                        Some(b'\n') => self.line += 1,
                        Some(escaped @ b'0'..=b'7') => {
                            let mut value = u32::from(escaped - b'0');
                            for _ in 0..2 {
                                match self.source.get(self.at) {
                                    Some(digit @ b'0'..=b'7') => {
                                        value = value * 8 + u32::from(digit - b'0');
                                        self.at += 1;
                                    }
                                    _ => break,
                                }
                            }
                            out.push(value.to_le_bytes()[0]);
                        }
                        Some(other) => match super::value::escape(other) {
                            Some(byte) => out.push(byte),
                            None => out.extend_from_slice(&[b'\\', other]),
                        },
                        None => {}
                    }
                }
                _ => out.push(byte),
            }
        }
    }

    fn regex(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        self.at += 1;
        let mut out = Vec::new();
        let mut bracket = false;
        loop {
            let Some(&byte) = self.source.get(self.at).filter(|b| **b != b'\n') else {
                let rest = self.source.get(start..).unwrap_or_default();
                let shown = String::from_utf8_lossy(rest.get(..12).unwrap_or(rest)).into_owned();
                return Err(format!("runaway regular expression {shown} ..."));
            };
            self.at += 1;
            match byte {
                b'/' if !bracket => return Ok(Token::Regex(out)),
                b'\\' => {
                    let escaped = self.source.get(self.at).copied().unwrap_or(b'\\');
                    self.at += 1;
                    match escaped {
                        b'/' | b'"' => out.push(escaped),
                        b'n' => out.push(b'\n'),
                        b't' => out.push(b'\t'),
                        b'r' => out.push(b'\r'),
                        _ => out.extend_from_slice(&[b'\\', escaped]),
                    }
                }
                b'[' if !bracket => {
                    bracket = true;
                    out.push(byte);
                    for member in [b'^', b']'] {
                        if self.source.get(self.at) == Some(&member) {
                            out.push(member);
                            self.at += 1;
                        }
                    }
                }
                b'[' if self.source.get(self.at) == Some(&b':') => {
                    out.push(byte);
                    while let Some(&member) = self.source.get(self.at) {
                        self.at += 1;
                        out.push(member);
                        if member == b']' {
                            break;
                        }
                    }
                }
                b']' => {
                    bracket = false;
                    out.push(byte);
                }
                _ => out.push(byte),
            }
        }
    }
}
