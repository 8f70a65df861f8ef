//! `top`.

use std::time::Duration;

use crate::processes::Process;
use crate::shell::commands::system::uptime;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let mut batch = false;
    let mut turns = u64::MAX;
    let mut delay: f64 = 3.0;
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        let text = String::from_utf8_lossy(&argument).into_owned();
        let letters = text.trim_start_matches('-');
        batch |= letters.contains('b');
        for (letter, is_turns) in [('n', true), ('d', false)] {
            let Some(at) = letters.find(letter) else { continue };
            let attached = letters.get(at + 1..).unwrap_or_default().trim_start_matches('=');
            let digits = attached.starts_with(|c: char| c.is_ascii_digit());
            let value = if digits {
                attached.to_owned()
            } else {
                String::from_utf8_lossy(&arguments.next().unwrap_or_default()).into_owned()
            };
            let number: String =
                value.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            if is_turns {
                turns = number.parse().unwrap_or(1).max(1);
            } else {
                delay = number.parse().unwrap_or(3.0);
            }
            break;
        }
    }
    let tty = proc.out_is_tty();
    if !tty && !batch {
        proc.err("top: failed tty get\n").await;
        return Ok(1);
    }
    for turn in 0..turns {
        if turn > 0 {
            if batch || !tty {
                proc.io.sleep(Duration::from_secs_f64(delay.clamp(0.5, 3600.0))).await;
            } else if wait_or_quit(proc, delay).await {
                break;
            }
        }
        let text = page(proc);
        if batch {
            let gap = if turn > 0 { "\n\n" } else { "" };
            proc.out(format!("{gap}{text}")).await?;
        } else {
            let rows = proc.io.lock().tty.map_or(24, |(_, rows)| rows);
            let rows = usize::try_from(rows).unwrap_or(24).clamp(8, 200);
            let shown: Vec<&str> = text.lines().take(rows - 1).collect();
            proc.out(format!("\x1b[H\x1b[2J{}\n", shown.join("\n"))).await?;
        }
    }
    Ok(0)
}

/// Waits for the next page; true when `q` was typed.
async fn wait_or_quit(proc: &Proc, delay: f64) -> bool {
    let until = proc.io.now() + Duration::from_secs_f64(delay.clamp(0.5, 3600.0));
    loop {
        let typed = {
            let mut io = proc.io.lock();
            io.input.pop_front()
        };
        match typed {
            Some(b'q') => return true,
            Some(_) => continue,
            None if proc.io.now() >= until => return false,
            None => {
                let step = (proc.io.now() + Duration::from_millis(250)).min(until);
                proc.io.sleep_until(step).await;
            }
        }
    }
}

fn page(proc: &Proc) -> String {
    let now = proc.io.now();
    proc.host.with(|machine| {
        let mut table = machine.processes(now);
        let memory = machine.memory(now);
        let running = table.iter().filter(|p| p.state.starts_with('R')).count();
        let sleeping = table.len() - running;
        let tenths = |kb: u64| format!("{:.1}", f64::from(u32::try_from(kb).unwrap_or(u32::MAX)) / 1024.0);
        let used = memory.total - memory.free - memory.cached;
        let swap = machine.facts().swap_kb;
        let mut out = format!(
            "top -{}Tasks: {:>3} total,   {running} running, {sleeping:>3} sleeping,   0 stopped,   0 zombie\n\
             %Cpu(s):  {}.{} us,  0.3 sy,  0.0 ni, {}.{} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n\
             MiB Mem : {:>8} total, {:>8} free, {:>8} used, {:>8} buff/cache     \n\
             MiB Swap: {:>8} total, {:>8} free, {:>8} used. {:>8} avail Mem \n\n",
            uptime::line(machine, now),
            table.len(),
            now.seconds() / 3 % 2,
            now.seconds() / 3 % 7,
            99 - now.seconds() / 3 % 2,
            6 - now.seconds() / 3 % 7,
            tenths(memory.total),
            tenths(memory.free),
            tenths(used),
            tenths(memory.cached),
            tenths(swap),
            tenths(swap),
            "0.0",
            tenths(memory.available),
        );
        out.push_str("    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n");
        table.sort_by_key(|p| (!p.state.starts_with('R'), p.pid));
        for p in table {
            out.push_str(&row(&p, memory.total));
        }
        out
    })
}

fn row(p: &Process, total: u64) -> String {
    let kernel = p.state.contains('<');
    let (priority, nice) = if kernel { ("0", "-20") } else { ("20", "0") };
    let memory = p.rss * 1000 / total.max(1);
    let user = if p.user.len() > 8 {
        format!("{}+", p.user.get(..7).unwrap_or_default())
    } else {
        p.user.clone()
    };
    format!(
        "{:>7} {user:<8} {priority:>3} {nice:>3} {:>7} {:>6} {:>6} {} {:>5} {:>5} {:>6}:{:02}.{:02} {}\n",
        p.pid,
        p.vsz,
        p.rss,
        p.rss / 5 * 4,
        p.state.get(..1).unwrap_or("S"),
        "0.0",
        format!("{}.{}", memory / 10, memory % 10),
        p.cpu_seconds / 60,
        p.cpu_seconds % 60,
        p.pid % 100,
        p.name(),
    )
}
