//! A person at a terminal: keys with their pauses, and answers read before the next line.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::time::{Instant, timeout_at};

use super::late;
use crate::clients::{Fault, Visitor};
use crate::plan::Typed;
use crate::rhythm;

/// An answer is there when nothing came for so long.
const QUIET: Duration = Duration::from_millis(200);
/// Longest wait for that.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest wait for the shell to end after `exit`.
const LEAVING: Duration = Duration::from_secs(5);

pub(super) async fn sit(
    visitor: &Visitor,
    mut channel: Channel<Msg>,
    term: &str,
    (columns, rows): (u32, u32),
    lines: &[Typed],
) -> Result<(), Fault> {
    late(channel.request_pty(true, term, columns, rows, 0, 0, &[]), "a terminal").await?;
    late(channel.request_shell(true), "a shell").await?;
    let mut open = answer(&mut channel).await;
    for typed in lines {
        if !open {
            return Ok(());
        }
        for key in rhythm::keys(&typed.line, typed.rhythm) {
            // What comes while a key is thought about is shown, not held.
            let until = Instant::now() + visitor.pace.shortened(key.after);
            while heard(&mut channel, until).await == Some(true) {}
            late(channel.data_bytes(vec![key.byte]), "room to send").await?;
        }
        open = answer(&mut channel).await;
        visitor.commanded(&typed.line).await;
        if open {
            visitor.pause(typed.read_ms).await;
        }
    }
    // `exit` ends the shell; a shell that stays is left.
    let until = Instant::now() + LEAVING;
    while open && heard(&mut channel, until).await == Some(true) {}
    Ok(())
}

/// Hears an answer to its end. Returns whether the shell is still there.
async fn answer(channel: &mut Channel<Msg>) -> bool {
    let last = Instant::now() + ANSWER;
    // A line feed at least comes, however long the machine thinks.
    let mut until = last;
    loop {
        match heard(channel, until).await {
            Some(true) => until = last.min(Instant::now() + QUIET),
            Some(false) => return false,
            None => return true,
        }
    }
}

/// Whether the channel is still open after its next message; `None` when none came until then.
async fn heard(channel: &mut Channel<Msg>, until: Instant) -> Option<bool> {
    let message = timeout_at(until, channel.wait()).await.ok()?;
    Some(!matches!(message, None | Some(ChannelMsg::Close | ChannelMsg::Eof)))
}
