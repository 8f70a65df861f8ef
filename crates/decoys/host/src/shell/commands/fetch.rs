//! `wget` and `curl` on a machine whose resolver answers nothing: every fetch is told, none happens.

use std::time::Duration;

use crate::clock;
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "curl" { curl(proc).await } else { wget(proc).await }
}

/// The parts of a URL that the tools show.
struct Url {
    scheme: String,
    host: String,
    port: u16,
}

fn split(url: &[u8]) -> Url {
    let text = String::from_utf8_lossy(url).into_owned();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest.to_owned()),
        None => ("http".to_owned(), text),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let default = match scheme.as_str() {
        "https" => 443,
        "ftp" => 21,
        _ => 80,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(default)),
        None => (authority.to_owned(), default),
    };
    Url { scheme, host, port }
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

async fn wget(proc: &mut Proc) -> Outcome {
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

async fn curl(proc: &mut Proc) -> Outcome {
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
