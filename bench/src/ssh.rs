//! SSH: log in, run `id`, leave.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use russh::client::{self, Config, Handle};
use russh::keys::Algorithm;
use russh::{ChannelMsg, Disconnect, Preferred, cipher, kex};
use tokio::task::JoinSet;

use crate::figure::{Figure, Target};
use crate::process::Cpu;
use crate::source;
use crate::subject::{Kinds, Subject};

/// Sessions before the clock runs: keys are made, the machine is awake, caches are warm.
const WARM_UP: usize = 64;

/// Whom to attack.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) target: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Mark {
    pub(crate) fn first(subject: &Subject) -> anyhow::Result<Self> {
        let (user, password) = subject.decky().login();
        Ok(Self { target: subject.endpoint("ssh")?, user, password })
    }
}

pub(crate) fn measure(sessions: usize, clients: usize) -> anyhow::Result<Vec<Figure>> {
    let mut subject = Subject::start(1)?;
    let mark = Mark::first(&subject)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(attack(&mark, WARM_UP, clients))?;
    subject.settle()?;
    let before = (subject.spent()?, Cpu::of(std::process::id())?);
    let begun = Instant::now();
    let mut latencies = runtime.block_on(attack(&mark, sessions, clients))?;
    let took = begun.elapsed();
    let client = Cpu::of(std::process::id())?;
    subject.settle()?;
    let after = subject.spent()?;
    let stored = subject.sessions("ssh")?;
    let each = whole(&stored, sessions + WARM_UP)?;
    subject.stop()?;

    latencies.sort();
    let at = |share: usize| {
        let latency = latencies.get(latencies.len().saturating_sub(1) * share / 100);
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    };
    let (control, decoy) = after.per(before.0, sessions);
    let client = client.since(before.1).as_secs_f64() * 1e3 / sessions.max(1) as f64;
    Ok(vec![
        Figure::new("sessions per second", sessions as f64 / took.as_secs_f64(), "/s")
            .with(Target::AtLeast(600.0)),
        Figure::new("server CPU per session", control + decoy, "ms").with(Target::AtMost(1.4)),
        Figure::new("… of the decoy process", decoy, "ms"),
        Figure::new("… of control", control, "ms"),
        Figure::new("CPU of the load generator per session", client, "ms"),
        Figure::new("session, median", at(50), "ms"),
        Figure::new("session, 99 of 100", at(99), "ms"),
        Figure::new("events of a session", each as f64, "events"),
        Figure::new("sessions stored whole and once", 100.0, "%").with(Target::AtLeast(100.0)),
    ])
}

/// Checks that all sessions are stored with the same events. Returns how many events each has.
pub(crate) fn whole(stored: &BTreeMap<String, Kinds>, made: usize) -> anyhow::Result<u64> {
    ensure!(stored.len() == made, "{made} sessions were made, {} are stored", stored.len());
    let first = stored.values().next().context("no session is stored")?;
    for (session, kinds) in stored {
        ensure!(kinds == first, "session {session} has {kinds:?}, another {first:?}");
    }
    ensure!(first.get("command") == Some(&1), "the command is not there once: {first:?}");
    Ok(first.values().sum())
}

/// Makes `sessions` sessions, `clients` at a time. Returns how long each took.
async fn attack(mark: &Mark, sessions: usize, clients: usize) -> anyhow::Result<Vec<Duration>> {
    let next = Arc::new(AtomicUsize::new(0));
    let config = Arc::new(config());
    let mut working = JoinSet::new();
    for _ in 0..clients {
        let (mark, config, next) = (mark.clone(), Arc::clone(&config), Arc::clone(&next));
        working.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= sessions {
                    return anyhow::Ok(latencies);
                }
                let begun = Instant::now();
                session(n, &mark, &config).await.with_context(|| format!("session {n}"))?;
                latencies.push(begun.elapsed());
            }
        });
    }
    let mut all = Vec::with_capacity(sessions);
    while let Some(latencies) = working.join_next().await {
        all.extend(latencies??);
    }
    Ok(all)
}

async fn session(n: usize, mark: &Mark, config: &Arc<Config>) -> anyhow::Result<()> {
    let mut handle = log_in(n, mark, config).await?;
    let mut channel = handle.channel_open_session().await?;
    channel.exec(true, "id").await?;
    let (mut output, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => output.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    ensure!(status == Some(0) && output.starts_with(b"uid="), "`id` gave {status:?}");
    handle.disconnect(Disconnect::ByApplication, "", "").await?;
    // However the other side takes it, this is the end of it.
    drop((&mut handle).await);
    Ok(())
}

/// Connects as the `n`th attacker and logs in.
pub(crate) async fn log_in(
    n: usize,
    mark: &Mark,
    config: &Arc<Config>,
) -> anyhow::Result<Handle<Trusting>> {
    let stream = source::connect(n, mark.target).await.context("no connection")?;
    let mut handle = client::connect_stream(Arc::clone(config), stream, Trusting).await?;
    let answer = handle.authenticate_password(&mark.user, &mark.password).await?;
    ensure!(answer.success(), "the login was refused");
    Ok(handle)
}

/// What an OpenSSH client of today agrees on with an OpenSSH server, key types apart.
pub(crate) fn config() -> Config {
    let preferred = Preferred {
        kex: Cow::Borrowed(&[kex::CURVE25519, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]),
        key: Cow::Borrowed(&[Algorithm::Ed25519]),
        cipher: Cow::Borrowed(&[cipher::CHACHA20_POLY1305]),
        ..Preferred::default()
    };
    Config { preferred, ..Config::default() }
}

/// Takes any host key.
pub(crate) struct Trusting;

impl client::Handler for Trusting {
    type Error = anyhow::Error;

    async fn check_server_key(
        &mut self,
        _key: &russh::keys::PublicKeyOrCertificate,
    ) -> anyhow::Result<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(pairs: &[(&str, u64)]) -> Kinds {
        pairs.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
    }

    #[test]
    fn a_lost_or_doubled_event_is_found() {
        let good = kinds(&[("connect", 1), ("command", 1)]);
        let mut stored =
            BTreeMap::from([("a".to_owned(), good.clone()), ("b".to_owned(), good.clone())]);
        assert_eq!(whole(&stored, 2).unwrap(), 2);
        assert!(whole(&stored, 3).is_err());
        stored.insert("b".into(), kinds(&[("connect", 2), ("command", 1)]));
        assert!(whole(&stored, 2).is_err());
        stored.insert("b".into(), kinds(&[("connect", 1)]));
        assert!(whole(&stored, 2).is_err());
    }
}
