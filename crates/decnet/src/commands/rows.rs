//! Lists of the API as tables.

use std::process::ExitCode;

use serde_json::Value;

use super::daemon::{ask, at, list, refused};
use super::inert::inert_within;
use super::print;
use super::table::table;
use crate::cli::Local;

/// Header of a column, and the member that fills it.
pub(super) type Column = (&'static str, &'static str);

/// Most characters of a cell.
const CELL: usize = 100;

/// Asks for a list and shows it.
pub(super) fn page(
    local: &Local,
    title: &str,
    columns: &[Column],
    key: &str,
    path: impl FnOnce() -> anyhow::Result<String>,
) -> ExitCode {
    ask(local, async |client| {
        let answer = client.get(&path()?).await.map_err(refused)?;
        if local.json {
            return print(&answer);
        }
        let all = list(&answer, key);
        if all.is_empty() {
            return Ok(format!("{title}: none.\n"));
        }
        let mut text = rows(title, columns, all);
        let total = at(&answer, "total").as_u64().unwrap_or(0);
        let shown = all.len() as u64;
        if total > shown {
            text.push_str(&format!("\n{shown} of {total}; see --limit and --offset.\n"));
        }
        Ok(text)
    })
}

/// A table of `all`.
pub(super) fn rows(title: &str, columns: &[Column], all: &[Value]) -> String {
    let headers: Vec<&str> = columns.iter().map(|(header, _)| *header).collect();
    let row = |one: &Value| columns.iter().map(|(_, key)| cell(at(one, key), CELL)).collect();
    let cells: Vec<Vec<String>> = all.iter().map(row).collect();
    table(title, &headers, &cells)
}

/// A value in a table: what attackers wrote does nothing there.
pub(super) fn cell(value: &Value, limit: usize) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(parts) if parts.iter().all(Value::is_string) => {
            parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    inert_within(&text, limit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_sort_of_value_has_a_cell() {
        let of = |value: Value| cell(&value, 10);
        assert_eq!(of(json!(null)), "");
        assert_eq!(of(json!(true)), "yes");
        assert_eq!(of(json!(1.5)), "1.5");
        assert_eq!(of(json!(["a", "b"])), "a, b");
        assert_eq!(of(json!({"a": 1})), "{\"a\":1}");
        assert_eq!(of(json!("\n0123456789")), "\\n0123456…");
    }
}
