//! `env`, `printenv`, `nohup`.

use crate::shell::interp::{Dialect, Interp};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    match proc.name().as_str() {
        "printenv" => printenv(proc).await,
        "nohup" => nohup(proc).await,
        _ => env(proc).await,
    }
}

async fn list(proc: &Proc) -> Outcome {
    let mut out = Vec::new();
    for (name, value) in &proc.env {
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    out.extend_from_slice(b"_=/usr/bin/env\n");
    proc.out(out).await?;
    Ok(0)
}

async fn printenv(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.is_empty() {
        return list(proc).await;
    }
    let mut status = 0;
    for name in arguments {
        match proc.env.get(&String::from_utf8_lossy(&name).into_owned()).cloned() {
            Some(mut value) => {
                value.push(b'\n');
                proc.out(value).await?;
            }
            None => status = 1,
        }
    }
    Ok(status)
}

async fn env(proc: &mut Proc) -> Outcome {
    let mut arguments = proc.arguments().into_iter().peekable();
    while let Some(argument) = arguments.peek() {
        match (argument.as_slice(), argument.iter().position(|&b| b == b'=')) {
            (b"-i" | b"-", _) => proc.env.clear(),
            (b"-u", _) => {
                arguments.next();
                if let Some(name) = arguments.peek() {
                    proc.env.remove(&String::from_utf8_lossy(name).into_owned());
                }
            }
            (option, None) if option.starts_with(b"-") => {}
            (_, Some(at)) if at > 0 => {
                let name =
                    String::from_utf8_lossy(argument.get(..at).unwrap_or_default()).into_owned();
                let value = argument.get(at + 1..).unwrap_or_default().to_vec();
                proc.env.insert(name, value);
            }
            _ => break,
        }
        arguments.next();
    }
    let rest: Vec<Vec<u8>> = arguments.collect();
    if rest.is_empty() {
        return list(proc).await;
    }
    run_other(proc, rest, "env").await
}

/// Runs `arguments` in place of `proc`.
pub(super) async fn run_other(proc: &Proc, arguments: Vec<Vec<u8>>, by: &str) -> Outcome {
    let name = arguments.first().cloned().unwrap_or_default();
    let mut inner = proc.clone();
    inner.depth += 1;
    let mut shell = Interp::new(inner, b"bash", Dialect::Bash);
    if shell.which(&name).is_err() {
        let quoted = super::options::quoted(&name);
        proc.err([by.as_bytes(), b": ", &quoted, b": No such file or directory\n"].concat()).await;
        return Ok(127);
    }
    Box::pin(shell.run_program_named(arguments)).await;
    Ok(shell.status)
}

async fn nohup(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.is_empty() {
        return Err(super::options::missing_operand(proc).await);
    }
    if proc.out_is_tty() {
        proc.err("nohup: ignoring input and appending output to 'nohup.out'\n").await;
        let shell = Interp::new(proc.clone(), b"nohup", Dialect::Bash);
        if let Ok(fd) = shell.open_file(b"nohup.out", crate::shell::redirect::Opening::Append) {
            proc.fds.insert(1, fd.clone());
            proc.fds.insert(2, fd);
        }
    }
    run_other(proc, arguments, "nohup: failed to run command").await
}
