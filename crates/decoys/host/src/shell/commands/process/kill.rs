//! `kill`, `killall`, `pkill`, `pgrep`, `pidof`.

use super::signal;
use crate::fs::Errno;
use crate::processes::Process;
use crate::shell::commands::options::{Accepts, Options, read_from};
use crate::shell::proc::{Outcome, Proc};
use crate::shell::regex::Regex;

/// `kill`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.first().is_some_and(|a| a == b"-l" || a == b"-L") {
        proc.out(signal::listing()).await?;
        return Ok(0);
    }
    let (signal, pids) = match signal::taken(&arguments) {
        Ok(taken) => taken,
        Err(wrong) => {
            proc.say_err(format!("unknown signal name {wrong}")).await;
            return Ok(1);
        }
    };
    if pids.is_empty() {
        proc.err("\nUsage:\n kill [options] <pid> [...]\n\nOptions:\n <pid> [...]            send signal to every <pid> listed\n -<signal>, -s, --signal <signal>\n                        specify the <signal> to be sent\n -q, --queue <value>    integer value to be sent with the signal\n -l, --list=[<signal>]  list all signal names, or convert one to a name\n -L, --table            list all signal names in a nice table\n\n -h, --help     display this help and exit\n -V, --version  output version information and exit\n\nFor more details see kill(1).\n").await;
        return Ok(1);
    }
    let mut status = 0;
    for pid in pids {
        let text = String::from_utf8_lossy(&pid).into_owned();
        let Ok(number) = text.parse::<u32>() else {
            proc.say_err(format!("failed to parse argument: '{text}'")).await;
            status = 1;
            continue;
        };
        if let Err(errno) = send(proc, number, signal) {
            let why = why(errno);
            proc.say_err(format!("({number}): {why}")).await;
            status = 1;
        }
    }
    Ok(status)
}

/// Sends a signal to the process `pid`; `ESRCH` is told as `ENOENT` here.
pub(in crate::shell) fn send(proc: &Proc, pid: u32, signal: u8) -> Result<(), Errno> {
    let now = proc.io.now();
    proc.host.with(|machine| {
        let found = machine.processes(now).into_iter().find(|process| process.pid == pid);
        let process = found.ok_or(Errno::NoEntry)?;
        machine.send_signal(&process, signal, proc.user.creds.uid, &proc.user.name)
    })
}

/// Why a signal was not sent.
pub(in crate::shell) fn why(errno: Errno) -> &'static str {
    if errno == Errno::NoEntry { "No such process" } else { errno.text() }
}

/// `killall`.
pub(in crate::shell::commands) async fn killall(proc: &mut Proc) -> Outcome {
    let (signal, names) = match signal::taken(&proc.arguments()) {
        Ok(taken) => taken,
        Err(wrong) => {
            proc.err(format!("{wrong}: unknown signal; killall -l lists signals.\n")).await;
            return Ok(1);
        }
    };
    let quiet = names.iter().any(|name| name == b"-q" || name == b"--quiet");
    let exact = |name: &&Vec<u8>| !name.starts_with(b"-");
    let names: Vec<Vec<u8>> = names.iter().filter(exact).cloned().collect();
    if names.is_empty() {
        proc.err("Usage: killall [OPTION]... [--] NAME...\n       killall -l, --list\n       killall -V, --version\n\n  -e,--exact          require exact match for very long names\n  -I,--ignore-case    case insensitive process name match\n  -g,--process-group  kill process group instead of process\n  -y,--younger-than   kill processes younger than TIME\n  -o,--older-than     kill processes older than TIME\n  -i,--interactive    ask for confirmation before killing\n  -l,--list           list all known signal names\n  -q,--quiet          don't print complaints\n  -r,--regexp         interpret NAME as an extended regular expression\n  -s,--signal SIGNAL  send this signal instead of SIGTERM\n  -u,--user USER      kill only process(es) running as USER\n  -v,--verbose        report if the signal was successfully sent\n  -V,--version        display version information\n  -w,--wait           wait for processes to die\n  -n,--ns PID         match processes that belong to the same namespaces\n                      as PID\n\n").await;
        return Ok(1);
    }
    let mut status = 0;
    for name in names {
        let name = String::from_utf8_lossy(&name).into_owned();
        let base = name.rsplit('/').next().unwrap_or_default();
        let found = table(proc);
        let found: Vec<&Process> = found.iter().filter(|p| p.name() == base).collect();
        if found.is_empty() {
            if !quiet {
                proc.err(format!("{name}: no process found\n")).await;
            }
            status = 1;
        }
        for process in found {
            if let Err(errno) = send(proc, process.pid, signal) {
                let why = why(errno);
                proc.err(format!("{name}({}): {why}\n", process.pid)).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

/// Everybody but the asker.
fn table(proc: &Proc) -> Vec<Process> {
    let now = proc.io.now();
    let mut table = proc.host.with(|machine| machine.processes(now));
    table.retain(|process| process.pid != proc.pid);
    table
}

const ACCEPTS: Accepts = Accepts::new(
    "acd:efg:ilnoP:s:t:u:U:vwx",
    &[
        ("list-full", b'a'),
        ("count", b'c'),
        ("delimiter=", b'd'),
        ("echo", b'e'),
        ("full", b'f'),
        ("ignore-case", b'i'),
        ("list-name", b'l'),
        ("newest", b'n'),
        ("oldest", b'o'),
        ("parent=", b'P'),
        ("terminal=", b't'),
        ("euid=", b'u'),
        ("uid=", b'U'),
        ("inverse", b'v'),
        ("exact", b'x'),
    ],
)
.status(2);

fn chosen(proc: &Proc, options: &Options) -> Result<Vec<Process>, String> {
    let pattern = options.rest.first().cloned().unwrap_or_default();
    let source = if options.has(b'x') { [b"^(", &pattern[..], b")$"].concat() } else { pattern };
    let regex =
        Regex::new(&source, true, options.has(b'i')).map_err(|fault| fault.text().to_owned())?;
    let list = |letter| {
        let value = options.value(letter).map(|v| String::from_utf8_lossy(v).into_owned());
        value.map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let users = list(b'u').or_else(|| list(b'U'));
    let users = users.map(|users| {
        let name = |user: String| match user.parse::<u32>() {
            Ok(uid) => proc.host.with(|m| m.accounts().by_uid(uid).map(|a| a.name.clone())),
            Err(_) => Some(user),
        };
        users.into_iter().filter_map(name).collect::<Vec<_>>()
    });
    let parents = list(b'P');
    let terminals = list(b't');
    let mut found = table(proc);
    found.retain(|process| {
        let text = if options.has(b'f') { process.command.as_str() } else { process.name() };
        let hit = regex.is_match(text.as_bytes())
            && users.as_ref().is_none_or(|users| users.contains(&process.user))
            && parents.as_ref().is_none_or(|p| p.contains(&process.ppid.to_string()))
            && terminals.as_ref().is_none_or(|t| t.contains(&process.tty));
        hit != options.has(b'v')
    });
    if options.has(b'n') {
        found = found.into_iter().max_by_key(|p| (p.started, p.pid)).into_iter().collect();
    } else if options.has(b'o') {
        found = found.into_iter().min_by_key(|p| (p.started, p.pid)).into_iter().collect();
    }
    Ok(found)
}

/// `pkill` and `pgrep`.
pub(in crate::shell::commands) async fn by_pattern(proc: &mut Proc) -> Outcome {
    let kills = proc.name() == "pkill";
    let arguments = proc.arguments();
    // A signal may only come first here.
    let (signal, rest) = match arguments.split_first() {
        Some((first, rest)) if kills && first.starts_with(b"-") => {
            let name = String::from_utf8_lossy(first.get(1..).unwrap_or_default()).into_owned();
            let name = name.strip_prefix("-signal=").unwrap_or(&name).to_owned();
            match signal::number(&name) {
                Some(signal) => (signal, rest.to_vec()),
                None => (15, arguments),
            }
        }
        _ => (15, arguments),
    };
    let options = read_from(proc, &ACCEPTS, rest).await?;
    let name = proc.name();
    let narrowed = b"uUPtg".iter().any(|letter| options.has(*letter));
    if options.rest.is_empty() && !narrowed {
        proc.err(format!(
            "{name}: no matching criteria specified\nTry `{name} --help' for more information.\n"
        ))
        .await;
        return Ok(2);
    }
    if options.rest.len() > 1 {
        proc.err(format!(
            "{name}: only one pattern can be provided\nTry `{name} --help' for more information.\n"
        ))
        .await;
        return Ok(2);
    }
    let found = match chosen(proc, &options) {
        Ok(found) => found,
        Err(why) => {
            proc.say_err(why).await;
            return Ok(2);
        }
    };
    if kills {
        let mut done = false;
        for process in &found {
            match send(proc, process.pid, signal) {
                Ok(()) => {
                    done = true;
                    if options.has(b'e') {
                        proc.out(format!("{} killed (pid {})\n", process.name(), process.pid))
                            .await?;
                    }
                }
                Err(errno) => {
                    let why = why(errno);
                    proc.say_err(format!("killing pid {} failed: {why}", process.pid)).await;
                }
            }
        }
        return Ok(u8::from(!done));
    }
    if options.has(b'c') {
        proc.out(format!("{}\n", found.len())).await?;
        return Ok(u8::from(found.is_empty()));
    }
    let line = |p: &Process| match (options.has(b'a'), options.has(b'l')) {
        (true, _) => format!("{} {}", p.pid, p.command),
        (_, true) => format!("{} {}", p.pid, p.name()),
        _ => p.pid.to_string(),
    };
    let between =
        options.value(b'd').map_or("\n".to_owned(), |d| String::from_utf8_lossy(d).into_owned());
    let lines: Vec<String> = found.iter().map(line).collect();
    if !lines.is_empty() {
        proc.out(format!("{}\n", lines.join(&between))).await?;
    }
    Ok(u8::from(found.is_empty()))
}

/// `pidof`.
pub(in crate::shell::commands) async fn pidof(proc: &mut Proc) -> Outcome {
    let options = read_from(proc, &Accepts::new("cnqso:xz", &[]), proc.arguments()).await?;
    let table = table(proc);
    let mut pids: Vec<u32> = Vec::new();
    for name in &options.rest {
        let name = String::from_utf8_lossy(name).into_owned();
        let base = name.rsplit('/').next().unwrap_or_default().to_owned();
        pids.extend(table.iter().rev().filter(|p| p.name() == base).map(|p| p.pid));
    }
    if options.has(b's') {
        pids.truncate(1);
    }
    if pids.is_empty() {
        return Ok(1);
    }
    if !options.has(b'q') {
        let list: Vec<String> = pids.iter().map(u32::to_string).collect();
        proc.out(format!("{}\n", list.join(" "))).await?;
    }
    Ok(0)
}
