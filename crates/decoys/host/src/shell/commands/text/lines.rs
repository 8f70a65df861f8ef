//! Small filters of lines: `rev`, `nl`, `fold`, `paste`.

use crate::shell::commands::input::{Lines, chomp, or_input};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc, Stop};

/// Runs `change` over every line of `files`, with the end it has.
async fn each(
    proc: &Proc,
    files: Vec<Vec<u8>>,
    mut change: impl FnMut(&[u8], &mut Vec<u8>),
) -> Outcome {
    let mut status = 0;
    for file in or_input(files) {
        let Some(source) = proc.opened(&file, &mut status).await else { continue };
        let mut lines = Lines::new(source);
        loop {
            let block = lines.block(proc).await;
            if block.is_empty() {
                break;
            }
            let mut out = Vec::with_capacity(block.len());
            block.split_inclusive(|&b| b == b'\n').for_each(|line| change(line, &mut out));
            proc.out(out).await?;
        }
    }
    Ok(status)
}

/// `rev`.
pub(in crate::shell::commands) async fn rev(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts::new("", &[])).await?;
    each(proc, options.rest, |line, out| {
        let text = String::from_utf8_lossy(chomp(line)).into_owned();
        out.extend(text.chars().rev().collect::<String>().into_bytes());
        if line.ends_with(b"\n") {
            out.push(b'\n');
        }
    })
    .await
}

/// `nl`.
pub(in crate::shell::commands) async fn nl(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts = Accepts::new(
        "b:s:v:w:",
        &[
            ("body-numbering=", b'b'),
            ("number-separator=", b's'),
            ("starting-line-number=", b'v'),
            ("number-width=", b'w'),
        ],
    );
    let options = read(proc, &ACCEPTS).await?;
    let all = options.value(b'b') == Some(b"a");
    let none = options.value(b'b') == Some(b"n");
    let separator = options.value(b's').unwrap_or(b"\t").to_vec();
    let parsed = |letter, default: usize| {
        let value = options.value(letter).map(String::from_utf8_lossy);
        value.and_then(|text| text.parse::<usize>().ok()).unwrap_or(default)
    };
    let mut number = parsed(b'v', 1);
    let width = parsed(b'w', 6).min(64);
    each(proc, options.rest, |line, out| {
        let text = chomp(line);
        if !none && (all || !text.is_empty()) {
            out.extend(format!("{number:>width$}").into_bytes());
            out.extend_from_slice(&separator);
            number += 1;
        } else {
            out.extend(std::iter::repeat_n(b' ', width + separator.len()));
        }
        out.extend_from_slice(text);
        out.push(b'\n');
    })
    .await
}

/// `fold`.
pub(in crate::shell::commands) async fn fold(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts =
        Accepts::new("bsw:", &[("bytes", b'b'), ("spaces", b's'), ("width=", b'w')]);
    let options = read(proc, &ACCEPTS).await?;
    let width = match options.value(b'w') {
        None => 80,
        Some(text) => match String::from_utf8_lossy(text).parse::<usize>() {
            Ok(width) if width > 0 => width,
            _ => {
                proc.wrong("invalid number of columns:", text).await;
                return Ok(1);
            }
        },
    };
    let at_blanks = options.has(b's');
    each(proc, options.rest, |line, out| {
        let mut rest = chomp(line);
        while rest.len() > width {
            let head = rest.get(..width).unwrap_or(rest);
            let blank = head.iter().rposition(|&b| b == b' ').filter(|_| at_blanks);
            let cut = blank.map_or(width, |at| at + 1);
            let (head, tail) = rest.split_at_checked(cut).unwrap_or((rest, b""));
            out.extend_from_slice(head);
            out.push(b'\n');
            rest = tail;
        }
        out.extend_from_slice(rest);
        if line.ends_with(b"\n") {
            out.push(b'\n');
        }
    })
    .await
}

/// `paste`.
pub(in crate::shell::commands) async fn paste(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts = Accepts::new("d:sz", &[("delimiters=", b'd'), ("serial", b's')]);
    let options = read(proc, &ACCEPTS).await?;
    let mut marks = Vec::new();
    super::echo::unescape(options.value(b'd').unwrap_or(b"\t"), &mut marks);
    let mut texts = Vec::new();
    for file in or_input(options.rest.clone()) {
        match proc.slurp(&file).await {
            Ok(text) => texts.push(text),
            Err(errno) => {
                proc.unreadable(&file, errno).await;
                return Err(Stop::Status(1));
            }
        }
    }
    let columns: Vec<Vec<&[u8]>> =
        texts.iter().map(|text| text.split_inclusive(|&b| b == b'\n').collect()).collect();
    let mark = |at: usize| marks.get(at.checked_rem(marks.len()).unwrap_or(0)).copied();
    let mut out = Vec::new();
    if options.has(b's') {
        for lines in &columns {
            for (at, line) in lines.iter().enumerate() {
                if at > 0 {
                    out.extend(mark(at - 1));
                }
                out.extend_from_slice(chomp(line));
            }
            out.push(b'\n');
        }
    } else {
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..rows {
            proc.io.spend(1);
            for (at, lines) in columns.iter().enumerate() {
                if at > 0 {
                    out.extend(mark(at - 1));
                }
                out.extend_from_slice(lines.get(row).map_or(&b""[..], |line| chomp(line)));
            }
            out.push(b'\n');
        }
    }
    proc.out(out).await?;
    Ok(0)
}
