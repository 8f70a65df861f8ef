//! Expressions, weakest operator first.

use std::sync::Arc;

use super::Parser;
use crate::shell::commands::text::awk::ast::{
    Argument, Binary, Builtin, Expression, Place, Source, Variable,
};
use crate::shell::commands::text::awk::lexer::{Fault, Token, Word};
use crate::shell::regex::Regex;

impl Parser<'_> {
    pub(super) fn list(&mut self) -> Result<Vec<Expression>, Fault> {
        let saved = std::mem::take(&mut self.in_condition);
        let no_in = std::mem::replace(&mut self.no_in, false);
        let mut out = vec![self.expression()?];
        while self.takes(",")? {
            self.newlines()?;
            out.push(self.expression()?);
        }
        self.in_condition = saved;
        self.no_in = no_in;
        Ok(out)
    }

    pub(super) fn expression(&mut self) -> Result<Expression, Fault> {
        self.deeper()?;
        let expression = self.assignment();
        self.depth -= 1;
        expression
    }

    pub(super) fn assignment(&mut self) -> Result<Expression, Fault> {
        let left = self.choice()?;
        let operator = match &self.token {
            Token::Mark("=") => None,
            Token::Mark("+=") => Some(Binary::Add),
            Token::Mark("-=") => Some(Binary::Subtract),
            Token::Mark("*=") => Some(Binary::Multiply),
            Token::Mark("/=") => Some(Binary::Divide),
            Token::Mark("%=") => Some(Binary::Modulo),
            Token::Mark("^=") => Some(Binary::Power),
            _ => return Ok(left),
        };
        let Expression::Read(place) = left else { return Err(self.unexpected()) };
        self.advance()?;
        self.newlines()?;
        let value = self.expression()?;
        Ok(Expression::Assign(place, operator, Box::new(value)))
    }

    pub(super) fn choice(&mut self) -> Result<Expression, Fault> {
        let condition = self.or()?;
        if !self.takes("?")? {
            return Ok(condition);
        }
        self.newlines()?;
        let yes = self.expression()?;
        self.newlines()?;
        self.wants(":")?;
        self.newlines()?;
        let no = self.expression()?;
        Ok(Expression::Choice(Box::new(condition), Box::new(yes), Box::new(no)))
    }

    pub(super) fn or(&mut self) -> Result<Expression, Fault> {
        let mut left = self.and()?;
        while self.takes("||")? {
            self.newlines()?;
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    pub(super) fn and(&mut self) -> Result<Expression, Fault> {
        let mut left = self.membership()?;
        while self.takes("&&")? {
            self.newlines()?;
            left = Expression::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    pub(super) fn membership(&mut self) -> Result<Expression, Fault> {
        let mut left = self.matching()?;
        while self.token == Token::Word(Word::In) && !self.no_in {
            self.advance()?;
            let Token::Name(name) = self.advance()? else { return Err(self.unexpected()) };
            let array = self.variable(&name)?;
            let subscripts = match left {
                Expression::In(list, Variable::Local(usize::MAX)) => list,
                other => vec![other],
            };
            left = Expression::In(subscripts, array);
        }
        Ok(left)
    }

    pub(super) fn matching(&mut self) -> Result<Expression, Fault> {
        let mut left = self.comparison()?;
        loop {
            let wanted = if self.sees("~") {
                true
            } else if self.sees("!~") {
                false
            } else {
                return Ok(left);
            };
            self.advance()?;
            let right = self.comparison()?;
            left = Expression::Match(wanted, Box::new(left), Box::new(right));
        }
    }

    pub(super) fn comparison(&mut self) -> Result<Expression, Fault> {
        let left = self.concatenation()?;
        let operator = match &self.token {
            Token::Mark("<") => Binary::Less,
            Token::Mark("<=") => Binary::LessEqual,
            Token::Mark("==") => Binary::Equal,
            Token::Mark("!=") => Binary::NotEqual,
            Token::Mark(">") if self.in_condition == 0 => Binary::Greater,
            Token::Mark(">=") => Binary::GreaterEqual,
            // `"cmd" | getline`.
            Token::Mark("|") if self.in_condition == 0 => {
                self.advance()?;
                if self.token != Token::Word(Word::Getline) {
                    return Err(self.unexpected());
                }
                self.advance()?;
                let place = self.getline_place()?;
                return Ok(Expression::Getline(Source::Command(Box::new(left)), place));
            }
            _ => return Ok(left),
        };
        self.advance()?;
        let right = self.concatenation()?;
        Ok(Expression::Binary(operator, Box::new(left), Box::new(right)))
    }

    pub(super) fn concatenation(&mut self) -> Result<Expression, Fault> {
        let mut left = self.sum()?;
        loop {
            let begins = match &self.token {
                Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Call(_) => true,
                Token::Mark(mark) => matches!(*mark, "(" | "$" | "!" | "++" | "--"),
                _ => false,
            };
            if !begins {
                return Ok(left);
            }
            let right = self.sum()?;
            left = Expression::Binary(Binary::Concat, Box::new(left), Box::new(right));
        }
    }

    pub(super) fn sum(&mut self) -> Result<Expression, Fault> {
        let mut left = self.product()?;
        loop {
            let operator = match &self.token {
                Token::Mark("+") => Binary::Add,
                Token::Mark("-") => Binary::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.product()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    pub(super) fn product(&mut self) -> Result<Expression, Fault> {
        let mut left = self.unary()?;
        loop {
            let operator = match &self.token {
                Token::Mark("*") => Binary::Multiply,
                Token::Mark("/") => Binary::Divide,
                Token::Mark("%") => Binary::Modulo,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.unary()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    pub(super) fn unary(&mut self) -> Result<Expression, Fault> {
        self.deeper()?;
        let expression = if self.takes("!")? {
            Expression::Not(Box::new(self.unary()?))
        } else if self.takes("-")? {
            Expression::Negate(Box::new(self.unary()?))
        } else if self.takes("+")? {
            Expression::Plus(Box::new(self.unary()?))
        } else {
            self.power()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    pub(super) fn power(&mut self) -> Result<Expression, Fault> {
        let base = self.postfix()?;
        if !self.takes("^")? {
            return Ok(base);
        }
        // From the right, and a sign may stand before the exponent.
        let exponent = self.unary()?;
        Ok(Expression::Binary(Binary::Power, Box::new(base), Box::new(exponent)))
    }

    pub(super) fn postfix(&mut self) -> Result<Expression, Fault> {
        let value = self.primary()?;
        let step = if self.sees("++") {
            1.0
        } else if self.sees("--") {
            -1.0
        } else {
            return Ok(value);
        };
        match value {
            Expression::Read(place) => {
                self.advance()?;
                Ok(Expression::Step(place, step, true))
            }
            other => Ok(other),
        }
    }

    pub(super) fn getline_place(&mut self) -> Result<Option<Place>, Fault> {
        if !matches!(self.token, Token::Name(_)) && !self.sees("$") {
            return Ok(None);
        }
        match self.primary()? {
            Expression::Read(place) => Ok(Some(place)),
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn primary(&mut self) -> Result<Expression, Fault> {
        match self.advance()? {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text.into())),
            Token::Regex(source) => match Regex::new(&source, true, false) {
                Ok(regex) => Ok(Expression::Regex(Arc::new(regex))),
                Err(fault) => Err(format!("regular expression compile failed ({})", fault.text())),
            },
            Token::Mark("(") => {
                let mut list = self.list()?;
                self.wants(")")?;
                match list.pop() {
                    Some(only) if list.is_empty() => Ok(Expression::Group(Box::new(only))),
                    // Waits for `in`, or is the list of a `print`.
                    Some(last) => {
                        list.push(last);
                        Ok(Expression::In(list, Variable::Local(usize::MAX)))
                    }
                    None => Err(self.unexpected()),
                }
            }
            Token::Mark("$") => {
                self.deeper()?;
                let field = if self.sees("++") || self.sees("--") || self.sees("-") {
                    self.unary()?
                } else {
                    self.primary()?
                };
                self.depth -= 1;
                Ok(Expression::Read(Place::Field(Box::new(field))))
            }
            Token::Mark(mark @ ("++" | "--")) => match self.primary()? {
                Expression::Read(place) => {
                    Ok(Expression::Step(place, if mark == "++" { 1.0 } else { -1.0 }, false))
                }
                _ => Err(self.unexpected()),
            },
            Token::Mark("-") => Ok(Expression::Negate(Box::new(self.unary()?))),
            Token::Word(Word::Getline) => {
                let place = self.getline_place()?;
                if self.takes("<")? {
                    let file = self.primary()?;
                    return Ok(Expression::Getline(Source::File(Box::new(file)), place));
                }
                Ok(Expression::Getline(Source::Main, place))
            }
            Token::Call(name) => self.call(&name),
            Token::Name(name) => {
                if let Some(builtin) = Builtin::named(&name) {
                    if builtin == Builtin::Length {
                        return Ok(Expression::Builtin(builtin, Vec::new()));
                    }
                    // A blank may stand before the parenthesis of a builtin.
                    if self.sees("(") {
                        return self.call(&name);
                    }
                    return Err(self.unexpected());
                }
                let variable = self.variable(&name)?;
                if self.takes("[")? {
                    let subscripts = self.list()?;
                    self.wants("]")?;
                    return Ok(Expression::Read(Place::Element(variable, subscripts)));
                }
                Ok(Expression::Read(Place::Variable(variable)))
            }
            other => {
                // The word that was taken is the one that is wrong.
                self.token = other;
                Err(self.unexpected())
            }
        }
    }

    pub(super) fn call(&mut self, name: &str) -> Result<Expression, Fault> {
        self.wants("(")?;
        let saved = std::mem::take(&mut self.in_condition);
        let no_in = std::mem::replace(&mut self.no_in, false);
        let mut arguments = Vec::new();
        self.newlines()?;
        while !self.sees(")") {
            let value = self.expression()?;
            arguments.push(match value {
                Expression::Read(Place::Variable(variable)) => Argument::Name(variable),
                value => Argument::Value(value),
            });
            self.newlines()?;
            if !self.takes(",")? {
                break;
            }
            self.newlines()?;
        }
        self.wants(")")?;
        self.in_condition = saved;
        self.no_in = no_in;
        match Builtin::named(name) {
            Some(builtin) => Ok(Expression::Builtin(builtin, arguments)),
            None => Ok(Expression::Call(self.function_slot(name)?, arguments)),
        }
    }
}
