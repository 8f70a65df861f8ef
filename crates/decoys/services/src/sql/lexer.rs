//! Words of a statement, with where they stand.

use super::fault::Fault;

/// Longest statement that is read.
pub(crate) const MAX_STATEMENT: usize = 1024 * 1024;
/// Most words of a statement.
const MAX_TOKENS: usize = 200_000;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    MySql,
    Postgres,
}

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name or key word as written.
    Word(String),
    /// A name in quotes.
    Quoted(String),
    /// A text.
    Text(String),
    /// A number as written.
    Number(String),
    /// Bytes written in hexadecimal digits.
    Hex(Vec<u8>),
    /// `$1` or `?`, counted from zero.
    Parameter(usize),
    /// `@name` or `@@name`, with its signs.
    Variable(String),
    /// An operator or sign.
    Sign(&'static str),
    /// The end.
    End,
}

/// A word with its first byte.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spot {
    pub(crate) token: Token,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

/// Signs, longer ones first.
const SIGNS: &[&str] = &[
    "!~~*", "<=>", "->>", "#>>", "!~*", "!~~", "~~*", "::", "<=", ">=", "<>", "!=", "||", "&&",
    ":=", "->", "#>", "@>", "<@", "~*", "!~", "~~", "<<", ">>", "=>", "(", ")", ",", ";", ".", "+",
    "-", "*", "/", "%", "=", "<", ">", "[", "]", ":", "~", "!", "^", "&", "|", "@", "?", "#", "{",
    "}",
];

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    dialect: Dialect,
    out: Vec<Spot>,
    parameters: usize,
    /// Inside `/*! … */`, whose content counts.
    conditional: bool,
}

/// The words of `text`, an end last.
pub(super) fn lex(text: &str, dialect: Dialect) -> Result<Vec<Spot>, Fault> {
    let bytes = text.as_bytes();
    let mut lexer =
        Lexer { text, bytes, at: 0, dialect, out: Vec::new(), parameters: 0, conditional: false };
    while lexer.step()? {
        if lexer.out.len() > MAX_TOKENS {
            return Err(Fault::TooComplex);
        }
    }
    lexer.out.push(Spot { token: Token::End, at: bytes.len(), end: bytes.len() });
    Ok(lexer.out)
}

/// The statements of `text`, parted at semicolons, each with where it starts; empty ones left out.
pub(crate) fn split(text: &str, dialect: Dialect) -> Vec<(usize, &str)> {
    let mut cuts = Vec::new();
    if let Ok(spots) = lex(text, dialect) {
        cuts.extend(spots.iter().filter(|spot| spot.token == Token::Sign(";")).map(|spot| spot.at));
    }
    cuts.push(text.len());
    let mut from = 0;
    let mut out = Vec::new();
    for cut in cuts {
        let piece = text.get(from..cut).unwrap_or_default();
        let blank = lex(piece, dialect).is_ok_and(|spots| spots.len() == 1);
        if !blank {
            out.push((from, piece));
        }
        from = cut + 1;
    }
    out
}

/// The first words of `text` in lower case, for statements that are told apart by them.
pub(crate) fn words(text: &str, dialect: Dialect) -> Vec<String> {
    let spots = lex(text.get(..4096).unwrap_or(text), dialect).unwrap_or_default();
    let word = |spot: Spot| match spot.token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        Token::Quoted(word) | Token::Text(word) => Some(word),
        Token::Sign(sign) => Some(sign.to_owned()),
        Token::Number(number) | Token::Variable(number) => Some(number),
        Token::Hex(_) | Token::Parameter(_) | Token::End => None,
    };
    spots.into_iter().filter_map(word).take(64).collect()
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, token: Token, from: usize) {
        self.out.push(Spot { token, at: from, end: self.at });
    }

    /// Reads one word; false at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        let from = self.at;
        let Some(byte) = self.bytes.get(self.at).copied() else { return Ok(false) };
        let mysql = self.dialect == Dialect::MySql;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
            b'-' if self.peek(1) == b'-' && (!mysql || self.peek(2) <= b' ') => self.line(),
            b'#' if mysql => self.line(),
            b'/' if self.peek(1) == b'*' => self.comment()?,
            b'*' if self.conditional && self.peek(1) == b'/' => {
                self.conditional = false;
                self.at += 2;
            }
            b'\'' => {
                let text = self.quoted(b'\'', mysql)?;
                self.push(Token::Text(text), from);
            }
            b'"' => {
                let text = self.quoted(b'"', mysql)?;
                self.push(if mysql { Token::Text(text) } else { Token::Quoted(text) }, from);
            }
            b'`' if mysql => {
                let text = self.quoted(b'`', false)?;
                self.push(Token::Quoted(text), from);
            }
            b'e' | b'E' if !mysql && self.peek(1) == b'\'' => {
                self.at += 1;
                let text = self.quoted(b'\'', true)?;
                self.push(Token::Text(text), from);
            }
            b'x' | b'X' | b'b' | b'B' | b'n' | b'N' if self.peek(1) == b'\'' => {
                self.at += 1;
                let text = self.quoted(b'\'', mysql)?;
                let token = match byte {
                    b'x' | b'X' => hex(&text).map(Token::Hex),
                    _ => Some(Token::Text(text)),
                };
                let token = token.ok_or_else(|| self.syntax(from))?;
                self.push(token, from);
            }
            b'0' if mysql && self.peek(1) == b'x' && self.peek(2).is_ascii_hexdigit() => {
                self.at += 2;
                self.skip(|byte| byte.is_ascii_hexdigit());
                let digits = self.text.get(from + 2..self.at).unwrap_or_default();
                let digits =
                    if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
                self.push(Token::Hex(hex(&digits).unwrap_or_default()), from);
            }
            b'$' if !mysql => self.dollar(from)?,
            b'?' if mysql => {
                self.at += 1;
                self.parameters += 1;
                self.push(Token::Parameter(self.parameters - 1), from);
            }
            b'@' if mysql => {
                self.at += 1;
                if self.peek(0) == b'@' {
                    self.at += 1;
                }
                match self.peek(0) {
                    quote @ (b'`' | b'\'' | b'"') => {
                        let sign = self.text.get(from..self.at).unwrap_or_default().to_owned();
                        let name = self.quoted(quote, quote != b'`')?;
                        self.push(Token::Variable(sign + &name), from);
                    }
                    _ => {
                        self.skip(|byte| is_word(byte) || byte == b'.');
                        let name = self.text.get(from..self.at).unwrap_or_default().to_owned();
                        self.push(Token::Variable(name), from);
                    }
                }
            }
            b'0'..=b'9' => self.number(from),
            b'.' if self.peek(1).is_ascii_digit() => self.number(from),
            byte if is_word(byte) => {
                self.skip(is_word);
                let word = self.text.get(from..self.at).unwrap_or_default().to_owned();
                self.push(Token::Word(word), from);
            }
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                    Some(sign) => {
                        self.at += sign.len();
                        self.push(Token::Sign(sign), from);
                    }
                    None => return Err(self.syntax(from)),
                }
            }
        }
        Ok(true)
    }

    fn syntax(&self, at: usize) -> Fault {
        let token = self.text.get(at..).and_then(|rest| rest.chars().next());
        Fault::Syntax { at, token: token.map(String::from).unwrap_or_default() }
    }

    fn unterminated(&self, at: usize) -> Fault {
        let token: String = self.text.get(at..).unwrap_or_default().to_owned();
        Fault::Unterminated { at, token }
    }

    fn skip(&mut self, more: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|byte| more(*byte)) {
            self.at += 1;
        }
    }

    fn line(&mut self) {
        self.skip(|byte| byte != b'\n');
    }

    fn comment(&mut self) -> Result<(), Fault> {
        let from = self.at;
        if self.dialect == Dialect::MySql {
            let bang = if self.peek(2) == b'!' {
                3
            } else if self.peek(2) == b'M' && self.peek(3) == b'!' {
                4
            } else {
                0
            };
            if bang > 0 && !self.conditional {
                self.at += bang;
                self.skip(|byte| byte.is_ascii_digit());
                self.conditional = true;
                return Ok(());
            }
        }
        let mut depth = 0_u32;
        loop {
            match (self.bytes.get(self.at), self.peek(1)) {
                (None, _) => return Err(self.unterminated(from)),
                (Some(b'/'), b'*') if depth == 0 || self.dialect == Dialect::Postgres => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// A text in `quote`s; doubled ones stand for one, and `escapes` for a backslash before others.
    fn quoted(&mut self, quote: u8, escapes: bool) -> Result<String, Fault> {
        let from = self.at;
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let Some(byte) = self.bytes.get(self.at).copied() else {
                return Err(self.unterminated(from));
            };
            self.at += 1;
            match byte {
                byte if byte == quote && self.peek(0) == quote => {
                    self.at += 1;
                    out.push(quote);
                }
                byte if byte == quote => return Ok(String::from_utf8_lossy(&out).into_owned()),
                b'\\' if escapes => {
                    let next = self.peek(0);
                    self.at += 1;
                    match next {
                        b'n' => out.push(b'\n'),
                        b'r' => out.push(b'\r'),
                        b't' => out.push(b'\t'),
                        b'b' => out.push(8),
                        b'0' => out.push(0),
                        b'Z' => out.push(26),
                        b'%' | b'_' => out.extend([b'\\', next]),
                        next => out.push(next),
                    }
                }
                byte => out.push(byte),
            }
        }
    }

    /// `$1`, or a text between `$tag$`s.
    fn dollar(&mut self, from: usize) -> Result<(), Fault> {
        self.at += 1;
        if self.peek(0).is_ascii_digit() {
            self.skip(|byte| byte.is_ascii_digit());
            let number: usize =
                self.text.get(from + 1..self.at).and_then(|n| n.parse().ok()).unwrap_or(0);
            let number =
                number.checked_sub(1).filter(|n| *n < 65_535).ok_or_else(|| self.syntax(from))?;
            self.push(Token::Parameter(number), from);
            return Ok(());
        }
        self.skip(|byte| is_word(byte) && byte != b'$');
        if self.peek(0) != b'$' {
            return Err(self.syntax(from));
        }
        self.at += 1;
        let tag = self.text.get(from..self.at).unwrap_or_default();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(length) = rest.find(tag) else { return Err(self.unterminated(from)) };
        let text = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length + tag.len();
        self.push(Token::Text(text), from);
        Ok(())
    }

    fn number(&mut self, from: usize) {
        self.skip(|byte| byte.is_ascii_digit());
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            self.at += 1;
            self.skip(|byte| byte.is_ascii_digit());
        }
        let signed = usize::from(matches!(self.peek(1), b'+' | b'-'));
        if matches!(self.peek(0), b'e' | b'E') && self.peek(1 + signed).is_ascii_digit() {
            self.at += 1 + signed;
            self.skip(|byte| byte.is_ascii_digit());
        }
        // A name may start with a digit in MySQL.
        if self.dialect == Dialect::MySql && is_word(self.peek(0)) {
            self.skip(is_word);
            let word = self.text.get(from..self.at).unwrap_or_default().to_owned();
            return self.push(Token::Word(word), from);
        }
        let number = self.text.get(from..self.at).unwrap_or_default().to_owned();
        self.push(Token::Number(number), from);
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if digits.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits.chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str, dialect: Dialect) -> Vec<Token> {
        lex(text, dialect).unwrap().into_iter().map(|spot| spot.token).collect()
    }

    #[test]
    fn each_product_reads_its_own_quotes_and_comments() {
        let word = |word: &str| Token::Word(word.to_owned());
        let text = |text: &str| Token::Text(text.to_owned());
        assert_eq!(
            tokens("a \"b\\\"c\" `d` # x\n/*!50000 e*/ 0x41 @@f.g -- y", Dialect::MySql),
            [
                word("a"),
                text("b\"c"),
                Token::Quoted("d".into()),
                word("e"),
                Token::Hex(vec![0x41]),
                Token::Variable("@@f.g".into()),
                Token::End
            ]
        );
        assert_eq!(
            tokens("\"B\" E'\\n' $x$it's$x$ $2 /* a /* b */ */ 'x\\'::text", Dialect::Postgres),
            [
                Token::Quoted("B".into()),
                text("\n"),
                text("it's"),
                Token::Parameter(1),
                text("x\\"),
                Token::Sign("::"),
                word("text"),
                Token::End
            ]
        );
    }

    #[test]
    fn statements_part_at_semicolons_outside_of_texts() {
        let parts = split("select ';'; ;select 2", Dialect::Postgres);
        assert_eq!(parts, [(0, "select ';'"), (13, "select 2")]);
    }

    #[test]
    fn what_does_not_end_is_said_to() {
        assert!(matches!(
            lex("select 'a", Dialect::Postgres),
            Err(Fault::Unterminated { at: 7, .. })
        ));
        assert!(matches!(lex("/* a", Dialect::MySql), Err(Fault::Unterminated { .. })));
    }
}
