//! `curl` on a machine whose resolver answers nothing: every fetch is told, none happens.

use std::time::Duration;

use super::url::{is_address, split};
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let mut urls = Vec::new();
    let (mut silent, mut show) = (false, false);
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_slice() {
            option if option.starts_with(b"--") => {
                silent |= option == b"--silent";
                show |= option == b"--show-error";
                let valued = [
                    &b"--output"[..],
                    b"--header",
                    b"--data",
                    b"--request",
                    b"--user-agent",
                    b"--max-time",
                    b"--connect-timeout",
                    b"--user",
                    b"--proxy",
                    b"--retry",
                    b"--form",
                    b"--cookie",
                ];
                if valued.contains(&option) {
                    arguments.next();
                }
            }
            option if option.starts_with(b"-") && option.len() > 1 => {
                silent |= option.contains(&b's');
                show |= option.contains(&b'S');
                if option.last().is_some_and(|b| b"oHdXAmuxFbeTr".contains(b)) {
                    arguments.next();
                }
            }
            _ => urls.push(argument),
        }
    }
    if urls.is_empty() {
        proc.err("curl: try 'curl --help' or 'curl --manual' for more information\n").await;
        return Ok(2);
    }
    let mut status = 6;
    for given in urls {
        proc.io.act(Act::Fetch { tool: "curl", url: given.clone() });
        let url = split(&given);
        let message = if !matches!(url.scheme.as_str(), "http" | "https" | "ftp") {
            status = 1;
            format!("curl: (1) Protocol \"{}\" not supported or disabled in libcurl\n", url.scheme)
        } else if is_address(&url.host) {
            proc.io.sleep(Duration::from_millis(3070)).await;
            status = 7;
            format!(
                "curl: (7) Failed to connect to {} port {} after 3071 ms: Couldn't connect to server\n",
                url.host, url.port
            )
        } else {
            proc.io.sleep(Duration::from_millis(2030)).await;
            status = 6;
            format!("curl: (6) Could not resolve host: {}\n", url.host)
        };
        if !silent || show {
            proc.err(message).await;
        }
    }
    Ok(status)
}
