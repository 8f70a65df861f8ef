//! Inserting many rows with few statements.

use sea_orm::{ConnectionTrait, Value};

use crate::DbError;
use crate::dialect::Dialect;
use crate::sql::{execute, places};

/// Steps in which many rows are inserted: few distinct statements, so that each stays prepared.
const STEPS: [usize; 5] = [256, 64, 16, 4, 1];
/// Most bytes of values in one statement of several rows; stays below the packet limit of a server.
const STATEMENT_BYTES: usize = 2 * 1024 * 1024;

/// Rows for one table, bound and waiting.
pub(crate) struct Rows {
    width: usize,
    values: Vec<Value>,
    bytes: Vec<usize>,
}

impl Rows {
    pub(crate) fn new(width: usize, capacity: usize) -> Self {
        Self {
            width,
            values: Vec::with_capacity(width * capacity),
            bytes: Vec::with_capacity(capacity),
        }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        let start = self.values.len();
        self.values.extend(row);
        debug_assert_eq!(self.values.len() - start, self.width, "a row has one value per column");
        self.bytes.push(self.values.iter().skip(start).map(size).sum());
    }

    /// Executes `head VALUES (…),(…) tail` until every row is in.
    pub(crate) async fn insert(
        self,
        connection: &impl ConnectionTrait,
        dialect: Dialect,
        head: &str,
        tail: &str,
    ) -> Result<(), DbError> {
        let most = dialect.max_values() / self.width.max(1);
        let group = format!("({})", places(self.width));
        let mut values = self.values.into_iter();
        let mut bytes = self.bytes.as_slice();
        while !bytes.is_empty() {
            let fits = |&step: &usize| {
                step <= most
                    && bytes.get(..step).is_some_and(|rows| {
                        step == 1 || rows.iter().sum::<usize>() <= STATEMENT_BYTES
                    })
            };
            let step = STEPS.iter().copied().find(|step| fits(step)).unwrap_or(1);
            let mut sql =
                String::with_capacity(head.len() + tail.len() + 8 + (group.len() + 1) * step);
            sql.push_str(head);
            sql.push_str(" VALUES ");
            for at in 0..step {
                if at > 0 {
                    sql.push(',');
                }
                sql.push_str(&group);
            }
            sql.push_str(tail);
            let args = values.by_ref().take(step * self.width).collect();
            execute(connection, &sql, args).await?;
            bytes = bytes.get(step..).unwrap_or_default();
        }
        Ok(())
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}
