//! `pacman`.

use super::{installed, words};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let words = words(proc);
    let letters: String =
        words.iter().filter(|w| w.starts_with('-') && !w.starts_with("--")).cloned().collect();
    let names: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    let all = installed(proc);
    if letters.contains('V') || words.iter().any(|w| w == "--version") {
        let version =
            all.iter().find(|one| one.name == "pacman").map_or("", |one| one.plain_version());
        let version = version.split('-').next().unwrap_or_default();
        proc.out(format!(
            "\n .--.                  Pacman v{version} - libalpm v14.0.0\n/ _.-' .-.  .-.  .-.   Copyright (C) 2006-2024 Pacman Development Team\n\\  '-. '-'  '-'  '-'   Copyright (C) 2002-2006 Judd Vinet\n '--'\n                       This program may be freely redistributed under\n                       the terms of the GNU General Public License.\n\n"
        )).await?;
        return Ok(0);
    }
    if letters.contains('Q') || words.iter().any(|w| w == "--query") {
        let quiet = letters.contains('q');
        let mut status = 0;
        let line = |one: &crate::persona::Package| {
            if quiet {
                format!("{}\n", one.name)
            } else {
                format!("{} {}\n", one.name, one.version)
            }
        };
        if names.is_empty() {
            proc.out(all.iter().map(line).collect::<String>()).await?;
        }
        for name in names {
            match all.iter().find(|one| one.name == name) {
                Some(one) => proc.out(line(one)).await?,
                None => {
                    proc.err(format!("error: package '{name}' was not found\n")).await;
                    status = 1;
                }
            }
        }
        return Ok(status);
    }
    if letters.contains(['S', 'R', 'U']) {
        if proc.user.creds.uid != 0 {
            proc.err("error: you cannot perform this operation unless you are root.\n").await;
            return Ok(1);
        }
        if letters.contains('y') {
            proc.out(":: Synchronizing package databases...\n").await?;
            proc.io.sleep(std::time::Duration::from_millis(1700)).await;
            for repository in ["core", "extra"] {
                proc.err(format!("error: failed retrieving file '{repository}.db' from geo.mirror.pkgbuild.com : Could not resolve host: geo.mirror.pkgbuild.com\n")).await;
            }
            proc.err(
                "error: failed to synchronize all databases (failed to retrieve some files)\n",
            )
            .await;
            return Ok(1);
        }
        for name in &names {
            proc.err(format!("error: target not found: {name}\n")).await;
        }
        if names.is_empty() {
            proc.err("error: no targets specified (use -h for help)\n").await;
        }
        return Ok(1);
    }
    proc.err("error: no operation specified (use -h for help)\n").await;
    Ok(1)
}
