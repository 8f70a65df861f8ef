//! Commands and files on a connection that is logged in.

use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg};
use tokio::time::{Instant, timeout_at};

use super::{Trusting, late, sftp, terminal};
use crate::clients::{Fault, Visitor};
use crate::plan::SshWork;

/// Longest wait for a command to end; bots give up as well.
const COMMAND: Duration = Duration::from_secs(20);
/// Most bytes kept of an answer.
const MOST: usize = 1024 * 1024;

pub(super) async fn perform(
    visitor: &Visitor,
    handle: &Handle<Trusting>,
    work: &SshWork,
) -> Result<(), Fault> {
    match work {
        SshWork::Pause(ms) => visitor.pause(*ms).await,
        SshWork::Exec(line) => {
            let mut run = Run::start(handle, line).await?;
            while run.receive().await? {}
            visitor.commanded(line).await;
        }
        SshWork::Scp { path, payload } => {
            scp(handle, path, &payload.name, &payload.bytes).await?;
            visitor.uploaded(path).await;
        }
        SshWork::Sftp { path, payload } => {
            let channel = late(handle.channel_open_session(), "a channel").await?;
            late(channel.request_subsystem(true, "sftp"), "SFTP").await?;
            sftp::put(Run::of(channel), path, &payload.bytes).await?;
            visitor.uploaded(path).await;
        }
        SshWork::Terminal { term, size, lines } => {
            let channel = late(handle.channel_open_session(), "a channel").await?;
            terminal::sit(visitor, channel, term, *size, lines).await?;
        }
    }
    Ok(())
}

/// The old protocol of `scp`: the length and name of a file, then its bytes; a zero takes each.
async fn scp(handle: &Handle<Trusting>, path: &str, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    let mut run = Run::start(handle, &format!("scp -t {path}")).await?;
    run.taken().await?;
    run.send(format!("C0755 {} {name}\n", bytes.len()).as_bytes()).await?;
    run.taken().await?;
    run.send(bytes).await?;
    run.send(&[0]).await?;
    run.taken().await?;
    late(run.channel.eof(), "the end of a file").await?;
    while run.receive().await? {}
    Ok(())
}

/// A command or subsystem at work.
pub(super) struct Run {
    channel: Channel<Msg>,
    /// What it said and nobody took.
    pub(super) said: Vec<u8>,
    deadline: Instant,
}

impl Run {
    async fn start(handle: &Handle<Trusting>, line: &str) -> Result<Self, Fault> {
        let channel = late(handle.channel_open_session(), "a channel").await?;
        late(channel.exec(true, line), "a command").await?;
        Ok(Self::of(channel))
    }

    fn of(channel: Channel<Msg>) -> Self {
        Self { channel, said: Vec::new(), deadline: Instant::now() + COMMAND }
    }

    /// Waits for something. Returns whether more can come.
    pub(super) async fn receive(&mut self) -> Result<bool, Fault> {
        let message = timeout_at(self.deadline, self.channel.wait()).await;
        match message.map_err(|_| Fault::Late("the end of a command"))? {
            None | Some(ChannelMsg::Close) => Ok(false),
            Some(ChannelMsg::Failure) => Err(Fault::Odd("the answer to a request")),
            Some(ChannelMsg::Data { data }) => {
                let room = MOST.saturating_sub(self.said.len());
                self.said.extend(data.iter().take(room));
                Ok(true)
            }
            Some(_) => Ok(true),
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        late(self.channel.data_bytes(bytes.to_vec()), "room to send").await
    }

    /// Says that nothing more comes, and hears the rest.
    pub(super) async fn finish(mut self) -> Result<(), Fault> {
        late(self.channel.eof(), "the end").await?;
        while self.receive().await? {}
        Ok(())
    }

    /// Waits for the zero that takes what was sent.
    async fn taken(&mut self) -> Result<(), Fault> {
        while self.said.is_empty() {
            if !self.receive().await? {
                return Err(Fault::Ended("a file was taken"));
            }
        }
        if self.said.remove(0) == 0 { Ok(()) } else { Err(Fault::Odd("the answer to a file")) }
    }
}
