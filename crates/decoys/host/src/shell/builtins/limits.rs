//! What a process may: `umask`, `ulimit`, `times`.

use super::text;
use crate::shell::interp::{Flow, Interp};

pub(super) async fn umask(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn ulimit(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
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

pub(super) async fn times(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    shell.say("0m0.004s 0m0.002s\n0m0.010s 0m0.007s\n").await;
    Flow::Next
}
