//! The search grammar of the log list (`spec/api.md` §5): text to terms, terms to conditions.
//!
//! Tokens are ANDed. `key:value` compares a column or a JSON field, `key:*` asks for presence,
//! `-key:value` negates, `attacker:10.0.0.0/8` is a range, and a bare or quoted token is a substring
//! of what the event says.

use std::net::IpAddr;

use sea_orm::Value;

use crate::dialect::Dialect;
use crate::index::Needles;
use crate::sql::{address_key, args};

/// Most tokens that are looked at.
const MAX_TERMS: usize = 32;

/// What nothing matches.
const NEVER: &str = "1=0";

/// A parsed search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// An indexed column equals a value.
    Column(&'static str, String),
    /// A nullable column has a value.
    ColumnPresent(&'static str),
    /// The attacker's address lies in a range of 16-byte keys.
    Range(Vec<u8>, Vec<u8>),
    Field(String, String),
    FieldPresent(String),
    Text(String),
}

impl Search {
    /// Understands any text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(tokens(text).into_iter().take(MAX_TERMS).filter_map(|token| token.term()).collect())
    }

    /// Whether it matches everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether only columns are asked for that roll-ups keep.
    pub(crate) fn fits_rollup(&self) -> bool {
        let kept = ["decky", "service", "event_type"];
        self.0.iter().all(|term| match &term.test {
            Test::Column(column, _) => kept.contains(column),
            _ => false,
        })
    }

    /// What every row that is found contains; `None` when terms are better served by other indices.
    pub(crate) fn needles(&self) -> Option<Needles> {
        let mut needles = Needles::default();
        for term in self.0.iter().filter(|term| !term.negated) {
            match &term.test {
                // One attacker or one session has few rows.
                Test::Range(..) | Test::Column("session_id", _) => return None,
                Test::Text(text) => needles.add(text),
                Test::Field(name, value) => {
                    needles.add_exact(&format!("\"{name}\""));
                    if is_spelled_alike(value) {
                        needles.add(value);
                    }
                }
                Test::FieldPresent(name) => needles.add_exact(&format!("\"{name}\"")),
                Test::Column(..) | Test::ColumnPresent(_) => {}
            }
        }
        Some(needles)
    }

    /// Appends a condition per term, each beginning with ` AND `.
    pub(crate) fn conditions(&self, dialect: Dialect, sql: &mut String, args: &mut Vec<Value>) {
        for term in &self.0 {
            let condition = term.test.condition(dialect, args);
            let wrapped = if term.negated {
                // A row that lacks the value does not have it.
                format!(" AND NOT COALESCE(({condition}),0)")
            } else {
                format!(" AND {condition}")
            };
            sql.push_str(&wrapped);
        }
    }
}

impl Test {
    fn condition(&self, dialect: Dialect, args: &mut Vec<Value>) -> String {
        match self {
            Self::Column(column @ ("src_port" | "dst_port"), value) => match value.parse::<u16>() {
                Ok(port) => {
                    args.extend(args![port]);
                    format!("`{column}`=?")
                }
                Err(_) => NEVER.to_owned(),
            },
            // These columns are ASCII, which a server does not compare with other text.
            Self::Column("session_id" | "sensor" | "transport", value) if !value.is_ascii() => {
                NEVER.to_owned()
            }
            Self::Column(column, value) => {
                args.extend(args![value.clone()]);
                format!("`{column}`=?")
            }
            Self::ColumnPresent(column) => format!("`{column}` IS NOT NULL"),
            Self::Range(low, high) => {
                args.extend(args![low.clone(), high.clone()]);
                "(`attacker_key`>=? AND `attacker_key`<=?)".to_owned()
            }
            Self::Field(name, value) => {
                let path = path(name);
                args.extend(args![path.clone(), path, value.clone()]);
                dialect.json_equals("`fields`")
            }
            Self::FieldPresent(name) => {
                args.extend(args![path(name)]);
                dialect.json_present("`fields`")
            }
            Self::Text(text) => substring(text, args),
        }
    }
}

/// A substring of the fields' JSON text or of a column, ASCII letters of either case.
fn substring(text: &str, args: &mut Vec<Value>) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let in_json = quoted.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    // Only ASCII letters are folded by both databases alike.
    let fold = text.is_ascii();
    let mut parts = Vec::new();
    for (column, needle) in [
        ("fields", in_json),
        ("decky", text),
        ("service", text),
        ("event_type", text),
        ("attacker_ip", text),
    ] {
        if fold {
            parts.push(format!("INSTR(LOWER(`{column}`),?)>0"));
            args.extend(args![needle.to_ascii_lowercase()]);
        } else {
            parts.push(format!("INSTR(`{column}`,?)>0"));
            args.extend(args![needle]);
        }
    }
    format!("({})", parts.join(" OR "))
}

/// Whether a field that equals `value` has it in its JSON text. A database spells numbers, lists and
/// objects its own way.
fn is_spelled_alike(value: &str) -> bool {
    let in_number = |c: char| c.is_ascii_digit() || "+-.eEinfINF".contains(c);
    !value.starts_with(['[', '{']) && !value.chars().all(in_number)
}

fn path(name: &str) -> String {
    format!("$.\"{name}\"")
}

#[derive(Debug, PartialEq, Eq)]
struct Token {
    text: String,
    /// Began with a quote: a phrase, whatever it contains.
    phrase: bool,
}

impl Token {
    fn term(self) -> Option<Term> {
        let text = |text| Some(Term { negated: false, test: Test::Text(text) });
        if self.text.is_empty() {
            return None;
        }
        if self.phrase || self.text.parse::<IpAddr>().is_ok() {
            return text(self.text);
        }
        let Some((key, value)) = self.text.split_once(':') else { return text(self.text) };
        let (negated, key) = match key.strip_prefix('-') {
            Some(key) => (true, key),
            None => (false, key),
        };
        let column = match key.to_ascii_lowercase().as_str() {
            "decky" => Some("decky"),
            "service" => Some("service"),
            "event" | "event_type" => Some("event_type"),
            "attacker" | "attacker-ip" | "attacker_ip" | "src_ip" => Some("attacker_ip"),
            "session" | "session_id" | "sid" => Some("session_id"),
            "src_port" => Some("src_port"),
            "dst_port" => Some("dst_port"),
            "transport" => Some("transport"),
            "sensor" => Some("sensor"),
            _ => None,
        };
        let test = match (column, value) {
            (Some("attacker_ip"), "*") => Test::ColumnPresent("attacker_key"),
            (Some("attacker_ip"), value) => match range(value) {
                Some((low, high)) => Test::Range(low, high),
                None => Test::Column("attacker_ip", value.to_owned()),
            },
            (Some(column), "*") => Test::ColumnPresent(column),
            (Some(column), value) => Test::Column(column, value.to_owned()),
            (None, value) => {
                let name: String =
                    key.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if name.is_empty() {
                    return None;
                }
                match value {
                    "*" => Test::FieldPresent(name),
                    value => Test::Field(name, value.to_owned()),
                }
            }
        };
        Some(Term { negated, test })
    }
}

/// First and last key of an address or a CIDR block.
fn range(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let ip = address.parse::<IpAddr>().ok()?;
    let (width, below) = match ip {
        IpAddr::V4(_) => (32, 96),
        IpAddr::V6(_) => (128, 0),
    };
    let length = length.unwrap_or(width);
    if length > width {
        return None;
    }
    let key = address_key(ip);
    let number = u128::from_be_bytes(key.try_into().ok()?);
    let host = u128::MAX.checked_shr(below + length).unwrap_or(0);
    let (low, high) = (number & !host, number | host);
    Some((low.to_be_bytes().to_vec(), high.to_be_bytes().to_vec()))
}

/// Splits as a shell would; when a quote is not closed, at blanks.
fn tokens(text: &str) -> Vec<Token> {
    split_quoted(text).unwrap_or_else(|| {
        text.split_whitespace().map(|text| Token { text: text.to_owned(), phrase: false }).collect()
    })
}

fn split_quoted(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut current: Option<Token> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            tokens.extend(current.take());
            continue;
        }
        let starts_quoted = current.is_none() && matches!(c, '"' | '\'');
        let token = current.get_or_insert(Token { text: String::new(), phrase: starts_quoted });
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '\\') => token.text.push(chars.next()?),
            (_, c) => token.text.push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    tokens.extend(current);
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(text: &str) -> Vec<(bool, Test)> {
        Search::parse(text).0.into_iter().map(|term| (term.negated, term.test)).collect()
    }

    #[test]
    fn every_form_of_the_grammar_is_understood() {
        assert_eq!(
            tests(r#"decky:web-01 -event:connect user:root cmd:* wget "a b:c" path:"/x y""#),
            [
                (false, Test::Column("decky", "web-01".into())),
                (true, Test::Column("event_type", "connect".into())),
                (false, Test::Field("user".into(), "root".into())),
                (false, Test::FieldPresent("cmd".into())),
                (false, Test::Text("wget".into())),
                (false, Test::Text("a b:c".into())),
                (false, Test::Field("path".into(), "/x y".into())),
            ]
        );
    }

    #[test]
    fn an_open_quote_splits_at_blanks() {
        assert_eq!(
            tests("it's here"),
            [(false, Test::Text("it's".into())), (false, Test::Text("here".into()))]
        );
    }

    #[test]
    fn keys_lose_what_cannot_be_in_a_path() {
        assert_eq!(tests("a\"b$.c:x"), tests("a\"b$.c:x"));
        assert_eq!(tests("$.:x"), []);
        assert_eq!(tests("u-s.er:x"), [(false, Test::Field("user".into(), "x".into()))]);
    }

    #[test]
    fn ranges_cover_their_block() {
        let (low, high) = range("10.1.2.3/8").unwrap();
        assert_eq!(low, address_key("10.0.0.0".parse().unwrap()));
        assert_eq!(high, address_key("10.255.255.255".parse().unwrap()));
        let all = range("::/0").unwrap();
        assert_eq!((all.0, all.1), (vec![0; 16], vec![255; 16]));
        assert_eq!(range("10.0.0.0/33"), None);
        let one = range("10.0.0.1").unwrap();
        assert_eq!(one.0, one.1);
    }

    #[test]
    fn an_ipv6_address_alone_is_text() {
        assert_eq!(tests("fe80::1"), [(false, Test::Text("fe80::1".into()))]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses(text in ".{0,80}") {
            let mut sql = String::new();
            let mut args = Vec::new();
            Search::parse(&text).conditions(Dialect::Sqlite, &mut sql, &mut args);
            proptest::prop_assert_eq!(sql.matches('?').count(), args.len());
        }
    }
}
