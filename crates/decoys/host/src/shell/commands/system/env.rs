//! `env` and `printenv`.

use crate::shell::commands::complaint::quoted;
use crate::shell::interp::{Dialect, Interp};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
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

pub(super) async fn printenv(proc: &mut Proc) -> Outcome {
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

/// Runs `arguments` in place of `proc`.
pub(in crate::shell::commands) async fn run_other(
    proc: &Proc,
    arguments: Vec<Vec<u8>>,
    by: &str,
) -> Outcome {
    let name = arguments.first().cloned().unwrap_or_default();
    let mut inner = proc.clone();
    inner.depth += 1;
    let mut shell = Interp::new(inner, b"bash", Dialect::Bash);
    if shell.which(&name).is_err() {
        let quoted = quoted(&name);
        proc.err([by.as_bytes(), b": ", &quoted, b": No such file or directory\n"].concat()).await;
        return Ok(127);
    }
    Box::pin(shell.run_program_named(arguments)).await;
    Ok(shell.status)
}

/// Runs `arguments` as a child of `proc`, which tells in its own words when there is no such program;
/// the status.
pub(in crate::shell::commands) async fn run_quietly(
    proc: &Proc,
    arguments: Vec<Vec<u8>>,
    by: &str,
) -> u8 {
    let name = arguments.first().cloned().unwrap_or_default();
    let mut inner = proc.clone();
    inner.depth += 1;
    if inner.depth >= crate::shell::limits::DEPTH || !inner.io.may_start() {
        return 137;
    }
    let mut shell = Interp::new(inner, b"bash", Dialect::Bash);
    if let Err(errno) = shell.which(&name) {
        let why = errno.text();
        let quoted = crate::shell::commands::complaint::typed(&name);
        let name = if by == "xargs" { name } else { quoted };
        proc.err([by.as_bytes(), b": ", &name, b": ", why.as_bytes(), b"\n"].concat()).await;
        return if errno == crate::fs::Errno::NoEntry { 127 } else { 126 };
    }
    Box::pin(shell.run_program_named(arguments)).await;
    shell.status
}
