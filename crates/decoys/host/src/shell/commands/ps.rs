//! `ps`.

use crate::processes::{Process, started};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let now = proc.io.now();
    let letters: Vec<u8> = proc
        .arguments()
        .iter()
        .filter(|a| !a.starts_with(b"--"))
        .flat_map(|a| a.strip_prefix(b"-").unwrap_or(a).to_vec())
        .collect();
    let dashed = proc.arguments().first().is_some_and(|a| a.starts_with(b"-"));
    let (mut table, total, tty) = proc.host.with(|machine| {
        let table = machine.processes(now);
        let session = machine.sessions().find(|s| s.pid == proc.session_pid).cloned();
        (table, machine.memory(now).total, session.and_then(|s| s.tty))
    });
    let place = tty.clone().unwrap_or_else(|| "?".to_owned());
    table.push(Process {
        pid: proc.pid,
        ppid: proc.session_pid,
        user: proc.user.name.clone(),
        tty: place.clone(),
        state: "R+",
        started: now.seconds(),
        cpu_seconds: 0,
        vsz: 11_084,
        rss: 4_412,
        command: String::from_utf8_lossy(&proc.args.join(&b' ')).into_owned(),
    });
    table.sort_by_key(|process| process.pid);
    let full = letters.contains(&b'f') && dashed;
    let everybody =
        letters.iter().any(|b| b"aAex".contains(b)) && (letters.contains(&b'x') || dashed);
    let by_user = letters.contains(&b'u') && !dashed;
    let mut out = String::new();
    if by_user {
        out.push_str(
            "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n",
        );
    } else if full {
        out.push_str("UID          PID    PPID  C STIME TTY          TIME CMD\n");
    } else {
        out.push_str("    PID TTY          TIME CMD\n");
    }
    for p in table {
        if !everybody && p.tty != place {
            continue;
        }
        let time = format!(
            "{:02}:{:02}:{:02}",
            p.cpu_seconds / 3600,
            p.cpu_seconds / 60 % 60,
            p.cpu_seconds % 60
        );
        let short = format!("{}:{:02}", p.cpu_seconds / 60, p.cpu_seconds % 60);
        let mem = p.rss * 1000 / total.max(1);
        let line = if by_user {
            format!(
                "{:<8.8} {:>7} {:>4} {:>2}.{} {:>6} {:>5} {:<8} {:<4} {:>5} {:>6} {}",
                p.user,
                p.pid,
                "0.0",
                mem / 10,
                mem % 10,
                p.vsz,
                p.rss,
                p.tty,
                p.state,
                started(p.started, now),
                short,
                p.command
            )
        } else if full {
            format!(
                "{:<8.8} {:>7} {:>7}  0 {:>5} {:<8} {time} {}",
                p.user,
                p.pid,
                p.ppid,
                started(p.started, now),
                p.tty,
                p.command
            )
        } else {
            let name = p.command.trim_start_matches(['-', '[']).trim_end_matches(']');
            let name = name.split([' ', ':']).next().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            format!("{:>7} {:<8} {time} {name}", p.pid, p.tty)
        };
        out.push_str(&line);
        out.push('\n');
    }
    proc.out(out).await?;
    Ok(0)
}
