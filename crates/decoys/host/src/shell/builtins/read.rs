//! `read`.

use base_shell::text::encode;

use super::is_name;
use crate::shell::interp::{Flow, Interp};
use crate::shell::limits;

pub(super) async fn read(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let mut raw = false;
    let mut silent = false;
    let mut names: Vec<String> = Vec::new();
    let mut rest = arguments.into_iter().skip(1);
    while let Some(argument) = rest.next() {
        if !argument.starts_with(b"-") {
            names.push(encode(&argument));
            continue;
        }
        let letters = argument.get(1..).unwrap_or_default();
        raw |= letters.contains(&b'r');
        silent |= letters.contains(&b's');
        if let Some(last) = letters.last().filter(|b| b"ptndN".contains(b)) {
            let value = rest.next();
            if *last == b'p' && shell.proc.in_is_tty() {
                shell.proc.err(value.unwrap_or_default()).await;
            }
        }
    }
    let tty = shell.proc.in_is_tty();
    if silent && tty {
        shell.proc.io.lock().echo = false;
    }
    let mut line = Vec::new();
    let mut ended = false;
    loop {
        let piece = shell.proc.read(1).await;
        let Some(&byte) = piece.first() else {
            ended = true;
            break;
        };
        match byte {
            b'\n' => break,
            b'\\' if !raw => match shell.proc.read(1).await.first() {
                Some(b'\n') | None => {}
                Some(&next) => line.push(next),
            },
            _ => line.push(byte),
        }
        if line.len() > limits::LINE {
            break;
        }
    }
    if silent && tty {
        shell.proc.io.lock().echo = true;
    }
    if names.is_empty() {
        shell.assign("REPLY", line);
    } else {
        let ifs = shell.variable("IFS").unwrap_or_else(|| b" \t\n".to_vec());
        let mut rest = line.as_slice();
        let last = names.len() - 1;
        for (at, name) in names.iter().enumerate() {
            let skip =
                rest.iter().take_while(|b| ifs.contains(b) && b.is_ascii_whitespace()).count();
            rest = rest.get(skip..).unwrap_or_default();
            let value = if at == last {
                let kept = rest.iter().rposition(|b| !(ifs.contains(b) && b.is_ascii_whitespace()));
                rest.get(..kept.map_or(0, |at| at + 1)).unwrap_or_default()
            } else {
                let length = rest.iter().take_while(|b| !ifs.contains(b)).count();
                let (value, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                rest = tail.get(1..).unwrap_or_default();
                value
            };
            if is_name(name) {
                shell.assign(name, value.to_vec());
            }
        }
    }
    shell.status = u8::from(ended);
    Flow::Next
}
