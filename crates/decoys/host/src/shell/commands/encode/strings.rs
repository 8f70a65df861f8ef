//! `strings`.

use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts =
    Accepts::new("afn:0123456789", &[("all", b'a'), ("bytes=", b'n'), ("print-file-name", b'f')]);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let digits: String =
        options.iter().map(|(l, _)| char::from(l)).filter(char::is_ascii_digit).collect();
    let least = match options.value(b'n') {
        Some(text) => String::from_utf8_lossy(text).parse().ok(),
        None if digits.is_empty() => Some(4),
        None => digits.parse().ok(),
    };
    let Some(least) = least.filter(|n: &usize| *n > 0) else {
        let shown = String::from_utf8_lossy(options.value(b'n').unwrap_or_default()).into_owned();
        proc.say_err(format!("invalid integer argument {shown}")).await;
        return Ok(1);
    };
    let mut status = 0;
    for file in or_input(options.rest.clone()) {
        let mut source = match proc.source(&file) {
            Ok(source) => source,
            Err(crate::fs::Errno::NoEntry) => {
                let shown = String::from_utf8_lossy(&file).into_owned();
                proc.say_err(format!("'{shown}': No such file")).await;
                status = 1;
                continue;
            }
            Err(errno) => {
                let shown = String::from_utf8_lossy(&file).into_owned();
                proc.err(format!(
                    "strings: Warning: '{shown}' is {}\n",
                    errno.text().to_lowercase()
                ))
                .await;
                status = 1;
                continue;
            }
        };
        let name = if options.has(b'f') { [&file[..], b": "].concat() } else { Vec::new() };
        let mut word: Vec<u8> = Vec::new();
        loop {
            let piece = source.next(proc).await;
            proc.io.spend(piece.len() / 1024);
            let mut out = Vec::new();
            for &byte in &piece {
                if (0x20..0x7f).contains(&byte) || byte == b'\t' {
                    word.push(byte);
                    continue;
                }
                if word.len() >= least {
                    out.extend([&name[..], &word, b"\n"].concat());
                }
                word.clear();
            }
            if piece.is_empty() && word.len() >= least {
                out.extend([&name[..], &word, b"\n"].concat());
            }
            proc.out(out).await?;
            if piece.is_empty() {
                break;
            }
        }
    }
    Ok(status)
}
