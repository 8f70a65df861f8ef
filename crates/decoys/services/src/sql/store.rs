//! Tables of a decky: bounded, and saved with the machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::value::{Type, Value};

/// Bytes that all tables of a decky may take.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Rows of all tables together.
const MAX_ROWS: usize = 100_000;
/// Tables of all databases together.
const MAX_TABLES: usize = 512;
/// Databases.
const MAX_DATABASES: usize = 64;
/// Longest name.
const MAX_NAME: usize = 64;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) not_null: bool,
    pub(crate) primary: bool,
    pub(crate) unique: bool,
    pub(crate) automatic: bool,
    pub(crate) default: Option<Value>,
}

impl Column {
    pub(crate) fn new(name: &str, kind: Type) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            not_null: false,
            primary: false,
            unique: false,
            automatic: false,
            default: None,
        }
    }

    /// A number that counts itself and is the key.
    pub(crate) fn key(name: &str) -> Self {
        Self { not_null: true, primary: true, automatic: true, ..Self::new(name, Type::Int) }
    }

    pub(crate) fn needed(name: &str, kind: Type) -> Self {
        Self { not_null: true, ..Self::new(name, kind) }
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// Number in the product's catalogue.
    pub(crate) id: u32,
    /// Next value of the column that counts itself.
    pub(crate) next: i64,
    /// When it was made, seconds since the epoch.
    pub(crate) made: i64,
}

impl Table {
    pub(crate) fn of(columns: Vec<Column>, rows: Vec<Vec<Value>>) -> Self {
        Self { columns, rows, ..Self::default() }
    }

    /// Where column `name` stands.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    fn weight(&self) -> usize {
        let columns: usize = self.columns.iter().map(|column| 128 + column.name.len()).sum();
        columns + self.rows.iter().map(|row| row_weight(row)).sum::<usize>()
    }
}

/// Bytes that a row takes.
pub(crate) fn row_weight(row: &[Value]) -> usize {
    32 + row.iter().map(Value::weight).sum::<usize>()
}

/// A database: tables by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) id: u32,
}

/// All databases of a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Store {
    databases: BTreeMap<String, Database>,
    used: usize,
    rows: usize,
    changes: u64,
    next_id: u32,
}

impl Store {
    /// An empty store whose numbers start at `first_id`.
    pub(crate) fn new(first_id: u32) -> Self {
        Self { next_id: first_id, ..Self::default() }
    }

    /// Counts changes.
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn databases(&self) -> impl Iterator<Item = (&String, &Database)> {
        self.databases.iter()
    }

    pub(crate) fn database(&self, name: &str) -> Option<&Database> {
        self.databases.get(name)
    }

    pub(crate) fn table(&self, database: &str, name: &str) -> Option<&Table> {
        self.databases.get(database)?.tables.get(name)
    }

    fn id(&mut self) -> u32 {
        // Products number what belongs to a table beside it.
        self.next_id = self.next_id.saturating_add(6);
        self.next_id
    }

    pub(crate) fn add_database(&mut self, name: &str) -> Result<(), Fault> {
        if self.databases.contains_key(name) {
            return Err(Fault::DatabaseExists(name.to_owned()));
        }
        if self.databases.len() >= MAX_DATABASES || name.len() > MAX_NAME {
            return Err(Fault::Full);
        }
        let id = self.id();
        self.databases.insert(name.to_owned(), Database { tables: BTreeMap::new(), id });
        self.changes += 1;
        Ok(())
    }

    /// Takes a database away and says how many tables it had.
    pub(crate) fn drop_database(&mut self, name: &str) -> Result<usize, Fault> {
        let gone = self.databases.remove(name).ok_or_else(|| Fault::NoDatabase(name.to_owned()))?;
        for table in gone.tables.values() {
            self.used = self.used.saturating_sub(table.weight());
            self.rows = self.rows.saturating_sub(table.rows.len());
        }
        self.changes += 1;
        Ok(gone.tables.len())
    }

    /// Adds `table` to a database.
    pub(crate) fn add_table(
        &mut self,
        database: &str,
        name: &str,
        mut table: Table,
    ) -> Result<(), Fault> {
        let tables: usize = self.databases.values().map(|database| database.tables.len()).sum();
        let weight = table.weight();
        let over = self.used + weight > MAX_BYTES || self.rows + table.rows.len() > MAX_ROWS;
        if tables >= MAX_TABLES || over || name.len() > MAX_NAME || table.columns.len() > 256 {
            return Err(Fault::Full);
        }
        table.id = self.id();
        let Some(place) = self.databases.get_mut(database) else {
            return Err(Fault::NoDatabase(database.to_owned()));
        };
        if place.tables.contains_key(name) {
            return Err(Fault::TableExists(name.to_owned()));
        }
        self.rows += table.rows.len();
        place.tables.insert(name.to_owned(), table);
        self.used += weight;
        self.changes += 1;
        Ok(())
    }

    /// Takes a table away.
    pub(crate) fn drop_table(&mut self, database: &str, name: &str) -> Option<Table> {
        let table = self.databases.get_mut(database)?.tables.remove(name)?;
        self.used = self.used.saturating_sub(table.weight());
        self.rows = self.rows.saturating_sub(table.rows.len());
        self.changes += 1;
        Some(table)
    }

    /// Puts a changed table in the place of the old one; the old one stays when there is no room.
    pub(crate) fn put_table(
        &mut self,
        database: &str,
        name: &str,
        table: Table,
    ) -> Result<(), Fault> {
        let Some(old) = self.databases.get(database).and_then(|d| d.tables.get(name)) else {
            return Err(Fault::NoDatabase(database.to_owned()));
        };
        let used = self.used.saturating_sub(old.weight()) + table.weight();
        let rows = self.rows.saturating_sub(old.rows.len()) + table.rows.len();
        if (used > MAX_BYTES && used > self.used) || (rows > MAX_ROWS && rows > self.rows) {
            return Err(Fault::Full);
        }
        self.used = used;
        self.rows = rows;
        self.changes += 1;
        if let Some(place) = self.databases.get_mut(database) {
            place.tables.insert(name.to_owned(), table);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_an_end() {
        let mut store = Store::new(16_384);
        store.add_database("a").unwrap();
        let big = || {
            Table::of(
                vec![Column::new("x", Type::Text)],
                vec![vec![Value::text("x".repeat(1 << 20))]],
            )
        };
        let mut made = 0;
        while store.add_table("a", &format!("t{made}"), big()).is_ok() {
            made += 1;
        }
        assert_eq!(made, 7);
        let mut larger = store.table("a", "t0").unwrap().clone();
        larger.rows.push(vec![Value::text("y".repeat(1 << 20))]);
        assert_eq!(store.put_table("a", "t0", larger), Err(Fault::Full));
        assert_eq!(store.drop_database("a"), Ok(7));
        assert_eq!((store.used, store.rows), (0, 0));
    }
}
