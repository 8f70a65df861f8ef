//! What the product brings along: engines, rights, plugins, character sets.

use super::text;
use crate::sql::Value;

pub(in crate::mysql) fn engines(maria: bool) -> Vec<Vec<Value>> {
    const MARIA: &[[&str; 6]] = &[
        ["CSV", "YES", "Stores tables as CSV files", "NO", "NO", "NO"],
        ["MRG_MyISAM", "YES", "Collection of identical MyISAM tables", "NO", "NO", "NO"],
        [
            "MEMORY",
            "YES",
            "Hash based, stored in memory, useful for temporary tables",
            "NO",
            "NO",
            "NO",
        ],
        [
            "Aria",
            "YES",
            "Crash-safe tables with MyISAM heritage. Used for internal temporary tables and privilege tables",
            "NO",
            "NO",
            "NO",
        ],
        [
            "MyISAM",
            "YES",
            "Non-transactional engine with good performance and small data footprint",
            "NO",
            "NO",
            "NO",
        ],
        ["SEQUENCE", "YES", "Generated tables filled with sequential values", "YES", "NO", "YES"],
        [
            "InnoDB",
            "DEFAULT",
            "Supports transactions, row-level locking, foreign keys and encryption for tables",
            "YES",
            "YES",
            "YES",
        ],
        ["PERFORMANCE_SCHEMA", "YES", "Performance Schema", "NO", "NO", "NO"],
    ];
    const MYSQL: &[[&str; 6]] = &[
        ["ARCHIVE", "YES", "Archive storage engine", "NO", "NO", "NO"],
        [
            "BLACKHOLE",
            "YES",
            "/dev/null storage engine (anything you write to it disappears)",
            "NO",
            "NO",
            "NO",
        ],
        ["MRG_MYISAM", "YES", "Collection of identical MyISAM tables", "NO", "NO", "NO"],
        ["MyISAM", "YES", "MyISAM storage engine", "NO", "NO", "NO"],
        ["PERFORMANCE_SCHEMA", "YES", "Performance Schema", "NO", "NO", "NO"],
        [
            "InnoDB",
            "DEFAULT",
            "Supports transactions, row-level locking, and foreign keys",
            "YES",
            "YES",
            "YES",
        ],
        [
            "MEMORY",
            "YES",
            "Hash based, stored in memory, useful for temporary tables",
            "NO",
            "NO",
            "NO",
        ],
        ["CSV", "YES", "CSV storage engine", "NO", "NO", "NO"],
    ];
    let table = if maria { MARIA } else { MYSQL };
    table.iter().map(|row| row.iter().map(|cell| text(*cell)).collect()).collect()
}

pub(in crate::mysql) const PRIVILEGES: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "FILE",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "SUPER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE TABLESPACE",
];

pub(super) const PLUGINS: &[(&str, &str)] = &[
    ("binlog", "STORAGE ENGINE"),
    ("mysql_native_password", "AUTHENTICATION"),
    ("CSV", "STORAGE ENGINE"),
    ("MEMORY", "STORAGE ENGINE"),
    ("MyISAM", "STORAGE ENGINE"),
    ("InnoDB", "STORAGE ENGINE"),
    ("PERFORMANCE_SCHEMA", "STORAGE ENGINE"),
];

pub(in crate::mysql) const CHARSETS: &[(&str, &str, &str, i64)] = &[
    ("utf8mb4", "utf8mb4_general_ci", "UTF-8 Unicode", 4),
    ("utf8mb3", "utf8mb3_general_ci", "UTF-8 Unicode", 3),
    ("latin1", "latin1_swedish_ci", "cp1252 West European", 1),
    ("ascii", "ascii_general_ci", "US ASCII", 1),
    ("binary", "binary", "Binary pseudo charset", 1),
];
