//! Reads statements.
//!
//! Nesting and chains of operators are counted while reading: the height of what is read is bounded,
//! so that nothing that walks it later can overflow the stack.

mod expression;
mod query;
mod statement;

use super::ast::{Name, Statement};
use super::fault::Fault;
use super::lexer::{Dialect, MAX_STATEMENT, Spot, Token, lex};

/// Deepest nesting.
const MAX_DEPTH: u32 = 60;
/// Most operators of a statement beside `AND`, `OR` and lists.
const MAX_LINKS: u32 = 600;

/// Reads the one statement in `text`.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Statement, Fault> {
    if text.len() > MAX_STATEMENT {
        return Err(Fault::TooComplex);
    }
    let spots = lex(text, dialect)?;
    let mut parser =
        Parser { text, spots: &spots, at: 0, dialect, depth: 0, links: 0, outfile: None };
    if parser.peek() == &Token::End {
        return Err(Fault::Empty);
    }
    let statement = parser.statement()?;
    parser.sign(";");
    match (&statement, parser.peek()) {
        (Statement::Other(_), _) | (_, Token::End) => Ok(statement),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'t> {
    text: &'t str,
    spots: &'t [Spot],
    at: usize,
    dialect: Dialect,
    depth: u32,
    links: u32,
    /// File that an `INTO` before the tables named.
    outfile: Option<String>,
}

impl<'t> Parser<'t> {
    fn mysql(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    fn peek(&self) -> &'t Token {
        self.look(0)
    }

    fn look(&self, ahead: usize) -> &'t Token {
        self.spots.get(self.at + ahead).map_or(&Token::End, |spot| &spot.token)
    }

    /// First byte of the next word.
    fn place(&self) -> usize {
        self.spots.get(self.at).map_or(self.text.len(), |spot| spot.at)
    }

    /// The byte after the last word.
    fn end(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.spots.get(at));
        last.map_or(0, |spot| spot.end)
    }

    fn next(&mut self) -> &'t Token {
        let token = self.peek();
        if token != &Token::End {
            self.at += 1;
        }
        token
    }

    /// The fault that the next word should not be here.
    fn unexpected(&self) -> Fault {
        let spot = self.spots.get(self.at);
        let token = spot.and_then(|spot| self.text.get(spot.at..spot.end));
        Fault::Syntax { at: self.place(), token: token.unwrap_or_default().to_owned() }
    }

    /// Whether the next word is key word `word`.
    fn is(&self, word: &str) -> bool {
        self.is_ahead(0, word)
    }

    fn is_ahead(&self, ahead: usize, word: &str) -> bool {
        matches!(self.look(ahead), Token::Word(have) if have.eq_ignore_ascii_case(word))
    }

    /// Takes key word `word` if it is next.
    fn word(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    /// Takes all of `words` if they are next.
    fn words(&mut self, words: &[&str]) -> bool {
        let are = words.iter().enumerate().all(|(ahead, word)| self.is_ahead(ahead, word));
        self.at += if are { words.len() } else { 0 };
        are
    }

    fn expect(&mut self, word: &str) -> Result<(), Fault> {
        if self.word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(have) if *have == sign)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = self.is_sign(sign);
        self.at += usize::from(is);
        is
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Fault> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Counts one level of nesting while `work` goes on.
    fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::TooComplex);
        }
        let done = work(self);
        self.depth -= 1;
        done
    }

    fn link(&mut self) -> Result<(), Fault> {
        self.links += 1;
        if self.links > MAX_LINKS { Err(Fault::TooComplex) } else { Ok(()) }
    }

    /// A name that is no reserved word.
    fn name(&mut self) -> Result<String, Fault> {
        let name = match self.peek() {
            Token::Word(word) if !is_reserved(word) => self.folded(word),
            Token::Quoted(name) => name.clone(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }

    /// Any word as a name, after a point or `AS`.
    fn label(&mut self) -> Result<String, Fault> {
        let name = match self.peek() {
            Token::Word(word) => self.folded(word),
            Token::Quoted(name) => name.clone(),
            Token::Text(name) if self.mysql() => name.clone(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }

    /// A name as the product keeps it.
    fn folded(&self, word: &str) -> String {
        if self.mysql() { word.to_owned() } else { word.to_ascii_lowercase() }
    }

    /// A name with its schema. A third part in front, the catalogue, is dropped.
    fn qualified(&mut self) -> Result<Name, Fault> {
        let at = self.place();
        let mut name = self.name()?;
        let mut schema = None;
        while self.sign(".") {
            schema = Some(name);
            name = self.label()?;
        }
        Ok(Name { schema, name, at })
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut out = vec![item(self)?];
        while self.sign(",") {
            out.push(item(self)?);
        }
        Ok(out)
    }

    /// Names in parentheses.
    fn names(&mut self) -> Result<Vec<String>, Fault> {
        self.expect_sign("(")?;
        let names = self.list(Self::label)?;
        self.expect_sign(")")?;
        Ok(names)
    }

    /// Passes over one group in parentheses.
    fn skip_group(&mut self) {
        let mut depth = 0_u32;
        loop {
            match self.next() {
                Token::Sign("(") => depth += 1,
                Token::Sign(")") if depth <= 1 => return,
                Token::Sign(")") => depth -= 1,
                Token::End => return,
                _ => {}
            }
        }
    }
}

/// Words that cannot be names without quotes.
fn is_reserved(word: &str) -> bool {
    const RESERVED: &[&str] = &[
        "all",
        "and",
        "any",
        "as",
        "asc",
        "between",
        "by",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "cross",
        "desc",
        "distinct",
        "div",
        "drop",
        "else",
        "end",
        "except",
        "exists",
        "false",
        "fetch",
        "for",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "in",
        "inner",
        "insert",
        "intersect",
        "into",
        "is",
        "join",
        "left",
        "like",
        "ilike",
        "limit",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "primary",
        "procedure",
        "references",
        "regexp",
        "returning",
        "right",
        "rlike",
        "select",
        "set",
        "table",
        "then",
        "to",
        "true",
        "union",
        "unique",
        "update",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
        "xor",
        "lateral",
        "similar",
    ];
    RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, dialect: Dialect) -> (usize, String) {
        match parse(text, dialect) {
            Err(Fault::Syntax { at, token }) => (at, token),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_fault_names_the_word_it_stands_at() {
        assert_eq!(refused("selec 1", Dialect::Postgres), (0, "selec".to_owned()));
        assert_eq!(refused("select * form x", Dialect::Postgres), (9, "form".to_owned()));
        assert_eq!(refused("select 1 from", Dialect::Postgres), (13, String::new()));
        assert_eq!(refused("select (1", Dialect::MySql), (9, String::new()));
        assert_eq!(refused("insert t values (1)", Dialect::Postgres), (7, "t".to_owned()));
    }

    #[test]
    fn deep_and_long_statements_are_refused_without_harm() {
        for evil in [
            format!("select {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
            format!("select 1{}", "+1".repeat(50_000)),
            format!("select {}1", "not ".repeat(50_000)),
            format!("select {}1", "- ".repeat(1000)),
            format!("select {}", "(select ".repeat(5000)),
            format!("select 1{}", "::int".repeat(50_000)),
            format!("select {}", "case when ".repeat(5000)),
            format!("select {}", "f(".repeat(5000)),
            "(".repeat(5000),
            format!("select * from {}", "(select * from ".repeat(5000)),
            format!("with {}", "a as (with ".repeat(5000)),
        ] {
            for dialect in [Dialect::MySql, Dialect::Postgres] {
                assert!(parse(&evil, dialect).is_err(), "{}", &evil[..20]);
            }
        }
        // Wide is fine.
        let wide = format!("select 1 where {}", vec!["a = 1"; 150].join(" or "));
        assert!(parse(&wide, Dialect::Postgres).is_ok());
        let rows = format!("insert into t values {}", vec!["(1,'a',-2)"; 5000].join(","));
        assert!(parse(&rows, Dialect::MySql).is_ok());
    }
}
