//! Libraries that the product holds in two versions: each is listed in CONTRIBUTING.md with who holds it back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, ensure};

use crate::run::{cargo, output, root};

/// The heading the table stands under.
const HEADING: &str = "## Two versions of one library";

pub(crate) fn check() -> anyhow::Result<()> {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).context("CONTRIBUTING.md")?;
    let tree = output(&mut cargo(&[
        "tree",
        "--locked",
        "--package=decnet",
        "--edges=normal,build",
        "--duplicates",
        "--depth=0",
        "--prefix=none",
    ]))?;
    let faults = compare(&listed(&text), &doubled(&tree));
    ensure!(faults.is_empty(), "\"{HEADING}\" of CONTRIBUTING.md:\n  {}", faults.join("\n  "));
    Ok(())
}

/// Names in rows of the form ``| `name`, `name` | reason |``.
fn listed(text: &str) -> BTreeSet<String> {
    let table = text.split(HEADING).nth(1).unwrap_or_default();
    let table = table.split("\n## ").next().unwrap_or_default();
    let names = table.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let names = names.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

/// Names that stand in a tree with more than one version.
fn doubled(tree: &str) -> BTreeSet<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions.into_keys().map(str::to_owned).collect()
}

fn compare(listed: &BTreeSet<String>, doubled: &BTreeSet<String>) -> Vec<String> {
    let new = doubled.difference(listed);
    let gone = listed.difference(doubled);
    new.map(|name| format!("`{name}` is there in two versions: update, or add who holds it back"))
        .chain(gone.map(|name| format!("`{name}` is there once: remove it")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_version_needs_a_row_and_a_row_a_second_version() {
        let tree = "sha2 v0.10.9\n\nsha2 v0.11.1\nsyn v2.0.1 (proc-macro)\nsyn v2.0.1 (*)\n";
        let text = |names: &str| {
            format!(
                "{HEADING}\n\n| Library | Why |\n|---|---|\n| {names} | x `y` |\n\n## Next\n| `z` | |\n"
            )
        };
        let faults = |names: &str| compare(&listed(&text(names)), &doubled(tree));
        assert_eq!(faults("`sha2`"), Vec::<String>::new());
        assert_eq!(faults("`sha2`, `syn`"), ["`syn` is there once: remove it"]);
        assert_eq!(faults("").len(), 1);
    }
}
