//! The machines of this process: made on the first connection, saved when they change, dropped when
//! nobody uses them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base_model::{Decky, Sha256Digest};
use base_runtime::Shutdown;
use decoys_host::{HostHandle, persona};
use decoys_kit::{Choices, TlsOffer};
use decoys_secure::ssh::HostKeys;
use decoys_secure::tls::{Acceptor, Identity, IdentityError, Kind, Subject};
use tokio::sync::OnceCell;

/// A machine without connections is dropped from memory after this long.
const IDLE: Duration = Duration::from_secs(300);
/// State is written at most at this rate, so that a large one is not written for every change.
const SAVED_PER_SECOND: usize = 1024 * 1024;
/// Longest saved state read back.
const MAX_SAVED: u64 = 128 * 1024 * 1024;
/// Longest kept certificate with its key.
const MAX_PEM: u64 = 64 * 1024;

/// One decky, awake or not.
pub(crate) struct Machine {
    pub(crate) decky: Arc<Decky>,
    /// Asked for when it is to be no more, or another: its connections end.
    pub(crate) gone: Shutdown,
    folder: PathBuf,
    awake: Mutex<Option<Awake>>,
    keys: OnceCell<HostKeys>,
    /// By what sessions offer: as many as the machine has services with TLS.
    tls: tokio::sync::Mutex<BTreeMap<TlsOffer, Acceptor>>,
}

struct Awake {
    host: HostHandle,
    /// The revision on the disk.
    saved: u64,
    /// Not written again before this.
    rests_until: Instant,
    used: Instant,
}

impl Machine {
    /// The machine of `decky`, whose state lives below `root`.
    pub(crate) fn new(decky: Decky, root: &Path) -> Self {
        let folder = root.join(decky.id.to_string());
        Self {
            decky: Arc::new(decky),
            gone: Shutdown::default(),
            folder,
            awake: Mutex::new(None),
            keys: OnceCell::new(),
            tls: tokio::sync::Mutex::default(),
        }
    }

    /// Its host, woken if need be. Reads the disk when it wakes.
    pub(crate) fn host(&self) -> HostHandle {
        let mut awake = self.awake.lock().unwrap_or_else(PoisonError::into_inner);
        let awake = awake.get_or_insert_with(|| {
            let saved = self.read("host", MAX_SAVED);
            let host = HostHandle::new((*self.decky).clone(), saved.as_deref());
            let now = Instant::now();
            Awake { saved: host.revision(), host, rests_until: now, used: now }
        });
        awake.used = Instant::now();
        awake.host.clone()
    }

    /// Its SSH host keys, made on first use and kept.
    pub(crate) async fn keys(self: &Arc<Self>) -> Result<&HostKeys, String> {
        self.keys
            .get_or_try_init(|| async {
                let machine = Arc::clone(self);
                let made = tokio::task::spawn_blocking(move || machine.make_keys()).await;
                made.map_err(|error| error.to_string())?
            })
            .await
    }

    fn make_keys(&self) -> Result<HostKeys, String> {
        let choices = Choices::new(&self.decky.secret);
        let mut keys = HostKeys::derive(&choices).map_err(|error| error.to_string())?;
        let kept = self.read("ssh_host_rsa_key", 64 * 1024);
        let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(kept) = kept
            && keys.add(&kept).is_ok()
        {
            self.show_keys(&choices, &kept);
            return Ok(keys);
        }
        let banner = decoys_host::persona::ssh_banner(&choices, &self.decky.distro);
        let rsa = HostKeys::make_rsa(&choices, &banner).map_err(|error| error.to_string())?;
        if let Err(error) = self.write("ssh_host_rsa_key", rsa.as_bytes()) {
            // It follows from the persona secret: made again next time, only slower.
            tracing::warn!(%error, decky = %self.decky.name, "failed to keep ssh host key");
        }
        keys.add(&rsa).map_err(|error| error.to_string())?;
        self.show_keys(&choices, &rsa);
        Ok(keys)
    }

    /// Has the machine show its keys to who is on it.
    fn show_keys(&self, choices: &Choices<'_>, rsa: &str) {
        let Ok(texts) = HostKeys::texts(choices, rsa) else { return };
        if let Err(errno) = self.host().with(|machine| machine.put_host_keys(&texts)) {
            // Whoever took the folder away meanwhile has it so.
            tracing::debug!(?errno, "the machine does not show its host keys");
        }
    }

    /// Its side of TLS handshakes as `offer` says, made on first use. Keys and certificates are kept.
    pub(crate) async fn tls(self: &Arc<Self>, offer: &TlsOffer) -> Result<Acceptor, String> {
        let mut made = self.tls.lock().await;
        if let Some(acceptor) = made.get(offer) {
            return Ok(acceptor.clone());
        }
        let (machine, wanted) = (Arc::clone(self), offer.clone());
        let making = tokio::task::spawn_blocking(move || machine.make_tls(&wanted)).await;
        let acceptor = making.map_err(|error| error.to_string())?;
        let acceptor = acceptor.map_err(|error| error.to_string())?;
        made.insert(offer.clone(), acceptor.clone());
        Ok(acceptor)
    }

    fn make_tls(&self, offer: &TlsOffer) -> Result<Acceptor, IdentityError> {
        if let Some((chain, key)) = &offer.given {
            match Identity::from_pems(chain.as_bytes(), key.as_bytes()) {
                Ok(identity) => return Acceptor::new(offer.server, &identity),
                Err(error) => {
                    tracing::error!(%error, decky = %self.decky.name, "given certificate is not usable");
                }
            }
        }
        let kind = Kind::of(offer.server);
        let name = offer.name.clone().filter(|_| kind == Kind::Site);
        let file = match (kind, &name) {
            (Kind::System, _) => "tls_system.pem".to_owned(),
            (Kind::Site, None) => "tls_site.pem".to_owned(),
            (Kind::Site, Some(name)) => {
                format!("tls_site_{}.pem", Sha256Digest::of(name.as_bytes()))
            }
        };
        if let Some(Ok(identity)) = self.read(&file, MAX_PEM).map(|pem| Identity::from_pem(&pem)) {
            return Acceptor::new(offer.server, &identity);
        }
        let (host, choices) = (self.host(), Choices::new(&self.decky.secret));
        let (installed, booted) = host.with(|machine| {
            let facts = machine.facts();
            (facts.installed, facts.boot_time)
        });
        let subject = Subject {
            name: name.unwrap_or_else(|| host.fqdn()),
            company: persona::company(&choices),
            installed,
            booted,
        };
        let identity = Identity::derive(kind, &choices, &subject)?;
        if kind == Kind::System {
            let (certificate, key) = identity.pems()?;
            if let Err(errno) = host.with(|machine| machine.put_certificate(&certificate, &key)) {
                // Whoever took the folders away meanwhile has it so.
                tracing::debug!(?errno, "the machine does not show its certificate");
            }
        }
        if let Err(error) = self.write(&file, &identity.to_pem()?) {
            // It follows from the persona secret: made again next time, only slower.
            tracing::warn!(%error, decky = %self.decky.name, "failed to keep tls certificate");
        }
        Acceptor::new(offer.server, &identity)
    }

    /// Saves what changed and drops the host when it was not used for a while. Blocks on the disk.
    pub(crate) fn tend(&self, force: bool) {
        let (host, due) = {
            let awake = self.awake.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(awake) = &*awake else { return };
            let revision = awake.host.revision();
            let due = revision != awake.saved && (force || awake.rests_until <= Instant::now());
            (awake.host.clone(), due.then_some(revision))
        };
        if let Some(revision) = due {
            let snapshot = host.snapshot();
            let rest = Duration::from_secs((snapshot.len() / SAVED_PER_SECOND) as u64);
            match self.write("host", &snapshot) {
                Ok(()) => self.with_awake(|awake| {
                    awake.saved = revision;
                    awake.rests_until = Instant::now() + rest;
                }),
                Err(error) => {
                    tracing::warn!(%error, decky = %self.decky.name, "failed to save machine state");
                    return;
                }
            }
        }
        drop(host);
        let mut awake = self.awake.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = awake.as_ref().is_some_and(|awake| {
            awake.host.is_unshared()
                && awake.host.revision() == awake.saved
                && (force || awake.used.elapsed() > IDLE)
        });
        if idle {
            *awake = None;
        }
    }

    fn with_awake(&self, act: impl FnOnce(&mut Awake)) {
        if let Some(awake) = &mut *self.awake.lock().unwrap_or_else(PoisonError::into_inner) {
            act(awake);
        }
    }

    fn read(&self, name: &str, limit: u64) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let fits = fs::metadata(&path).is_ok_and(|file| file.len() <= limit);
        if fits { fs::read(path).ok() } else { None }
    }

    /// Replaces a file of the machine's folder: old or new content survives a crash, never a mix.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if !self.folder.is_dir() {
            fs::create_dir_all(&self.folder)?;
            if let Some(parent) = self.folder.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        let part = self.folder.join(format!("{name}.part"));
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(part, self.folder.join(name))?;
        File::open(&self.folder)?.sync_all()
    }
}
