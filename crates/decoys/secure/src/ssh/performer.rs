//! Performs what the session wants, in order.

use std::sync::PoisonError;

use decoys_kit::ssh::{Channel, SshReply};
use russh::Disconnect;
use russh::server::Handle;

use super::brain::{Act, Brain, Over};
use super::handler::Shared;

/// Most bytes handed to russh at once; it holds one such piece beyond the client's window.
const PIECE: usize = 32 * 1024;

/// Performs acts as they come, until the connection cannot go on.
pub(super) async fn run(brain: &Brain, shared: &Shared, client: &Handle) -> Over {
    loop {
        while let Some(act) = brain.next_act() {
            if let Err(over) = perform(act, brain, shared, client).await {
                return over;
            }
        }
        if brain.is_broken() {
            return Over;
        }
        brain.work.notified().await;
    }
}

/// Performs what is left once the client is gone.
pub(super) async fn drain(brain: &Brain) {
    while let Some(act) = brain.next_act() {
        if let Act::Out(outward) = act
            && brain.world().perform(outward).await.is_err()
        {
            return;
        }
    }
}

async fn perform(act: Act, brain: &Brain, shared: &Shared, client: &Handle) -> Result<(), Over> {
    let reply = match act {
        Act::Out(outward) => return brain.world().perform(outward).await.map_err(|_| Over),
        Act::Reply(reply) => reply,
    };
    let gone = |()| Over;
    match reply {
        SshReply::Auth(answer) => {
            let pending = shared.auth.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Nobody waits any more when the client went away meanwhile.
            pending.and_then(|pending| pending.send(answer).err());
        }
        SshReply::Data(channel, bytes) => send(shared, client, channel, None, bytes).await?,
        SshReply::Stderr(channel, bytes) => send(shared, client, channel, Some(1), bytes).await?,
        SshReply::ExitStatus(channel, status) => {
            if let Some(id) = shared.channel(channel) {
                client.exit_status_request(id, status).await.map_err(gone)?;
            }
        }
        SshReply::Eof(channel) => {
            if let Some(id) = shared.channel(channel) {
                client.eof(id).await.map_err(gone)?;
            }
        }
        SshReply::Close(channel) => {
            if let Some(id) = shared.channel(channel) {
                client.close(id).await.map_err(gone)?;
            }
        }
        SshReply::Disconnect(code, text) => {
            let reason = reason(code);
            // Fails only when the connection is already gone.
            drop(client.disconnect(reason, text.to_owned(), String::new()).await);
            return Err(Over);
        }
        SshReply::Opened(..) | SshReply::Requested(..) => {}
    }
    Ok(())
}

async fn send(
    shared: &Shared,
    client: &Handle,
    channel: Channel,
    extended: Option<u32>,
    bytes: Vec<u8>,
) -> Result<(), Over> {
    let mut bytes = bytes::Bytes::from(bytes);
    while !bytes.is_empty() {
        let Some(id) = shared.channel(channel) else { return Ok(()) };
        let piece = bytes.split_to(bytes.len().min(PIECE));
        let sent = match extended {
            Some(kind) => client.extended_data(id, kind, piece).await,
            None => client.data(id, piece).await,
        };
        sent.map_err(|_| Over)?;
    }
    Ok(())
}

fn reason(code: u32) -> Disconnect {
    match code {
        2 => Disconnect::ProtocolError,
        11 => Disconnect::ByApplication,
        12 => Disconnect::TooManyConnections,
        14 => Disconnect::NoMoreAuthMethodsAvailable,
        _ => Disconnect::ByApplication,
    }
}
