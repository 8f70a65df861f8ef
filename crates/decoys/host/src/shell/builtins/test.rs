//! `test`, `[` and `let`.

use base_shell::text::encode;

use super::name_of;
use crate::shell::interp::{Flow, Interp};
use crate::shell::test_expr;

pub(super) async fn test(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let name = name_of(&arguments);
    let mut rest = arguments.get(1..).unwrap_or_default();
    if name == "[" {
        match rest.split_last() {
            Some((last, head)) if last == b"]" => rest = head,
            _ => return shell.fail("[: missing `]'", 2).await,
        }
    }
    shell.status = match test_expr::evaluate(rest, &shell.proc) {
        Ok(answer) => u8::from(!answer),
        Err(message) => {
            shell.complain([name.as_bytes(), b": ", &message].concat()).await;
            2
        }
    };
    Flow::Next
}

pub(super) async fn let_(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 1;
    for argument in arguments.iter().skip(1) {
        match shell.arithmetic(&encode(argument)).await {
            Ok(value) => shell.status = u8::from(value == 0),
            Err(_) => return Flow::Next,
        }
    }
    Flow::Next
}
