//! `grep`, `egrep`, `fgrep`.

mod files;
mod matcher;
mod report;

use self::matcher::Matcher;
use self::report::{Report, Style};
use crate::fs::Errno;
use crate::shell::commands::input::{Lines, chomp};
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "A:B:C:EFGHILPRTUVabce:f:hilm:noqrsvwxyz",
    &[
        ("after-context=", b'A'),
        ("before-context=", b'B'),
        ("binary-files=", b'1'),
        ("byte-offset", b'b'),
        ("color?", b'2'),
        ("colour?", b'2'),
        ("context=", b'C'),
        ("count", b'c'),
        ("dereference-recursive", b'R'),
        ("exclude=", b'3'),
        ("exclude-dir=", b'4'),
        ("extended-regexp", b'E'),
        ("file=", b'f'),
        ("files-with-matches", b'l'),
        ("files-without-match", b'L'),
        ("fixed-strings", b'F'),
        ("basic-regexp", b'G'),
        ("ignore-case", b'i'),
        ("include=", b'5'),
        ("invert-match", b'v'),
        ("line-buffered", b'6'),
        ("line-number", b'n'),
        ("line-regexp", b'x'),
        ("max-count=", b'm'),
        ("no-filename", b'h'),
        ("no-messages", b's'),
        ("only-matching", b'o'),
        ("perl-regexp", b'P'),
        ("quiet", b'q'),
        ("recursive", b'r'),
        ("regexp=", b'e'),
        ("silent", b'q'),
        ("text", b'a'),
        ("with-filename", b'H'),
        ("word-regexp", b'w'),
    ],
)
.status(2)
.usage("Usage: grep [OPTION]... PATTERNS [FILE]...\n");

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let mut rest = options.rest.clone();
    let matcher = matcher(proc, &options, &mut rest).await?;
    let recursive = options.has(b'r') || options.has(b'R');
    let several = rest.len() > 1 || recursive;
    let named = match options.last_of(b"hH") {
        Some(letter) => letter == b'H',
        None => several,
    };
    if rest.is_empty() {
        rest.push(if recursive { b".".to_vec() } else { b"-".to_vec() });
    }
    let files = if recursive { files::below(proc, &rest, &options) } else { rest };
    let style = Style::of(proc, &options, named).await?;
    let mut found = false;
    let mut failed = false;
    for file in &files {
        match search(proc, file, &matcher, &style, &options).await? {
            Ok(hits) => found |= hits,
            Err(errno) => {
                if !options.has(b's') {
                    proc.complain(file, errno.text()).await;
                }
                failed = true;
            }
        }
        if found && style.quiet {
            return Ok(0);
        }
    }
    Ok(match (found, failed) {
        (_, true) => 2,
        (true, false) => 0,
        (false, false) => 1,
    })
}

async fn matcher(proc: &Proc, options: &Options, rest: &mut Vec<Vec<u8>>) -> Result<Matcher, Stop> {
    let mut patterns: Vec<Vec<u8>> = Vec::new();
    for (letter, value) in options.iter() {
        match letter {
            b'e' => patterns.extend(value.split(|&b| b == b'\n').map(<[u8]>::to_vec)),
            b'f' => match proc.slurp(value).await {
                Ok(text) => {
                    let text = chomp(&text);
                    if !text.is_empty() {
                        patterns.extend(text.split(|&b| b == b'\n').map(<[u8]>::to_vec));
                    }
                }
                Err(errno) => {
                    proc.complain(value, errno.text()).await;
                    return Err(Stop::Status(2));
                }
            },
            _ => {}
        }
    }
    if !options.has(b'e') && !options.has(b'f') {
        if rest.is_empty() {
            proc.err(
                "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n",
            )
            .await;
            return Err(Stop::Status(2));
        }
        patterns.extend(rest.remove(0).split(|&b| b == b'\n').map(<[u8]>::to_vec));
    }
    let name = proc.name();
    let kind = options.last_of(b"EFGP").unwrap_or(match name.as_str() {
        "egrep" => b'E',
        "fgrep" => b'F',
        _ => b'G',
    });
    if kind == b'P' {
        proc.say_err("Perl matching not supported in a --disable-perl-regexp build").await;
        return Err(Stop::Status(2));
    }
    match Matcher::new(&patterns, kind, options) {
        Ok(matcher) => Ok(matcher),
        Err(fault) => {
            proc.say_err(fault.text()).await;
            Err(Stop::Status(2))
        }
    }
}

/// Whether anything was found in `file`.
async fn search(
    proc: &Proc,
    file: &[u8],
    matcher: &Matcher,
    style: &Style,
    options: &Options,
) -> Result<Result<bool, Errno>, Stop> {
    let mut lines = match Lines::of(proc, file) {
        Ok(lines) => lines,
        Err(errno) => return Ok(Err(errno)),
    };
    let mut report = Report::new(style, if file == b"-" { b"(standard input)" } else { file });
    let mut binary = false;
    let mut offset = 0;
    'file: loop {
        let block = lines.block(proc).await;
        if block.is_empty() {
            break;
        }
        if !binary && !options.has(b'a') && block.contains(&0) {
            binary = true;
            if options.has(b'I') {
                break;
            }
        }
        let mut out = Vec::new();
        for line in block.split_inclusive(|&b| b == b'\n') {
            proc.io.spend(1 + line.len() / 512);
            let text = chomp(line);
            let hit = matcher.is_match(text) != options.has(b'v');
            report.line(text, offset, hit, binary, matcher, &mut out);
            offset += line.len() as u64;
            if report.is_done() {
                proc.out(&out).await?;
                break 'file;
            }
        }
        if !out.is_empty() {
            proc.out(out).await?;
        } else {
            proc.io.tick().await;
        }
    }
    let mut out = Vec::new();
    report.end(&mut out);
    proc.out(out).await?;
    if binary && report.is_untold() {
        let name = if file == b"-" { b"(standard input)" } else { file };
        proc.say_err([name, b": binary file matches"].concat()).await;
    }
    Ok(Ok(report.found()))
}
