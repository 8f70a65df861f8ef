//! `timeout`.

use std::future::Future as _;
use std::task::Poll;
use std::time::Duration;

use super::signal;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::commands::system::env::run_quietly;
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "+k:s:v",
    &[
        ("foreground", b'f'),
        ("kill-after=", b'k'),
        ("preserve-status", b'p'),
        ("signal=", b's'),
        ("verbose", b'v'),
    ],
)
.status(125);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let signal = match options.value(b's') {
        None => 15,
        Some(text) => match signal::number(&String::from_utf8_lossy(text)) {
            Some(signal) => signal,
            None => return Err(proc.misused_with("invalid signal", text, 125).await),
        },
    };
    let [duration, command @ ..] = options.rest.as_slice() else {
        proc.missing_operand().await;
        return Ok(125);
    };
    if command.is_empty() {
        proc.missing_operand().await;
        return Ok(125);
    }
    let Some(seconds) = seconds(duration) else {
        return Err(proc.misused_with("invalid time interval", duration, 125).await);
    };
    let inner = proc.clone();
    let mut run = Box::pin(run_quietly(&inner, command.to_vec(), "timeout"));
    if seconds == 0.0 {
        return Ok(run.await);
    }
    let until = proc.io.now() + Duration::from_secs_f64(seconds.min(86_400.0 * 30.0));
    let mut sleep = Box::pin(proc.io.sleep_until(until));
    let ended = std::future::poll_fn(|cx| {
        if let Poll::Ready(status) = run.as_mut().poll(cx) {
            return Poll::Ready(Some(status));
        }
        sleep.as_mut().poll(cx).map(|()| None)
    })
    .await;
    match ended {
        Some(status) => Ok(status),
        None if options.has(b'p') => Ok(128_u8.saturating_add(signal)),
        None if signal == 9 => Ok(137),
        None => Ok(124),
    }
}

/// `5`, `0.5`, `2m`, `1h`, `1d`.
pub(in crate::shell::commands) fn seconds(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, factor) = match text.as_bytes().last()? {
        b's' => (text.strip_suffix('s')?, 1.0),
        b'm' => (text.strip_suffix('m')?, 60.0),
        b'h' => (text.strip_suffix('h')?, 3600.0),
        b'd' => (text.strip_suffix('d')?, 86_400.0),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok()?;
    (number >= 0.0 && !number.is_nan()).then_some(number * factor)
}
