//! `rpm -q`.

use super::{installed, meant, words};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let words = words(proc);
    let letters: String =
        words.iter().filter(|w| w.starts_with('-') && !w.starts_with("--")).cloned().collect();
    let names: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    let all = installed(proc);
    if words.iter().any(|w| w == "--version") {
        let version =
            all.iter().find(|one| one.name == "rpm").map_or("", |one| one.plain_version());
        let version = version.split('-').next().unwrap_or_default();
        proc.out(format!("RPM version {version}\n")).await?;
        return Ok(0);
    }
    if !letters.contains('q') && !words.iter().any(|w| w == "--query") {
        if words.is_empty() {
            let version = all.iter().find(|one| one.name == "rpm");
            let version = version.map_or("", |one| one.plain_version());
            let version = version.split('-').next().unwrap_or_default();
            proc.out(format!("RPM version {version}\nCopyright (C) 1998-2002 - Red Hat, Inc.\nThis program may be freely redistributed under the terms of the GNU GPL\n\n")).await?;
            return Ok(1);
        }
        proc.err("rpm: only one major mode may be specified\n").await;
        return Ok(1);
    }
    let every = letters.contains('a') || words.iter().any(|w| w == "--all");
    if every {
        let chosen = |name: &str| names.is_empty() || names.iter().any(|p| meant(p, name));
        let out: String =
            all.iter().filter(|one| chosen(&one.name)).map(|one| one.nevra() + "\n").collect();
        proc.out(out).await?;
        return Ok(0);
    }
    if names.is_empty() {
        proc.err("rpm: no arguments given for query\n").await;
        return Ok(1);
    }
    let mut missing = 0_u8;
    for name in names {
        match all.iter().find(|one| one.name == name || one.nevra() == name) {
            Some(one) if letters.contains('i') => {
                let (version, release) =
                    one.plain_version().rsplit_once('-').unwrap_or((one.plain_version(), ""));
                proc.out(format!(
                    "Name        : {}\nVersion     : {version}\nRelease     : {release}\nArchitecture: {}\nSummary     : {}\n",
                    one.name, one.arch, one.summary
                ))
                .await?;
            }
            Some(one) => proc.out(one.nevra() + "\n").await?,
            None => {
                missing = missing.saturating_add(1);
                proc.out(format!("package {name} is not installed\n")).await?;
            }
        }
    }
    Ok(missing)
}
