//! Expressions, by the strength of their operators.

mod primary;
mod words;

use super::Parser;
use crate::sql::ast::{Expr, Op};
use crate::sql::fault::Fault;
use crate::sql::lexer::Token;
use crate::sql::value::Value;

/// Strengths, weakest first.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARE: u8 = 5;
const RANGE: u8 = 6;
const OTHER: u8 = 7;
const SUM: u8 = 8;
const PRODUCT: u8 = 9;
const POWER: u8 = 10;
const UNARY: u8 = 11;

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Result<Expr, Fault> {
        self.nested(|parser| parser.strong(0))
    }

    /// An expression of operators stronger than `weakest`.
    fn strong(&mut self, weakest: u8) -> Result<Expr, Fault> {
        let mut left = self.prefix()?;
        loop {
            let before = self.at;
            match self.infix(left, weakest)? {
                (next, true) => {
                    if self.at == before {
                        return Ok(next);
                    }
                    left = next;
                }
                (done, false) => return Ok(done),
            }
        }
    }

    fn prefix(&mut self) -> Result<Expr, Fault> {
        if self.word("not") {
            let inner = self.nested(|parser| parser.strong(NOT))?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.sign("-") {
            let inner = self.nested(|parser| parser.strong(UNARY))?;
            return Ok(match inner {
                Expr::Literal(Value::Int(number)) => {
                    Expr::Literal(Value::Int(number.wrapping_neg()))
                }
                Expr::Literal(Value::Float(number)) => Expr::Literal(Value::Float(-number)),
                inner => Expr::Negate(Box::new(inner)),
            });
        }
        if self.sign("+") {
            return self.nested(|parser| parser.strong(UNARY));
        }
        if self.sign("~") {
            let inner = self.nested(|parser| parser.strong(UNARY))?;
            return Ok(Expr::BitNot(Box::new(inner)));
        }
        if self.mysql() && self.sign("!") {
            let inner = self.nested(|parser| parser.strong(UNARY))?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.mysql() && self.word("binary") {
            return self.nested(|parser| parser.strong(UNARY));
        }
        self.primary()
    }

    /// What follows `left`; false when nothing does.
    fn infix(&mut self, left: Expr, weakest: u8) -> Result<(Expr, bool), Fault> {
        if weakest < OR && self.chained("or", "||") {
            self.link()?;
            let right = self.nested(|parser| parser.strong(OR))?;
            return Ok((chain(true, left, right), true));
        }
        if weakest < OR && self.mysql() && self.word("xor") {
            return self.binary(Op::Xor, left, OR);
        }
        if weakest < AND && self.chained("and", "&&") {
            self.link()?;
            let right = self.nested(|parser| parser.strong(AND))?;
            return Ok((chain(false, left, right), true));
        }
        if weakest < IS && self.is("is") {
            self.next();
            self.link()?;
            return self.is_what(left).map(|expr| (expr, true));
        }
        if weakest < IS && self.word("isnull") {
            self.link()?;
            return Ok((Expr::IsNull(Box::new(left), false), true));
        }
        if weakest < IS && self.word("notnull") {
            self.link()?;
            return Ok((Expr::IsNull(Box::new(left), true), true));
        }
        if weakest < RANGE
            && let Some(not) = self.range_word()
        {
            self.link()?;
            return self.range(left, not).map(|expr| (expr, true));
        }
        if let Some((op, strength)) = self.operator()
            && weakest < strength
        {
            self.next();
            if strength == COMPARE && ["any", "some", "all"].iter().any(|word| self.is(word)) {
                self.link()?;
                return self.quantified(op, left).map(|expr| (expr, true));
            }
            return self.binary(op, left, strength);
        }
        if let Some((fold, not)) = self.pattern_sign()
            && weakest < OTHER
        {
            self.link()?;
            return self.matches(left, fold, not).map(|expr| (expr, true));
        }
        if self.words(&["operator"]) {
            return self.spelled(left).map(|expr| (expr, true));
        }
        self.postfix(left)
    }

    fn chained(&mut self, word: &str, sign: &str) -> bool {
        self.word(word) || self.mysql() && self.sign(sign)
    }

    fn binary(&mut self, op: Op, left: Expr, strength: u8) -> Result<(Expr, bool), Fault> {
        self.link()?;
        let right = self.nested(|parser| parser.strong(strength))?;
        Ok((Expr::Binary(op, Box::new(left), Box::new(right)), true))
    }

    fn operator(&self) -> Option<(Op, u8)> {
        if self.mysql() {
            if self.is("div") {
                return Some((Op::Whole, PRODUCT));
            }
            if self.is("mod") {
                return Some((Op::Modulo, PRODUCT));
            }
        }
        let Token::Sign(sign) = self.peek() else { return None };
        Some(match *sign {
            "=" => (Op::Equal, COMPARE),
            "<>" | "!=" => (Op::NotEqual, COMPARE),
            "<" => (Op::Less, COMPARE),
            "<=" => (Op::LessEqual, COMPARE),
            ">" => (Op::Greater, COMPARE),
            ">=" => (Op::GreaterEqual, COMPARE),
            "<=>" => (Op::Same, COMPARE),
            "||" if !self.mysql() => (Op::Concat, OTHER),
            "->" => (Op::JsonGet, OTHER),
            "->>" => (Op::JsonText, OTHER),
            "@>" => (Op::Contains, OTHER),
            "|" => (Op::BitOr, OTHER),
            "&" => (Op::BitAnd, OTHER),
            "#" => (Op::BitXor, OTHER),
            "<<" => (Op::ShiftLeft, OTHER),
            ">>" => (Op::ShiftRight, OTHER),
            "+" => (Op::Add, SUM),
            "-" => (Op::Subtract, SUM),
            "*" => (Op::Multiply, PRODUCT),
            "/" => (Op::Divide, PRODUCT),
            "%" => (Op::Modulo, PRODUCT),
            "^" => (if self.mysql() { Op::BitXor } else { Op::Power }, POWER),
            _ => return None,
        })
    }

    /// Whether letters fold, and whether it is negated, of a pattern operator that comes next.
    fn pattern_sign(&self) -> Option<(bool, bool)> {
        let Token::Sign(sign) = self.peek() else { return None };
        match *sign {
            "~" => Some((false, false)),
            "~*" => Some((true, false)),
            "!~" => Some((false, true)),
            "!~*" => Some((true, true)),
            "~~" | "!~~" | "~~*" | "!~~*" => Some((sign.ends_with('*'), sign.starts_with('!'))),
            _ => None,
        }
    }

    fn matches(&mut self, left: Expr, fold: bool, not: bool) -> Result<Expr, Fault> {
        let like = matches!(self.next(), Token::Sign(sign) if sign.contains("~~"));
        let right = self.nested(|parser| parser.strong(OTHER))?;
        let (text, pattern) = (Box::new(left), Box::new(right));
        Ok(if like {
            Expr::Like { text, pattern, fold, not }
        } else {
            Expr::Regex { text, pattern, fold, not }
        })
    }

    /// `OPERATOR(pg_catalog.~)`.
    fn spelled(&mut self, left: Expr) -> Result<Expr, Fault> {
        self.link()?;
        self.expect_sign("(")?;
        while matches!(self.look(1), Token::Sign(".")) {
            self.at += 2;
        }
        let pattern = self.pattern_sign();
        let operator = self.operator();
        let sign = self.at;
        self.next();
        self.expect_sign(")")?;
        let after = self.at;
        if let Some((fold, not)) = pattern {
            let like = matches!(self.spots.get(sign).map(|s| &s.token), Some(Token::Sign(s)) if s.contains("~~"));
            let right = self.nested(|parser| parser.strong(OTHER))?;
            let (text, pattern) = (Box::new(left), Box::new(right));
            return Ok(if like {
                Expr::Like { text, pattern, fold, not }
            } else {
                Expr::Regex { text, pattern, fold, not }
            });
        }
        let Some((op, _)) = operator else {
            self.at = after;
            return Err(self.unexpected());
        };
        if ["any", "some", "all"].iter().any(|word| self.is(word)) {
            return self.quantified(op, left);
        }
        let right = self.nested(|parser| parser.strong(OTHER))?;
        Ok(Expr::Binary(op, Box::new(left), Box::new(right)))
    }

    fn quantified(&mut self, op: Op, left: Expr) -> Result<Expr, Fault> {
        let all = self.is("all");
        self.next();
        self.expect_sign("(")?;
        let right =
            if self.is_query() { Expr::ListQuery(Box::new(self.query()?)) } else { self.expr()? };
        self.expect_sign(")")?;
        Ok(Expr::Quantified(op, Box::new(left), all, Box::new(right)))
    }

    fn is_what(&mut self, left: Expr) -> Result<Expr, Fault> {
        let not = self.word("not");
        if self.word("null") || self.word("unknown") {
            return Ok(Expr::IsNull(Box::new(left), not));
        }
        if self.word("true") {
            return Ok(Expr::IsTruth(Box::new(left), true, not));
        }
        if self.word("false") {
            return Ok(Expr::IsTruth(Box::new(left), false, not));
        }
        if self.words(&["distinct", "from"]) {
            let right = self.nested(|parser| parser.strong(COMPARE))?;
            return Ok(Expr::IsDistinct(Box::new(left), Box::new(right), not));
        }
        Err(self.unexpected())
    }

    /// Whether `BETWEEN`, `IN` or `LIKE` and the like come next, and whether negated.
    fn range_word(&mut self) -> Option<bool> {
        let not = self.is("not");
        let ahead = usize::from(not);
        let words = ["between", "in", "like", "ilike", "regexp", "rlike", "similar"];
        let next = words.iter().any(|word| self.is_ahead(ahead, word));
        if next {
            self.at += ahead;
        }
        next.then_some(not)
    }

    fn range(&mut self, left: Expr, not: bool) -> Result<Expr, Fault> {
        let left = Box::new(left);
        if self.word("between") {
            self.word("symmetric");
            let low = self.nested(|parser| parser.strong(RANGE))?;
            self.expect("and")?;
            let high = self.nested(|parser| parser.strong(RANGE))?;
            return Ok(Expr::Between(left, Box::new(low), Box::new(high), not));
        }
        if self.word("in") {
            self.expect_sign("(")?;
            let done = if self.is_query() {
                Expr::InQuery(left, Box::new(self.query()?), not)
            } else {
                Expr::In(left, self.list(Self::expr)?, not)
            };
            self.expect_sign(")")?;
            return Ok(done);
        }
        let regex = self.is("regexp") || self.is("rlike") || self.is("similar");
        let fold = self.mysql() || self.is("ilike");
        let similar = self.word("similar");
        if similar {
            self.expect("to")?;
        } else {
            self.next();
        }
        let pattern = Box::new(self.nested(|parser| parser.strong(RANGE))?);
        if self.word("escape") {
            self.primary()?;
        }
        Ok(if regex && !similar {
            Expr::Regex { text: left, pattern, fold, not }
        } else {
            Expr::Like { text: left, pattern, fold, not }
        })
    }

    fn postfix(&mut self, left: Expr) -> Result<(Expr, bool), Fault> {
        if self.sign("::") {
            self.link()?;
            let from = self.place();
            let kind = self.kind()?;
            let text = self.text.get(from..self.end()).unwrap_or_default().to_ascii_lowercase();
            return Ok((Expr::Cast(Box::new(left), kind, text), true));
        }
        if !self.mysql() && self.sign("[") {
            self.link()?;
            let index = self.expr()?;
            if self.sign(":") {
                self.expr()?;
            }
            self.expect_sign("]")?;
            return Ok((Expr::At(Box::new(left), Box::new(index)), true));
        }
        if self.word("collate") {
            self.link()?;
            self.qualified_label()?;
            return Ok((left, true));
        }
        if self.words(&["at", "time", "zone"]) {
            self.link()?;
            self.primary()?;
            return Ok((left, true));
        }
        Ok((left, false))
    }

    fn qualified_label(&mut self) -> Result<(), Fault> {
        self.label()?;
        while self.sign(".") {
            self.label()?;
        }
        Ok(())
    }
}

/// Puts `left` and `right` into one chain, flat.
fn chain(any: bool, left: Expr, right: Expr) -> Expr {
    match left {
        Expr::Chain(kind, mut items) if kind == any => {
            items.push(right);
            Expr::Chain(kind, items)
        }
        left => Expr::Chain(any, vec![left, right]),
    }
}
