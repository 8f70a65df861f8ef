//! The layer table of ARCHITECTURE.md against what the crates really depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::run::{cargo, output, root};

/// Libraries that do I/O, read clocks or draw randomness of their own; not for pure crates.
const IMPURE: &[&str] = &[
    "tokio",
    "russh",
    "axum",
    "sea-orm",
    "rustix",
    "nix",
    "landlock",
    "seccompiler",
    "libc",
    "tempfile",
    "tracing-subscriber",
    "ring",
    "openssl",
    "tokio-openssl",
];
/// Crates that may know everything.
const ASSEMBLY: &[&str] = &["bench", "decnet", "e2e", "xtask"];

/// A row of the table.
struct Layer {
    pure: bool,
    may: BTreeSet<String>,
}

pub(crate) fn check() -> anyhow::Result<()> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let table = parse(&text);
    let metadata =
        output(&mut cargo(&["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let faults = compare(&table, &crates(&metadata));
    ensure!(faults.is_empty(), "layer table of ARCHITECTURE.md:\n  {}", faults.join("\n  "));
    Ok(())
}

/// Rows of the form ``| `name` | ○ or ● | sentence | dep, dep |``.
fn parse(text: &str) -> BTreeMap<String, Layer> {
    let mut table = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, kind, _, may, _] = cells.as_slice() else { continue };
        let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else {
            continue;
        };
        let may = may.split(',').map(|one| one.trim().trim_matches('`').to_owned());
        let may = may.filter(|one| !one.is_empty() && one != "–").collect();
        table.insert(name.to_owned(), Layer { pure: *kind == "○", may });
    }
    table
}

/// Each crate's normal dependencies.
fn crates(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    packages
        .filter_map(|package| {
            let name = package.get("name")?.as_str()?.to_owned();
            let dependencies = package.get("dependencies")?.as_array()?;
            let normal =
                dependencies.iter().filter(|one| one.get("kind").is_some_and(Value::is_null));
            let names = normal.filter_map(|one| one.get("name")?.as_str().map(str::to_owned));
            Some((name, names.collect()))
        })
        .collect()
}

fn compare(
    table: &BTreeMap<String, Layer>,
    crates: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for name in table.keys().filter(|name| !crates.contains_key(*name)) {
        faults.push(format!("`{name}` is in the table but does not exist: remove its row"));
    }
    for (name, dependencies) in crates {
        if ASSEMBLY.contains(&name.as_str()) {
            continue;
        }
        let Some(layer) = table.get(name) else {
            faults.push(format!("`{name}` has no row: add one"));
            continue;
        };
        for dependency in dependencies {
            if let Some(other) = table.get(dependency) {
                if !layer.may.contains(dependency) {
                    faults.push(format!("`{name}` must not depend on `{dependency}`"));
                }
                if layer.pure && !other.pure {
                    faults.push(format!("pure `{name}` depends on `{dependency}`, which is not"));
                }
            }
            if layer.pure && IMPURE.contains(&dependency.as_str()) {
                faults.push(format!("pure `{name}` depends on `{dependency}`, which does I/O"));
            }
        }
        for unused in layer.may.iter().filter(|may| !dependencies.contains(*may)) {
            faults.push(format!("`{name}` does not depend on `{unused}`: shorten its row"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
| Crate | | Says | May depend on |
|---|---|---|---|
| `a` | ○ | words | – |
| `b` | ● | loops | `a` |
";

    fn crates(pairs: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        pairs.iter().map(|(name, names)| ((*name).to_owned(), set(names))).collect()
    }

    #[test]
    fn a_true_table_passes() {
        assert!(
            compare(&parse(TABLE), &crates(&[("a", &["serde"]), ("b", &["a", "tokio"])]))
                .is_empty()
        );
    }

    #[test]
    fn every_lie_is_named() {
        let faults =
            compare(&parse(TABLE), &crates(&[("a", &["b", "tokio"]), ("b", &[]), ("c", &[])]));
        assert_eq!(
            faults,
            [
                "`a` must not depend on `b`",
                "pure `a` depends on `b`, which is not",
                "pure `a` depends on `tokio`, which does I/O",
                "`b` does not depend on `a`: shorten its row",
                "`c` has no row: add one",
            ]
        );
    }
}
