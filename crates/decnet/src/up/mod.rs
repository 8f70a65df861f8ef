//! `decnet up`: control and keeper in one process.
//!
//! Read [`run`] from top to bottom: state folder, store, fleet, API, decoy process, reconciler, ready.

mod admin;
mod bindings;
mod blobs;
mod fleet;
mod ingest;
mod intake;
mod keeper;
mod ready;
mod state;
mod substrate;
mod supervisor;

pub(crate) use admin::password as first_password;
pub(crate) use state::hex;

pub(crate) use state::Folder;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::{Api, ApiConfig, ApiParts, ComponentStatus, HealthBoard};
use base_runtime::{Clock, Shutdown, telemetry};
use events_bus::Bus;
use operate_fleet::{Deployments, Reconciler, Settled};
use store_db::{Db, DbUrl};
use store_ingest::BlobStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::Up;
use crate::commands::wanted;
use crate::refusal::{self, Exit, Refusal};
use crate::settings;

/// Bytes of captured files that are kept.
const BLOB_QUOTA: u64 = 10 * 1024 * 1024 * 1024;
/// Deckies of a first start.
const FIRST_FLEET: usize = 5;

/// Runs until a signal ends it.
pub(crate) fn run(options: &Up) -> ExitCode {
    telemetry::start("control");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("control")
        .enable_all()
        .build();
    let outcome = runtime
        .context("failed to start the runtime")
        .and_then(|runtime| runtime.block_on(up(options)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refusal::report(&error),
    }
}

async fn up(options: &Up) -> anyhow::Result<()> {
    for fault in settings::faults() {
        if fault.breaks_file() {
            let hint = "mend the file; `decnet config validate` says all that is wrong in it";
            return Err(Refusal::new(Exit::Usage, fault, hint).into());
        }
        tracing::warn!(%fault, "configuration");
    }
    // Asked for before anything is begun, so that a signal at any time ends it in order.
    let shutdown = on_signals()?;
    let supervisor = supervisor::Supervisor::from_environment();
    let clock = Clock::start();
    let state = Folder::open(options.state_dir.as_deref())?;
    let db = open_db(options.db.as_deref(), &state).await?;
    let first_login = admin::ensure(&db, &state).await?;
    let descriptors = net_uplink::raise_limit();
    let uplink = Box::new(fleet::Loopback { descriptors });
    let (key, catalogue) = (state.sealing_key()?, wanted::catalogue());
    let deployments = Arc::new(Deployments::new(db.clone(), key, catalogue, uplink, clock));
    fleet::ensure(options, &deployments, FIRST_FLEET).await?;
    let listener = bind_api(options.api_addr).await?;
    let api_addr = listener.local_addr().context("the API socket has no address")?;

    let bus = Bus::new();
    let health = HealthBoard::default();
    let artifacts = state.path("artifacts");
    let ingest = ingest::Ingest::start(&db, &state, clock, &bus, &health).await?;
    let blobs = BlobStore::open(&artifacts, BLOB_QUOTA)
        .with_context(|| format!("failed to open `{}`", artifacts.display()))?;
    let mut config = ApiConfig::new(state.jwt_secret()?, artifacts);
    // The document describes the API; on this machine alone it needs no token.
    config.developer = api_addr.ip().is_loopback();
    let api = Api::new(ApiParts {
        config,
        db: db.clone(),
        bus: bus.clone(),
        clock,
        health: health.clone(),
        blobs: blobs.clone(),
        deployments: Arc::clone(&deployments),
    });
    let local = match api::local::listen(&state.path("")) {
        Ok(local) => Some(local),
        Err(error) => {
            // Some file systems have no sockets.
            tracing::warn!(%error, "no local socket: commands on this machine will find no daemon");
            None
        }
    };
    let serving = tokio::spawn(api::serve(listener, api.clone(), shutdown.clone()));
    let serving_local =
        local.map(|local| tokio::spawn(api::serve_local(local, api, shutdown.clone())));

    state.await_orphan().await?;
    let (wanted, actual) = (watch::Sender::default(), watch::Sender::default());
    let keeper = keeper::Keeper {
        state_dir: state.path("decoy"),
        allow_weak: options.allow_weak_sandbox,
        open_files: descriptors,
        wanted: wanted.subscribe(),
        actual,
        ingest: ingest.handle(),
        blobs,
        sensor: state.sensor_id()?,
        health: health.clone(),
        shutdown: shutdown.clone(),
    };
    let substrate = substrate::OneProcess::new(wanted, keeper.actual.subscribe());
    let reconciler =
        Reconciler::new(db.clone(), Arc::clone(&deployments), substrate, bus.clone(), clock);
    let mut settled = reconciler.settled();
    let telling = tokio::spawn(tell_health(reconciler.settled(), health.clone()));
    let reconciling = tokio::spawn(reconciler.run(shutdown.clone()));
    let mut keeping = tokio::spawn(keeper.run());

    let ready_file = tokio::select! {
        _ = settled.wait_for(|settled| settled.looks > 0) => {
            let entries = deployments.entries().await?;
            let report = ready::Report::new(api_addr, &first_login, &entries);
            report.show();
            let path = options.ready_file.clone().unwrap_or_else(|| state.path("ready.json"));
            let file = ready::File::write(&path, &report)?;
            supervisor.ready(&format!("{} deckies, API on {api_addr}", entries.len()));
            Some(file)
        }
        _ = &mut keeping => {
            anyhow::ensure!(shutdown.is_asked(), "the decoy process could not be started");
            None
        }
        () = shutdown.asked() => None,
    };
    supervisor.live(&shutdown).await;
    shutdown.asked().await;
    supervisor.stopping();
    tracing::info!("stopping");
    drop(ready_file);
    reconciling.await.context("the reconciler panicked")?;
    telling.abort();
    if !keeping.is_finished() {
        keeping.await.context("the keeper panicked")?;
    }
    ingest.close().await;
    health.set("ingestion_worker", ComponentStatus::Failing("stopping".into()));
    // Streams close on the same shutdown; what still hangs after this is cut off.
    drop(tokio::time::timeout(Duration::from_secs(5), serving).await);
    if let Some(serving) = serving_local {
        drop(tokio::time::timeout(Duration::from_secs(1), serving).await);
    }
    Ok(())
}

/// Says in health which deckies do not run as they should.
async fn tell_health(mut settled: watch::Receiver<Settled>, health: HealthBoard) {
    while settled.changed().await.is_ok() {
        let ill = settled.borrow_and_update().ill.clone();
        let status = match ill.first() {
            None => ComponentStatus::Ok,
            Some((name, why)) => {
                let more = match ill.len() {
                    1 => String::new(),
                    count => format!(", and {} more", count - 1),
                };
                ComponentStatus::Failing(format!("{name}: {why}{more}"))
            }
        };
        health.set("fleet", status);
    }
}

/// An end that SIGINT and SIGTERM ask for.
pub(crate) fn on_signals() -> anyhow::Result<Shutdown> {
    let shutdown = Shutdown::default();
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let asking = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        asking.ask();
    });
    Ok(shutdown)
}

/// Opens the database at `url`, or the one in the state folder.
pub(crate) async fn open_db(url: Option<&str>, state: &Folder) -> anyhow::Result<Db> {
    let url = match url {
        Some(url) => url.parse::<DbUrl>().map_err(|error| {
            Refusal::new(
                Exit::Usage,
                error,
                "give --db a file, or mysql://user:password@host:port/name",
            )
        })?,
        None => DbUrl::Sqlite(state.path("decnet.db")),
    };
    Db::open(&url).await.map_err(|error| {
        let hint = "see what the message says to check; nothing was changed";
        Refusal::new(Exit::Unreachable, refusal::chain(&error), hint).into()
    })
}

async fn bind_api(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = "choose another with --api-addr, for example --api-addr 127.0.0.1:0 for any free \
                    port; is another DECNET running?";
        Refusal::new(Exit::Conflict, format!("cannot serve the API on {address}: {error}"), hint).into()
    })
}
