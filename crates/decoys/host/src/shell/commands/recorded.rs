//! Replays what the real programs of Debian 12 did.
//!
//! The files under `recorded/` were made by running each line (`$`) with bash in `/tmp/w` in the
//! locale `C.UTF-8`: `>` lines are standard output, `!` lines standard error, `=` the status when it
//! is not 0; `\c` marks a missing line end. Lines of one file share a machine.

use super::harness::Shell;

/// A line and what it did, as recorded.
#[derive(Default)]
struct Step {
    line: String,
    out: String,
    err: String,
    status: u8,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        let rest = line.get(2..).unwrap_or_default();
        match (line.as_bytes().first(), steps.last_mut()) {
            (Some(b'$'), _) => steps.push(Step { line: rest.to_owned(), ..Step::default() }),
            (Some(b'>'), Some(step)) => step.out.push_str(&plain(rest)),
            (Some(b'!'), Some(step)) => step.err.push_str(&plain(rest)),
            (Some(b'='), Some(step)) => step.status = rest.parse().unwrap(),
            _ => {}
        }
    }
    steps
}

fn plain(text: &str) -> String {
    let (text, end) = match text.strip_suffix("\\c") {
        Some(text) => (text, ""),
        None => (text, "\n"),
    };
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next() {
                Some('t') => '\t',
                Some('r') => '\r',
                Some('0') => '\0',
                Some('e') => '\x1b',
                Some('a') => '\x07',
                Some(other) => other,
                None => '\\',
            }),
            c => out.push(c),
        }
    }
    out + end
}

/// Replays `text` and tells every difference at once.
fn replay(text: &str) {
    let mut shell = Shell::new();
    shell.run("mkdir /tmp/w");
    let mut wrong = String::new();
    for step in steps(text) {
        let done = shell.run(&format!("cd /tmp/w; {}", step.line));
        let line = &step.line;
        if (&done.out, &done.err, done.status) != (&step.out, &step.err, step.status) {
            wrong.push_str(&format!("$ {line}\n"));
            for (what, real, ours) in [("out", &step.out, &done.out), ("err", &step.err, &done.err)]
            {
                if real != ours {
                    wrong.push_str(&format!("  {what} real: {real:?}\n  {what} ours: {ours:?}\n"));
                }
            }
            if step.status != done.status {
                wrong.push_str(&format!("  status {} but {}\n", step.status, done.status));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

macro_rules! recorded {
    ($($name:ident $file:literal;)*) => {
        $(#[test]
        fn $name() {
            replay(include_str!(concat!("recorded/", $file)));
        })*
    };
}

recorded! {
    text_is_shown_and_cut_as_recorded "text.txt";
    archives_are_packed_as_recorded "archive.txt";
    sed_edits_as_recorded "sed.txt";
    awk_computes_as_recorded "awk.txt";
    files_change_as_recorded "files.txt";
    encodings_and_sums_are_as_recorded "encode.txt";
}
