//! The results file: one section per scenario, each with the run it comes from.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use base_runtime::Clock;

use crate::figure::{Figure, Target};

const HEAD: &str = "# Results\n\nWritten by `cargo xtask bench`; what the figures mean is in [README.md](README.md).\n";

/// A scenario that is being measured.
#[derive(Clone, Debug)]
pub struct Report {
    scenario: &'static str,
    setting: String,
}

impl Report {
    /// Notes when, where and on what it runs.
    pub(crate) fn begin(scenario: &'static str, runs: usize) -> Self {
        let date = Clock::start().now().rfc3339(0);
        let kernel = read("/proc/sys/kernel/osrelease");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let load = read("/proc/loadavg");
        let load = load.split(' ').next().unwrap_or_default();
        let setting = format!(
            "{date}, Linux {kernel}, {cores} cores ({}), commit {}, {runs} runs, load average {load} before.",
            processor(),
            commit(),
        );
        Self { scenario, setting }
    }

    /// The section with its table.
    #[must_use]
    pub fn section(&self, figures: &[Figure]) -> String {
        let mut text = format!("## {}\n\n{}\n\n", self.scenario, self.setting);
        text.push_str("| what | median | least – most | target | times better | met |\n");
        text.push_str("| --- | ---: | ---: | ---: | ---: | --- |\n");
        for figure in figures {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", row(figure));
        }
        text
    }
}

fn row(figure: &Figure) -> String {
    let (least, most) = figure.range();
    let median = figure.median();
    let (target, ratio, met) = match figure.target {
        None => (String::new(), String::new(), ""),
        Some(target) => {
            let bound = match target {
                Target::AtMost(bound) => format!("≤ {}", number(bound)),
                Target::AtLeast(bound) => format!("≥ {}", number(bound)),
            };
            let ratio = target.ratio(median);
            (bound, format!("{ratio:.2}"), if ratio >= 1.0 { "yes" } else { "**no**" })
        }
    };
    format!(
        "| {} | {} {} | {} – {} | {target} | {ratio} | {met} |",
        figure.name,
        number(median),
        figure.unit,
        number(least),
        number(most),
    )
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// Replaces a scenario's section of the file, or adds it.
pub(crate) fn put(path: &Path, scenario: &str, section: &str) -> anyhow::Result<()> {
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => HEAD.into(),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read `{}`", path.display()));
        }
    };
    fs::write(path, replaced(&old, scenario, section))
        .with_context(|| format!("failed to write `{}`", path.display()))
}

fn replaced(old: &str, scenario: &str, section: &str) -> String {
    let mut parts = old.split("\n## ");
    let mut text = parts.next().unwrap_or_default().trim_end().to_owned();
    let mut done = false;
    for part in parts {
        text.push_str("\n\n");
        if part.lines().next() == Some(scenario) {
            text.push_str(section.trim_end());
            done = true;
        } else {
            text.push_str("## ");
            text.push_str(part.trim_end());
        }
    }
    if !done {
        text.push_str("\n\n");
        text.push_str(section.trim_end());
    }
    text.push('\n');
    text
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn processor() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or("unknown", |name| name.trim_start_matches(['\t', ' ', ':'])).to_owned()
}

/// The commit, marked when files differ from it.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output =
            Command::new("git").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short", "HEAD"]).filter(|head| !head.is_empty());
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let mark =
        if changed.is_some_and(|changed| !changed.is_empty()) { " with changes" } else { "" };
    head.map_or_else(|| "unknown".into(), |head| format!("{head}{mark}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_its_former_and_leaves_the_others() {
        let one = replaced(HEAD, "ssh", "## ssh\n\nfirst\n");
        let two = replaced(&one, "http", "## http\n\nother\n");
        let three = replaced(&two, "ssh", "## ssh\n\nsecond\n");
        assert_eq!(three, format!("{}\n\n## ssh\n\nsecond\n\n## http\n\nother\n", HEAD.trim_end()));
    }

    #[test]
    fn a_missed_target_is_said() {
        let figure = Figure::new("memory", 50.0, "MB");
        let missed = row(&figure.clone().with(Target::AtMost(40.0)));
        assert_eq!(missed, "| memory | 50 MB | 50 – 50 | ≤ 40 | 0.80 | **no** |");
        assert!(row(&figure.with(Target::AtMost(60.0))).ends_with("| 1.20 | yes |"));
    }
}
