//! `xargs`.

use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::commands::system::env::run_quietly;
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "+0a:d:E:e::I:i::l::L:n:oprs:tP:x",
    &[
        ("null", b'0'),
        ("arg-file=", b'a'),
        ("delimiter=", b'd'),
        ("eof?", b'e'),
        ("replace?", b'i'),
        ("max-lines?", b'l'),
        ("max-args=", b'n'),
        ("interactive", b'p'),
        ("no-run-if-empty", b'r'),
        ("max-chars=", b's'),
        ("verbose", b't'),
        ("max-procs=", b'P'),
        ("exit", b'x'),
    ],
);
/// Most bytes of one command line.
const MAX_LINE: usize = 128 * 1024;
/// Most words read.
const MAX_WORDS: usize = 100_000;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let mut command = options.rest.clone();
    if command.is_empty() {
        command.push(b"echo".to_vec());
    }
    let text = input(proc, &options).await?;
    let replace = match options.last_of(b"Ii") {
        Some(b'I') => options.value(b'I').map(<[u8]>::to_vec),
        Some(_) => Some(options.value(b'i').filter(|v| !v.is_empty()).unwrap_or(b"{}").to_vec()),
        None => None,
    };
    let lines = options.last_of(b"Ll").map(|letter| {
        let value = options.value(letter).map(String::from_utf8_lossy);
        value.and_then(|text| text.parse::<usize>().ok()).unwrap_or(1).max(1)
    });
    let max = number(proc, &options, b'n').await?.unwrap_or(usize::MAX);
    let (words, unmatched) =
        words(proc, &options, &text, replace.is_some() || lines.is_some()).await?;
    let mut worst = 0;
    // Standard input belongs to the list of words.
    let mut inner = proc.clone();
    inner.fds.insert(0, crate::shell::fd::Fd::Device(crate::fs::Device::Null));
    let mut batches: Vec<Vec<Vec<u8>>> = Vec::new();
    if let Some(mark) = &replace {
        for word in &words {
            batches.push(command.iter().map(|part| replaced(part, mark, word)).collect());
        }
    } else {
        let fixed: usize = command.iter().map(|word| word.len() + 1).sum();
        let mut batch: Vec<Vec<u8>> = Vec::new();
        let mut size = fixed;
        for word in words {
            // Whole lines come as one word here, to be split at blanks.
            let parts: Vec<Vec<u8>> = if lines.is_some() {
                word.split(|b| matches!(b, b' ' | b'\t'))
                    .filter(|part| !part.is_empty())
                    .map(<[u8]>::to_vec)
                    .collect()
            } else {
                vec![word]
            };
            let full = match lines {
                Some(_) => !batch.is_empty(),
                None => {
                    batch.len() >= max
                        || size + parts.iter().map(Vec::len).sum::<usize>() > MAX_LINE
                }
            };
            if full {
                batches.push([&command[..], &std::mem::take(&mut batch)[..]].concat());
                size = fixed;
            }
            size += parts.iter().map(|part| part.len() + 1).sum::<usize>();
            batch.extend(parts);
        }
        if !batch.is_empty() || (batches.is_empty() && !options.has(b'r')) {
            batches.push([command, batch].concat());
        }
    }
    for batch in batches {
        if options.has(b't') {
            proc.err([batch.join(&b' '), b"\n".to_vec()].concat()).await;
        }
        let name = batch.first().cloned().unwrap_or_default();
        match run_quietly(&inner, batch, "xargs").await {
            0 => {}
            status @ (126 | 127) => return Ok(status),
            255 => {
                proc.say_err([&name[..], b": exited with status 255; aborting"].concat()).await;
                return Ok(124);
            }
            status if status > 128 => {
                let text = format!(": terminated by signal {}", status - 128);
                proc.say_err([&name[..], text.as_bytes()].concat()).await;
                return Ok(125);
            }
            _ => worst = 123,
        }
    }
    if let Some(open) = unmatched {
        let kind = if open == b'"' { "double" } else { "single" };
        let text = "quote; by default quotes are special to xargs unless you use the -0 option";
        proc.say_err(format!("unmatched {kind} {text}")).await;
        return Ok(1);
    }
    Ok(worst)
}

async fn number(proc: &Proc, options: &Options, letter: u8) -> Result<Option<usize>, Stop> {
    let Some(text) = options.value(letter) else { return Ok(None) };
    let shown = String::from_utf8_lossy(text).into_owned();
    match shown.parse::<usize>() {
        Ok(0) => {
            let letter = char::from(letter);
            proc.say_err(format!("value {shown} for -{letter} option should be >= 1")).await;
            Err(Stop::Status(1))
        }
        Ok(number) => Ok(Some(number)),
        Err(_) => {
            let letter = char::from(letter);
            proc.say_err(format!("invalid number \"{shown}\" for -{letter} option")).await;
            Err(Stop::Status(1))
        }
    }
}

async fn input(proc: &Proc, options: &Options) -> Result<Vec<u8>, Stop> {
    let file = options.value(b'a').unwrap_or(b"-");
    match proc.slurp(file).await {
        Ok(text) => Ok(text),
        Err(errno) => {
            proc.say_err(
                [
                    &b"Cannot open input file "[..],
                    &crate::shell::commands::complaint::typed(file),
                    b": ",
                    errno.text().as_bytes(),
                ]
                .concat(),
            )
            .await;
            Err(Stop::Status(1))
        }
    }
}

/// The words of `text`: between blanks with quotes, whole lines, or between delimiters.
async fn words(
    proc: &Proc,
    options: &Options,
    text: &[u8],
    lines: bool,
) -> Result<(Vec<Vec<u8>>, Option<u8>), Stop> {
    proc.io.spend(text.len() / 1024);
    let delimiter = match options.value(b'd') {
        _ if options.has(b'0') => Some(0),
        Some(text) => {
            let mut plain = Vec::new();
            super::echo::unescape(text, &mut plain);
            plain.first().copied()
        }
        None => None,
    };
    if let Some(delimiter) = delimiter {
        let text = text.strip_suffix(&[delimiter]).unwrap_or(text);
        if text.is_empty() {
            return Ok((Vec::new(), None));
        }
        let words = text.split(|b| *b == delimiter).take(MAX_WORDS).map(<[u8]>::to_vec).collect();
        return Ok((words, None));
    }
    let mut out = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if out.len() >= MAX_WORDS {
            break;
        }
        match (byte, quote) {
            (b'\n', Some(open)) => return Ok((out, Some(open))),
            (_, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(byte),
            (b'"' | b'\'', None) => {
                word.get_or_insert_default();
                quote = Some(byte);
            }
            (b'\\', None) => {
                let escaped = bytes.next();
                word.get_or_insert_default().extend(escaped);
            }
            (b'\n', None) => out.extend(word.take()),
            (b' ' | b'\t', None) if !lines => out.extend(word.take()),
            (b' ' | b'\t', None) if word.is_none() => {}
            (_, None) => word.get_or_insert_default().push(byte),
        }
    }
    if quote.is_none() {
        out.extend(word);
    }
    Ok((out, quote))
}

fn replaced(part: &[u8], mark: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = part;
    while !mark.is_empty()
        && let Some(at) = rest.windows(mark.len()).position(|w| w == mark)
    {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(with);
        rest = rest.get(at + mark.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}
