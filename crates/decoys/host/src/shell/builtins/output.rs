//! `echo` and `printf`.

use super::text;
use crate::shell::commands;
use crate::shell::interp::{Dialect, Flow, Interp};

pub(super) async fn echo(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let always = shell.dialect == Dialect::Dash;
    let line = commands::echo_line(arguments.get(1..).unwrap_or_default(), always);
    shell.say(line).await;
    Flow::Next
}

pub(super) async fn printf(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let mut rest = arguments.get(1..).unwrap_or_default();
    let mut into = None;
    if let [flag, name, tail @ ..] = rest
        && flag == b"-v"
    {
        into = Some(text(name));
        rest = tail;
    }
    let Some((format, values)) = rest.split_first() else {
        shell.proc.err("printf: usage: printf [-v var] format [arguments]\n").await;
        shell.status = 2;
        return Flow::Next;
    };
    let (line, complaints) = commands::format_printf(format, values);
    match into {
        Some(name) => {
            shell.assign(&name, line);
            shell.status = 0;
        }
        None => shell.say(line).await,
    }
    for complaint in complaints {
        shell.fail(format!("printf: {complaint}"), 1).await;
    }
    Flow::Next
}
