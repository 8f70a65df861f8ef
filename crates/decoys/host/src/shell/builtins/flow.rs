//! Control: `exit`, `return`, `break`, `eval`, `source`, `exec`, and those that do nothing.

use super::{name_of, text};
use crate::shell::interp::{Dialect, Flow, Interp};
use crate::shell::limits;

pub(super) async fn yes(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    Flow::Next
}

pub(super) async fn no(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    shell.status = 1;
    Flow::Next
}

pub(super) async fn exit(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    if shell.interactive && !shell.is_subshell {
        let word = if name_of(&arguments) == "logout" || shell.name.starts_with(b"-") {
            "logout\n"
        } else {
            "exit\n"
        };
        shell.proc.err(word).await;
    }
    if let Some(argument) = arguments.get(1) {
        match text(argument).trim().parse::<i64>() {
            Ok(number) => shell.status = number.to_le_bytes().first().copied().unwrap_or(0),
            Err(_) => {
                let message = [&b"exit: "[..], argument, b": numeric argument required"].concat();
                shell.complain(message).await;
                shell.status = 2;
            }
        }
    }
    Flow::Exit
}

pub(super) async fn give_back(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    if let Some(status) = arguments.get(1).and_then(|n| text(n).parse::<i64>().ok()) {
        shell.status = status.to_le_bytes().first().copied().unwrap_or(0);
    }
    Flow::Return
}

pub(super) async fn leave(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let name = name_of(&arguments);
    if shell.loops == 0 {
        if shell.dialect != Dialect::Dash {
            shell
                .complain(format!("{name}: only meaningful in a `for', `while', or `until' loop"))
                .await;
        }
        shell.status = 0;
        return Flow::Next;
    }
    shell.status = 0;
    let levels = arguments.get(1).and_then(|n| text(n).parse::<u32>().ok()).unwrap_or(1).max(1);
    let levels = levels.min(shell.loops);
    if name == "break" { Flow::Break(levels) } else { Flow::Continue(levels) }
}

pub(super) async fn eval(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let script = arguments.get(1..).unwrap_or_default().join(&b' ');
    if shell.proc.depth >= limits::DEPTH {
        return shell.fail("eval: maximum eval nesting level exceeded", 1).await;
    }
    shell.proc.depth += 1;
    shell.status = 0;
    let flow = shell.run_source(&script).await;
    shell.proc.depth -= 1;
    flow
}

pub(super) async fn source(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let Some(path) = arguments.get(1) else {
        shell.fail(format!("{}: filename argument required", name_of(&arguments)), 2).await;
        return Flow::Next;
    };
    let script = match shell.proc.slurp(path).await {
        Ok(script) => script,
        Err(errno) => {
            let message = [&path[..], b": ", errno.text().as_bytes()].concat();
            return shell.fail(message, 1).await;
        }
    };
    if shell.proc.depth >= limits::DEPTH {
        return shell.fail("maximum source nesting level exceeded", 1).await;
    }
    shell.proc.depth += 1;
    shell.status = 0;
    let flow = shell.run_source(&script).await;
    shell.proc.depth -= 1;
    if flow == Flow::Return { Flow::Next } else { flow }
}

pub(super) async fn exec(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let rest: Vec<Vec<u8>> = arguments.into_iter().skip(1).collect();
    let Some(name) = rest.first().cloned() else {
        shell.keep_fds = true;
        shell.status = 0;
        return Flow::Next;
    };
    if shell.which(&name).is_err() {
        shell.fail([&b"exec: "[..], &name, b": not found"].concat(), 127).await;
        return if shell.interactive { Flow::Next } else { Flow::Exit };
    }
    shell.run_program_named(rest).await;
    Flow::Exit
}
