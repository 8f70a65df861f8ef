//! Background commands: `jobs`, `wait`, `kill`.

use super::text;
use crate::shell::commands::{kill, signal};
use crate::shell::interp::{Flow, Interp};

pub(super) async fn jobs(shell: &mut Interp, _: Vec<Vec<u8>>) -> Flow {
    let listing = shell.proc.io.lock().job_lines(|job| {
        let state = if job.done.is_some() { "Done" } else { "Running" };
        Some((state.to_owned(), format!("{} &", job.text)))
    });
    shell.status = 0;
    shell.say(listing).await;
    Flow::Next
}

pub(super) async fn wait(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    let wanted = arguments.get(1).and_then(|pid| text(pid).parse::<u32>().ok());
    let io = shell.proc.io.clone();
    if let Some(pid) = wanted
        && !io.lock().jobs.iter().any(|job| job.pid == pid)
    {
        return shell.fail(format!("wait: pid {pid} is not a child of this shell"), 127).await;
    }
    shell.status = std::future::poll_fn(|_| {
        let io = io.lock();
        let mut jobs = io.jobs.iter().filter(|job| wanted.is_none_or(|pid| job.pid == pid));
        let status = jobs.clone().find_map(|job| job.done).unwrap_or(0);
        if io.new_jobs.is_empty() && jobs.all(|job| job.done.is_some()) {
            std::task::Poll::Ready(if wanted.is_some() { status } else { 0 })
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    Flow::Next
}

pub(super) async fn kill(shell: &mut Interp, arguments: Vec<Vec<u8>>) -> Flow {
    shell.status = 0;
    if arguments.len() < 2 {
        shell
            .proc
            .err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
            .await;
        shell.status = 2;
        return Flow::Next;
    }
    if arguments.get(1).is_some_and(|a| a == b"-l" || a == b"-L") {
        let text = match arguments.get(2).map(|a| text(a)) {
            None => signal::listing(),
            Some(asked) => match asked.parse::<u8>() {
                Ok(number) => {
                    let name = signal::name(number & 0x7f).unwrap_or("EXIT");
                    format!("{name}\n")
                }
                Err(_) => format!("{}\n", signal::number(&asked).unwrap_or(0)),
            },
        };
        shell.say(text).await;
        return Flow::Next;
    }
    let (signal, targets) = match signal::taken(arguments.get(1..).unwrap_or_default()) {
        Ok(taken) => taken,
        Err(wrong) => {
            return shell.fail(format!("kill: {wrong}: invalid signal specification"), 1).await;
        }
    };
    for target in targets {
        let spelled = text(&target);
        let Ok(number) = spelled.trim_start_matches('%').parse::<u32>() else {
            shell.fail(format!("kill: {spelled}: arguments must be process or job IDs"), 1).await;
            continue;
        };
        let by_job = spelled.starts_with('%');
        let job = {
            let mut guard = shell.proc.io.lock();
            // One that was just started is not among the others yet.
            let io = &mut *guard;
            let fresh = io.new_jobs.iter_mut().map(|(job, _)| job);
            let job = io.jobs.iter_mut().chain(fresh).find(|job| {
                if by_job { job.number as u64 == u64::from(number) } else { job.pid == number }
            });
            job.map(|job| {
                if signal != 0 {
                    job.done = Some(128_u8.saturating_add(signal));
                }
                job.pid
            })
        };
        let sent = kill::send(&shell.proc, job.unwrap_or(number), signal);
        match (job, sent) {
            (Some(_), _) | (None, Ok(())) => {}
            (None, Err(errno)) => {
                let why = kill::why(errno);
                shell.fail(format!("kill: ({number}) - {why}"), 1).await;
            }
        }
    }
    Flow::Next
}
