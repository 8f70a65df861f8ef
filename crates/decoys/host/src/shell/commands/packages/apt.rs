//! `apt`, `apt-get` and `apt-cache`.

use super::{installed, meant, words};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let words = words(proc);
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    let all = installed(proc);
    let version = all.iter().find(|one| one.name == "apt").map_or("", |one| one.version.as_str());
    if words.iter().any(|w| w == "--version" || w == "-v") {
        proc.out(format!("apt {version} (amd64)\n")).await?;
        return Ok(0);
    }
    let (verb, names) = plain.split_first().map_or(("", &[][..]), |(verb, rest)| (*verb, rest));
    match verb {
        "list" => {
            if proc.name() == "apt" && !proc.out_is_tty() {
                proc.err("\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n").await;
            }
            let chosen = |name: &str| names.is_empty() || names.iter().any(|p| meant(p, name));
            let mut out = String::from("Listing...\n");
            for one in all.iter().filter(|one| chosen(&one.name)) {
                out.push_str(&format!(
                    "{}/now {} {} [installed,local]\n",
                    one.name, one.version, one.arch
                ));
            }
            proc.out(out).await?;
            Ok(0)
        }
        "update" | "install" | "upgrade" | "dist-upgrade" | "full-upgrade" | "remove" | "purge"
        | "autoremove" => change(proc, verb, names).await,
        _ => {
            if verb.is_empty() {
                let name = proc.name();
                proc.out(format!("apt {version} (amd64)\nUsage: {name} [options] command\n"))
                    .await?;
                return Ok(0);
            }
            proc.err(format!("E: Invalid operation {verb}\n")).await;
            Ok(100)
        }
    }
}

async fn change(proc: &mut Proc, verb: &str, names: &[&str]) -> Outcome {
    if proc.user.creds.uid != 0 {
        let lock = if verb == "update" {
            "/var/lib/apt/lists/lock"
        } else {
            "/var/lib/dpkg/lock-frontend"
        };
        let text = if verb == "update" {
            format!(
                "E: Could not open lock file {lock} - open (13: Permission denied)\nE: Unable to lock directory /var/lib/apt/lists/\n"
            )
        } else {
            format!(
                "E: Could not open lock file {lock} - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock ({lock}), are you root?\n"
            )
        };
        proc.err(text).await;
        return Ok(100);
    }
    if verb == "update" {
        let (hosts, code) = mirrors(proc);
        for (at, host) in (1..).zip(hosts) {
            proc.out(format!(
                "Err:{at} http://{host} {code} InRelease\n  Temporary failure resolving '{}'\n",
                host.split('/').next().unwrap_or_default()
            ))
            .await?;
        }
        proc.io.sleep(std::time::Duration::from_millis(1400)).await;
        proc.out("Reading package lists...\n").await?;
        for host in hosts {
            proc.err(format!("W: Failed to fetch http://{host}/dists/{code}/InRelease  Temporary failure resolving '{}'\n", host.split('/').next().unwrap_or_default())).await;
        }
        proc.err("W: Some index files failed to download. They have been ignored, or old ones used instead.\n").await;
        return Ok(0);
    }
    proc.out(
        "Reading package lists...\nBuilding dependency tree...\nReading state information...\n",
    )
    .await?;
    let all = installed(proc);
    let unknown = names.iter().find(|name| !all.iter().any(|one| one.name == **name));
    match unknown {
        Some(name) if verb == "install" => {
            proc.err(format!("E: Unable to locate package {name}\n")).await;
            Ok(100)
        }
        _ if matches!(verb, "remove" | "purge") && !names.is_empty() && unknown.is_none() => {
            proc.err("E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n").await;
            Ok(100)
        }
        _ => {
            for name in names {
                if let Some(one) = all.iter().find(|one| one.name == **name) {
                    proc.out(format!("{name} is already the newest version ({}).\n", one.version))
                        .await?;
                } else {
                    proc.out(format!("Package '{name}' is not installed, so not removed\n"))
                        .await?;
                }
            }
            proc.out("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n").await?;
            Ok(0)
        }
    }
}

fn mirrors(proc: &Proc) -> (&'static [&'static str], &'static str) {
    let distro = proc.host.distro();
    let hosts: &[&str] = match distro.vendor.as_str() {
        "Ubuntu" => &["archive.ubuntu.com/ubuntu", "security.ubuntu.com/ubuntu"],
        "Kali" => &["http.kali.org/kali"],
        _ => &["deb.debian.org/debian", "security.debian.org/debian-security"],
    };
    (hosts, &distro.codename)
}
