//! `find`: `expression` reads what is asked, `walk` goes through the tree.

mod act;
mod expression;
mod plan;
mod walk;

use self::expression::{Fault, parse};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let mut follow = false;
    let mut rest = arguments.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        match first.as_slice() {
            b"-L" | b"-follow" => follow = true,
            b"-P" | b"-H" => {}
            b"--" => {
                rest = tail;
                break;
            }
            _ => break,
        }
        rest = tail;
    }
    let begins = |argument: &Vec<u8>| {
        argument.starts_with(b"-") && argument.len() > 1
            || matches!(argument.as_slice(), b"!" | b"(" | b")" | b",")
    };
    let split = rest.iter().position(begins).unwrap_or(rest.len());
    let (paths, words) = rest.split_at_checked(split).unwrap_or((rest, &[]));
    let mut paths = paths.to_vec();
    if paths.is_empty() {
        paths.push(b".".to_vec());
    }
    let plan = match parse(proc, words) {
        Ok(plan) => plan,
        Err(Fault { text, .. }) => {
            proc.say_err(text).await;
            return Ok(1);
        }
    };
    walk::walk(proc, &paths, &plan, follow).await
}
