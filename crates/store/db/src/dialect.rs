//! The only place where SQLite and MariaDB/MySQL differ.
//!
//! Everything else is SQL that both understand; back-quotes quote names on both.

use std::fmt::Write as _;

/// Which SQL is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    MySql,
}

impl Dialect {
    /// Expands the type words of a table template (`@time`, `@text`, `@str(64)`, `@ascii(36)`,
    /// `@rowid`, `@auto`, `@bytes16`, `@bytes`, `@clustered`) and ends the statement.
    pub(crate) fn create_table(self, template: &str) -> String {
        let mut sql = String::with_capacity(template.len() + 200);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('@') {
            sql.push_str(before);
            let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
            let (word, after) = after.split_at(end);
            let (length, after) = match after.strip_prefix('(').and_then(|a| a.split_once(')')) {
                Some((length, after)) if matches!(word, "str" | "ascii") => (length, after),
                _ => ("", after),
            };
            self.column_type(&mut sql, word, length);
            rest = after;
        }
        sql.push_str(rest);
        if self == Self::MySql {
            sql.push_str(" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
        }
        sql
    }

    fn column_type(self, sql: &mut String, word: &str, length: &str) {
        // Identifiers of ours are ASCII on the server: a quarter of the index space, and equal by
        // byte. Attacker text never goes there, and is never compared with them: the server refuses
        // to compare an ASCII column with other text.
        let text = match (self, word) {
            // Rows in the order of their key instead of a second tree beside them, as InnoDB does.
            (Self::Sqlite, "clustered") => "WITHOUT ROWID",
            (Self::MySql, "clustered") => "",
            (Self::Sqlite, "time") => "DATETIME",
            (Self::Sqlite, "text" | "str" | "ascii") => "TEXT",
            (Self::Sqlite, "rowid") => "INTEGER",
            (Self::Sqlite, "auto") => "INTEGER PRIMARY KEY AUTOINCREMENT",
            (Self::Sqlite, "bytes16" | "bytes") => "BLOB",
            (Self::MySql, "time") => "DATETIME(6)",
            (Self::MySql, "text") => "LONGTEXT",
            (Self::MySql, "rowid") => "BIGINT",
            (Self::MySql, "auto") => "BIGINT AUTO_INCREMENT PRIMARY KEY",
            (Self::MySql, "bytes16") => "BINARY(16)",
            (Self::MySql, "bytes") => "BLOB",
            (Self::MySql, "str") => {
                let _ = write!(sql, "VARCHAR({length})");
                return;
            }
            (Self::MySql, "ascii") => {
                let _ = write!(sql, "VARCHAR({length}) CHARACTER SET ascii COLLATE ascii_bin");
                return;
            }
            (_, other) => other,
        };
        sql.push_str(text);
    }

    /// The tail of a SELECT whose rows nobody else may change before the transaction ends.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            // The transaction holds the only write lock.
            Self::Sqlite => "",
            Self::MySql => " FOR UPDATE",
        }
    }

    /// The head of an insert of many new rows, whose failure ends the transaction anyway.
    pub(crate) fn insert_new(self, table: &str, columns: &str) -> String {
        match self {
            // OR FAIL keeps no copy of pages for undoing the statement alone: a tenth of the cost.
            Self::Sqlite => format!("INSERT OR FAIL INTO {table} ({columns})"),
            Self::MySql => format!("INSERT INTO {table} ({columns})"),
        }
    }

    /// The tail of an insert that updates `columns` to the inserted values when `key` exists.
    pub(crate) fn on_conflict_set(self, key: &str, columns: &[&str]) -> String {
        self.on_conflict(key, columns, |dialect, column| {
            format!("`{column}`={}", dialect.inserted(column))
        })
    }

    /// The tail of an insert that adds the inserted values to `columns` when `key` exists.
    pub(crate) fn on_conflict_add(self, key: &str, columns: &[&str]) -> String {
        // A bare name is the existing row's, on both.
        self.on_conflict(key, columns, |dialect, column| {
            format!("`{column}`=`{column}`+{}", dialect.inserted(column))
        })
    }

    /// The tail of an insert that leaves an existing row as it is. Other errors still show, which
    /// `INSERT IGNORE` would swallow.
    pub(crate) fn on_conflict_nothing(self, key: &str, column: &str) -> String {
        match self {
            Self::Sqlite => format!(" ON CONFLICT({key}) DO NOTHING"),
            Self::MySql => format!(" ON DUPLICATE KEY UPDATE `{column}`=`{column}`"),
        }
    }

    fn on_conflict(
        self,
        key: &str,
        columns: &[&str],
        set: impl Fn(Self, &str) -> String,
    ) -> String {
        let sets: Vec<String> = columns.iter().map(|column| set(self, column)).collect();
        let sets = sets.join(",");
        match self {
            Self::Sqlite => format!(" ON CONFLICT({key}) DO UPDATE SET {sets}"),
            Self::MySql => format!(" ON DUPLICATE KEY UPDATE {sets}"),
        }
    }

    fn inserted(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("excluded.`{column}`"),
            Self::MySql => format!("VALUES(`{column}`)"),
        }
    }

    /// Start of the bucket of `seconds` that `column` lies in, in seconds since the epoch.
    pub(crate) fn bucket(self, column: &str, seconds: i64) -> String {
        match self {
            Self::Sqlite => {
                format!("(CAST(strftime('%s',{column}) AS INTEGER)/{seconds})*{seconds}")
            }
            // Unlike UNIX_TIMESTAMP this does not end in 2038.
            Self::MySql => format!(
                "(TIMESTAMPDIFF(SECOND,'1970-01-01 00:00:00',{column}) DIV {seconds})*{seconds}"
            ),
        }
    }

    /// A condition: the JSON field at the first parameter of `column` (a path, bound twice) equals
    /// the last parameter as text, byte by byte; true and false are spelled out.
    pub(crate) fn json_equals(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!(
                "(CASE json_type({column},?) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' \
                 ELSE CAST(json_extract({column},?) AS TEXT) END)=?"
            ),
            Self::MySql => format!(
                "(JSON_EXTRACT({column},?) IS NOT NULL AND \
                 BINARY JSON_UNQUOTE(JSON_EXTRACT({column},?))=BINARY ?)"
            ),
        }
    }

    /// A condition: the JSON field at the parameter (a path) of `column` exists.
    pub(crate) fn json_present(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_type({column},?) IS NOT NULL"),
            Self::MySql => format!("JSON_EXTRACT({column},?) IS NOT NULL"),
        }
    }

    /// An aggregate as a 64-bit integer.
    pub(crate) fn integer(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({expression} AS INTEGER)"),
            Self::MySql => format!("CAST({expression} AS SIGNED)"),
        }
    }

    /// Most values one statement may bind.
    pub(crate) const fn max_values(self) -> usize {
        match self {
            Self::Sqlite => 32_000,
            Self::MySql => 65_000,
        }
    }
}
