//! The keeper: starts the decoy process, starts it again when it dies, ends it in order.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use api::{ComponentStatus, HealthBoard};
use base_model::SensorId;
use base_runtime::Shutdown;
use events_link::Link;
use store_ingest::BlobStore;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

use super::ingest::Job;
use super::intake::Intake;
use super::substrate::{Actual, Wanted};

/// First and longest pause before a restart.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// A process that ran this long did not fail at its start.
const STEADY: Duration = Duration::from_secs(60);
/// Failed starts in a row before the first success that make it hopeless.
const HOPELESS: u32 = 5;
/// How long a decoy process may take to exit once its link is closed.
const EXITING: Duration = Duration::from_secs(10);
/// Name of the component in health.
const COMPONENT: &str = "runtime";

/// Keeps one decoy process running.
pub(crate) struct Keeper {
    pub(crate) state_dir: PathBuf,
    pub(crate) allow_weak: bool,
    pub(crate) open_files: u64,
    pub(crate) wanted: watch::Receiver<Arc<Wanted>>,
    pub(crate) actual: watch::Sender<Actual>,
    pub(crate) ingest: mpsc::Sender<Job>,
    pub(crate) blobs: BlobStore,
    pub(crate) sensor: SensorId,
    pub(crate) health: HealthBoard,
    pub(crate) shutdown: Shutdown,
}

impl Keeper {
    /// Runs until shutdown, or until the process could not be started at all.
    pub(crate) async fn run(self) {
        let mut pause = BACK_OFF.0;
        let mut failures = 0;
        while !self.shutdown.is_asked() {
            let begun = Instant::now();
            if let Err(error) = self.run_once().await {
                tracing::error!("decoy process: {error:#}");
            }
            if self.shutdown.is_asked() {
                break;
            }
            self.health
                .set(COMPONENT, ComponentStatus::Failing("decoy process is restarting".into()));
            let was_there = !matches!(*self.actual.borrow(), Actual::Starting);
            failures = if was_there { 0 } else { failures + 1 };
            if was_there {
                self.actual.send_replace(Actual::Down);
            }
            if failures >= HOPELESS {
                return;
            }
            if begun.elapsed() > STEADY {
                pause = BACK_OFF.0;
            }
            tracing::warn!(
                pause_ms = pause.as_millis(),
                "decoy process ended; it is started again"
            );
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.shutdown.asked() => {}
            }
            pause = (pause * 2).min(BACK_OFF.1);
        }
        self.health.set(COMPONENT, ComponentStatus::Failing("stopped".into()));
    }

    async fn run_once(&self) -> anyhow::Result<()> {
        let owner = base_sandbox::is_root().then(base_sandbox::unprivileged_user);
        base_sandbox::prepare_state_dir(&self.state_dir, owner)?;
        if let Some(above) = self.state_dir.parent() {
            // The folder must survive a power cut, and its user cannot open the one above it.
            let synced = async { tokio::fs::File::open(above).await?.sync_all().await };
            synced.await.with_context(|| format!("failed to sync `{}`", above.display()))?;
        }
        let (near, far) = UnixStream::pair().context("failed to make the link")?;
        let mut child = self.spawn(far)?;
        let intake = Intake {
            wanted: self.wanted.clone(),
            actual: &self.actual,
            ingest: &self.ingest,
            blobs: &self.blobs,
            sensor: self.sensor,
            health: &self.health,
            shutdown: &self.shutdown,
        };
        let link = Link::new(near.into()).context("failed to open the link")?;
        self.health.set(COMPONENT, ComponentStatus::Ok);
        let served = intake.serve(link).await;
        // Its end of the link is closed now, or ours was broken; either way it exits.
        let exited = tokio::time::timeout(EXITING, child.wait()).await;
        let status = match exited {
            Ok(status) => status.context("failed to wait for the decoy process")?,
            Err(_) => {
                child.kill().await.context("failed to end the decoy process")?;
                anyhow::bail!("it did not end and was killed");
            }
        };
        served.context("the link broke")?;
        anyhow::ensure!(status.success() || self.shutdown.is_asked(), "it ended with {status}");
        Ok(())
    }

    fn spawn(&self, link: UnixStream) -> anyhow::Result<Child> {
        // This very program, even when its file was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command
            .arg("decoy")
            .arg("--state-dir")
            .arg(&self.state_dir)
            .arg("--open-files")
            .arg(self.open_files.to_string())
            .env_clear()
            .envs(base_runtime::environment::variable("DECNET_LOG").map(|log| ("DECNET_LOG", log)))
            // OpenSSL would look for a configuration file where it was built to have one.
            .env("OPENSSL_CONF", "")
            .current_dir("/")
            // Ctrl-C on a terminal reaches the whole group; only control may decide the end.
            .process_group(0)
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(link)))
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if self.allow_weak {
            command.arg("--allow-weak-sandbox");
        }
        command.spawn().context("failed to start the decoy process")
    }
}
