//! Commands that the shell itself is.

use std::sync::PoisonError;

use base_shell::text::encode;

use super::commands;
use super::interp::{Dialect, Flow, Interp};
use super::io::Boxed;
use super::test_expr;
use crate::fs::{Access, Errno};

/// A builtin: it sets the status itself.
pub(crate) type Builtin = for<'a> fn(&'a mut Interp, Vec<Vec<u8>>) -> Boxed<'a, Flow>;

macro_rules! table {
    ($($name:literal => $function:ident),* $(,)?) => {
        const TABLE: &[(&str, Builtin)] =
            &[$(($name, |shell, arguments| Box::pin($function(shell, arguments)))),*];
    };
}

table! {
    ":" => yes, "true" => yes, "false" => no, "cd" => cd, "pwd" => pwd, "echo" => echo,
    "printf" => printf, "exit" => exit, "logout" => exit, "export" => export, "readonly" => export,
    "declare" => declare, "typeset" => declare, "local" => local, "unset" => unset, "set" => set,
    "shift" => shift, "read" => read, "type" => type_of, "command" => command, "builtin" => command,
    "source" => source, "." => source, "eval" => eval, "exec" => exec, "test" => test, "[" => test,
    "break" => leave, "continue" => leave, "return" => give_back, "alias" => alias,
    "unalias" => unalias, "history" => history, "jobs" => jobs, "wait" => wait, "kill" => kill,
    "umask" => umask, "ulimit" => ulimit, "trap" => yes, "shopt" => yes, "hash" => yes, "let" => let_,
    "times" => times, "disown" => yes, "enable" => yes, "complete" => yes, "bind" => yes,
}

/// Builtins that dash does not have.
const BASH_ONLY: &[&str] = &[
    "source", "declare", "typeset", "history", "logout", "shopt", "let", "builtin", "disown",
    "enable", "complete", "bind",
];

/// Reserved words, for `type`.
const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do",
    "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc",
];

/// The builtin called `name`.
pub(crate) fn find(name: &str, dialect: Dialect) -> Option<Builtin> {
    if dialect == Dialect::Dash && BASH_ONLY.contains(&name) {
        return None;
    }
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, builtin)| *builtin)
}

/// Names of all builtins, for completion.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name_of(arguments: &[Vec<u8>]) -> String {
    arguments.first().map(|name| text(name)).unwrap_or_default()
}

/// Whether `name` can be a variable.
fn is_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.len() < 256
}

impl Interp {
    /// Writes to standard output and sets the status.
    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.proc.args = vec![self.name.clone()];
        self.status = match self.proc.out(bytes).await {
            Ok(()) => 0,
            Err(super::proc::Stop::Pipe) => 141,
            Err(super::proc::Stop::Status(status)) => status,
        };
    }

    async fn fail(&mut self, message: impl AsRef<[u8]>, status: u8) -> Flow {
        self.complain(message).await;
        self.status = status;
        Flow::Next
    }
}

async fn yes(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    Flow::Next
}

async fn no(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    shell.status = 1;
    Flow::Next
}

async fn cd(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let mut targets: Vec<Vec<u8>> = arguments
        .into_iter()
        .skip(1)
        .filter(|a| !matches!(a.as_slice(), b"-L" | b"-P" | b"--"))
        .collect();
    if targets.len() > 1 {
        return shell.fail("cd: too many arguments", 1).await;
    }
    let mut print = false;
    let target = match targets.pop() {
        None => match shell.variable("HOME") {
            Some(home) => home,
            None => return shell.fail("cd: HOME not set", 1).await,
        },
        Some(target) if target == b"-" => match shell.variable("OLDPWD") {
            Some(old) => {
                print = true;
                old
            }
            None => return shell.fail("cd: OLDPWD not set", 1).await,
        },
        Some(target) => target,
    };
    if target.is_empty() {
        shell.status = 0;
        return Flow::Next;
    }
    let path = shell.proc.absolute(&target);
    let creds = shell.proc.user.creds.clone();
    let found = shell.proc.host.with(|machine| {
        let ino = machine.fs.find(&creds, b"/", &path, true)?;
        let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
        if !node.is_dir() {
            return Err(Errno::NotDirectory);
        }
        if creds.may(node, Access::Execute) { Ok(()) } else { Err(Errno::Access) }
    });
    if let Err(errno) = found {
        let message = if shell.dialect == Dialect::Dash {
            [&b"cd: can't cd to "[..], &target].concat()
        } else {
            [&b"cd: "[..], &target, b": ", errno.text().as_bytes()].concat()
        };
        return shell.fail(message, if shell.dialect == Dialect::Dash { 2 } else { 1 }).await;
    }
    let old = std::mem::replace(&mut shell.proc.cwd, path.clone());
    shell.assign("OLDPWD", old);
    shell.assign("PWD", path.clone());
    shell.status = 0;
    if print {
        shell.say([&path[..], b"\n"].concat()).await;
    }
    Flow::Next
}

async fn pwd(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    let line = [&shell.proc.cwd[..], b"\n"].concat();
    shell.say(line).await;
    Flow::Next
}

async fn echo(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let always = shell.dialect == Dialect::Dash;
    let line = commands::echo_line(arguments.get(1..).unwrap_or_default(), always);
    shell.say(line).await;
    Flow::Next
}

async fn printf(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

async fn exit(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

async fn export(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    let command = name_of(&arguments);
    let rest: Vec<&Vec<u8>> = arguments.iter().skip(1).filter(|a| !a.starts_with(b"-")).collect();
    if rest.is_empty() {
        let listing: String = shell
            .environment()
            .iter()
            .map(|(name, value)| format!("declare -x {name}=\"{}\"\n", text(value)))
            .collect();
        shell.say(listing).await;
        return Flow::Next;
    }
    let take_away = arguments.iter().any(|a| a == b"-n");
    for argument in rest {
        let (name, value) = split_assignment(argument);
        if !is_name(&name) {
            let message =
                [command.as_bytes(), b": `", argument, b"': not a valid identifier"].concat();
            shell.fail(message, 1).await;
            continue;
        }
        if let Some(value) = value {
            shell.assign(&name, value);
        }
        if take_away {
            if let Some(variable) = shell.variables.get_mut(&name) {
                variable.exported = false;
            }
        } else if command == "export" {
            shell.export(&name);
        }
    }
    Flow::Next
}

fn split_assignment(argument: &[u8]) -> (String, Option<Vec<u8>>) {
    match argument.iter().position(|&b| b == b'=') {
        Some(at) => {
            let (name, value) = argument.split_at_checked(at).unwrap_or((argument, b"="));
            (encode(name), Some(value.get(1..).unwrap_or_default().to_vec()))
        }
        None => (encode(argument), None),
    }
}

async fn declare(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    let exports = arguments.iter().any(|a| a.starts_with(b"-") && a.contains(&b'x'));
    let names: Vec<&Vec<u8>> = arguments.iter().skip(1).filter(|a| !a.starts_with(b"-")).collect();
    if names.is_empty() {
        let mut listing = String::new();
        for (name, variable) in &shell.variables {
            let value = text(&variable.value);
            match (exports, variable.exported) {
                (true, false) => {}
                (true, true) => listing.push_str(&format!("declare -x {name}=\"{value}\"\n")),
                (false, _) => listing.push_str(&format!("{name}={value}\n")),
            }
        }
        shell.say(listing).await;
        return Flow::Next;
    }
    for argument in names {
        let (name, value) = split_assignment(argument);
        if is_name(&name) {
            keep_local(shell, &name);
            if let Some(value) = value {
                shell.assign(&name, value);
            }
            if exports {
                shell.export(&name);
            }
        }
    }
    Flow::Next
}

fn keep_local(shell: &mut Interp, name: &str) {
    let before = shell.variables.get(name).cloned();
    if let Some(locals) = shell.locals.last_mut()
        && locals.len() < 4096
    {
        locals.push((name.to_owned(), before));
    }
}

async fn local(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    if shell.locals.is_empty() {
        return shell.fail("local: can only be used in a function", 1).await;
    }
    shell.status = 0;
    for argument in arguments.iter().skip(1).filter(|a| !a.starts_with(b"-")) {
        let (name, value) = split_assignment(argument);
        if is_name(&name) {
            keep_local(shell, &name);
            shell.assign(&name, value.unwrap_or_default());
        }
    }
    Flow::Next
}

async fn unset(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    let functions = arguments.iter().any(|a| a == b"-f");
    for argument in arguments.iter().skip(1).filter(|a| !a.starts_with(b"-")) {
        let name = encode(argument);
        if functions || !shell.variables.contains_key(&name) {
            shell.functions.remove(&name);
        }
        if !functions {
            shell.unset(&name);
        }
    }
    Flow::Next
}

async fn set(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    if arguments.len() < 2 {
        let listing: String = shell
            .variables
            .iter()
            .map(|(name, variable)| format!("{name}={}\n", text(&variable.value)))
            .collect();
        shell.say(listing).await;
        return Flow::Next;
    }
    let mut rest = arguments.into_iter().skip(1).peekable();
    while let Some(argument) = rest.peek().cloned() {
        let on = match argument.first() {
            _ if argument == b"--" => {
                rest.next();
                shell.params = rest.collect();
                return Flow::Next;
            }
            Some(b'-') => true,
            Some(b'+') => false,
            _ => break,
        };
        rest.next();
        for letter in argument.iter().skip(1) {
            match letter {
                b'e' => shell.options.errexit = on,
                b'u' => shell.options.nounset = on,
                b'x' => shell.options.xtrace = on,
                b'f' => shell.options.noglob = on,
                b'o' => {
                    if let Some(name) = rest.next() {
                        match name.as_slice() {
                            b"errexit" => shell.options.errexit = on,
                            b"nounset" => shell.options.nounset = on,
                            b"xtrace" => shell.options.xtrace = on,
                            b"noglob" => shell.options.noglob = on,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    if rest.peek().is_some() {
        shell.params = rest.collect();
    }
    Flow::Next
}

async fn shift(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let count = arguments.get(1).map_or(Ok(1), |n| text(n).parse::<usize>());
    shell.status = match count {
        Ok(count) if count <= shell.params.len() => {
            shell.params.drain(..count);
            0
        }
        _ => 1,
    };
    Flow::Next
}

async fn read(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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
        if line.len() > super::limits::LINE {
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

async fn type_of(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let short = arguments.iter().any(|a| a == b"-t");
    let path_only = arguments.iter().any(|a| a == b"-p" || a == b"-P");
    let mut status = 0;
    for argument in arguments.iter().skip(1).filter(|a| !a.starts_with(b"-")) {
        let name = encode(argument);
        let (kind, line) = if let Some(alias) = shell.aliases.get(&name) {
            ("alias", format!("{name} is aliased to `{}'\n", text(alias)))
        } else if KEYWORDS.contains(&name.as_str()) {
            ("keyword", format!("{name} is a shell keyword\n"))
        } else if shell.functions.contains_key(&name) {
            ("function", format!("{name} is a function\n"))
        } else if find(&name, shell.dialect).is_some() {
            ("builtin", format!("{name} is a shell builtin\n"))
        } else if let Ok(path) = shell.which(argument) {
            let path = text(&path);
            ("file", if path_only { format!("{path}\n") } else { format!("{name} is {path}\n") })
        } else {
            status = 1;
            if !short && !path_only {
                shell.complain(format!("type: {name}: not found")).await;
            }
            continue;
        };
        shell.say(if short { format!("{kind}\n") } else { line }).await;
    }
    shell.status = status;
    Flow::Next
}

async fn command(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let describe = arguments.get(1).is_some_and(|a| a == b"-v" || a == b"-V");
    let rest: Vec<Vec<u8>> = arguments
        .into_iter()
        .skip(1)
        .filter(|a| !matches!(a.as_slice(), b"-v" | b"-V" | b"-p" | b"--"))
        .collect();
    let Some(name) = rest.first().map(|name| encode(name)) else {
        shell.status = 0;
        return Flow::Next;
    };
    if !describe {
        if let Some(builtin) = find(&name, shell.dialect) {
            return builtin(shell, rest).await;
        }
        shell.run_program_named(rest).await;
        return Flow::Next;
    }
    let answer = if let Some(alias) = shell.aliases.get(&name) {
        Some(format!("alias {name}='{}'", text(alias)))
    } else if KEYWORDS.contains(&name.as_str())
        || shell.functions.contains_key(&name)
        || find(&name, shell.dialect).is_some()
    {
        Some(name.clone())
    } else {
        shell.which(name.as_bytes()).ok().map(|path| text(&path))
    };
    match answer {
        Some(answer) => shell.say(format!("{answer}\n")).await,
        None => shell.status = 1,
    }
    Flow::Next
}

async fn source(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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
    if shell.proc.depth >= super::limits::DEPTH {
        return shell.fail("maximum source nesting level exceeded", 1).await;
    }
    shell.proc.depth += 1;
    shell.status = 0;
    let flow = shell.run_source(&script).await;
    shell.proc.depth -= 1;
    if flow == Flow::Return { Flow::Next } else { flow }
}

async fn eval(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let script = arguments.get(1..).unwrap_or_default().join(&b' ');
    if shell.proc.depth >= super::limits::DEPTH {
        return shell.fail("eval: maximum eval nesting level exceeded", 1).await;
    }
    shell.proc.depth += 1;
    shell.status = 0;
    let flow = shell.run_source(&script).await;
    shell.proc.depth -= 1;
    flow
}

async fn exec(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

async fn test(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

async fn leave(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

async fn give_back(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    if let Some(status) = arguments.get(1).and_then(|n| text(n).parse::<i64>().ok()) {
        shell.status = status.to_le_bytes().first().copied().unwrap_or(0);
    }
    Flow::Return
}

async fn alias(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    if arguments.len() < 2 {
        let listing: String = shell
            .aliases
            .iter()
            .map(|(name, value)| format!("alias {name}='{}'\n", text(value)))
            .collect();
        shell.say(listing).await;
        return Flow::Next;
    }
    for argument in arguments.iter().skip(1) {
        match split_assignment(argument) {
            (name, Some(value)) if shell.aliases.len() < 512 && value.len() < 4096 => {
                shell.aliases.insert(name, value);
            }
            (name, _) => match shell.aliases.get(&name).map(|value| text(value)) {
                Some(value) => shell.say(format!("alias {name}='{value}'\n")).await,
                None => drop(shell.fail(format!("alias: {name}: not found"), 1).await),
            },
        }
    }
    Flow::Next
}

async fn unalias(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    for argument in arguments.iter().skip(1) {
        if argument == b"-a" {
            shell.aliases.clear();
        } else if shell.aliases.remove(&encode(argument)).is_none() {
            shell.fail([&b"unalias: "[..], argument, b": not found"].concat(), 1).await;
        }
    }
    Flow::Next
}

async fn history(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

async fn jobs(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    let listing: String = {
        let io = shell.proc.io.lock();
        let last = io.jobs.len();
        let line = |(at, job): (usize, &super::io::Job)| {
            let mark = if at + 1 == last {
                '+'
            } else if at + 2 == last {
                '-'
            } else {
                ' '
            };
            let state = if job.done.is_some() { "Done" } else { "Running" };
            format!("[{}]{mark}  {state:<24}{} &\n", job.number, job.text)
        };
        io.jobs.iter().enumerate().map(line).collect()
    };
    shell.status = 0;
    shell.say(listing).await;
    Flow::Next
}

async fn wait(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let wanted = arguments.get(1).and_then(|pid| text(pid).parse::<u32>().ok());
    let io = shell.proc.io.clone();
    if let Some(pid) = wanted
        && !io.lock().jobs.iter().any(|job| job.pid == pid)
    {
        return shell.fail(format!("wait: pid {pid} is not a child of this shell"), 127).await;
    }
    shell.status = std::future::poll_fn(|_| {
        let io = io.lock();
        let mut jobs = io.jobs.iter().filter(|job| wanted.is_none_or(|pid| job.pid == pid));
        let status = jobs.clone().find_map(|job| job.done).unwrap_or(0);
        if io.new_jobs.is_empty() && jobs.all(|job| job.done.is_some()) {
            std::task::Poll::Ready(if wanted.is_some() { status } else { 0 })
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    Flow::Next
}

async fn kill(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    if arguments.len() < 2 {
        shell
            .proc
            .err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
            .await;
        shell.status = 2;
        return Flow::Next;
    }
    let now = shell.proc.io.now();
    for argument in arguments.iter().skip(1).filter(|a| !a.starts_with(b"-")) {
        let spelled = text(argument);
        let Ok(pid) = spelled.trim_start_matches('%').parse::<u32>() else {
            shell.fail(format!("kill: {spelled}: arguments must be process or job IDs"), 1).await;
            continue;
        };
        let by_job = spelled.starts_with('%');
        let job = {
            let mut io = shell.proc.io.lock();
            let job = io.jobs.iter_mut().find(|job| {
                if by_job { job.number as u64 == u64::from(pid) } else { job.pid == pid }
            });
            job.map(|job| job.done = Some(143)).is_some()
        };
        let known = shell
            .proc
            .host
            .with(|machine| machine.processes(now).into_iter().find(|p| p.pid == pid));
        match known {
            _ if job => {}
            Some(process)
                if shell.proc.user.creds.uid != 0 && process.user != shell.proc.user.name =>
            {
                shell.fail(format!("kill: ({pid}) - Operation not permitted"), 1).await;
            }
            Some(_) => {}
            None => drop(shell.fail(format!("kill: ({pid}) - No such process"), 1).await),
        }
    }
    Flow::Next
}

async fn umask(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    match arguments.get(1).map(|a| u16::from_str_radix(&text(a), 8)) {
        None => {
            let line = format!("{:04o}\n", shell.proc.umask);
            shell.say(line).await;
        }
        Some(Ok(mask)) if mask <= 0o777 => shell.proc.umask = mask,
        Some(_) => {
            let bad = arguments.get(1).map(|a| text(a)).unwrap_or_default();
            shell.fail(format!("umask: {bad}: octal number out of range"), 1).await;
        }
    }
    Flow::Next
}

async fn ulimit(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    if arguments.len() <= 2 {
        let line = match arguments.get(1).map(Vec::as_slice) {
            Some(b"-n") => "1024\n",
            Some(b"-u") => "7823\n",
            Some(b"-s") => "8192\n",
            Some(b"-c") => "0\n",
            _ => "unlimited\n",
        };
        shell.say(line).await;
    }
    Flow::Next
}

async fn let_(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 1;
    for argument in arguments.iter().skip(1) {
        match shell.arithmetic(&encode(argument)).await {
            Ok(value) => shell.status = u8::from(value == 0),
            Err(_) => return Flow::Next,
        }
    }
    Flow::Next
}

async fn times(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    shell.say("0m0.004s 0m0.002s\n0m0.010s 0m0.007s\n").await;
    Flow::Next
}
