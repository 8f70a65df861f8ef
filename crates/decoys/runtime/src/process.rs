//! The life of a decoy process: greet control, serve, ship, end.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use base_model::{BootId, Timestamp, catalogue};
use base_runtime::{Clock, Shutdown, entropy};
use chacha20::ChaCha12Rng;
use events_journal::journal::Limits;
use events_journal::{Disk, Folder, Journal, Shelf, Spool, spool};
use events_link::{LINK_VERSION, Link, LinkError, Receiver, Sender, ToControl, ToDecoy};
use rand_core::SeedableRng as _;
use tokio::sync::mpsc;

use crate::Service;
use crate::admission::Admission;
use crate::bare::{self, Bare};
use crate::fleet::Fleet;
use crate::sensor::Sensor;
use crate::shipper::{self, News, ShipError, Shipper};
use crate::voice::Voice;

/// How long sessions may take to end, and then the rest of the journal to be shipped.
const ENDING: Duration = Duration::from_secs(5);
/// Things control said that wait to be heard.
const NEWS: usize = 64;

/// What a decoy process is told at its start.
#[derive(Debug)]
pub struct Options {
    /// The state folder; inside the sandbox the current one.
    pub root: PathBuf,
    /// What isolates the process, for health.
    pub sandbox: Vec<String>,
    /// How much the journal may hold.
    pub journal: Limits,
}

/// The process cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Control went away, or the link broke.
    #[error("lost the link to control")]
    Link(#[from] LinkError),
    /// Control speaks another version.
    #[error("control speaks link version {0}, this build {LINK_VERSION}")]
    Version(u16),
    /// Control said something else than welcome.
    #[error("control did not welcome this process")]
    NotWelcome,
    /// The state folder cannot be used.
    #[error("failed to open the {0}")]
    State(&'static str, #[source] io::Error),
    /// No random numbers.
    #[error(transparent)]
    Entropy(#[from] entropy::NoEntropy),
}

/// Runs the decoy process on its end of the link, in the current folder, until control ends it or
/// goes away. Everything that clients were answered for is on the disk when this returns.
///
/// # Errors
/// When it cannot start, or lost control.
pub async fn run(
    link: OwnedFd,
    services: &'static [&'static Service],
    options: Options,
) -> Result<(), RunError> {
    let link = Link::new(link).map_err(LinkError::from)?;
    let boot = BootId::from_entropy(entropy::bytes()?);
    let root = options.root.clone();
    let (sensor, backlog) = open(boot, options)?;
    let (mut tx, mut rx) = link.split();
    let committed = greet(&mut tx, &mut rx, boot, &backlog).await?;
    let sensor = Arc::new(sensor);
    let (news_tx, news) = mpsc::channel(NEWS);
    let order = backlog.into_iter().chain([boot]);
    let shipper = Shipper {
        sensor: Arc::clone(&sensor),
        link: tx,
        news,
        boots: order
            .map(|of| (of, committed.iter().find(|(boot, _)| *boot == of).map_or(0, |done| done.1)))
            .collect(),
        under_way: VecDeque::new(),
        kept: BTreeSet::new(),
        status: tokio::time::interval(shipper::STATUS),
        stalled: sensor.journal.state(),
    };
    let shipping = tokio::spawn(shipper.run());
    let fleet = Fleet::new(Arc::clone(&sensor), services, &root);
    let ended = serve(&sensor, fleet, &mut rx, &news_tx).await;
    let journal = sensor.journal.clone();
    // The writer thread may be in a long write.
    drop(tokio::task::spawn_blocking(move || journal.close()).await);
    // What control does not take now is shipped at the next start.
    let acks = async {
        while let Ok(message) = rx.receive().await {
            if let Some(news) = news_of(message)
                && news_tx.send(news).await.is_err()
            {
                break;
            }
        }
    };
    tokio::select! {
        shipped = shipping => if let Ok(Err(ShipError::Disk(error))) = shipped {
            tracing::error!(%error, "failed to read the journal");
        },
        () = acks => {}
        () = tokio::time::sleep(ENDING) => tracing::warn!("control took too long; the rest is kept"),
    }
    ended
}

fn open(boot: BootId, options: Options) -> Result<(Sensor, Vec<BootId>), RunError> {
    let state = |what| move |error| RunError::State(what, error);
    let folder =
        |name: &str, what| Folder::open(Path::new(&options.root).join(name)).map_err(state(what));
    let disk: Arc<dyn Disk> = Arc::new(folder("journal", "journal folder")?);
    let blobs: Arc<dyn Disk> = Arc::new(folder("blobs", "blob folder")?);
    folder(crate::fleet::DECKIES, "folder of deckies")?;
    let shelf = Shelf::open(Arc::clone(&disk)).map_err(state("journal"))?;
    let backlog = shelf.boots();
    let named = shelf.blobs().map_err(state("journal"))?;
    let spool = Spool::open(blobs, &named, spool::DEFAULT_QUOTA).map_err(state("blob folder"))?;
    let journal =
        Journal::start(disk, shelf.clone(), boot, options.journal).map_err(state("journal"))?;
    let sensor = Sensor {
        clock: Clock::start(),
        boot,
        journal,
        shelf,
        spool,
        admission: Admission::default(),
        bare: Bare::default(),
        shutdown: Shutdown::default(),
        panics: AtomicU64::new(0),
        sandbox: options.sandbox,
    };
    Ok((sensor, backlog))
}

async fn greet(
    tx: &mut Sender,
    rx: &mut Receiver,
    boot: BootId,
    backlog: &[BootId],
) -> Result<Vec<(BootId, u64)>, RunError> {
    let hello = ToControl::Hello { version: LINK_VERSION, boot, backlog: backlog.to_vec() };
    tx.send(&hello).await?;
    match rx.receive().await? {
        ToDecoy::Welcome { version: LINK_VERSION, committed } => Ok(committed),
        ToDecoy::Welcome { version, .. } => Err(RunError::Version(version)),
        _ => Err(RunError::NotWelcome),
    }
}

/// Does what control says until it says to end.
async fn serve(
    sensor: &Arc<Sensor>,
    mut fleet: Fleet,
    rx: &mut Receiver,
    news: &mpsc::Sender<News>,
) -> Result<(), RunError> {
    let mut tend = tokio::time::interval(Fleet::tend_every());
    let mut counting = tokio::time::interval(bare::WINDOW);
    let ended = loop {
        tokio::select! {
            message = rx.receive::<ToDecoy>() => match message {
                Ok(ToDecoy::Sockets(sockets)) => match rx.take_descriptors(sockets.len()) {
                    Ok(descriptors) => fleet.take(sockets.into_iter().zip(descriptors)),
                    Err(error) => break Err(error.into()),
                },
                Ok(ToDecoy::Desired(desired)) => {
                    let generation = desired.generation;
                    let refused = fleet.apply(desired).await;
                    let told = News::InForce(ToControl::InForce { generation, refused });
                    if news.send(told).await.is_err() {
                        break Err(LinkError::Closed.into());
                    }
                }
                Ok(ToDecoy::Shutdown) => break Ok(()),
                Ok(message) => if let Some(message) = news_of(message)
                    && news.send(message).await.is_err()
                {
                    break Err(LinkError::Closed.into());
                },
                Err(error) => break Err(error.into()),
            },
            _ = tend.tick() => Fleet::tend(fleet.machines(), false).await,
            _ = counting.tick() => tell_bare(sensor, sensor.clock.now()).await,
        }
    };
    fleet.stop();
    sensor.shutdown.ask();
    drain(sensor).await;
    tell_bare(sensor, sensor.clock.now() + bare::WINDOW).await;
    Fleet::tend(fleet.machines(), true).await;
    ended
}

/// Tells how many connections said nothing.
async fn tell_bare(sensor: &Arc<Sensor>, now: Timestamp) {
    for (bound, count) in sensor.bare.due(now) {
        let Ok(seed) = entropy::bytes() else { return };
        let voice = Voice::new(Arc::clone(sensor), bound, ChaCha12Rng::from_seed(seed));
        // A journal that takes nothing is reported by its state.
        drop(voice.emit(None, catalogue::connects(count)).await);
    }
}

fn news_of(message: ToDecoy) -> Option<News> {
    match message {
        ToDecoy::Ack { boot, seq } => Some(News::Ack(boot, seq)),
        ToDecoy::BlobWanted(blob) => Some(News::Wanted(blob)),
        ToDecoy::BlobKept(blob) => Some(News::Kept(blob)),
        ToDecoy::Welcome { .. } | ToDecoy::Sockets(_) | ToDecoy::Desired(_) | ToDecoy::Shutdown => {
            None
        }
    }
}

/// Waits for connections to end.
async fn drain(sensor: &Sensor) {
    let step = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while sensor.admission.figures().0 > 0 && waited < ENDING {
        tokio::time::sleep(step).await;
        waited += step;
    }
}
