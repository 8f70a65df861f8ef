//! Queries.

use super::Parser;
use crate::sql::ast::{Expr, From, Item, Join, Joined, Query, Select, SetKind, Sort};
use crate::sql::fault::Fault;
use crate::sql::lexer::Token;

/// Most tables of a `FROM`.
const MAX_TABLES: usize = 32;
/// Most results that are put together.
const MAX_UNIONS: usize = 100;

impl Parser<'_> {
    /// Whether a query starts here.
    pub(super) fn is_query(&self) -> bool {
        let mut ahead = 0;
        while matches!(self.look(ahead), Token::Sign("(")) && ahead < 64 {
            ahead += 1;
        }
        ["select", "with", "values", "table"].iter().any(|word| self.is_ahead(ahead, word))
    }

    pub(super) fn query(&mut self) -> Result<Query, Fault> {
        self.nested(Self::query_here)
    }

    fn query_here(&mut self) -> Result<Query, Fault> {
        let mut with = Vec::new();
        if self.word("with") {
            self.word("recursive");
            with = self.list(|parser| {
                let name = parser.name()?;
                if parser.is_sign("(") {
                    parser.names()?;
                }
                parser.expect("as")?;
                parser.word("not");
                parser.word("materialized");
                parser.expect_sign("(")?;
                let query = parser.query()?;
                parser.expect_sign(")")?;
                Ok((name, query))
            })?;
        }
        let body = self.body()?;
        let mut unions = Vec::new();
        loop {
            let kind = if self.word("union") {
                if self.word("all") { SetKind::UnionAll } else { SetKind::Union }
            } else if self.word("except") {
                SetKind::Except
            } else if self.word("intersect") {
                SetKind::Intersect
            } else {
                break;
            };
            self.word("all");
            self.word("distinct");
            if unions.len() >= MAX_UNIONS {
                return Err(Fault::TooComplex);
            }
            unions.push((kind, self.body()?));
        }
        let mut query = Query {
            with,
            body,
            unions,
            order: Vec::new(),
            limit: None,
            offset: None,
            outfile: None,
        };
        self.tail(&mut query)?;
        query.outfile = query.outfile.or(self.outfile.take());
        Ok(query)
    }

    /// What follows the bodies of a query.
    fn tail(&mut self, query: &mut Query) -> Result<(), Fault> {
        if self.words(&["order", "by"]) {
            query.order = self.sorts()?;
        }
        loop {
            if self.word("limit") {
                if self.word("all") {
                    continue;
                }
                let first = self.expr()?;
                if self.mysql() && self.sign(",") {
                    query.offset = Some(first);
                    query.limit = Some(self.expr()?);
                } else {
                    query.limit = Some(first);
                }
            } else if self.word("offset") {
                query.offset = Some(self.expr()?);
                let _ = self.word("rows") || self.word("row");
            } else if self.word("fetch") {
                let _ = self.word("first") || self.word("next");
                query.limit = Some(self.expr()?);
                let _ = self.word("rows") || self.word("row");
                self.expect("only")?;
            } else if self.mysql() && self.is("into") {
                query.outfile = self.into()?;
            } else if self.word("for") {
                while let Token::Word(_) = self.peek() {
                    self.next();
                }
            } else if self.words(&["lock", "in", "share", "mode"]) {
            } else {
                return Ok(());
            }
        }
    }

    /// `INTO OUTFILE 'file' …`, `INTO DUMPFILE 'file'` or `INTO @variable`.
    fn into(&mut self) -> Result<Option<String>, Fault> {
        self.expect("into")?;
        if !(self.word("outfile") || self.word("dumpfile")) {
            self.list(|parser| match parser.next() {
                Token::Variable(_) | Token::Word(_) => Ok(()),
                _ => Err(parser.unexpected()),
            })?;
            return Ok(None);
        }
        let Token::Text(file) = self.next() else { return Err(self.unexpected()) };
        let options = [
            "character",
            "set",
            "fields",
            "columns",
            "lines",
            "terminated",
            "by",
            "enclosed",
            "optionally",
            "escaped",
            "starting",
        ];
        while options.iter().any(|word| self.is(word))
            || matches!(self.peek(), Token::Text(_) | Token::Hex(_))
        {
            self.next();
        }
        if let Token::Word(word) = self.peek()
            && (word.starts_with("utf8") || word == "binary" || word == "latin1")
        {
            self.next();
        }
        Ok(Some(file.clone()))
    }

    pub(super) fn sorts(&mut self) -> Result<Vec<Sort>, Fault> {
        self.list(|parser| {
            let expr = parser.expr()?;
            let descending = !parser.word("asc") && parser.word("desc");
            let nulls_first = if parser.word("nulls") {
                let first = parser.word("first");
                if !first {
                    parser.expect("last")?;
                }
                Some(first)
            } else {
                None
            };
            Ok(Sort { expr, descending, nulls_first })
        })
    }

    fn body(&mut self) -> Result<Select, Fault> {
        if self.sign("(") {
            let nested = self.query()?;
            self.expect_sign(")")?;
            return Ok(Select { nested: Some(Box::new(nested)), ..Select::default() });
        }
        if self.word("values") {
            let values = self.rows()?;
            return Ok(Select { values: Some(values), ..Select::default() });
        }
        if self.word("table") {
            let table = From::Table(self.qualified()?);
            return Ok(Select {
                items: vec![Item::All(None)],
                from: vec![plain(table)],
                ..Select::default()
            });
        }
        self.expect("select")?;
        self.select()
    }

    /// Rows of values in parentheses.
    pub(super) fn rows(&mut self) -> Result<Vec<Vec<Expr>>, Fault> {
        self.list(|parser| {
            parser.word("row");
            parser.expect_sign("(")?;
            let row = if parser.is_sign(")") { Vec::new() } else { parser.list(Self::expr)? };
            parser.expect_sign(")")?;
            Ok(row)
        })
    }

    fn select(&mut self) -> Result<Select, Fault> {
        let mut select = Select::default();
        loop {
            if self.word("distinct") || self.word("distinctrow") {
                select.distinct = true;
                if self.word("on") {
                    self.skip_group();
                }
            } else if self.word("all")
                || self.mysql()
                    && [
                        "sql_no_cache",
                        "sql_calc_found_rows",
                        "straight_join",
                        "high_priority",
                        "sql_cache",
                    ]
                    .iter()
                    .any(|word| self.word(word))
            {
            } else {
                break;
            }
        }
        // PostgreSQL takes a select without columns.
        if !["from", "where"].iter().any(|word| self.is(word)) && self.peek() != &Token::End {
            select.items = self.list(Self::item)?;
        }
        if self.mysql() && self.is("into") {
            self.outfile = self.into()?;
        }
        if self.word("from") {
            select.from = self.tables()?;
        }
        if self.word("where") {
            select.filter = Some(self.expr()?);
        }
        if self.words(&["group", "by"]) {
            select.group = self.list(Self::expr)?;
        }
        if self.word("having") {
            select.having = Some(self.expr()?);
        }
        Ok(select)
    }

    pub(super) fn item(&mut self) -> Result<Item, Fault> {
        if self.sign("*") {
            return Ok(Item::All(None));
        }
        let mut ahead = 0;
        while matches!(self.look(ahead + 1), Token::Sign(".")) && ahead < 6 {
            if matches!(self.look(ahead + 2), Token::Sign("*")) {
                self.at += ahead;
                let table = self.label()?;
                self.at += 2;
                return Ok(Item::All(Some(table)));
            }
            ahead += 2;
        }
        let from = self.place();
        let expr = self.expr()?;
        let text = self.text.get(from..self.end()).unwrap_or_default().to_owned();
        let quoted = matches!(self.peek(), Token::Text(_)) && self.mysql();
        let name = if self.word("as") || quoted { Some(self.label()?) } else { self.name().ok() };
        Ok(Item::One { expr, name, text })
    }

    fn tables(&mut self) -> Result<Vec<Joined>, Fault> {
        let mut out = Vec::new();
        self.table(&mut out, Join::Cross)?;
        loop {
            if out.len() >= MAX_TABLES {
                return Err(Fault::TooComplex);
            }
            let natural = self.word("natural");
            let join = if self.sign(",") || self.words(&["cross", "join"]) {
                Join::Cross
            } else if self.word("left") {
                self.word("outer");
                self.expect("join")?;
                Join::Left
            } else if self.word("right") {
                self.word("outer");
                self.expect("join")?;
                Join::Right
            } else if self.word("full") {
                self.word("outer");
                self.expect("join")?;
                Join::Left
            } else if self.words(&["inner", "join"])
                || self.word("join")
                || self.word("straight_join")
            {
                Join::Inner
            } else if natural {
                return Err(self.unexpected());
            } else {
                return Ok(out);
            };
            self.word("lateral");
            self.table(&mut out, join)?;
        }
    }

    fn table(&mut self, out: &mut Vec<Joined>, join: Join) -> Result<(), Fault> {
        if self.is_sign("(") && !self.is_query() {
            // Tables in parentheses.
            return self.nested(|parser| {
                parser.expect_sign("(")?;
                let mut inner = parser.tables()?;
                parser.expect_sign(")")?;
                if let Some(first) = inner.first_mut() {
                    first.join = join;
                }
                out.extend(inner);
                parser.condition(out)
            });
        }
        let at = self.place();
        let table = if self.sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            From::Query(Box::new(query))
        } else {
            let name = self.qualified()?;
            if self.is_sign("(") {
                let args = self.nested(Self::arguments)?;
                self.words(&["with", "ordinality"]);
                From::Function { name: name.name, args, at }
            } else {
                From::Table(name)
            }
        };
        let alias = if self.word("as") { Some(self.label()?) } else { self.alias() };
        let columns =
            if alias.is_some() && self.is_sign("(") { self.column_names()? } else { Vec::new() };
        out.push(Joined { table, alias, columns, join, on: None, using: Vec::new() });
        self.condition(out)
    }

    /// A name that may follow a table, unless it goes on with something else.
    fn alias(&mut self) -> Option<String> {
        let next = ["straight_join", "lock", "window", "tablesample", "force", "ignore", "use"];
        if next.iter().any(|word| self.is(word)) {
            return None;
        }
        self.name().ok()
    }

    /// Names of columns, with types where functions return records.
    fn column_names(&mut self) -> Result<Vec<String>, Fault> {
        self.expect_sign("(")?;
        let names = self.list(|parser| {
            let name = parser.label()?;
            if !parser.is_sign(",") && !parser.is_sign(")") {
                parser.kind()?;
            }
            Ok(name)
        })?;
        self.expect_sign(")")?;
        Ok(names)
    }

    fn condition(&mut self, out: &mut [Joined]) -> Result<(), Fault> {
        if self.word("on") {
            let on = self.expr()?;
            if let Some(last) = out.last_mut() {
                last.on = Some(on);
            }
        } else if self.word("using") {
            let names = self.names()?;
            if let Some(last) = out.last_mut() {
                last.using = names;
            }
        }
        Ok(())
    }
}

const fn plain(table: From) -> Joined {
    Joined {
        table,
        alias: None,
        columns: Vec::new(),
        join: Join::Cross,
        on: None,
        using: Vec::new(),
    }
}
