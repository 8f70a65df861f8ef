//! Statements.

use super::{MAX_DEPTH, Parser};
use crate::shell::commands::text::awk::ast::{
    Expression, Place, Redirect, RedirectKind, Statement, Variable,
};
use crate::shell::commands::text::awk::lexer::{Fault, Token, Word};

impl Parser<'_> {
    /// A statement or block, as the body of another statement.
    pub(super) fn body(&mut self) -> Result<Vec<Statement>, Fault> {
        self.newlines()?;
        if self.takes(";")? {
            return Ok(Vec::new());
        }
        self.statement()
    }

    pub(super) fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err("parser stack overflow".to_owned()) } else { Ok(()) }
    }

    pub(super) fn statement(&mut self) -> Result<Vec<Statement>, Fault> {
        self.deeper()?;
        let statement = self.one_statement();
        self.depth -= 1;
        statement
    }

    pub(super) fn one_statement(&mut self) -> Result<Vec<Statement>, Fault> {
        if self.sees("{") {
            return self.block();
        }
        let Token::Word(word) = self.token.clone() else {
            let statement = Statement::Expression(self.expression()?);
            self.end_of_simple()?;
            return Ok(vec![statement]);
        };
        let statement = match word {
            Word::If => {
                self.advance()?;
                self.wants("(")?;
                let condition = self.expression()?;
                self.wants(")")?;
                let then = self.body()?;
                self.ends_before_else()?;
                let otherwise = if self.token == Token::Word(Word::Else) {
                    self.advance()?;
                    self.body()?
                } else {
                    Vec::new()
                };
                return Ok(vec![Statement::If(condition, then, otherwise)]);
            }
            Word::While => {
                self.advance()?;
                self.wants("(")?;
                let condition = self.expression()?;
                self.wants(")")?;
                return Ok(vec![Statement::While(condition, self.body()?)]);
            }
            Word::Do => {
                self.advance()?;
                let body = self.body()?;
                self.ends()?;
                if self.token != Token::Word(Word::While) {
                    return Err(self.unexpected());
                }
                self.advance()?;
                self.wants("(")?;
                let condition = self.expression()?;
                self.wants(")")?;
                Statement::Do(body, condition)
            }
            Word::For => return self.for_statement().map(|statement| vec![statement]),
            Word::Break => {
                self.advance()?;
                Statement::Break
            }
            Word::Continue => {
                self.advance()?;
                Statement::Continue
            }
            Word::Next => {
                self.advance()?;
                Statement::Next
            }
            Word::Exit | Word::Return => {
                self.advance()?;
                let value = if self.at_end_of_simple() { None } else { Some(self.expression()?) };
                if word == Word::Exit { Statement::Exit(value) } else { Statement::Return(value) }
            }
            Word::Delete => {
                self.advance()?;
                let Token::Name(name) = self.advance()? else { return Err(self.unexpected()) };
                let array = self.variable(&name)?;
                let subscripts = if self.takes("[")? {
                    let list = self.list()?;
                    self.wants("]")?;
                    list
                } else {
                    Vec::new()
                };
                Statement::Delete(array, subscripts)
            }
            Word::Print | Word::Printf => self.print(word == Word::Printf)?,
            _ => Statement::Expression(self.expression()?),
        };
        self.end_of_simple()?;
        Ok(vec![statement])
    }

    /// A semicolon or line ends may stand before `else`.
    pub(super) fn ends_before_else(&mut self) -> Result<(), Fault> {
        self.ends()
    }

    pub(super) fn at_end_of_simple(&self) -> bool {
        matches!(self.token, Token::Newline | Token::End) || self.sees(";") || self.sees("}")
    }

    pub(super) fn end_of_simple(&mut self) -> Result<(), Fault> {
        if self.sees("}") || self.token == Token::End {
            return Ok(());
        }
        if self.token == Token::Newline || self.sees(";") {
            self.advance()?;
            return Ok(());
        }
        Err(self.unexpected())
    }

    pub(super) fn for_statement(&mut self) -> Result<Statement, Fault> {
        self.advance()?;
        self.wants("(")?;
        let mut start = Vec::new();
        if !self.sees(";") {
            self.no_in = true;
            let first = self.expression();
            self.no_in = false;
            let first = first?;
            if self.token == Token::Word(Word::In) {
                let Expression::Read(Place::Variable(variable)) = first else {
                    return Err(self.unexpected());
                };
                self.advance()?;
                let Token::Name(name) = self.advance()? else { return Err(self.unexpected()) };
                let array = self.variable(&name)?;
                self.wants(")")?;
                return Ok(Statement::ForIn(variable, array, self.body()?));
            }
            start.push(Statement::Expression(first));
        }
        self.wants(";")?;
        self.newlines()?;
        let condition = if self.sees(";") { None } else { Some(self.expression()?) };
        self.wants(";")?;
        self.newlines()?;
        let mut step = Vec::new();
        if !self.sees(")") {
            step.push(Statement::Expression(self.expression()?));
        }
        self.wants(")")?;
        Ok(Statement::For(start, condition, step, self.body()?))
    }

    pub(super) fn print(&mut self, formatted: bool) -> Result<Statement, Fault> {
        self.advance()?;
        let mut values = Vec::new();
        self.in_condition += 1;
        let read = self.print_list(&mut values);
        self.in_condition -= 1;
        read?;
        let kind = if self.takes(">")? {
            Some(RedirectKind::Write)
        } else if self.takes(">>")? {
            Some(RedirectKind::Append)
        } else if self.takes("|")? {
            Some(RedirectKind::Pipe)
        } else {
            None
        };
        let redirect = match kind {
            Some(kind) => {
                self.in_condition += 1;
                let to = self.concatenation();
                self.in_condition -= 1;
                Some(Redirect { kind, to: to? })
            }
            None => None,
        };
        if formatted && values.is_empty() {
            return Err(self.unexpected());
        }
        Ok(if formatted {
            Statement::Printf(values, redirect)
        } else {
            Statement::Print(values, redirect)
        })
    }

    pub(super) fn print_list(&mut self, values: &mut Vec<Expression>) -> Result<(), Fault> {
        let ends = |parser: &Self| {
            parser.at_end_of_simple() || parser.sees(">") || parser.sees(">>") || parser.sees("|")
        };
        if ends(self) {
            return Ok(());
        }
        loop {
            let value = self.expression()?;
            values.push(value);
            if !self.takes(",")? {
                break;
            }
            self.newlines()?;
        }
        // `print (a, b)`: the list in parentheses was read as one group.
        if let [Expression::In(list, Variable::Local(usize::MAX))] = values.as_mut_slice() {
            *values = std::mem::take(list);
        }
        Ok(())
    }
}
