//! The state folder: one daemon's, private, with the secrets that are not in the database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use api::JwtSecret;
use base_model::SensorId;
use base_runtime::{entropy, environment};
use operate_fleet::SealingKey;
use rustix::fs::FlockOperation;

use crate::refusal::{Exit, Refusal};

/// How long an orphaned decoy process may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for.
const ORPHAN_STEP: Duration = Duration::from_millis(50);

/// The folder, locked for this process.
pub(crate) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens and locks the folder, creating it if need be.
    pub(crate) fn open(wanted: Option<&Path>) -> anyhow::Result<Self> {
        let root = wanted.map_or_else(
            || environment::default_state_dir(base_sandbox::is_root()),
            Path::to_path_buf,
        );
        let shown = root.display().to_string();
        let refuse = |exit, error: io::Error| {
            let hint = "give a folder of your own with --state-dir, or mend its owner and mode";
            Refusal::new(exit, format!("cannot use the state folder `{shown}`: {error}"), hint)
        };
        make_durably(&root).map_err(|error| refuse(Exit::Permission, error))?;
        let root = fs::canonicalize(&root).map_err(|error| refuse(Exit::Permission, error))?;
        let metadata = fs::metadata(&root).map_err(|error| refuse(Exit::Permission, error))?;
        let us = rustix::process::geteuid().as_raw();
        if metadata.uid() != us {
            let what = format!(
                "the state folder `{shown}` belongs to user {}, but this is user {us}",
                metadata.uid()
            );
            let hint = "start as its owner, or give another folder with --state-dir";
            return Err(Refusal::new(Exit::Permission, what, hint).into());
        }
        let lock =
            open_private(&root.join("lock")).map_err(|error| refuse(Exit::Permission, error))?;
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let what = format!("another DECNET already runs on the state folder `{shown}`");
            let hint = "stop it first, or give this one its own folder with --state-dir";
            return Err(Refusal::new(Exit::Conflict, what, hint).into());
        }
        Ok(Self { root, _lock: lock })
    }

    /// Waits until a decoy process that outlived its control has let go of its folder and sockets.
    pub(crate) async fn await_orphan(&self) -> anyhow::Result<()> {
        let Ok(lock) = OpenOptions::new().write(true).open(self.path("decoy/lock")) else {
            return Ok(());
        };
        let mut waited = Duration::ZERO;
        while rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            if waited >= ORPHAN_PATIENCE {
                let what = "a decoy process of an earlier start still runs on the state folder";
                let hint = "find it with `ps -C decnet` and end it";
                return Err(Refusal::new(Exit::Conflict, what, hint).into());
            }
            tokio::time::sleep(ORPHAN_STEP).await;
            waited += ORPHAN_STEP;
        }
        Ok(())
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// `DECNET_JWT_SECRET`, else one made at the first start.
    pub(crate) fn jwt_secret(&self) -> anyhow::Result<JwtSecret> {
        if let Some(secret) = environment::variable("DECNET_JWT_SECRET") {
            return JwtSecret::parse(&secret).map_err(|error| {
                let hint = "unset DECNET_JWT_SECRET to have one made, or set a long random one";
                Refusal::new(Exit::Usage, error, hint).into()
            });
        }
        let made = self.secret("jwt.secret", || Ok(hex(&entropy::bytes::<32>()?)))?;
        Ok(JwtSecret::new(made.into_bytes()))
    }

    /// `DECNET_SECRET_KEY`, else one made at the first start.
    pub(crate) fn sealing_key(&self) -> anyhow::Result<SealingKey> {
        let given = environment::variable("DECNET_SECRET_KEY");
        let text = match given {
            Some(text) => text,
            None => self.secret("seal.key", || Ok(SealingKey::text(entropy::bytes()?)))?,
        };
        SealingKey::parse(&text).map_err(|error| {
            let hint = "a key is 32 random bytes in URL-safe base64 with padding";
            Refusal::new(Exit::Usage, error, hint).into()
        })
    }

    /// Who this machine's sensor is.
    pub(crate) fn sensor_id(&self) -> anyhow::Result<SensorId> {
        let made = || Ok(SensorId::from_entropy(entropy::bytes()?).to_string());
        let text = self.secret("sensor.id", made)?;
        text.parse().with_context(|| format!("`{}` holds no id", self.path("sensor.id").display()))
    }

    /// The text of a private file, made if it is not there.
    pub(crate) fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        match self.read_private(name)? {
            Some(text) => Ok(text),
            None => {
                let text = make()?;
                self.write_private(name, &text)?;
                Ok(text)
            }
        }
    }

    /// The text of a private file, if it is there.
    fn read_private(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("failed to read `{}`", path.display()))
            }
        }
    }

    /// Writes a file that only this user reads; the whole of it or nothing.
    fn write_private(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let (path, part) = (self.path(name), self.path(&format!("{name}.part")));
        let written = || {
            let mut file = open_private(&part)?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            File::open(&self.root)?.sync_all()
        };
        written().with_context(|| format!("failed to write `{}`", path.display()))
    }

    /// Removes a private file; one that is not there is fine.
    pub(crate) fn remove_private(&self, name: &str) -> anyhow::Result<()> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to remove `{}`", path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Makes a private folder and its missing parents, so that a power cut leaves them.
fn make_durably(root: &Path) -> io::Result<()> {
    let missing = root.ancestors().take_while(|folder| !folder.exists()).count();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    for parent in root.ancestors().skip(1).take(missing) {
        // The parent of a relative path is the working folder.
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
