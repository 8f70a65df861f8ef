//! `set` and `shift`.

use super::text;
use crate::shell::interp::{Flow, Interp};

pub(super) async fn set(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn shift(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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
