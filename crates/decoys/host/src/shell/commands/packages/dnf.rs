//! `dnf`, and `yum`, which is its other name or its forebear.

use super::{installed, meant, words};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let words = words(proc);
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    let all = installed(proc);
    // Before dnf there was a yum of its own.
    let old = !proc.host.distro().has("dnf");
    if words.iter().any(|w| w == "--version") {
        let name = if old { "yum" } else { "dnf" };
        let version = all.iter().find(|one| one.name == name).map_or("", |one| one.plain_version());
        proc.out(format!("{}\n", version.split('-').next().unwrap_or_default())).await?;
        return Ok(0);
    }
    let (verb, names) = plain.split_first().map_or(("", &[][..]), |(verb, rest)| (*verb, rest));
    match verb {
        "list" => {
            let names = names.strip_prefix(&["installed"]).unwrap_or(names);
            let chosen = |name: &str| names.is_empty() || names.iter().any(|p| meant(p, name));
            let mut some: Vec<_> = all.iter().filter(|one| chosen(&one.name)).collect();
            if some.is_empty() {
                proc.err("Error: No matching Packages to list\n").await;
                return Ok(1);
            }
            some.sort_by(|a, b| a.name.cmp(&b.name));
            let mut out = String::from("Installed Packages\n");
            for one in some {
                let name = format!("{}.{}", one.name, one.arch);
                out.push_str(&format!("{name:<40} {:<35} @anaconda\n", one.version));
            }
            proc.out(out).await?;
            Ok(0)
        }
        "install" | "update" | "upgrade" | "makecache" | "check-update" | "search" | "remove"
        | "erase" | "groupinstall" | "localinstall" => {
            let reads = matches!(verb, "search" | "check-update" | "makecache");
            if proc.user.creds.uid != 0 && !reads {
                proc.err(if old {
                    "You need to be root to perform this command.\n"
                } else {
                    "Error: This command has to be run with superuser privileges (under the root user on most systems).\n"
                })
                .await;
                return Ok(1);
            }
            if matches!(verb, "remove" | "erase") {
                proc.err("Error: Failed to obtain the transaction lock (logged in as: root).\n")
                    .await;
                return Ok(1);
            }
            proc.io.sleep(std::time::Duration::from_millis(1900)).await;
            unreachable_mirrors(proc, old).await
        }
        "" => {
            proc.err(if old {
                "You need to give some command\n"
            } else {
                "usage: dnf [options] COMMAND\n"
            })
            .await;
            Ok(1)
        }
        other => {
            let text = if old {
                format!("No such command: {other}. Please use /usr/bin/yum --help\n")
            } else {
                format!(
                    "No such command: {other}. Please use /usr/bin/dnf --help\nIt could be a DNF plugin command, try: \"dnf install 'dnf-command({other})'\"\n"
                )
            };
            proc.err(text).await;
            Ok(1)
        }
    }
}

/// What is said when the first repository's mirrors do not resolve.
async fn unreachable_mirrors(proc: &mut Proc, old: bool) -> Outcome {
    let distro = proc.host.distro();
    if old {
        proc.out("Loaded plugins: fastestmirror\nLoading mirror speeds from cached hostfile\n")
            .await?;
        proc.err("Could not retrieve mirrorlist http://mirrorlist.centos.org/?release=7&arch=x86_64&repo=os&infra=stock error was\n14: curl#6 - \"Could not resolve host: mirrorlist.centos.org; Unknown error\"\n\n\n One of the configured repositories failed (Unknown),\n and yum doesn't have enough cached data to continue.\n\nCannot find a valid baseurl for repo: base/7/x86_64\n").await;
        return Ok(1);
    }
    let (title, id, url) = if distro.vendor == "Fedora" {
        (
            "Fedora 39 - x86_64",
            "fedora",
            "https://mirrors.fedoraproject.org/metalink?repo=fedora-39&arch=x86_64",
        )
    } else {
        (
            "Rocky Linux 9 - BaseOS",
            "baseos",
            "https://mirrors.rockylinux.org/mirrorlist?arch=x86_64&repo=BaseOS-9",
        )
    };
    let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default();
    proc.out(format!("{title:<48} 0.0  B/s |   0  B     00:00    \n")).await?;
    let why = format!(
        "Curl error (6): Couldn't resolve host name for {url} [Could not resolve host: {host}]"
    );
    proc.err(format!(
        "Errors during downloading metadata for repository '{id}':\n  - {why}\nError: Failed to download metadata for repo '{id}': Cannot prepare internal mirrorlist: {why}\n"
    ))
    .await;
    Ok(1)
}
