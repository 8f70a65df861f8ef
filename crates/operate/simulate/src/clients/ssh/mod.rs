//! SSH: passwords, then commands, files and a terminal.

mod identity;
mod sftp;
mod terminal;
mod work;

use std::sync::Arc;
use std::time::Duration;

use russh::Disconnect;
use russh::client::{self, Handle};
use russh::keys::PublicKeyOrCertificate;
use tokio::time::timeout;

use super::{Fault, Visitor};
use crate::plan::{Login, SshClient, SshVisit};

/// Longest wait for keys, a login or one answer.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest wait for the other side's end.
const LEAVING: Duration = Duration::from_secs(3);

pub(super) async fn visit(visitor: &Visitor, visit: &SshVisit) -> Result<(), Fault> {
    let stream = visitor.connect(&visit.door).await?;
    let config = Arc::new(identity::config(visit.client));
    let mut handle =
        late(client::connect_stream(config, stream, Trusting), "a key exchange").await?;
    if log_in(visitor, visit, &mut handle).await? {
        for work in &visit.work {
            work::perform(visitor, &handle, work).await?;
        }
    }
    leave(handle).await;
    Ok(())
}

/// Tries the passwords. Returns whether one was taken.
async fn log_in(
    visitor: &Visitor,
    visit: &SshVisit,
    handle: &mut Handle<Trusting>,
) -> Result<bool, Fault> {
    let user = visit.username.as_str();
    // These ask first which methods there are (RFC 4252 §5.2).
    if matches!(visit.client, SshClient::OpenSsh | SshClient::Putty) {
        let asked = late(handle.authenticate_none(user), "the methods").await?;
        if asked.success() {
            return Ok(true);
        }
    }
    for password in &visit.passwords {
        if handle.is_closed() {
            break;
        }
        let answer = late(handle.authenticate_password(user, password), "a login").await?;
        visitor.tried(&visit.door, &Login::new(user, password), answer.success()).await;
        if answer.success() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn leave(mut handle: Handle<Trusting>) {
    // However the other side takes it, this is the end of it.
    drop(timeout(LEAVING, handle.disconnect(Disconnect::ByApplication, "", "")).await);
    drop(timeout(LEAVING, &mut handle).await);
}

/// `future` with a deadline.
async fn late<T>(
    future: impl Future<Output = Result<T, russh::Error>>,
    what: &'static str,
) -> Result<T, Fault> {
    timeout(ANSWER, future).await.map_err(|_| Fault::Late(what))?.map_err(Fault::Ssh)
}

/// Takes any host key, as bots do.
#[derive(Debug)]
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}
