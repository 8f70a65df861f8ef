//! What a name stands for: `type`, `command`.

use base_shell::text::encode;

use super::{find, text};
use crate::shell::interp::{Flow, Interp};

/// Reserved words, for `type`.
const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do",
    "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc",
];

pub(super) async fn type_of(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn command(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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
