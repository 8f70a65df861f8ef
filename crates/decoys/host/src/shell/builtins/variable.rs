//! Variables: `export`, `readonly`, `declare`, `local`, `unset`.

use base_shell::text::encode;

use super::{is_name, name_of, split_assignment, text};
use crate::shell::interp::{Flow, Interp};

pub(super) async fn export(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn declare(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn local(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

/// Notes the value of `name`, to put it back when the running function ends.
fn keep_local(shell: &mut Interp, name: &str) {
    let before = shell.variables.get(name).cloned();
    if let Some(locals) = shell.locals.last_mut()
        && locals.len() < 4096
    {
        locals.push((name.to_owned(), before));
    }
}

pub(super) async fn unset(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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
