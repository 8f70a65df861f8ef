//! Statements that change something.

use super::Parser;
use crate::sql::ast::{Conflict, Definition, Insert, Item, Source, Statement};
use crate::sql::fault::Fault;
use crate::sql::lexer::Token;
use crate::sql::value::Type;

/// First words of statements that products carry out on their own.
const OTHERS: &[&str] = &[
    "abort",
    "alter",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "desc",
    "describe",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "flush",
    "grant",
    "handler",
    "help",
    "import",
    "install",
    "kill",
    "listen",
    "load",
    "lock",
    "move",
    "notify",
    "optimize",
    "prepare",
    "purge",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "rename",
    "repair",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "set",
    "show",
    "shutdown",
    "start",
    "stop",
    "uninstall",
    "unlisten",
    "unlock",
    "use",
    "vacuum",
    "change",
    "check",
    "xa",
    "binlog",
    "cache",
    "checksum",
    "signal",
    "security",
    "get",
];

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<Statement, Fault> {
        if self.is_query() {
            return self.query().map(Statement::Query);
        }
        let Token::Word(first) = self.peek() else { return Err(self.unexpected()) };
        let first = first.to_ascii_lowercase();
        match first.as_str() {
            "insert" | "replace" => self.insert(),
            "update" => self.update(),
            "delete" => self.delete(),
            "truncate" => {
                self.next();
                self.word("table");
                self.word("only");
                let names = self.list(Self::qualified)?;
                for word in ["restart", "continue", "identity", "cascade", "restrict"] {
                    self.word(word);
                }
                Ok(Statement::Truncate(names))
            }
            "create" => self.create(),
            "drop" => self.drop_what(),
            "alter" if self.is_ahead(1, "table") => self.alter(),
            first if OTHERS.contains(&first) => Ok(Statement::Other(first.to_owned())),
            _ => Err(self.unexpected()),
        }
    }

    fn insert(&mut self) -> Result<Statement, Fault> {
        let mut conflict = if self.is("replace") { Conflict::Replace } else { Conflict::Refuse };
        self.next();
        for word in ["low_priority", "delayed", "high_priority"] {
            self.word(word);
        }
        if self.mysql() && self.word("ignore") {
            conflict = Conflict::Skip;
        }
        if !self.word("into") && !self.mysql() {
            return Err(self.unexpected());
        }
        let table = self.qualified()?;
        if self.word("as") {
            self.label()?;
        }
        let columns =
            if self.is_sign("(") && !self.is_query() { self.names()? } else { Vec::new() };
        let mut columns = columns;
        let source = if self.word("values") || self.word("value") {
            Source::Values(self.rows()?)
        } else if self.mysql() && self.word("set") {
            let pairs = self.assignments()?;
            let (names, values) = pairs.into_iter().unzip();
            columns = names;
            Source::Values(vec![values])
        } else if self.words(&["default", "values"]) {
            Source::Values(vec![Vec::new()])
        } else if self.is_query() {
            Source::Query(Box::new(self.query()?))
        } else {
            return Err(self.unexpected());
        };
        if self.words(&["on", "duplicate", "key", "update"]) {
            conflict = Conflict::Replace;
            self.assignments()?;
        }
        if self.words(&["on", "conflict"]) {
            if self.is_sign("(") {
                self.skip_group();
            }
            self.expect("do")?;
            if self.word("nothing") {
                conflict = Conflict::Skip;
            } else {
                self.expect("update")?;
                self.expect("set")?;
                conflict = Conflict::Replace;
                self.assignments()?;
            }
        }
        let returning = self.returning()?;
        Ok(Statement::Insert(Insert { table, columns, source, conflict, returning }))
    }

    fn assignments(&mut self) -> Result<Vec<(String, crate::sql::ast::Expr)>, Fault> {
        self.list(|parser| {
            let mut name = parser.label()?;
            while parser.sign(".") {
                name = parser.label()?;
            }
            if !parser.sign("=") && !parser.sign(":=") {
                return Err(parser.unexpected());
            }
            Ok((name, parser.expr()?))
        })
    }

    fn returning(&mut self) -> Result<Vec<Item>, Fault> {
        if self.word("returning") { self.list(Self::item) } else { Ok(Vec::new()) }
    }

    fn update(&mut self) -> Result<Statement, Fault> {
        self.next();
        for word in ["low_priority", "ignore", "only"] {
            self.word(word);
        }
        let table = self.qualified()?;
        if self.word("as") || !self.is("set") {
            self.label()?;
        }
        self.expect("set")?;
        let set = self.assignments()?;
        let filter = self.filter()?;
        let returning = self.returning()?;
        Ok(Statement::Update { table, set, filter, returning })
    }

    fn delete(&mut self) -> Result<Statement, Fault> {
        self.next();
        for word in ["low_priority", "quick", "ignore"] {
            self.word(word);
        }
        self.expect("from")?;
        self.word("only");
        let table = self.qualified()?;
        let filter = self.filter()?;
        let returning = self.returning()?;
        Ok(Statement::Delete { table, filter, returning })
    }

    /// `WHERE`, and MySQL's order and limit, which decide nothing here.
    fn filter(&mut self) -> Result<Option<crate::sql::ast::Expr>, Fault> {
        let filter = if self.word("where") { Some(self.expr()?) } else { None };
        if self.mysql() {
            if self.words(&["order", "by"]) {
                self.sorts()?;
            }
            if self.word("limit") {
                self.expr()?;
            }
        }
        Ok(filter)
    }

    fn if_exists(&mut self) -> bool {
        self.words(&["if", "exists"])
    }

    fn create(&mut self) -> Result<Statement, Fault> {
        let start = self.at;
        self.next();
        self.words(&["or", "replace"]);
        for word in ["temporary", "temp", "unlogged"] {
            self.word(word);
        }
        if self.word("database") || self.mysql() && self.word("schema") {
            let unless_there = self.words(&["if", "not", "exists"]);
            let name = self.name()?;
            self.pass_rest();
            return Ok(Statement::CreateDatabase { name, unless_there });
        }
        if !self.word("table") {
            self.at = start;
            return Ok(Statement::Other("create".to_owned()));
        }
        let unless_there = self.words(&["if", "not", "exists"]);
        let name = self.qualified()?;
        let mut columns = Vec::new();
        if self.is_sign("(") && !self.is_query() {
            self.next();
            columns = self.definitions()?;
            self.expect_sign(")")?;
        }
        while !self.is("as")
            && !self.is_query()
            && !matches!(self.peek(), Token::End | Token::Sign(";"))
        {
            // Options of the table decide nothing here.
            self.next();
        }
        self.word("as");
        let query = if self.is_query() { Some(self.query()?) } else { None };
        if columns.is_empty() && query.is_none() {
            if self.mysql() {
                return Err(self.unexpected());
            }
            if !matches!(self.peek(), Token::End) {
                return Err(self.unexpected());
            }
        }
        Ok(Statement::CreateTable { name, columns, unless_there, query })
    }

    fn pass_rest(&mut self) {
        while !matches!(self.peek(), Token::End | Token::Sign(";")) {
            self.next();
        }
    }

    fn definitions(&mut self) -> Result<Vec<Definition>, Fault> {
        let mut columns: Vec<Definition> = Vec::new();
        loop {
            let keys = [
                "primary",
                "unique",
                "key",
                "index",
                "constraint",
                "foreign",
                "check",
                "fulltext",
                "like",
                "exclude",
            ];
            if keys.iter().any(|word| self.is(word)) && !matches!(self.peek(), Token::Quoted(_)) {
                self.table_key(&mut columns);
            } else {
                columns.push(self.definition()?);
            }
            if !self.sign(",") {
                return Ok(columns);
            }
            if columns.len() > 1024 {
                return Err(Fault::TooComplex);
            }
        }
    }

    /// A key over columns that were defined before.
    fn table_key(&mut self, columns: &mut [Definition]) {
        let primary = self.is("primary");
        let unique = self.is("unique");
        while !self.is_sign("(")
            && !self.is_sign(",")
            && !self.is_sign(")")
            && self.peek() != &Token::End
        {
            self.next();
        }
        if self.is_sign("(") {
            let names = self.names().unwrap_or_default();
            let single = names.len() == 1;
            for column in columns.iter_mut().filter(|column| names.contains(&column.name)) {
                column.primary |= primary;
                column.not_null |= primary;
                column.unique |= unique && single;
            }
        }
        while !self.is_sign(",") && !self.is_sign(")") && self.peek() != &Token::End {
            if self.is_sign("(") {
                self.skip_group();
            } else {
                self.next();
            }
        }
    }

    pub(super) fn definition(&mut self) -> Result<Definition, Fault> {
        let name = self.label()?;
        let serial = ["serial", "bigserial", "smallserial"].iter().any(|word| self.is(word));
        let kind = if self.is_sign(",") || self.is_sign(")") { Type::Text } else { self.kind()? };
        let mut column = Definition {
            name,
            kind,
            not_null: serial,
            primary: false,
            unique: false,
            automatic: serial,
            default: None,
        };
        loop {
            if self.words(&["not", "null"]) {
                column.not_null = true;
            } else if self.words(&["primary", "key"]) {
                column.primary = true;
                column.not_null = true;
            } else if self.word("unique") {
                self.word("key");
                column.unique = true;
            } else if self.word("auto_increment") {
                column.automatic = true;
            } else if self.word("default") {
                column.default = Some(self.expr()?);
            } else if self.word("generated") {
                column.automatic = true;
                while !self.is("identity")
                    && !self.is_sign(",")
                    && !self.is_sign(")")
                    && self.peek() != &Token::End
                {
                    self.next();
                }
                self.word("identity");
            } else if self.is_sign(",")
                || self.is_sign(")")
                || matches!(self.peek(), Token::End | Token::Sign(";"))
            {
                return Ok(column);
            } else if self.is_sign("(") {
                self.skip_group();
            } else {
                // Comments, collations, references and the like.
                self.next();
            }
        }
    }

    fn drop_what(&mut self) -> Result<Statement, Fault> {
        let start = self.at;
        self.next();
        if self.word("database") || self.mysql() && self.word("schema") {
            let if_there = self.if_exists();
            let name = self.name()?;
            self.pass_rest();
            return Ok(Statement::DropDatabase { name, if_there });
        }
        self.word("temporary");
        if !self.word("table") {
            self.at = start;
            return Ok(Statement::Other("drop".to_owned()));
        }
        let if_there = self.if_exists();
        let names = self.list(Self::qualified)?;
        let _ = self.word("cascade") || self.word("restrict");
        Ok(Statement::DropTable { names, if_there })
    }

    fn alter(&mut self) -> Result<Statement, Fault> {
        let start = self.at;
        self.next();
        self.next();
        self.if_exists();
        self.word("only");
        let table = self.qualified()?;
        if self.word("add") {
            self.word("column");
            self.words(&["if", "not", "exists"]);
            let keys =
                ["primary", "unique", "key", "index", "constraint", "foreign", "check", "fulltext"];
            if !keys.iter().any(|word| self.is(word)) {
                let column = self.definition()?;
                self.pass_rest();
                return Ok(Statement::AddColumn { table, column });
            }
        } else if self.word("drop") {
            self.word("column");
            self.if_exists();
            if !["primary", "key", "index", "constraint", "foreign"]
                .iter()
                .any(|word| self.is(word))
            {
                let column = self.label()?;
                self.pass_rest();
                return Ok(Statement::DropColumn { table, column });
            }
        } else if self.word("rename") {
            let _ = self.word("to") || self.word("as");
            if !self.is("column") {
                let to = self.label()?;
                self.pass_rest();
                return Ok(Statement::RenameTable { table, to });
            }
        }
        self.at = start;
        Ok(Statement::Other("alter".to_owned()))
    }
}
