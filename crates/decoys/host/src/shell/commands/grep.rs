//! `grep`, `egrep`, `fgrep`.

use super::options::{Accepts, read};
use super::regex::Regex;
use crate::fs::Kind;
use crate::shell::proc::{Outcome, Proc};

/// Most files searched by `-r`.
const MAX_FILES: usize = 5_000;

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts {
        short: "ivclnhHrREFGqsowxe:m:A:B:C:aI",
        long: &[
            ("ignore-case", b'i'),
            ("invert-match", b'v'),
            ("count", b'c'),
            ("recursive", b'r'),
            ("quiet", b'q'),
            ("extended-regexp", b'E'),
            ("fixed-strings", b'F'),
            ("color", b'a'),
        ],
        status: 2,
    };
    let options = read(proc, &accepts).await?;
    let mut rest = options.rest.clone();
    let pattern = match options.value(b'e') {
        Some(pattern) => pattern.to_vec(),
        None if rest.is_empty() => {
            proc.err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n").await;
            return Ok(2);
        }
        None => rest.remove(0),
    };
    let fixed = options.has(b'F') || proc.name() == "fgrep";
    let extended = options.has(b'E') || proc.name() == "egrep";
    let mut source = if fixed { Regex::literal(&pattern) } else { pattern };
    if options.has(b'x') {
        source = [&b"^"[..], &source, b"$"].concat();
    }
    let Some(regex) = Regex::new(&source, extended, options.has(b'i')) else {
        proc.err("grep: Invalid regular expression\n").await;
        return Ok(2);
    };
    let recursive = options.has(b'r') || options.has(b'R');
    let from_input = rest.is_empty() && !recursive;
    if rest.is_empty() {
        rest.push(if recursive { b".".to_vec() } else { b"-".to_vec() });
    }
    let files = if recursive { below(proc, rest) } else { rest };
    let named =
        (files.len() > 1 || recursive || options.has(b'H')) && !options.has(b'h') && !from_input;
    let limit = options.value(b'm').and_then(|m| String::from_utf8_lossy(m).parse::<usize>().ok());
    let mut found = false;
    let mut failed = false;
    for file in files {
        let text = match proc.slurp(&file).await {
            Ok(text) => text,
            Err(errno) => {
                if !options.has(b's') {
                    proc.complain(&file, errno.text()).await;
                }
                failed = true;
                continue;
            }
        };
        let binary = text.iter().take(32_768).any(|b| *b == 0) && !options.has(b'a');
        let mut count = 0;
        let mut out = Vec::new();
        for (number, line) in text.split_inclusive(|&b| b == b'\n').enumerate() {
            if number % 256 == 0 {
                proc.io.tick().await;
            }
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let hit = regex
                .find(line)
                .filter(|(from, to)| !options.has(b'w') || is_word(line, *from, *to));
            if hit.is_some() == options.has(b'v') {
                continue;
            }
            found = true;
            count += 1;
            if options.has(b'q') {
                return Ok(0);
            }
            if !options.has(b'c') && !options.has(b'l') && !binary {
                if named {
                    out.extend_from_slice(&file);
                    out.push(b':');
                }
                if options.has(b'n') {
                    out.extend(format!("{}:", number + 1).into_bytes());
                }
                match hit.filter(|_| options.has(b'o')) {
                    Some((from, to)) => {
                        out.extend_from_slice(line.get(from..to).unwrap_or_default())
                    }
                    None => out.extend_from_slice(line),
                }
                out.push(b'\n');
            }
            if limit.is_some_and(|limit| count >= limit) {
                break;
            }
        }
        if options.has(b'c') {
            let prefix = if named { [&file[..], b":"].concat() } else { Vec::new() };
            out.extend([&prefix[..], format!("{count}\n").as_bytes()].concat());
        } else if options.has(b'l') && count > 0 {
            out.extend([&file[..], b"\n"].concat());
        } else if binary && count > 0 {
            out.extend([&b"grep: "[..], &file, b": binary file matches\n"].concat());
        }
        proc.out(out).await?;
    }
    Ok(match (found, failed) {
        (_, true) => 2,
        (true, false) => 0,
        (false, false) => 1,
    })
}

fn is_word(line: &[u8], from: usize, to: usize) -> bool {
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    !part(from.checked_sub(1).and_then(|at| line.get(at))) && !part(line.get(to))
}

/// The files below `paths`.
fn below(proc: &Proc, paths: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let creds = &proc.user.creds;
    proc.host.with(|machine| {
        let mut out = Vec::new();
        let mut todo: Vec<Vec<u8>> = paths.into_iter().rev().collect();
        while let Some(path) = todo.pop() {
            let Ok(stat) = machine.fs.stat(creds, &proc.cwd, &path, false) else {
                out.push(path);
                continue;
            };
            match stat.node.kind {
                Kind::Directory(_) => {
                    let list = machine.fs.list(creds, stat.ino).unwrap_or_default();
                    let join = |name: &[u8]| {
                        [path.strip_suffix(b"/").unwrap_or(&path), b"/", name].concat()
                    };
                    todo.extend(list.iter().rev().map(|(name, _)| join(name)));
                }
                Kind::File(_) => out.push(path),
                Kind::Symlink(_) | Kind::Device(_) => {}
            }
            if out.len() > MAX_FILES || todo.len() > MAX_FILES * 4 {
                break;
            }
        }
        out
    })
}
