//! `alias` and `unalias`.

use base_shell::text::encode;

use super::{split_assignment, text};
use crate::shell::interp::{Flow, Interp};

pub(super) async fn alias(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn unalias(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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
