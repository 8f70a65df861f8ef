//! Reads programs: here rules and functions, `statement` and `expression` the rest.

mod expression;
mod statement;

use super::ast::{Function, Pattern, Program, Rule, Statement, Variable};
use super::lexer::{Fault, Lexer, Token, Word};

/// Nesting of expressions and statements.
const MAX_DEPTH: usize = 60;

/// Variables every program has, at fixed places.
const KNOWN: &[&str] = &[
    "NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "FILENAME", "SUBSEP", "RSTART", "RLENGTH",
    "CONVFMT", "OFMT", "ENVIRON", "ARGC", "ARGV",
];

/// Reads `source`; the message of a fault begins with its line.
pub(in crate::shell::commands::text::awk) fn parse(source: &[u8]) -> Result<Program, Fault> {
    let mut parser = Parser {
        lexer: Lexer::new(source),
        token: Token::Newline,
        last_is_value: false,
        depth: 0,
        globals: KNOWN.iter().map(|name| (*name).to_owned()).collect(),
        locals: Vec::new(),
        functions: Vec::new(),
        bodies: Vec::new(),
        in_condition: 0,
        no_in: false,
    };
    let line = |parser: &Parser<'_>, fault: Fault| {
        let ended = usize::from(parser.token == Token::End);
        format!("line {}: {fault}", parser.lexer.line + ended)
    };
    if let Err(fault) = parser.advance() {
        return Err(line(&parser, fault));
    }
    match parser.program() {
        Ok(program) => Ok(program),
        Err(fault) => Err(line(&parser, fault)),
    }
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    pub(super) token: Token,
    /// A slash after it divides.
    pub(super) last_is_value: bool,
    pub(super) depth: usize,
    pub(super) globals: Vec<String>,
    pub(super) locals: Vec<String>,
    pub(super) functions: Vec<String>,
    pub(super) bodies: Vec<Option<Function>>,
    /// Inside the arguments of `print`, where `>` redirects.
    pub(super) in_condition: usize,
    /// Inside `for (`, where `in` is not an operator.
    pub(super) no_in: bool,
}

impl Parser<'_> {
    pub(super) fn advance(&mut self) -> Result<Token, Fault> {
        let next = self.lexer.next(self.last_is_value)?;
        self.last_is_value = matches!(
            next,
            Token::Number(_)
                | Token::Text(_)
                | Token::Name(_)
                | Token::Regex(_)
                | Token::Mark(")" | "]" | "$" | "++" | "--")
        );
        Ok(std::mem::replace(&mut self.token, next))
    }

    pub(super) fn sees(&self, mark: &str) -> bool {
        matches!(&self.token, Token::Mark(seen) if *seen == mark)
    }

    pub(super) fn takes(&mut self, mark: &str) -> Result<bool, Fault> {
        let sees = self.sees(mark);
        if sees {
            self.advance()?;
        }
        Ok(sees)
    }

    pub(super) fn wants(&mut self, mark: &str) -> Result<(), Fault> {
        if self.takes(mark)? { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn unexpected(&self) -> Fault {
        let shown = match &self.token {
            Token::End => return "missing } near end of file".to_owned(),
            Token::Newline => "end of line".to_owned(),
            Token::Number(number) => format!("{number}"),
            Token::Text(text) | Token::Regex(text) => String::from_utf8_lossy(text).into_owned(),
            Token::Name(name) | Token::Call(name) => name.clone(),
            Token::Word(word) => format!("{word:?}").to_lowercase(),
            Token::Mark(mark) => (*mark).to_owned(),
        };
        format!("syntax error at or near {shown}")
    }

    pub(super) fn newlines(&mut self) -> Result<(), Fault> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    pub(super) fn ends(&mut self) -> Result<(), Fault> {
        while self.token == Token::Newline || self.sees(";") {
            self.advance()?;
        }
        Ok(())
    }

    fn program(&mut self) -> Result<Program, Fault> {
        let (mut begin, mut rules, mut end) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.ends()?;
            match &self.token {
                Token::End => break,
                Token::Word(Word::Begin) => {
                    self.advance()?;
                    begin.push(self.block()?);
                }
                Token::Word(Word::End) => {
                    self.advance()?;
                    end.push(self.block()?);
                }
                Token::Word(Word::Function) => self.function()?,
                _ => {
                    let pattern = if self.sees("{") {
                        Pattern::Always
                    } else {
                        let first = self.expression()?;
                        if self.takes(",")? {
                            self.newlines()?;
                            Pattern::Range(first, self.expression()?)
                        } else {
                            Pattern::When(first)
                        }
                    };
                    let action = if self.sees("{") { Some(self.block()?) } else { None };
                    rules.push(Rule { pattern, action });
                }
            }
        }
        let mut functions = Vec::new();
        for (name, body) in self.functions.iter().zip(std::mem::take(&mut self.bodies)) {
            functions.push(body.ok_or_else(|| format!("function {name} never defined"))?);
        }
        let globals = std::mem::take(&mut self.globals);
        Ok(Program { begin, rules, end, functions, globals })
    }

    fn function(&mut self) -> Result<(), Fault> {
        self.advance()?;
        let name = match self.advance()? {
            Token::Name(name) | Token::Call(name) => name,
            _ => return Err(self.unexpected()),
        };
        self.wants("(")?;
        self.locals.clear();
        while !self.sees(")") {
            match self.advance()? {
                Token::Name(parameter) => self.locals.push(parameter),
                _ => return Err(self.unexpected()),
            }
            self.newlines()?;
            if !self.takes(",")? {
                break;
            }
            self.newlines()?;
        }
        self.wants(")")?;
        self.newlines()?;
        let slot = self.function_slot(&name)?;
        let parameters = self.locals.len();
        let body = self.block()?;
        self.locals.clear();
        if let Some(place) = self.bodies.get_mut(slot) {
            *place = Some(Function { name, parameters, body });
        }
        Ok(())
    }

    pub(super) fn function_slot(&mut self, name: &str) -> Result<usize, Fault> {
        if let Some(at) = self.functions.iter().position(|known| known == name) {
            return Ok(at);
        }
        if self.functions.len() >= 256 {
            return Err("out of memory".to_owned());
        }
        self.functions.push(name.to_owned());
        self.bodies.push(None);
        Ok(self.functions.len() - 1)
    }

    pub(super) fn variable(&mut self, name: &str) -> Result<Variable, Fault> {
        if let Some(at) = self.locals.iter().position(|known| known == name) {
            return Ok(Variable::Local(at));
        }
        if let Some(at) = self.globals.iter().position(|known| known == name) {
            return Ok(Variable::Global(at));
        }
        if self.globals.len() >= 4096 {
            return Err("out of memory".to_owned());
        }
        self.globals.push(name.to_owned());
        Ok(Variable::Global(self.globals.len() - 1))
    }

    pub(super) fn block(&mut self) -> Result<Vec<Statement>, Fault> {
        self.newlines()?;
        self.wants("{")?;
        let mut out = Vec::new();
        self.ends()?;
        while !self.sees("}") {
            if self.token == Token::End {
                return Err(self.unexpected());
            }
            out.extend(self.statement()?);
            self.ends()?;
        }
        self.last_is_value = false;
        self.wants("}")?;
        Ok(out)
    }
}
