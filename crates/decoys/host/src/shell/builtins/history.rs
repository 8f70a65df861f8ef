//! `history`.

use std::sync::PoisonError;

use super::text;
use crate::shell::interp::{Flow, Interp};

pub(super) async fn history(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let argument = arguments.get(1).cloned().unwrap_or_default();
    let listing = {
        let mut history = shell.history.lock().unwrap_or_else(PoisonError::into_inner);
        if argument == b"-c" {
            history.clear();
        }
        let count = text(&argument).parse::<usize>().unwrap_or(history.len());
        let skip = history.len().saturating_sub(count);
        let mut out = Vec::new();
        for (at, line) in history.iter().enumerate().skip(skip) {
            out.extend(format!("{:>5}  ", at + 1).into_bytes());
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        out
    };
    shell.status = 0;
    if !argument.starts_with(b"-") {
        shell.say(listing).await;
    }
    Flow::Next
}
