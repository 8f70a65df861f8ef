//! Ingest: the store's own measuring example on both databases.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use e2e::MariaDb;

use crate::figure::{Figure, Target};

/// Few attackers meet the same rows again and again, many spread over them.
const ATTACKERS: [usize; 2] = [8, 500];

pub(crate) fn measure(records: usize) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for attackers in ATTACKERS {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ingest.db");
        let rate = rate(&file.display().to_string(), records, attackers)?;
        figures.push(
            Figure::new(format!("SQLite, {attackers} attackers"), rate, "records/s")
                .with(Target::AtLeast(30_000.0)),
        );
    }
    if e2e::missing("mariadbd") {
        return Ok(figures);
    }
    for attackers in ATTACKERS {
        let server = MariaDb::start();
        let rate = rate(&server.url(), records, attackers)?;
        figures.push(
            Figure::new(format!("MariaDB, {attackers} attackers"), rate, "records/s")
                .with(Target::AtLeast(15_000.0)),
        );
    }
    Ok(figures)
}

fn rate(url: &str, records: usize, attackers: usize) -> anyhow::Result<f64> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--quiet", "--release", "--package", "store-ingest"])
        .args(["--example", "ingest_rate", "--", url])
        .args([records.to_string(), attackers.to_string()])
        .current_dir(root());
    if let Some(target) = target() {
        command.env("CARGO_TARGET_DIR", target);
    }
    let output = command.output().context("cannot run cargo")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ingest_rate failed: {told}");
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).with_context(|| format!("ingest_rate said: {text}"))
}

/// The figure before `per second`.
fn parse(text: &str) -> Option<f64> {
    text.split(" per second").next()?.rsplit(' ').next()?.parse().ok()
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The folder that this program was built into.
fn target() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().nth(3).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_found_in_what_the_example_prints() {
        let text = "200003 records of 500 attackers in 5.10s: 39216 per second\nslowest batch\n";
        assert_eq!(parse(text), Some(39216.0));
        assert_eq!(parse("nothing"), None);
    }
}
