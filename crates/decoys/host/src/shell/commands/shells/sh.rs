//! `bash`, `sh`, `dash` as programs.

use crate::persona::{Distro, Sh};
use crate::shell::interp::{Dialect, Flow, Interp, wants_more};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    if proc.depth >= limits::DEPTH {
        proc.err("Segmentation fault\n").await;
        return Ok(139);
    }
    let called = proc.args.first().cloned().unwrap_or_default();
    let distro = proc.host.distro();
    let dash = match proc.name() {
        name if name.contains("bash") => false,
        name => name != "sh" || distro.sh != Sh::Bash,
    };
    let script_dialect = if dash { Dialect::Dash } else { Dialect::BashScript };
    let mut arguments = proc.arguments().into_iter().peekable();
    let mut command = false;
    let (mut errexit, mut xtrace) = (false, false);
    while let Some(argument) = arguments.peek().filter(|a| a.starts_with(b"-") && a.len() > 1) {
        let letters = argument.clone();
        arguments.next();
        if letters == b"--" {
            break;
        }
        if letters == b"--version" && !dash {
            proc.out(version(distro)).await?;
            return Ok(0);
        }
        if !letters.starts_with(b"--") {
            command |= letters.contains(&b'c');
            errexit |= letters.contains(&b'e');
            xtrace |= letters.contains(&b'x');
        }
    }
    let mut inner = proc.clone();
    inner.depth += 1;
    let (source, name, dialect) = if command {
        let Some(source) = arguments.next() else {
            proc.err([&called[..], b": -c: option requires an argument\n"].concat()).await;
            return Ok(2);
        };
        let name = arguments.next().unwrap_or_else(|| called.clone());
        (Some(source), name, if dash { Dialect::Dash } else { Dialect::Bash })
    } else if let Some(path) = arguments.next() {
        match proc.slurp(&path).await {
            Ok(source) => (Some(source), path, script_dialect),
            Err(errno) => {
                let message = if dash {
                    [&called[..], b": 0: cannot open ", &path, b": No such file\n"].concat()
                } else {
                    [&called[..], b": ", &path, b": ", errno.text().as_bytes(), b"\n"].concat()
                };
                proc.err(message).await;
                return Ok(if dash { 2 } else { 127 });
            }
        }
    } else {
        (None, called, script_dialect)
    };
    let mut shell = Interp::new(inner, &name, dialect);
    shell.params = arguments.collect();
    shell.options.errexit = errexit;
    shell.options.xtrace = xtrace;
    match source {
        Some(source) => {
            let _ = Box::pin(shell.run_source(&source)).await;
        }
        None => run_from_input(&mut shell, dash).await,
    }
    Ok(shell.status)
}

/// What `bash --version` prints.
fn version(distro: &Distro) -> String {
    let year = if distro.bash_is(5, 2) {
        2022
    } else if distro.bash_is(5, 1) {
        2020
    } else if distro.bash_is(5, 0) {
        2019
    } else {
        2011
    };
    format!(
        "GNU bash, version {} ({})\n\
         Copyright (C) {year} Free Software Foundation, Inc.\n\
         License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\n\
         This is free software; you are free to change and redistribute it.\n\
         There is NO WARRANTY, to the extent permitted by law.\n",
        distro.bash_version, distro.bash_machine
    )
}

/// Reads commands from standard input, line by line; with a prompt on a terminal.
async fn run_from_input(shell: &mut Interp, dash: bool) {
    let tty = shell.proc.in_is_tty();
    // What a client has a shell within a shell do is its command like any other.
    let typed = shell.proc.in_is_client();
    let root = shell.proc.user.creds.uid == 0;
    let sign = if root { "# " } else { "$ " };
    let mut script = Vec::new();
    loop {
        if tty {
            let prompt = if !script.is_empty() {
                "> ".to_owned()
            } else if dash {
                sign.to_owned()
            } else {
                let host = shell.proc.host.with(|machine| machine.facts().hostname.clone());
                let cwd = String::from_utf8_lossy(&shell.proc.cwd).into_owned();
                format!("{}@{host}:{cwd}{sign}", shell.proc.user.name)
            };
            shell.proc.err(prompt).await;
        }
        let mut ended = true;
        loop {
            let piece = shell.proc.read(1).await;
            let Some(byte) = piece.first() else { break };
            script.push(*byte);
            if *byte == b'\n' || script.len() > limits::LINE {
                ended = false;
                break;
            }
        }
        if !ended && wants_more(&script) {
            continue;
        }
        let line = std::mem::take(&mut script);
        let told = line.strip_suffix(b"\n").unwrap_or(&line);
        let tells = typed && !told.iter().all(u8::is_ascii_whitespace);
        let mark = tells.then(|| shell.begin_line(told));
        let flow = Box::pin(shell.run_source(&line)).await;
        if let Some(mark) = mark {
            shell.end_line(mark);
        }
        if ended || flow == Flow::Exit {
            if tty && ended {
                shell.proc.err("\n").await;
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::commands::harness::Shell;

    #[test]
    fn what_a_client_has_a_shell_within_the_shell_do_is_told() {
        let mut shell = Shell::new();
        let done = shell.feed("sh", b"id -u\n\ncd /tmp; false\nsh\nexit 3\nexit 4\n");
        assert_eq!((done.out.as_str(), done.status), ("0\n", 4));
        let told: Vec<_> =
            done.lines.iter().map(|(line, status)| (line.as_str(), *status)).collect();
        let expected = [
            ("sh", None),
            ("id -u", Some(0)),
            ("cd /tmp; false", Some(1)),
            ("sh", None),
            ("exit 3", Some(3)),
            ("exit 4", Some(4)),
        ];
        assert_eq!(told, expected);
        // What comes from elsewhere is part of the line that says so.
        let done = shell.run("echo 'id -u' | sh");
        assert_eq!((done.out.as_str(), done.lines.len()), ("0\n", 1));
    }
}
