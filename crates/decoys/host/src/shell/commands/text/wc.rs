//! `wc`.

use crate::shell::commands::complaint::bare;
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "clLmw",
    &[
        ("bytes", b'c'),
        ("chars", b'm'),
        ("lines", b'l'),
        ("words", b'w'),
        ("max-line-length", b'L'),
    ],
);

#[derive(Clone, Copy, Default)]
struct Count {
    lines: u64,
    words: u64,
    characters: u64,
    bytes: u64,
    longest: u64,
}

/// A text being counted.
#[derive(Default)]
struct Counting {
    count: Count,
    inside: bool,
    column: u64,
}

impl Counting {
    fn add(&mut self, piece: &[u8]) {
        for byte in piece {
            let character = u64::from(byte & 0xc0 != 0x80);
            self.count.lines += u64::from(*byte == b'\n');
            self.count.characters += character;
            let blank = byte.is_ascii_whitespace() || *byte == 0x0b;
            // Only what can be seen makes a word.
            if blank {
                self.inside = false;
            } else if !self.inside && !byte.is_ascii_control() {
                self.inside = true;
                self.count.words += 1;
            }
            self.column = match byte {
                b'\n' | b'\r' | 0x0c => 0,
                b'\t' => self.column / 8 * 8 + 8,
                0x20..=0x7e | 0xc0.. => self.column + character,
                _ => self.column,
            };
            self.count.longest = self.count.longest.max(self.column);
        }
        self.count.bytes += piece.len() as u64;
    }
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let from_input = options.rest.is_empty();
    let files = or_input(options.rest.clone());
    let all = !b"lwcmL".iter().any(|letter| options.has(*letter));
    let mut rows = Vec::new();
    let mut total = Count::default();
    let mut status = 0;
    // As wide as the largest file's size; pipes and such make it seven.
    let mut sizes = 0;
    let mut unknown = false;
    for file in &files {
        let mut source = match proc.source(file) {
            Ok(source) => source,
            Err(errno) => {
                proc.unreadable(file, errno).await;
                if errno == crate::fs::Errno::IsDirectory {
                    unknown = true;
                    rows.push((Count::default(), file.clone()));
                }
                status = 1;
                continue;
            }
        };
        unknown |= !source.is_regular(proc);
        let mut counting = Counting::default();
        loop {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            proc.io.spend(piece.len() / 1024);
            counting.add(&piece);
        }
        let count = counting.count;
        sizes += count.bytes;
        total.lines += count.lines;
        total.words += count.words;
        total.characters += count.characters;
        total.bytes += count.bytes;
        total.longest = total.longest.max(count.longest);
        rows.push((count, if from_input { Vec::new() } else { file.clone() }));
    }
    if files.len() > 1 {
        rows.push((total, b"total".to_vec()));
    }
    let columns = if all { 3 } else { b"lwcmL".iter().filter(|l| options.has(**l)).count() };
    let width = match (columns, files.len()) {
        (1, 1) => 1,
        _ if unknown => 7,
        _ => sizes.to_string().len(),
    };
    let mut out = Vec::new();
    for (count, name) in rows {
        let values = [
            (all || options.has(b'l'), count.lines),
            (all || options.has(b'w'), count.words),
            (options.has(b'm'), count.characters),
            (all || options.has(b'c'), count.bytes),
            (options.has(b'L'), count.longest),
        ];
        let wanted = values.iter().filter(|(wanted, _)| *wanted);
        let shown: Vec<String> = wanted.map(|(_, value)| format!("{value:>width$}")).collect();
        out.extend(shown.join(" ").into_bytes());
        if !name.is_empty() {
            out.push(b' ');
            out.extend(bare(&name));
        }
        out.push(b'\n');
    }
    proc.out(out).await?;
    Ok(status)
}
