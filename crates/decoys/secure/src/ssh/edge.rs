//! One SSH connection from its first byte to its last.

use std::sync::Arc;

use base_model::catalogue;
use chacha20::ChaCha12Rng;
use decoys_kit::ssh::SshSession;
use russh::server::{Config, run_stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::brain::Brain;
use super::handler::{Client, Shared};
use super::ident::{self, Ident, Resumed};
use super::performer;
use crate::world::World;

/// Serves one client on `stream` with the decisions of `session`; `config` comes from
/// [`super::HostKeys::config`] with the session's own banner. Returns when the connection is over
/// and everything that happened is told.
pub async fn serve<S>(
    stream: S,
    session: Box<dyn SshSession>,
    rng: ChaCha12Rng,
    config: Arc<Config>,
    world: Arc<dyn World>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let brain = Arc::new(Brain::new(session, rng, world));
    tokio::select! {
        () = converse(stream, config, &brain) => {}
        () = timeouts(&brain) => {}
    }
    drop(brain.step(|session, cx| session.on_close(cx)));
    performer::drain(&brain).await;
}

async fn converse<S>(mut stream: S, config: Arc<Config>, brain: &Arc<Brain>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let banner = brain.banner();
    match ident::exchange(&mut stream, &banner).await {
        Ok((raw, Ident::Ssh(line))) => {
            if brain.step(|session, cx| session.on_client(cx, &line)).is_ok() {
                talk(stream, banner.len() + 2, raw, config, brain).await;
            }
        }
        Ok((_, Ident::Other(line))) => {
            let why = "not an SSH identification string";
            // A session that is over has nothing to add.
            drop(brain.step(|_, cx| cx.emit(catalogue::protocol_error(why, &line))));
        }
        Err(error) => tracing::debug!(%error, "client left before its identification string"),
    }
}

async fn talk<S>(stream: S, sent: usize, raw: Vec<u8>, config: Arc<Config>, brain: &Arc<Brain>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // russh runs on a task of its own; dropping this ends its stream.
    let (ending, mut ended) = watch::channel(());
    let stream =
        Resumed::new(stream, sent, raw, async move { while ended.changed().await.is_ok() {} });
    let shared = Arc::new(Shared::default());
    let client = Client { brain: Arc::clone(brain), shared: Arc::clone(&shared) };
    let running = match run_stream(config, stream, client).await {
        Ok(running) => running,
        Err(error) => return tracing::debug!(%error, "ssh connection failed at its start"),
    };
    let handle = running.handle();
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => {
            if let Err(error) = ended {
                tracing::debug!(%error, "ssh connection ended");
            }
        }
        _ = performer::run(brain, &shared, &handle) => {
            // Lets a disconnect message out, but does not wait for a client that is stuck.
            let patience = std::time::Duration::from_secs(2);
            drop(tokio::time::timeout(patience, &mut running).await);
        }
    }
    drop(ending);
}

/// Lets the session's timeouts fire. Returns when the session is over.
async fn timeouts(brain: &Brain) {
    loop {
        let wait = brain.poll_timeout().map(|due| due.since(brain.world().now()));
        tokio::select! {
            () = brain.timer.notified() => {}
            () = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            } => {
                let due = brain.poll_timeout().is_some_and(|due| due <= brain.world().now());
                if due && brain.step(|session, cx| session.on_timeout(cx)).is_err() {
                    return;
                }
            }
        }
    }
}
