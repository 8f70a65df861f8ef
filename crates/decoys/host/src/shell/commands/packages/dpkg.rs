//! `dpkg -l`, `-s`, `--version`, `--print-architecture` and `dpkg-query -W`.

use super::{installed, meant, words};
use crate::persona::Package;
use crate::shell::proc::{Outcome, Proc};

/// What `dpkg -l` begins with.
const LEGEND: &str = "Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n";

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let words = words(proc);
    let (verb, patterns) =
        words.split_first().map_or(("", &[][..]), |(verb, rest)| (&verb[..], rest));
    let all = installed(proc);
    let chosen = |name: &str| patterns.is_empty() || patterns.iter().any(|p| meant(p, name));
    match verb {
        "-l" | "--list" | "-W" | "--show" => {
            let some: Vec<&Package> = all.iter().filter(|one| chosen(&one.name)).collect();
            if some.is_empty() {
                for pattern in patterns {
                    let text = format!("dpkg-query: no packages found matching {pattern}\n");
                    proc.err(text).await;
                }
                return Ok(1);
            }
            let out =
                if verb.starts_with("-l") || verb == "--list" { list(&some) } else { show(&some) };
            proc.out(out).await?;
            Ok(0)
        }
        "-s" | "--status" => {
            let mut status = 0;
            for pattern in patterns {
                match all.iter().find(|one| one.name == *pattern) {
                    Some(one) => proc.out(format!(
                        "Package: {}\nStatus: install ok installed\nArchitecture: {}\nVersion: {}\nDescription: {}\n\n",
                        one.name, one.arch, one.version, one.summary
                    )).await?,
                    None => {
                        proc.err(format!(
                            "dpkg-query: package '{pattern}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n"
                        )).await;
                        status = 1;
                    }
                }
            }
            Ok(status)
        }
        "--print-architecture" => {
            proc.out("amd64\n").await?;
            Ok(0)
        }
        _ if proc.name() == "dpkg-query" => {
            proc.err("dpkg-query: error: need an action option\n\nUse --help for help about querying packages.\n").await;
            Ok(2)
        }
        _ => {
            proc.err("dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\nType dpkg -Dhelp for a list of dpkg debug flag values;\nType dpkg --force-help for a list of forcing options;\nType dpkg-deb --help for help about manipulating *.deb files;\n\nOptions marked [*] produce a lot of output - pipe it through 'less' or 'more' !\n").await;
            Ok(2)
        }
    }
}

fn list(some: &[&Package]) -> String {
    let width = |of: fn(&Package) -> usize, least| {
        some.iter().map(|one| of(one)).max().unwrap_or(least).max(least)
    };
    let name = width(|one| one.name.len(), 14);
    let version = width(|one| one.version.len(), 12);
    let arch = width(|one| one.arch.len(), 12);
    let what = width(|one| one.summary.len(), 33);
    let mut out = String::from(LEGEND);
    out.push_str(&format!(
        "||/ {:<name$} {:<version$} {:<arch$} Description\n",
        "Name", "Version", "Architecture"
    ));
    let line = |width| "=".repeat(width);
    out.push_str(&format!("+++-{}-{}-{}-{}\n", line(name), line(version), line(arch), line(what)));
    for one in some {
        out.push_str(&format!(
            "ii  {:<name$} {:<version$} {:<arch$} {}\n",
            one.name, one.version, one.arch, one.summary
        ));
    }
    out
}

fn show(some: &[&Package]) -> String {
    some.iter().map(|one| format!("{}\t{}\n", one.name, one.version)).collect()
}
