//! `DESCRIBE` and `EXPLAIN`.

use super::{Done, Run, rows, sight};
use crate::mysql::errors::{self, Product, Refusal};
use crate::mysql::show;
use crate::sql::{Column, Table, Value};

pub(super) fn describe(
    run: &mut Run<'_>,
    text: &str,
    words: &[String],
    product: Product<'_>,
) -> Result<Done, Refusal> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let queries = [
        "select",
        "insert",
        "update",
        "delete",
        "replace",
        "extended",
        "format",
        "partitions",
        "analyze",
        "with",
    ];
    if queries.contains(&word(1)) {
        return Ok(Done::of(rows(explained(word(1)))));
    }
    let (table, database) =
        if word(2) == "." { (word(3), Some(word(1).to_owned())) } else { (word(1), None) };
    if table.is_empty() {
        return Err(errors::syntax(text.len(), product));
    }
    let pattern = words.get(if word(2) == "." { 4 } else { 2 }).map(String::as_str);
    let seen = sight(run);
    show::columns(&seen, database, table, false, pattern)
        .map(|table| Done::of(rows(table)))
        .map_err(|fault| errors::say(&fault, product))
}

fn explained(kind: &str) -> Table {
    use crate::sql::Type;
    let names = [
        "id",
        "select_type",
        "table",
        "type",
        "possible_keys",
        "key",
        "key_len",
        "ref",
        "rows",
        "Extra",
    ];
    let columns = names
        .map(|name| {
            Column::new(
                name,
                if name == "id" || name == "rows" { Type::Big } else { Type::Varchar(64) },
            )
        })
        .to_vec();
    let _ = kind;
    let null = Value::Null;
    Table::of(
        columns,
        vec![vec![
            Value::Int(1),
            Value::text("SIMPLE"),
            null.clone(),
            null.clone(),
            null.clone(),
            null.clone(),
            null.clone(),
            null.clone(),
            null,
            Value::text("No tables used"),
        ]],
    )
}
