//! Memory: idle fleets, and what an open session costs.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use russh::ChannelMsg;
use russh::client::{Handle, Msg};
use rustix::process::{Resource, getrlimit};

use crate::figure::{Figure, Target};
use crate::ssh::{Mark, Trusting, config, log_in};
use crate::subject::Subject;

/// Interactive sessions held open.
const SESSIONS: usize = 100;
/// Services of idle deckies.
const SERVICES: &str = "ssh,http";
/// How long they are left alone before memory is read.
const REST: Duration = Duration::from_secs(3);
/// Descriptors a fleet of the larger sizes needs beside two listeners a decky.
const ROOM: u64 = 4096;

/// Idle memory of the sensor that the design allows, in MB.
const SENSOR: &[(usize, f64)] = &[(100, 40.0), (1000, 60.0)];
/// Idle memory of everything with 100 deckies.
const PLATFORM: (usize, f64) = (100, 150.0);

pub(crate) fn measure(fleets: &[usize], settle: u64) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for &deckies in fleets {
        if fits(deckies) {
            figures.extend(idle(deckies, Duration::from_secs(settle))?);
        } else {
            say(deckies);
        }
    }
    figures.extend(sessions()?);
    Ok(figures)
}

fn idle(deckies: usize, settle: Duration) -> anyhow::Result<Vec<Figure>> {
    let subject = Subject::with(deckies, SERVICES)?;
    thread::sleep(settle);
    let (control, decoy) = subject.memory()?;
    let ready = subject.ready_after.as_secs_f64();
    subject.stop()?;
    let of = |what: &str| format!("{deckies} deckies, {what}");
    let mut sensor = Figure::new(of("decoy process"), decoy, "MB");
    if let Some((_, bound)) = SENSOR.iter().find(|(size, _)| *size == deckies) {
        sensor = sensor.with(Target::AtMost(*bound));
    }
    let mut whole = Figure::new(of("both processes"), control + decoy, "MB");
    if PLATFORM.0 == deckies {
        whole = whole.with(Target::AtMost(PLATFORM.1));
    }
    let control = Figure::new(of("control"), control, "MB");
    Ok(vec![Figure::new(of("time to ready"), ready, "s"), sensor, control, whole])
}

fn fits(deckies: usize) -> bool {
    // No limit is a limit that fits.
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    deckies as u64 * 2 + ROOM.min(deckies as u64 * 4) <= limit
}

#[expect(clippy::print_stdout, reason = "a figure that is missing must be explained")]
fn say(deckies: usize) {
    println!("{deckies} deckies do not fit the limit of open files (`ulimit -Hn`): left out");
}

/// Memory of both processes for each shell that is open.
fn sessions() -> anyhow::Result<Vec<Figure>> {
    let subject = Subject::start(1)?;
    let mark = Mark::first(&subject)?;
    let runtime = tokio::runtime::Runtime::new()?;
    // The first makes keys and wakes the machine; its cost is not a session's.
    let first = runtime.block_on(shells(&mark, 1))?;
    thread::sleep(REST);
    let before = subject.memory()?;
    let open = runtime.block_on(shells(&mark, SESSIONS))?;
    thread::sleep(REST);
    let after = subject.memory()?;
    drop((first, open));
    subject.stop()?;
    let each = |before: f64, after: f64| (after - before) * 1e3 / SESSIONS as f64;
    let decoy = each(before.1, after.1);
    Ok(vec![
        Figure::new("one decky awake, decoy process", before.1, "MB"),
        Figure::new("an open interactive session, decoy process", decoy, "kB"),
        Figure::new("an open interactive session, control", each(before.0, after.0), "kB"),
    ])
}

/// An open shell.
struct Shell {
    _handle: Handle<Trusting>,
    _channel: russh::Channel<Msg>,
}

async fn shells(mark: &Mark, count: usize) -> anyhow::Result<Vec<Shell>> {
    let config = Arc::new(config());
    let mut shells = Vec::with_capacity(count);
    for n in 0..count {
        let handle = log_in(n, mark, &config).await?;
        let mut channel = handle.channel_open_session().await?;
        channel.request_pty(false, "xterm-256color", 120, 40, 0, 0, &[]).await?;
        channel.request_shell(false).await?;
        channel.data_bytes(&b"ls -la /etc\n"[..]).await?;
        let mut seen = Vec::new();
        // The prompt comes back after the listing.
        while !shows(&seen) {
            let message = channel.wait().await.context("the shell ended")?;
            if let ChannelMsg::Data { data } = message {
                seen.extend_from_slice(&data);
            }
            ensure!(seen.len() < 1 << 20, "no prompt after the listing");
        }
        shells.push(Shell { _handle: handle, _channel: channel });
    }
    Ok(shells)
}

/// Whether a listing was shown.
fn shows(seen: &[u8]) -> bool {
    String::from_utf8_lossy(seen).contains(" passwd\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_recognised_in_what_a_terminal_shows() {
        assert!(!shows(b"root@web:~# ls -la /etc\r\n"));
        assert!(shows(b"-rw-r--r-- 1 root root 1811 Jan  5 10:11 passwd\r\n"));
    }
}
