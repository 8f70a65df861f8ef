//! Replaying a session.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use base_runtime::Shutdown;

use super::safe::Safe;
use super::{Play, named, recording};
use crate::commands::daemon::{at, block_on, client, list, refused, text};
use crate::commands::inert::inert;
use crate::commands::{answer_with, note};
use crate::refusal::Exit;
use crate::up::on_signals;

/// Events that are fetched at a time.
const PAGE: u64 = 2000;

pub(super) fn run(options: &Play) -> ExitCode {
    answer_with(options.local.json, block_on(play(options)).map(|exit| (String::new(), exit)))
}

async fn play(options: &Play) -> anyhow::Result<Option<Exit>> {
    let shutdown = on_signals()?;
    let client = client(&options.local);
    let session = named(&client, &options.session).await?;
    let (decky, service) = (inert(text(&session, "decky")), inert(text(&session, "service")));
    let attacker = inert(text(&session, "attacker_ip"));
    let started = text(&session, "started_at");
    let mut screen = Screen { safe: Safe::default(), shutdown };
    let (mut offset, mut last) = (0, 0.0);
    let mut truncated = false;
    let mut going = true;
    while going {
        let path = format!("{}?limit={PAGE}&offset={offset}", recording(&session));
        let page = client.get(&path).await.map_err(refused)?;
        if offset == 0 {
            let header = at(&page, "header");
            let size = match (at(header, "width").as_u64(), at(header, "height").as_u64()) {
                (Some(width @ 1..), Some(height @ 1..)) => format!(", {width}x{height}"),
                _ => String::new(),
            };
            note(&format!("{attacker} on {decky}, {service}, {started}{size}"));
        }
        for event in list(&page, "events") {
            let part = |n: usize| event.get(n).unwrap_or(&serde_json::Value::Null);
            let (time, channel) = (part(0).as_f64().unwrap_or(last), part(1).as_str());
            let wait = pause(time - last, options);
            last = last.max(time);
            let shown =
                if channel == Some("o") { part(2).as_str().unwrap_or_default() } else { "" };
            going = screen.show(wait, shown).await?;
            if !going {
                break;
            }
        }
        offset += PAGE;
        truncated = at(&page, "truncated").as_bool().unwrap_or(false);
        going &= at(&page, "has_more").as_bool().unwrap_or(false);
    }
    let interrupted = screen.shutdown.is_asked();
    screen.end()?;
    note(match (interrupted, truncated) {
        (true, _) => "stopped",
        (false, true) => "the recording stopped at its limit; the session went on",
        (false, false) => "end of the session",
    });
    Ok(interrupted.then_some(Exit::Interrupted))
}

/// How long to wait for what came `seconds` later.
fn pause(seconds: f64, options: &Play) -> Duration {
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let wait = options.idle_limit.map_or(wait, |limit| wait.min(limit));
    Duration::try_from_secs_f64(wait.as_secs_f64() / options.speed).unwrap_or_default()
}

struct Screen {
    safe: Safe,
    shutdown: Shutdown,
}

impl Screen {
    /// Shows `text` after `wait`; returns whether to go on.
    async fn show(&mut self, wait: Duration, text: &str) -> anyhow::Result<bool> {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.shutdown.asked() => return Ok(false),
        }
        Ok(write(&self.safe.pass(text))?)
    }

    /// Puts the terminal back as it was.
    fn end(self) -> anyhow::Result<()> {
        write(&(self.safe.ending() + "\r\n"))?;
        Ok(())
    }
}

/// Writes at once; returns whether anyone still looks.
fn write(text: &str) -> std::io::Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Local;

    #[test]
    fn pauses_are_cut_before_they_are_made_shorter() {
        let options = |speed, idle_limit| Play {
            session: String::new(),
            speed,
            idle_limit,
            local: Local { state_dir: None, json: false },
        };
        let two = Some(Duration::from_secs(2));
        assert_eq!(pause(60.0, &options(4.0, two)), Duration::from_millis(500));
        assert_eq!(pause(1.0, &options(4.0, two)), Duration::from_millis(250));
        assert_eq!(pause(60.0, &options(1.0, None)), Duration::from_secs(60));
        for odd in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(pause(odd, &options(1.0, two)), Duration::ZERO);
        }
    }
}
