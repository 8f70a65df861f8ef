//! Expressions that begin with a word: `CASE`, `CAST`, `EXTRACT`, and the names of types.

use super::primary::call;
use super::{RANGE, SUM};
use crate::sql::ast::Expr;
use crate::sql::fault::Fault;
use crate::sql::lexer::Token;
use crate::sql::parser::Parser;
use crate::sql::value::{Type, Value};

impl Parser<'_> {
    pub(super) fn case(&mut self) -> Result<Expr, Fault> {
        self.next();
        let on = if self.is("when") { None } else { Some(Box::new(self.expr()?)) };
        let mut arms = Vec::new();
        while self.word("when") {
            let when = self.expr()?;
            self.expect("then")?;
            arms.push((when, self.expr()?));
        }
        if arms.is_empty() {
            return Err(self.unexpected());
        }
        let other = if self.word("else") { Some(Box::new(self.expr()?)) } else { None };
        self.expect("end")?;
        Ok(Expr::Case { on, arms, other })
    }

    pub(super) fn cast(&mut self) -> Result<Expr, Fault> {
        self.next();
        self.expect_sign("(")?;
        let inner = self.expr()?;
        if self.word("using") {
            self.label()?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        if !self.word("as") && !self.sign(",") {
            return Err(self.unexpected());
        }
        let from = self.place();
        let kind = self.kind()?;
        let text = self.text.get(from..self.end()).unwrap_or_default().to_ascii_lowercase();
        self.expect_sign(")")?;
        Ok(Expr::Cast(Box::new(inner), kind, text))
    }

    pub(super) fn array(&mut self) -> Result<Expr, Fault> {
        self.next();
        if self.sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(Expr::ListQuery(Box::new(query)));
        }
        self.expect_sign("[")?;
        let items = if self.is_sign("]") { Vec::new() } else { self.list(Self::expr)? };
        self.expect_sign("]")?;
        Ok(Expr::List(items))
    }

    /// An interval, as its text.
    pub(super) fn interval(&mut self) -> Result<Expr, Fault> {
        self.next();
        let inner = self.nested(|parser| parser.strong(SUM))?;
        let unit = if let Token::Word(unit) = self.peek()
            && ["second", "minute", "hour", "day", "week", "month", "year", "microsecond"]
                .contains(&unit.to_ascii_lowercase().trim_end_matches('s'))
        {
            self.next();
            unit.to_ascii_lowercase()
        } else {
            String::new()
        };
        let at = self.place();
        Ok(call("interval", vec![inner, Expr::Literal(Value::Text(unit))], at))
    }

    pub(super) fn extract(&mut self, at: usize) -> Result<Expr, Fault> {
        self.next();
        self.expect_sign("(")?;
        let part = self.label()?;
        self.expect("from")?;
        let from = self.expr()?;
        self.expect_sign(")")?;
        Ok(call("extract", vec![Expr::Literal(Value::Text(part.to_ascii_lowercase())), from], at))
    }

    /// Functions whose arguments may be parted by words.
    pub(super) fn worded_call(&mut self, name: &str, at: usize) -> Result<Expr, Fault> {
        self.next();
        self.expect_sign("(")?;
        let mut name = name.to_owned();
        for (word, other) in [("both", "btrim"), ("leading", "ltrim"), ("trailing", "rtrim")] {
            if name == "trim" && self.word(word) {
                name = other.to_owned();
            }
        }
        let mut args = Vec::new();
        if name != "trim" && self.word("from") {
            args.push(Expr::Literal(Value::text(" ")));
        } else {
            // `IN` belongs to the call here, not to the expression.
            args.push(if name == "position" {
                self.nested(|parser| parser.strong(RANGE))?
            } else {
                self.expr()?
            });
        }
        let mut swapped = false;
        while !self.is_sign(")") {
            swapped |= (name.ends_with("trim") && self.is("from")) || self.is("in");
            if !["from", "for", "in", "placing"].iter().any(|word| self.word(word))
                && !self.sign(",")
            {
                return Err(self.unexpected());
            }
            args.push(self.expr()?);
        }
        self.expect_sign(")")?;
        if swapped && name != "position" {
            args.reverse();
        }
        Ok(call(&name, args, at))
    }

    /// The name of a type.
    pub(in crate::sql::parser) fn kind(&mut self) -> Result<Type, Fault> {
        let mut name = self.label()?.to_ascii_lowercase();
        while self.sign(".") {
            name = self.label()?.to_ascii_lowercase();
        }
        match name.as_str() {
            "double" => drop(self.word("precision")),
            "character" | "char" | "bit" | "national" if self.word("varying") => {
                name = "varchar".to_owned()
            }
            _ => {}
        }
        let mut sizes = Vec::new();
        if self.sign("(") {
            sizes = self.list(|parser| match parser.next() {
                Token::Number(number) => Ok(number.parse::<u32>().unwrap_or(0)),
                Token::Text(_) => Ok(0),
                _ => Err(parser.unexpected()),
            })?;
            self.expect_sign(")")?;
        }
        let size = sizes.first().copied().unwrap_or(0);
        let zone = self.words(&["with", "time", "zone"]);
        if !zone {
            self.words(&["without", "time", "zone"]);
        }
        for word in ["unsigned", "signed", "zerofill", "binary", "integer"] {
            if self.mysql() {
                self.word(word);
            }
        }
        if self.mysql() && (self.words(&["character", "set"]) || self.word("charset")) {
            self.label()?;
        }
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let kind = match name.as_str() {
            "bool" | "boolean" if self.mysql() => Type::Small,
            "bool" | "boolean" => Type::Bool,
            "tinyint" | "smallint" | "int2" | "smallserial" | "year" => Type::Small,
            "int" | "integer" | "int4" | "mediumint" | "serial" => Type::Int,
            "signed" | "unsigned" | "bigint" | "int8" | "bigserial" | "bit" => Type::Big,
            "float" | "float4" | "float8" | "double" | "real" => Type::Float,
            "decimal" | "numeric" | "dec" | "money" => {
                let places = sizes.get(1).copied().unwrap_or(0);
                Type::Decimal(if size == 0 { 10 } else { small(size) }, small(places))
            }
            "varchar" | "character varying" => Type::Varchar(size),
            "enum" | "set" => Type::Varchar(64),
            "character" | "char" | "nchar" | "bpchar" => Type::Char(size.max(1)),
            "name" => Type::Name,
            "oid" | "regclass" | "regtype" | "regproc" | "regnamespace" | "regrole" | "xid"
            | "cid" => Type::Oid,
            "date" => Type::Date,
            "timestamp" | "datetime" if !zone => Type::Timestamp,
            "timestamp" | "timestamptz" => Type::TimestampZone,
            "time" | "timetz" => Type::Time,
            "bytea" | "blob" | "longblob" | "mediumblob" | "tinyblob" | "varbinary" | "binary" => {
                Type::Bytes
            }
            "json" | "jsonb" => Type::Json,
            "uuid" => Type::Uuid,
            "int2vector" | "oidvector" => Type::OidList,
            _ => Type::Text,
        };
        let mut list = false;
        while !self.mysql() && self.sign("[") {
            if let Token::Number(_) = self.peek() {
                self.next();
            }
            self.expect_sign("]")?;
            list = true;
        }
        Ok(if list { Type::TextList } else { kind })
    }
}
