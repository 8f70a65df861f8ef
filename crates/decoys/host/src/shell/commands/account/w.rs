//! `w`, `who`, `users`.

use crate::clock;
use crate::shell::commands::system::uptime;
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let name = proc.name();
    let now = proc.io.now();
    let arguments = proc.arguments();
    let boot = arguments.iter().any(|a| a == b"-b");
    let text = proc.host.with(|machine| {
        let sessions: Vec<_> = machine.sessions().cloned().collect();
        match name.as_str() {
            "users" => {
                let mut names: Vec<_> = sessions.iter().map(|s| s.user.clone()).collect();
                names.sort();
                format!("{}\n", names.join(" "))
            }
            "who" if boot => {
                let at = base_model::Timestamp::from_micros(
                    machine.facts().boot_time.saturating_mul(1_000_000),
                );
                format!("         system boot  {}\n", clock::format(at, "%Y-%m-%d %H:%M"))
            }
            "who" => {
                let line = |s: &crate::LoginSession| {
                    let tty = s.tty.as_deref().unwrap_or_default();
                    let at = clock::format(s.since, "%Y-%m-%d %H:%M");
                    format!("{:<8} {tty:<12} {at} ({})\n", s.user, s.from)
                };
                sessions.iter().map(line).collect()
            }
            _ => {
                let mut out = uptime::line(machine, now);
                out.push_str(
                    "USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n",
                );
                for s in &sessions {
                    let mut what = s.running.clone();
                    what.truncate(what.char_indices().nth(30).map_or(what.len(), |(at, _)| at));
                    out.push_str(&format!(
                        "{:<8.8} {:<8} {:<16.16} {}    0.00s  0.02s  0.00s {what}\n",
                        s.user,
                        s.tty.as_deref().unwrap_or_default(),
                        s.from,
                        clock::format(s.since, "%H:%M"),
                    ));
                }
                out
            }
        }
    });
    proc.out(text).await?;
    Ok(0)
}
