//! `uptime`.

use base_model::Timestamp;

use crate::Machine;
use crate::clock;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let now = proc.io.now();
    let arguments = proc.arguments();
    let line = proc.host.with(|machine| match arguments.first().map(Vec::as_slice) {
        Some(b"-p" | b"--pretty") => pretty(machine, now),
        Some(b"-s" | b"--since") => {
            let boot = Timestamp::from_micros(machine.facts().boot_time.saturating_mul(1_000_000));
            format!("{}\n", clock::format(boot, "%Y-%m-%d %H:%M:%S"))
        }
        _ => line(machine, now),
    });
    proc.out(line).await?;
    Ok(0)
}

/// The line of `uptime`, which `w` begins with too.
pub(in crate::shell::commands) fn line(machine: &Machine, now: Timestamp) -> String {
    let up = (now.seconds() - machine.facts().boot_time).max(0);
    let (days, hours, minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    let since = match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours:>2}:{minutes:02}"),
        (1, _) => format!("1 day, {hours:>2}:{minutes:02}"),
        _ => format!("{days} days, {hours:>2}:{minutes:02}"),
    };
    let users = machine.sessions().count();
    let noun = if users == 1 { "user" } else { "users" };
    format!(
        " {} up {since},  {users} {noun},  load average: {}\n",
        clock::format(now, "%H:%M:%S"),
        machine.load(now).join(", ")
    )
}

fn pretty(machine: &Machine, now: Timestamp) -> String {
    let up = (now.seconds() - machine.facts().boot_time).max(0);
    let part = |n: i64, noun: &str| {
        (n > 0).then(|| format!("{n} {noun}{}", if n == 1 { "" } else { "s" }))
    };
    let parts = [
        part(up / 604_800, "week"),
        part(up / 86_400 % 7, "day"),
        part(up / 3600 % 24, "hour"),
        part(up / 60 % 60, "minute"),
    ];
    format!("up {}\n", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
