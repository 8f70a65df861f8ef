//! `wc`.

use super::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

#[derive(Clone, Copy, Default)]
struct Count {
    lines: u64,
    words: u64,
    characters: u64,
    bytes: u64,
}

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts {
        short: "lwcm",
        long: &[("lines", b'l'), ("words", b'w'), ("bytes", b'c')],
        status: 1,
    };
    let options = read(proc, &accepts).await?;
    let mut files = options.rest.clone();
    let from_input = files.is_empty();
    if from_input {
        files.push(b"-".to_vec());
    }
    let all = !b"lwcm".iter().any(|letter| options.has(*letter));
    let columns = if all { 3 } else { b"lwcm".iter().filter(|l| options.has(**l)).count() };
    let mut rows = Vec::new();
    let mut total = Count::default();
    let mut status = 0;
    for file in &files {
        let mut source = match proc.source(file) {
            Ok(source) => source,
            Err(errno) => {
                proc.complain(file, errno.text()).await;
                status = 1;
                continue;
            }
        };
        let mut count = Count::default();
        let mut inside = false;
        loop {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            for byte in &piece {
                count.lines += u64::from(*byte == b'\n');
                count.characters += u64::from(byte & 0xc0 != 0x80);
                let blank = byte.is_ascii_whitespace() || *byte == 0x0b;
                count.words += u64::from(!blank && !inside);
                inside = !blank;
            }
            count.bytes += piece.len() as u64;
        }
        total.lines += count.lines;
        total.words += count.words;
        total.characters += count.characters;
        total.bytes += count.bytes;
        rows.push((count, if from_input { Vec::new() } else { file.clone() }));
    }
    if files.len() > 1 {
        rows.push((total, b"total".to_vec()));
    }
    let width = match (from_input, columns, files.len()) {
        (true, 1, _) | (false, 1, 1) => 0,
        (true, ..) => 7,
        _ => total.bytes.to_string().len(),
    };
    let mut out = Vec::new();
    for (count, name) in rows {
        let values = [
            (all || options.has(b'l'), count.lines),
            (all || options.has(b'w'), count.words),
            (options.has(b'm'), count.characters),
            (all || options.has(b'c'), count.bytes),
        ];
        let shown: Vec<String> = values
            .iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, value)| format!("{value:>width$}"))
            .collect();
        out.extend(shown.join(" ").into_bytes());
        if !name.is_empty() {
            out.push(b' ');
            out.extend_from_slice(&name);
        }
        out.push(b'\n');
    }
    proc.out(out).await?;
    Ok(status)
}
