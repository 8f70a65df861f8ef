//! `wget` on a machine whose resolver answers nothing: every fetch is told, none happens.

use std::time::Duration;

use super::url::{Url, is_address, split};
use crate::clock;
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let mut urls = Vec::new();
    let mut quiet = false;
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_slice() {
            b"-O" | b"-o" | b"-P" | b"-T" | b"-t" | b"-U" | b"--header" | b"--post-data" => {
                drop(arguments.next())
            }
            option if option.starts_with(b"--") => quiet |= option == b"--quiet",
            option if option.starts_with(b"-") && option.len() > 1 => {
                quiet |= option.contains(&b'q');
                if matches!(option.last(), Some(b'O' | b'P' | b'T' | b't')) {
                    arguments.next();
                }
            }
            _ => urls.push(argument),
        }
    }
    if urls.is_empty() {
        proc.err("wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n").await;
        return Ok(1);
    }
    for given in urls {
        proc.io.act(Act::Fetch { tool: "wget", url: given.clone() });
        let url = split(&given);
        let mut shown = String::from_utf8_lossy(&given).into_owned();
        if !shown.contains("://") {
            shown = format!("http://{shown}");
        }
        if !shown.splitn(4, '/').nth(3).is_some_and(|_| true) {
            shown.push('/');
        }
        let stamp = clock::format(proc.io.now(), "%Y-%m-%d %H:%M:%S");
        let say = |text: String| async {
            if !quiet {
                proc.err(text).await
            }
        };
        say(format!("--{stamp}--  {shown}\n")).await;
        let Url { host, port, .. } = url;
        if is_address(&host) {
            say(format!("Connecting to {host}:{port}... ")).await;
            proc.io.sleep(Duration::from_millis(3080)).await;
            say("failed: No route to host.\n".to_owned()).await;
        } else {
            say(format!("Resolving {host} ({host})... ")).await;
            proc.io.sleep(Duration::from_millis(2040)).await;
            say("failed: Temporary failure in name resolution.\n".to_owned()).await;
            say(format!("wget: unable to resolve host address ‘{host}’\n")).await;
        }
    }
    Ok(4)
}
