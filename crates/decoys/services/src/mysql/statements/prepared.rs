//! Statements prepared by name, and the shape of an answer before it is known.

use super::{Done, Run, ok, run, sight};
use crate::mysql::errors::{Product, Refusal, refusal};
use crate::sql::{Dialect, Rows, Scope, Statement, Value, parse, select};

/// `PREPARE`, `EXECUTE` and `DEALLOCATE` as statements.
pub(super) fn prepared(
    run: &mut Run<'_>,
    text: &str,
    words: &[String],
    product: Product<'_>,
) -> Result<Done, Refusal> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match word(0) {
        "prepare" => {
            let statement = match word(3) {
                variable if variable.starts_with('@') => run
                    .me
                    .own
                    .get(&variable.trim_start_matches('@').to_ascii_lowercase())
                    .and_then(Value::shown)
                    .unwrap_or_default(),
                other => other.to_owned(),
            };
            if run.me.named.len() < 64 && statement.len() < 65_536 {
                run.me.named.insert(word(1).to_owned(), statement);
            }
            Ok(Done::of(ok()))
        }
        "execute" => {
            let Some(statement) = run.me.named.get(word(1)).cloned() else {
                return Err(refusal(
                    1243,
                    format!("Unknown prepared statement handler ({}) given to EXECUTE", word(1)),
                ));
            };
            let inner = crate::sql::words(&statement, Dialect::MySql);
            if matches!(inner.first().map(String::as_str), Some("execute" | "prepare")) {
                return Err(refusal(
                    1295,
                    "This command is not supported in the prepared statement protocol yet",
                ));
            }
            let parameters: Vec<Value> = words
                .iter()
                .skip(3)
                .filter(|word| word.starts_with('@'))
                .map(|name| {
                    run.me
                        .own
                        .get(&name.trim_start_matches('@').to_ascii_lowercase())
                        .cloned()
                        .unwrap_or(Value::Null)
                })
                .collect();
            let _ = (text, product);
            Ok(self::run(run, &statement, &parameters))
        }
        _ => {
            run.me.named.remove(words.last().map_or("", String::as_str));
            Ok(Done::of(ok()))
        }
    }
}

/// Columns that a statement will answer, as far as that is known before it runs.
pub(in crate::mysql) fn shape(run: &mut Run<'_>, text: &str) -> Option<Rows> {
    let Ok(Statement::Query(query)) = parse(text, Dialect::MySql) else { return None };
    let nothing = vec![Value::Null; 256];
    let budget = run.budget;
    let seen = sight(run);
    let scope = Scope::new(&seen, budget, &nothing);
    select(&query, &scope).ok().map(|rows| Rows { rows: Vec::new(), ..rows })
}
