//! The product's codes and texts of errors.

use crate::sql::{Clause, Fault};

/// An error as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) state: &'static str,
    pub(super) text: String,
}

/// An error with the SQLSTATE that goes with its code.
pub(super) fn refusal(code: u16, text: impl Into<String>) -> Refusal {
    let state = match code {
        1040 | 1043 | 1047 | 1153 | 1156 => "08S01",
        1044 | 1049 | 1064 | 1065 | 1091 | 1103 | 1110 | 1141 | 1142 | 1149 | 1235 | 1294
        | 1305 | 1370 => "42000",
        1045 => "28000",
        1046 => "3D000",
        1048 | 1052 | 1062 => "23000",
        1050 => "42S01",
        1051 | 1109 | 1146 => "42S02",
        1054 => "42S22",
        1060 => "42S21",
        1136 => "21S01",
        1222 | 1242 => "21000",
        1317 | 1969 => "70100",
        1690 => "22003",
        1139 => "42000",
        _ => "HY000",
    };
    Refusal { code, state, text: text.into() }
}

/// What errors depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'p> {
    pub(super) maria: bool,
    /// MariaDB names clauses as in the statement from here on.
    pub(super) names_clauses: bool,
    pub(super) database: &'p str,
    pub(super) statement: &'p str,
}

/// `fault` as the product says it.
pub(super) fn say(fault: &Fault, product: Product<'_>) -> Refusal {
    let full = |schema: &Option<String>, name: &str| {
        format!("{}.{name}", schema.as_deref().unwrap_or(product.database))
    };
    match fault {
        Fault::Syntax { at, .. } | Fault::Unterminated { at, .. } => syntax(*at, product),
        Fault::Empty => refusal(1065, "Query was empty"),
        Fault::TooComplex => refusal(
            1436,
            "Thread stack overrun:  278528 bytes used of a 299008 byte stack, and 32000 bytes needed. Consider increasing the thread_stack system variable.",
        ),
        Fault::TooLong if product.maria => {
            refusal(1969, "Query execution was interrupted (max_statement_time exceeded)")
        }
        Fault::TooLong => refusal(
            3024,
            "Query execution was interrupted, maximum statement execution time exceeded",
        ),
        Fault::NoTable { schema, name, .. } => {
            refusal(1146, format!("Table '{}' doesn't exist", full(schema, name)))
        }
        Fault::NoColumn { table, name, clause, .. } => {
            let name =
                table.as_ref().map_or_else(|| name.clone(), |table| format!("{table}.{name}"));
            refusal(1054, format!("Unknown column '{name}' in '{}'", clause_name(*clause, product)))
        }
        Fault::Ambiguous { name, clause, .. } => refusal(
            1052,
            format!("Column '{name}' in {} is ambiguous", clause_name(*clause, product)),
        ),
        Fault::NoFunction { name, .. } if product.database.is_empty() => {
            refusal(1305, format!("FUNCTION {name} does not exist"))
        }
        Fault::NoFunction { name, .. } => {
            refusal(1305, format!("FUNCTION {}.{name} does not exist", product.database))
        }
        Fault::NoDatabase(name) => refusal(1049, format!("Unknown database '{name}'")),
        Fault::NoneChosen => refusal(1046, "No database selected"),
        Fault::TableExists(name) => refusal(1050, format!("Table '{name}' already exists")),
        Fault::DatabaseExists(name) => {
            refusal(1007, format!("Can't create database '{name}'; database exists"))
        }
        Fault::Input { text, .. } => refusal(1292, format!("Truncated incorrect value: '{text}'")),
        Fault::DivisionByZero => refusal(1365, "Division by 0"),
        Fault::ManyRows => refusal(1242, "Subquery returns more than 1 row"),
        Fault::Columns { .. } => {
            refusal(1222, "The used SELECT statements have a different number of columns")
        }
        Fault::Duplicate { table, key, value } => {
            let key = if product.maria { key.clone() } else { format!("{table}.{key}") };
            refusal(1062, format!("Duplicate entry '{value}' for key '{key}'"))
        }
        Fault::NotNull { column, .. } => refusal(1048, format!("Column '{column}' cannot be null")),
        Fault::Full => refusal(
            1021,
            "Disk full (/tmp); waiting for someone to free some space... (errno: 28 \"No space left on device\")",
        ),
        Fault::NoParameter(_) => refusal(1210, "Incorrect arguments to EXECUTE"),
        Fault::Product(code, text) => refusal(code.parse().unwrap_or(1105), text.clone()),
    }
}

fn clause_name(clause: Clause, product: Product<'_>) -> &'static str {
    if product.names_clauses {
        return match clause {
            Clause::Fields => "SELECT",
            Clause::Where => "WHERE",
            Clause::Order => "ORDER BY",
            Clause::Group => "GROUP BY",
            Clause::Having => "HAVING",
            Clause::On => "ON",
        };
    }
    match clause {
        Clause::Fields => "field list",
        Clause::Where => "where clause",
        Clause::Order => "order clause",
        Clause::Group => "group statement",
        Clause::Having => "having clause",
        Clause::On => "on clause",
    }
}

/// The error of syntax, with what is left of the statement from where it goes wrong.
pub(super) fn syntax(at: usize, product: Product<'_>) -> Refusal {
    let statement = product.statement;
    let near: String = statement.get(at..).unwrap_or_default().chars().take(80).collect();
    let line = statement.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let server = if product.maria { "MariaDB" } else { "MySQL" };
    refusal(
        1064,
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your {server} server version for the right syntax to use near '{near}' at line {line}"
        ),
    )
}

/// Whoever it was is not let in.
pub(super) fn denied(user: &[u8], host: &str, with_password: bool) -> Refusal {
    let user = String::from_utf8_lossy(user);
    let used = if with_password { "YES" } else { "NO" };
    refusal(1045, format!("Access denied for user '{user}'@'{host}' (using password: {used})"))
}
