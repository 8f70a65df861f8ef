//! `sort` and `uniq`.

use super::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let unique = proc.name() == "uniq";
    let accepts = if unique {
        Accepts { short: "cdui", long: &[("count", b'c')], status: 1 }
    } else {
        Accepts {
            short: "nrufk:t:hbV",
            long: &[("reverse", b'r'), ("numeric-sort", b'n'), ("unique", b'u')],
            status: 2,
        }
    };
    let options = read(proc, &accepts).await?;
    let mut files = options.rest.clone();
    if files.is_empty() {
        files.push(b"-".to_vec());
    }
    if unique {
        files.truncate(1);
    }
    let mut text = Vec::new();
    for file in &files {
        match proc.slurp(file).await {
            Ok(bytes) => {
                text.extend(bytes);
                if text.last().is_some_and(|b| *b != b'\n') {
                    text.push(b'\n');
                }
            }
            Err(errno) => {
                if unique {
                    proc.complain(file, errno.text()).await;
                    return Ok(1);
                }
                proc.complain(&[&b"cannot read: "[..], file].concat(), errno.text()).await;
                return Ok(2);
            }
        }
    }
    let mut lines: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
    let mut out = Vec::new();
    if unique {
        for (count, line) in runs(&lines) {
            if (options.has(b'd') && count < 2) || (options.has(b'u') && count > 1) {
                continue;
            }
            if options.has(b'c') {
                out.extend(format!("{count:>7} ").into_bytes());
            }
            out.extend_from_slice(line);
        }
    } else {
        let field = options.value(b'k').and_then(|k| {
            let text = String::from_utf8_lossy(k).into_owned();
            text.split([',', '.', 'n', 'r']).next().and_then(|n| n.parse::<usize>().ok())
        });
        let separator = options.value(b't').and_then(|t| t.first().copied());
        let numeric = options.has(b'n') || options.value(b'k').is_some_and(|k| k.contains(&b'n'));
        let key = |line: &[u8]| -> Vec<u8> {
            let Some(field) = field else { return line.trim_ascii_end().to_vec() };
            let parts: Vec<&[u8]> = match separator {
                Some(separator) => line.trim_ascii_end().split(|&b| b == separator).collect(),
                None => line.split(u8::is_ascii_whitespace).filter(|p| !p.is_empty()).collect(),
            };
            parts.get(field.saturating_sub(1)).copied().unwrap_or_default().to_vec()
        };
        lines.sort_by_cached_key(|line| {
            let key = key(line);
            let number = if numeric { leading_number(&key) } else { 0 };
            let folded = if options.has(b'f') { key.to_ascii_lowercase() } else { key };
            (number, folded, line.to_vec())
        });
        if options.has(b'r') || options.value(b'k').is_some_and(|k| k.contains(&b'r')) {
            lines.reverse();
        }
        if options.has(b'u') {
            lines.dedup();
        }
        out = lines.concat();
    }
    proc.out(out).await?;
    Ok(0)
}

fn leading_number(text: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(text.trim_ascii_start()).into_owned();
    let end = text.char_indices().find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-')));
    let digits = text.get(..end.map_or(text.len(), |(at, _)| at)).unwrap_or_default();
    digits.parse().unwrap_or(0)
}

fn runs<'t>(lines: &[&'t [u8]]) -> Vec<(usize, &'t [u8])> {
    let mut out: Vec<(usize, &[u8])> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some((count, last)) if last == line => *count += 1,
            _ => out.push((1, line)),
        }
    }
    out
}
