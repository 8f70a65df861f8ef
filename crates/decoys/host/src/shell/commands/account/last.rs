//! `last`: who is logged in, who was last, and when the machine started.

use base_model::Timestamp;

use crate::clock;
use crate::shell::commands::options::{Accepts, read_from};
use crate::shell::commands::text::amount::spelled;
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "adf:Fin:p:Rs:t:wx",
    &[
        ("hostlast", b'a'),
        ("limit=", b'n'),
        ("fulltimes", b'F'),
        ("ip", b'i'),
        ("nohostname", b'R'),
        ("fullnames", b'w'),
        ("system", b'x'),
    ],
);

/// A line before it is shown: begin, user, terminal, host, end.
type Line = (Timestamp, String, String, String, String);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read_from(proc, &ACCEPTS, spelled(proc.arguments())).await?;
    let limit = options.value(b'n').map(String::from_utf8_lossy);
    let limit = limit.and_then(|n| n.parse::<usize>().ok()).filter(|n| *n > 0);
    let full = options.has(b'F');
    let (mut lines, begins) = proc.host.with(|machine| {
        let facts = machine.facts();
        let boot = Timestamp::from_micros(facts.boot_time.saturating_mul(1_000_000));
        let mut lines: Vec<Line> = Vec::new();
        for session in machine.sessions() {
            let tty = session.tty.clone().unwrap_or_default();
            let end = "  still logged in".to_owned();
            lines.push((session.since, session.user.clone(), tty, session.from.clone(), end));
        }
        for account in machine.accounts().people() {
            let Some((at, from)) = machine.last_login(&account.name) else { continue };
            let at = Timestamp::from_micros(at);
            let now = lines.iter().any(|line| line.0 == at && line.1 == account.name);
            if !now {
                let end = " - gone - no logout".to_owned();
                lines.push((at, account.name.clone(), "pts/0".to_owned(), from.to_owned(), end));
            }
        }
        let kernel = facts.release.kernel.get(..16).unwrap_or(&facts.release.kernel).to_owned();
        lines.push((
            boot,
            "reboot".to_owned(),
            "system boot".to_owned(),
            kernel,
            "  still running".to_owned(),
        ));
        (lines, boot)
    });
    lines.sort_by_key(|line| std::cmp::Reverse(line.0));
    let wanted: Vec<String> =
        options.rest.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    lines.retain(|line| wanted.is_empty() || wanted.contains(&line.1) || wanted.contains(&line.2));
    let mut out = String::new();
    let format = if full { "%a %b %e %H:%M:%S %Y" } else { "%a %b %e %H:%M" };
    for (at, user, tty, host, end) in lines.into_iter().take(limit.unwrap_or(usize::MAX)) {
        let host = if options.has(b'R') { String::new() } else { format!("{host:<16.16} ") };
        out.push_str(&format!(
            "{user:<8.8} {tty:<12.12} {host}{} {end}\n",
            clock::format(at, format)
        ));
    }
    out.push_str(&format!("\nwtmp begins {}\n", clock::format(begins, "%a %b %e %H:%M:%S %Y")));
    proc.out(out).await?;
    Ok(0)
}
