//! What operators stand between: literals, names, calls, parentheses.

use crate::sql::ast::{Call, Expr};
use crate::sql::fault::Fault;
use crate::sql::lexer::Token;
use crate::sql::parser::Parser;
use crate::sql::value::Value;

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr, Fault> {
        let at = self.place();
        match self.peek() {
            Token::Number(number) => {
                self.next();
                Ok(Expr::Literal(literal(number)))
            }
            Token::Text(text) => {
                self.next();
                let mut text = text.clone();
                // Adjacent texts are one.
                while let Token::Text(more) = self.peek() {
                    text.push_str(more);
                    self.next();
                }
                Ok(Expr::Literal(Value::Text(text)))
            }
            Token::Hex(bytes) => {
                self.next();
                Ok(Expr::Literal(match String::from_utf8(bytes.clone()) {
                    Ok(text) => Value::Text(text),
                    Err(_) => Value::Bytes(bytes.clone()),
                }))
            }
            Token::Parameter(number) => {
                self.next();
                Ok(Expr::Parameter(*number))
            }
            Token::Variable(name) => {
                self.next();
                Ok(Expr::Variable(name.clone()))
            }
            Token::Sign("(") => self.parenthesis(),
            Token::Quoted(_) => self.reference(),
            Token::Word(word) => {
                let word = word.to_ascii_lowercase();
                self.key_word(&word, at)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn parenthesis(&mut self) -> Result<Expr, Fault> {
        if self.is_query() && !matches!(self.look(1), Token::Sign("(")) {
            self.expect_sign("(")?;
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(Expr::Scalar(Box::new(query)));
        }
        self.expect_sign("(")?;
        let mut items = self.list(Self::expr)?;
        self.expect_sign(")")?;
        match (items.pop(), items.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(last), false) => {
                items.push(last);
                Ok(Expr::Row(items))
            }
            (None, _) => Err(self.unexpected()),
        }
    }

    fn key_word(&mut self, word: &str, at: usize) -> Result<Expr, Fault> {
        match word {
            "null" => {
                self.next();
                Ok(Expr::Literal(Value::Null))
            }
            "true" | "false" => {
                self.next();
                let truth = word == "true";
                Ok(Expr::Literal(if self.mysql() {
                    Value::Int(truth.into())
                } else {
                    Value::Bool(truth)
                }))
            }
            "default" if !matches!(self.look(1), Token::Sign("(" | ".")) => {
                self.next();
                Ok(Expr::Default)
            }
            "case" => self.case(),
            "exists" => {
                self.next();
                self.expect_sign("(")?;
                let query = self.query()?;
                self.expect_sign(")")?;
                Ok(Expr::Exists(Box::new(query)))
            }
            "cast" | "convert" if matches!(self.look(1), Token::Sign("(")) => self.cast(),
            "array" if matches!(self.look(1), Token::Sign("[" | "(")) && !self.mysql() => {
                self.array()
            }
            "row" if matches!(self.look(1), Token::Sign("(")) => {
                self.next();
                let items = self.nested(Self::arguments)?;
                Ok(Expr::Row(items))
            }
            "interval" if !matches!(self.look(1), Token::Sign("(")) => self.interval(),
            "extract" if matches!(self.look(1), Token::Sign("(")) => self.extract(at),
            "position" | "trim" | "substring" | "overlay"
                if matches!(self.look(1), Token::Sign("(")) =>
            {
                self.worded_call(word, at)
            }
            "current_timestamp" | "current_date" | "current_time" | "localtimestamp"
            | "localtime" | "current_user" | "session_user" | "current_role"
            | "current_catalog" | "current_schema" | "user"
                if !matches!(self.look(1), Token::Sign("(" | ".")) && self.is_bare_call(word) =>
            {
                self.next();
                Ok(call(word, Vec::new(), at))
            }
            "date" | "timestamp" | "timestamptz" | "time" | "json" | "jsonb" | "uuid"
                if matches!(self.look(1), Token::Text(_)) =>
            {
                self.next();
                self.primary()
            }
            "_utf8" | "_utf8mb4" | "_latin1" | "_binary" if self.mysql() => {
                self.next();
                self.primary()
            }
            "left" | "right" | "insert" | "replace" | "values" | "if" | "mod" | "char"
            | "password" | "database" | "schema" | "truncate"
                if matches!(self.look(1), Token::Sign("(")) =>
            {
                self.next();
                self.call(None, word.to_owned(), at)
            }
            _ => self.reference(),
        }
    }

    /// Whether `word` is a function that is called without parentheses.
    fn is_bare_call(&self, word: &str) -> bool {
        let postgres =
            ["user", "current_role", "session_user", "current_catalog", "current_schema"];
        !self.mysql() || !postgres.contains(&word)
    }

    /// A column or a call.
    fn reference(&mut self) -> Result<Expr, Fault> {
        let at = self.place();
        let mut name = self.name()?;
        let mut table = None;
        while self.sign(".") {
            table = Some(name);
            name = self.label()?;
        }
        if self.is_sign("(") {
            return self.call(table, name, at);
        }
        Ok(Expr::Column { table, name, at })
    }

    pub(super) fn call(
        &mut self,
        schema: Option<String>,
        name: String,
        at: usize,
    ) -> Result<Expr, Fault> {
        let mut out = Call {
            schema,
            name: name.to_ascii_lowercase(),
            args: Vec::new(),
            distinct: false,
            star: false,
            order: Vec::new(),
            separator: None,
            filter: None,
            at,
        };
        self.nested(|parser| {
            parser.expect_sign("(")?;
            out.distinct = parser.word("distinct");
            parser.word("variadic");
            if parser.sign("*") {
                out.star = true;
            } else if !parser.is_sign(")") {
                if parser.is_query() {
                    out.args.push(Expr::Scalar(Box::new(parser.query()?)));
                } else {
                    out.args = parser.list(|parser| {
                        parser.word("variadic");
                        parser.expr()
                    })?;
                }
                if parser.word("using") {
                    parser.label()?;
                }
                if parser.words(&["order", "by"]) {
                    out.order = parser.sorts()?;
                }
                if parser.word("separator")
                    && let Token::Text(text) = parser.next()
                {
                    out.separator = Some(text.clone());
                }
            }
            parser.expect_sign(")")
        })?;
        if self.word("filter") {
            self.expect_sign("(")?;
            self.expect("where")?;
            out.filter = Some(self.expr()?);
            self.expect_sign(")")?;
        }
        if self.word("over") {
            if self.is_sign("(") {
                self.skip_group();
            } else {
                self.label()?;
            }
        }
        Ok(Expr::Call(Box::new(out)))
    }

    /// Arguments in parentheses.
    pub(in crate::sql::parser) fn arguments(&mut self) -> Result<Vec<Expr>, Fault> {
        self.expect_sign("(")?;
        let args = if self.is_sign(")") { Vec::new() } else { self.list(Self::expr)? };
        self.expect_sign(")")?;
        Ok(args)
    }
}

pub(super) fn call(name: &str, args: Vec<Expr>, at: usize) -> Expr {
    Expr::Call(Box::new(Call {
        schema: None,
        name: name.to_owned(),
        args,
        distinct: false,
        star: false,
        order: Vec::new(),
        separator: None,
        filter: None,
        at,
    }))
}

fn literal(number: &str) -> Value {
    match number.parse::<i64>() {
        Ok(number) => Value::Int(number),
        Err(_) => Value::Float(number.parse().unwrap_or(0.0)),
    }
}
