//! `apk`.

use super::{installed, meant, words};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let words = words(proc);
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    let flag = |name: &str| words.iter().any(|w| w == name);
    let all = installed(proc);
    let own = all.iter().find(|one| one.name == "apk-tools").map_or("", |one| one.version.as_str());
    let own = own.split('-').next().unwrap_or_default();
    if flag("--version") || flag("-V") {
        proc.out(format!("apk-tools {own}, compiled for x86_64.\n")).await?;
        return Ok(0);
    }
    let (verb, names) = plain.split_first().map_or(("", &[][..]), |(verb, rest)| (*verb, rest));
    let chosen = |name: &str| names.is_empty() || names.iter().any(|p| meant(p, name));
    match verb {
        "info" => {
            let versions = flag("-v") || flag("-vv");
            let mut out = String::new();
            for one in all.iter().filter(|one| chosen(&one.name)) {
                out.push_str(&one.name);
                if versions {
                    out.push_str(&format!("-{}", one.version));
                }
                out.push('\n');
            }
            let found = !out.is_empty();
            proc.out(out).await?;
            Ok(u8::from(!found))
        }
        "list" => {
            let mut some: Vec<_> = all.iter().filter(|one| chosen(&one.name)).collect();
            some.sort_by(|a, b| a.name.cmp(&b.name));
            let line = |one: &crate::persona::Package| {
                format!("{}-{} {} {{{}}} [installed]\n", one.name, one.version, one.arch, one.name)
            };
            proc.out(some.into_iter().map(line).collect::<String>()).await?;
            Ok(0)
        }
        "update" | "add" | "upgrade" | "del" | "fix" => {
            if proc.user.creds.uid != 0 {
                proc.err("ERROR: Unable to lock database: Permission denied\nERROR: Failed to open apk database: Permission denied\n").await;
                return Ok(99);
            }
            let mut missing = Vec::new();
            for repository in ["main", "community"] {
                let url = format!("http://dl-cdn.alpinelinux.org/alpine/v3.19/{repository}");
                proc.out(format!("fetch {url}/x86_64/APKINDEX.tar.gz\n")).await?;
                proc.io.sleep(std::time::Duration::from_millis(900)).await;
                proc.err(format!(
                    "WARNING: updating and opening {url}: temporary error (try again later)\n"
                ))
                .await;
            }
            if verb == "update" {
                proc.out("2 unavailable, 0 stale; 0 distinct packages available\n").await?;
                return Ok(2);
            }
            for name in names {
                if !all.iter().any(|one| one.name == **name) {
                    missing.push(*name);
                }
            }
            if missing.is_empty() {
                proc.out(format!("OK: 214 MiB in {} packages\n", all.len())).await?;
                return Ok(0);
            }
            proc.err("ERROR: unable to select packages:\n").await;
            for name in &missing {
                proc.err(format!("  {name} (no such package):\n    required by: world[{name}]\n"))
                    .await;
            }
            Ok(u8::try_from(missing.len()).unwrap_or(u8::MAX))
        }
        "" => {
            proc.out(format!("apk-tools {own}, compiled for x86_64.\n\nusage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]\n")).await?;
            Ok(1)
        }
        other => {
            proc.err(format!("ERROR: '{other}' is not an apk command. See 'apk --help'.\n")).await;
            Ok(1)
        }
    }
}
