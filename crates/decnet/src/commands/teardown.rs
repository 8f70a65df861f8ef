//! `decnet teardown` and `redeploy`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::daemon::{ask, list, refused, text};
use super::lifecycle::{follow, ids};
use super::{confirmed, print};
use crate::cli::{Local, Teardown};
use crate::refusal::{Exit, Refusal};

/// Runs `teardown`.
pub(crate) fn teardown(options: &Teardown) -> ExitCode {
    ask(&options.local, async |client| {
        let deckies = client.get("/deckies").await.map_err(refused)?;
        let names = chosen(options, &deckies)?;
        if names.is_empty() {
            return Ok("There is nothing to tear down.\n".to_owned());
        }
        let question = "Their state is lost; what they captured stays.";
        let question = format!("Tear down {}? {question}", names.join(", "));
        if !options.yes && !confirmed(&question, "--yes")? {
            return Ok("Nothing was changed.\n".to_owned());
        }
        let body = json!({ "names": names });
        let answer = client.post("/deckies/teardown", &body).await.map_err(refused)?;
        follow(&client, &ids(&answer)).await?;
        if options.local.json {
            return print(&json!({ "torn_down": names }));
        }
        Ok(format!("Torn down: {}.\n", names.join(", ")))
    })
}

/// The deckies that are meant; `*` and `?` of an id stand for anything and any one character.
fn chosen(options: &Teardown, deckies: &Value) -> anyhow::Result<Vec<String>> {
    let there: Vec<&str> =
        deckies.as_array().into_iter().flatten().map(|one| text(one, "name")).collect();
    if options.all {
        return Ok(there.into_iter().map(str::to_owned).collect());
    }
    if options.id.is_empty() {
        let hint = "give --all, or --id NAME (also several, or with * and ?)";
        return Err(Refusal::new(Exit::Failed, "nothing is named to tear down", hint).into());
    }
    let mut names = Vec::new();
    for id in &options.id {
        let found: Vec<&str> =
            there.iter().copied().filter(|name| matches(id.as_bytes(), name.as_bytes())).collect();
        if found.is_empty() {
            let hint = operate_fleet::did_you_mean(id, there.iter().copied());
            let hint = hint.unwrap_or("`decnet status` lists the deckies there are".to_owned());
            let what = format!("there is no decky called {id}");
            return Err(Refusal::new(Exit::NotFound, what, hint).into());
        }
        names.extend(found.into_iter().map(str::to_owned));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, name)
                || name.split_first().is_some_and(|(_, name)| matches(pattern, name))
        }
        (Some((b'?', rest)), Some((_, name))) => matches(rest, name),
        (Some((one, rest)), Some((same, name))) if one == same => matches(rest, name),
        _ => false,
    }
}

/// Runs `redeploy`.
pub(crate) fn redeploy(options: &Local) -> ExitCode {
    ask(options, async |client| {
        let answer = client.post("/deckies/redeploy", &json!({})).await.map_err(refused)?;
        follow(&client, &ids(&answer)).await?;
        if options.json {
            return print(&answer);
        }
        let names: Vec<_> = list(&answer, "deckies").iter().filter_map(Value::as_str).collect();
        Ok(match names.as_slice() {
            [] => "Everything runs; nothing was to be done.\n".to_owned(),
            names => format!("Run again: {}.\n", names.join(", ")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &[&str], all: bool) -> Result<Vec<String>, String> {
        let local = Local { state_dir: None, json: false };
        let id = id.iter().map(|&id| id.to_owned()).collect();
        let deckies = json!([{"name": "db"}, {"name": "web-01"}, {"name": "web-02"}]);
        let options = Teardown { all, id, yes: true, local };
        chosen(&options, &deckies).map_err(|error| error.to_string())
    }

    #[test]
    fn deckies_are_named_one_by_one_or_by_pattern() {
        assert_eq!(of(&["web-*"], false).unwrap(), ["web-01", "web-02"]);
        assert_eq!(of(&["web-?2", "db", "web-02"], false).unwrap(), ["db", "web-02"]);
        assert_eq!(of(&[], true).unwrap().len(), 3);
        assert_eq!(of(&["web-03"], false).unwrap_err(), "there is no decky called web-03");
        assert_eq!(of(&[], false).unwrap_err(), "nothing is named to tear down");
    }
}
