//! Programs that connect: `ping`, `nc`, `telnet`, `ssh`, `tftp`, `ftpget`. Nothing leaves: names do not
//! resolve, addresses elsewhere do not answer, this machine answers for itself.

use std::time::Duration;

use super::facts::{is_here, listens};
use super::url::is_address;
use crate::shell::commands::process::timeout_seconds;
use crate::shell::io::Act;
use crate::shell::proc::{Outcome, Proc};

/// How long the resolver tries.
const RESOLVING: Duration = Duration::from_millis(2040);
/// How long until a neighbour that is not there is given up.
const UNREACHABLE: Duration = Duration::from_millis(3080);

fn texts(proc: &Proc) -> Vec<String> {
    proc.arguments().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect()
}

/// Options that take a value, of those in `valued`; operands.
fn operands(arguments: &[String], valued: &str) -> (Vec<(char, String)>, Vec<String>) {
    let mut options = Vec::new();
    let mut rest = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(letters) = argument.strip_prefix('-').filter(|l| !l.is_empty()) else {
            rest.push(argument.clone());
            continue;
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            if valued.contains(letter) {
                let attached: String = letters.by_ref().collect();
                let value = if attached.is_empty() {
                    arguments.next().cloned().unwrap_or_default()
                } else {
                    attached
                };
                options.push((letter, value));
            } else {
                options.push((letter, String::new()));
            }
        }
    }
    (options, rest)
}

fn value(options: &[(char, String)], letter: char) -> Option<&str> {
    options.iter().rev().find(|(l, _)| *l == letter).map(|(_, value)| value.as_str())
}

/// `ping`.
pub(in crate::shell::commands) async fn ping(proc: &mut Proc) -> Outcome {
    let (options, rest) = operands(&texts(proc), "cIiWwstMpQlSTt");
    let Some(host) = rest.first().cloned() else {
        proc.err("ping: usage error: Destination address required\n").await;
        return Ok(1);
    };
    if !is_address(&host) && !is_here(proc, &host) {
        proc.io.sleep(RESOLVING).await;
        proc.err(format!("ping: {host}: Temporary failure in name resolution\n")).await;
        return Ok(2);
    }
    let count = match value(&options, 'c').map(str::parse::<u64>) {
        None => u64::MAX,
        Some(Ok(count)) if count > 0 => count,
        Some(_) => {
            let given = value(&options, 'c').unwrap_or_default();
            proc.err(format!("ping: invalid argument: '{given}'\n")).await;
            return Ok(1);
        }
    };
    let interval = value(&options, 'i')
        .and_then(|i| i.parse::<f64>().ok())
        .unwrap_or(1.0)
        .clamp(0.002, 3600.0);
    let deadline = value(&options, 'w').and_then(|w| w.parse::<u64>().ok());
    let here = is_here(proc, &host);
    let own = proc.host.with(|m| m.decky().ip.to_string());
    let ip = if is_address(&host) { host.clone() } else { "127.0.0.1".to_owned() };
    proc.out(format!("PING {host} ({ip}) 56(84) bytes of data.\n")).await?;
    let started = proc.io.now();
    let mut sent = 0;
    while sent < count {
        sent += 1;
        if here {
            let time = 20
                + proc
                    .host
                    .with(|m| m.read_device(crate::fs::Device::Random, 1))
                    .first()
                    .copied()
                    .unwrap_or(9)
                    / 8;
            proc.out(format!("64 bytes from {ip}: icmp_seq={sent} ttl=64 time=0.0{time} ms\n"))
                .await?;
        }
        let over = deadline.is_some_and(|d| proc.io.now().since(started).as_secs() >= d);
        if sent < count && !over {
            proc.io.sleep(Duration::from_secs_f64(interval)).await;
        }
        if !here && sent % 3 == 0 {
            for number in sent - 2..=sent {
                proc.out(format!("From {own} icmp_seq={number} Destination Host Unreachable\n"))
                    .await?;
            }
        }
        if over {
            break;
        }
    }
    if !here {
        proc.io.sleep(UNREACHABLE).await;
    }
    let took = proc.io.now().since(started).as_millis();
    let (received, loss) = if here { (sent, 0) } else { (0, 100) };
    let errors = if here { String::new() } else { format!("+{sent} errors, ") };
    let mut tail = format!(
        "\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} received, {errors}{loss}% packet loss, time {took}ms\n"
    );
    tail.push_str(if here { "rtt min/avg/max/mdev = 0.021/0.035/0.051/0.008 ms\n" } else { "\n" });
    proc.out(tail).await?;
    Ok(u8::from(!here))
}

/// `nc`.
pub(in crate::shell::commands) async fn nc(proc: &mut Proc) -> Outcome {
    let (options, rest) = operands(&texts(proc), "ceghGiopqsTwx");
    let has = |letter| options.iter().any(|(l, _)| *l == letter);
    if has('h') {
        proc.err("[v1.10-47]\nconnect to somewhere:\tnc [-options] hostname port[s] [ports] ... \nlisten for inbound:\tnc -l -p port [-options] [hostname] [port]\n").await;
        return Ok(0);
    }
    if has('l') {
        // Nobody ever connects.
        loop {
            proc.io.sleep(Duration::from_secs(3600)).await;
        }
    }
    let [host, ports @ ..] = rest.as_slice() else {
        proc.err("no destination\n").await;
        return Ok(1);
    };
    if ports.is_empty() {
        proc.err("no port[s] to connect to\n").await;
        return Ok(1);
    }
    if !is_address(host) && !is_here(proc, host) {
        if has('n') {
            proc.err(format!("Can't parse {host} as an IP address\n")).await;
        } else {
            proc.io.sleep(RESOLVING).await;
            proc.err(format!("{host}: forward host lookup failed: Host name lookup failure : Resource temporarily unavailable\n")).await;
        }
        return Ok(1);
    }
    let wait = value(&options, 'w').and_then(|w| timeout_seconds(w.as_bytes()));
    let mut status = 1;
    for spec in ports {
        let (from, to) = spec.split_once('-').unwrap_or((spec, spec));
        let (Ok(from), Ok(to)) = (from.parse::<u16>(), to.parse::<u16>()) else {
            proc.err(format!("invalid port {spec}\n")).await;
            return Ok(1);
        };
        for port in (from..=to).take(2048) {
            proc.io.tick().await;
            if is_here(proc, host) {
                let open = listens(proc, port);
                if open {
                    status = 0;
                }
                if has('v') {
                    let word = if open { "open" } else { ": Connection refused" };
                    proc.err(format!("localhost [127.0.0.1] {port} (?) {word}\n")).await;
                }
                continue;
            }
            let pause = wait.map_or(UNREACHABLE, |w| UNREACHABLE.min(Duration::from_secs_f64(w)));
            proc.io.sleep(pause).await;
            if has('v') {
                let why =
                    if pause < UNREACHABLE { "Connection timed out" } else { "No route to host" };
                proc.err(format!("(UNKNOWN) [{host}] {port} (?) : {why}\n")).await;
            }
        }
    }
    Ok(status)
}

/// `telnet`.
pub(in crate::shell::commands) async fn telnet(proc: &mut Proc) -> Outcome {
    let (_, rest) = operands(&texts(proc), "eklnX");
    let Some(host) = rest.first().cloned() else {
        proc.out("telnet> ").await?;
        return Ok(0);
    };
    let port = rest.get(1).map_or("telnet", String::as_str).to_owned();
    if !is_address(&host) && !is_here(proc, &host) {
        proc.io.sleep(RESOLVING).await;
        proc.err(format!(
            "telnet: could not resolve {host}/{port}: Temporary failure in name resolution\n"
        ))
        .await;
        return Ok(1);
    }
    proc.out(format!("Trying {host}...\n")).await?;
    let why = if is_here(proc, &host) {
        "Connection refused"
    } else {
        proc.io.sleep(UNREACHABLE).await;
        "No route to host"
    };
    proc.err(format!("telnet: Unable to connect to remote host: {why}\n")).await;
    Ok(1)
}

/// `ssh`.
pub(in crate::shell::commands) async fn ssh(proc: &mut Proc) -> Outcome {
    let arguments = texts(proc);
    if arguments.first().is_some_and(|a| a == "-V") {
        let version = proc.host.with(|m| m.facts().release.ssh.clone());
        // Where the banner hides that it is the portable version, the client does not.
        let portable = if version.trim_start_matches("OpenSSH_").contains('p') { "" } else { "p1" };
        let library = proc.host.distro().package("openssl");
        proc.err(format!("{version}{portable}, {library}\n")).await;
        return Ok(0);
    }
    let (options, rest) = operands(&arguments, "BbcDEeFIiJLlmOopQRSWw");
    let Some(target) = rest.first().cloned() else {
        proc.err("usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]\n           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]\n           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]\n           [-i identity_file] [-J [user@]host[:port]] [-L address]\n           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]\n           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]\n           [-w local_tun[:remote_tun]] destination [command [argument ...]]\n").await;
        return Ok(255);
    };
    let host = target.rsplit('@').next().unwrap_or_default().to_owned();
    let port = value(&options, 'p').unwrap_or("22").to_owned();
    if !is_address(&host) && !is_here(proc, &host) {
        proc.io.sleep(RESOLVING).await;
        proc.err(format!(
            "ssh: Could not resolve hostname {host}: Temporary failure in name resolution\n"
        ))
        .await;
        return Ok(255);
    }
    let why = if is_here(proc, &host) && !listens(proc, port.parse().unwrap_or(0)) {
        "Connection refused"
    } else if is_here(proc, &host) {
        "Connection reset by peer"
    } else {
        proc.io.sleep(UNREACHABLE).await;
        "No route to host"
    };
    proc.err(format!("ssh: connect to host {host} port {port}: {why}\n")).await;
    Ok(255)
}

/// `tftp` of busybox and tftp-hpa: `-g -r FILE HOST`, `HOST -c get FILE`.
pub(in crate::shell::commands) async fn tftp(proc: &mut Proc) -> Outcome {
    let (options, rest) = operands(&texts(proc), "lrbm");
    let host = rest.iter().find(|word| !matches!(word.as_str(), "get" | "put")).cloned();
    let Some(host) = host else {
        proc.err("tftp> \n").await;
        return Ok(1);
    };
    let file = value(&options, 'r')
        .map(str::to_owned)
        .or_else(|| rest.last().filter(|f| **f != host).cloned());
    if let Some(file) = &file {
        let url = format!("tftp://{host}/{file}");
        proc.io.act(Act::Fetch { tool: "tftp", url: url.into_bytes() });
    }
    if !is_address(&host) {
        proc.io.sleep(RESOLVING).await;
        proc.err(format!("tftp: bad address '{host}'\n")).await;
        return Ok(1);
    }
    proc.io.sleep(Duration::from_secs(25)).await;
    proc.err("tftp: timeout\n").await;
    Ok(1)
}

/// `ftpget` of busybox: `[-u USER] [-p PASSWORD] [-P PORT] HOST [LOCAL] REMOTE`.
pub(in crate::shell::commands) async fn ftpget(proc: &mut Proc) -> Outcome {
    let (options, rest) = operands(&texts(proc), "upP");
    let [host, files @ ..] = rest.as_slice() else {
        proc.err(format!("BusyBox {} multi-call binary.\n\nUsage: ftpget [OPTIONS] HOST [LOCAL_FILE] REMOTE_FILE\n", proc.host.distro().busybox)).await;
        return Ok(1);
    };
    if let Some(file) = files.last() {
        let user = value(&options, 'u').map(|user| format!("{user}@")).unwrap_or_default();
        let url = format!("ftp://{user}{host}/{file}");
        proc.io.act(Act::Fetch { tool: "ftpget", url: url.into_bytes() });
    }
    if !is_address(host) {
        proc.io.sleep(RESOLVING).await;
        proc.err(format!("ftpget: bad address '{host}'\n")).await;
    } else {
        proc.io.sleep(UNREACHABLE).await;
        proc.err(format!("ftpget: can't connect to remote host ({host}): No route to host\n"))
            .await;
    }
    Ok(1)
}
