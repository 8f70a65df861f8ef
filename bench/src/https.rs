//! HTTPS: a full handshake and one request per connection, and what an open connection holds.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use openssl::pkey::Id;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_openssl::SslStream;

use crate::figure::{Figure, Target};
use crate::process::Cpu;
use crate::source;
use crate::subject::Subject;

/// Sessions before the clock runs: the certificate is made, the machine awake.
const WARM_UP: usize = 64;
/// Deckies among which each kind of key is looked for.
const DECKIES: usize = 24;
/// Connections held open.
const IDLE: usize = 200;
/// How long they are left alone before memory is read.
const REST: Duration = Duration::from_secs(3);

pub(crate) fn measure(sessions: usize, clients: usize) -> anyhow::Result<Vec<Figure>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut figures = Vec::new();
    for (kind, name) in [(Id::RSA, "RSA 2048"), (Id::EC, "P-256")] {
        let mut subject = Subject::start(DECKIES)?;
        let target = runtime.block_on(find(&subject, kind))?;
        runtime.block_on(attack(target, WARM_UP, clients))?;
        subject.settle()?;
        let before = (subject.spent()?, Cpu::of(std::process::id())?);
        let begun = Instant::now();
        runtime.block_on(attack(target, sessions, clients))?;
        let took = begun.elapsed();
        let client = Cpu::of(std::process::id())?;
        subject.settle()?;
        let after = subject.spent()?;
        let held = if kind == Id::RSA { Some(idle(&subject, &runtime, target)?) } else { None };
        let stored = subject.sessions("https")?;
        subject.stop()?;
        let requested: u64 = stored.values().filter_map(|kinds| kinds.get("request")).sum();
        let made = sessions + WARM_UP;
        ensure!(requested == made as u64, "{made} requests were answered, {requested} are stored");

        let (control, decoy) = after.per(before.0, sessions);
        let client = client.since(before.1).as_secs_f64() * 1e3 / sessions.max(1) as f64;
        let rate = sessions as f64 / took.as_secs_f64();
        let of = |what: &str| format!("{name}, {what}");
        figures.extend([
            Figure::new(of("handshakes with a request per second"), rate, "/s"),
            Figure::new(of("server CPU for each"), control + decoy, "ms"),
            Figure::new(of("… of the decoy process"), decoy, "ms"),
            Figure::new(of("… of control"), control, "ms"),
            Figure::new(of("CPU of the load generator"), client, "ms"),
            Figure::new(of("requests stored once"), 100.0, "%").with(Target::AtLeast(100.0)),
        ]);
        figures
            .extend(held.map(|held| Figure::new("an idle connection, decoy process", held, "kB")));
    }
    Ok(figures)
}

/// Memory of the decoy process for each connection that is open and silent, in kB.
fn idle(
    subject: &Subject,
    runtime: &tokio::runtime::Runtime,
    target: SocketAddr,
) -> anyhow::Result<f64> {
    let before = subject.memory()?.1;
    let context = context()?;
    let open = runtime.block_on(async {
        let mut open = Vec::with_capacity(IDLE);
        for n in 0..IDLE {
            open.push(connect(n, target, &context).await?);
        }
        anyhow::Ok(open)
    })?;
    thread::sleep(REST);
    let after = subject.memory()?.1;
    drop(open);
    Ok((after - before) * 1e3 / IDLE as f64)
}

/// A decky whose certificate has a key of `kind`.
async fn find(subject: &Subject, kind: Id) -> anyhow::Result<SocketAddr> {
    let context = context()?;
    for target in subject.endpoints("https")? {
        let stream = connect(0, target, &context).await?;
        let certificate = stream.ssl().peer_certificate().context("no certificate")?;
        if certificate.public_key()?.id() == kind {
            return Ok(target);
        }
    }
    anyhow::bail!("no decky has a key of that kind; run again")
}

/// A client that trusts everybody and resumes nothing.
fn context() -> anyhow::Result<SslContext> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::NONE);
    Ok(builder.build())
}

async fn connect(
    n: usize,
    target: SocketAddr,
    context: &SslContext,
) -> anyhow::Result<SslStream<TcpStream>> {
    let stream = source::connect(n, target).await?;
    let mut stream = SslStream::new(Ssl::new(context)?, stream)?;
    Pin::new(&mut stream).connect().await?;
    Ok(stream)
}

/// Makes `sessions` connections, `clients` at a time, with a request on each.
async fn attack(target: SocketAddr, sessions: usize, clients: usize) -> anyhow::Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let context = context()?;
    let mut working = JoinSet::new();
    for client in 0..clients {
        let (next, context) = (Arc::clone(&next), context.clone());
        working.spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < sessions {
                let mut stream = connect(client, target, &context).await?;
                let request = b"GET / HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: \
                    curl/8.5.0\r\nAccept: */*\r\nConnection: close\r\n\r\n";
                stream.write_all(request).await?;
                let mut answer = Vec::with_capacity(4096);
                stream.read_to_end(&mut answer).await?;
                ensure!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "another answer than the page");
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = working.join_next().await {
        done??;
    }
    Ok(())
}
