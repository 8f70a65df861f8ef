//! One step: what it is, whether it is needed, and doing it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::FlockOperation;

use super::accounts::Account;
use super::files::{self, Content, Guard};
use super::layout::{STATE_DIR, TMPFILES, UNIT_NAME};
use super::machine::{Machine, Owner};
use super::options::Names;
use super::secrets;

/// Why nothing of the machine beside files is touched.
const STAND_IN: &str = "only files below --prefix are made";
/// Why there is no service.
const NO_SYSTEMD: &str = "systemd does not run here";

/// One thing to bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A user or group that is there.
    Account(Account),
    /// A folder on the way to the program: only root may write there, as root may run it. One that is
    /// there already may be for other things too, and is not changed.
    ProgramFolder(PathBuf),
    /// A folder with mode and owner.
    Folder { path: PathBuf, mode: u32, owner: Owner },
    /// This program, installed.
    Program(PathBuf),
    /// A file that is written once and is the operator's then.
    Settings { path: &'static str, text: String },
    /// Keys and the first password.
    Secrets(&'static str),
    /// A file for systemd, written whenever it differs.
    Systemd { path: &'static str, text: String },
    /// Modes and owners applied.
    ApplyTmpfiles,
    /// Units read again.
    Reload,
    /// The service started, and at boot.
    Enable,
    /// The service stopped, and not started at boot.
    Disable,
    /// A file gone.
    Remove(PathBuf),
    /// A folder gone if there is nothing in it.
    RemoveEmpty(PathBuf),
    /// All data gone.
    RemoveData,
    /// A user or group gone, if `init` made it.
    RemoveAccount(Account),
    /// Something that stays.
    Keep(String),
}

/// Whether a step is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Needed,
    Skip(String),
}

/// What steps need to know.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) machine: &'a Machine,
    pub(super) names: &'a Names,
    pub(super) force: bool,
    pub(super) no_start: bool,
    /// Steps that were done, or would have been in a dry run.
    pub(super) done: Vec<Step>,
}

impl Context<'_> {
    fn guard(&self, mode: u32, owner: Owner) -> anyhow::Result<Guard> {
        let ids = self.machine.ids(owner, &self.names.user, &self.names.group)?;
        Ok(Guard { mode, ids })
    }

    /// As [`Self::guard`], for the moment when the accounts have to be there.
    fn guard_now(&self, mode: u32, owner: Owner) -> anyhow::Result<Guard> {
        let guard = self.guard(mode, owner)?;
        if self.machine.live && guard.ids.is_none() {
            let Names { user, group, .. } = self.names;
            anyhow::bail!("user {user} or group {group} is not in /etc/passwd or /etc/group");
        }
        Ok(guard)
    }

    /// Whether a file for systemd changed.
    pub(super) fn changed(&self, path: &str) -> bool {
        self.done.iter().any(|step| match step {
            Step::Systemd { path: one, .. } => *one == path,
            Step::Remove(one) => one == Path::new(path),
            _ => false,
        })
    }

    /// Why services are not touched.
    fn no_services(&self) -> Option<&'static str> {
        match (self.machine.live, self.machine.has_systemd()) {
            (false, _) => Some(STAND_IN),
            (true, false) => Some(NO_SYSTEMD),
            (true, true) => None,
        }
    }
}

impl Step {
    /// What is shown.
    pub(super) fn label(&self, names: &Names) -> String {
        match self {
            Self::Account(account) => format!("{} {}", account.word(), account.name(names)),
            Self::ProgramFolder(path) | Self::Folder { path, .. } => {
                format!("folder {}", path.display())
            }
            Self::Program(path) => format!("program {}", path.display()),
            Self::Settings { path, .. } => format!("settings {path}"),
            Self::Secrets(path) => format!("secrets {path}"),
            Self::Systemd { path, .. } => format!("file {path}"),
            Self::ApplyTmpfiles => format!("apply {TMPFILES}"),
            Self::Reload => "systemctl daemon-reload".to_owned(),
            Self::Enable => format!("systemctl enable --now {UNIT_NAME}"),
            Self::Disable => format!("systemctl disable --now {UNIT_NAME}"),
            Self::Remove(path) | Self::RemoveEmpty(path) => format!("remove {}", path.display()),
            Self::RemoveData => format!("remove {STATE_DIR} and all data in it"),
            Self::RemoveAccount(account) => {
                format!("remove {} {}", account.word(), account.name(names))
            }
            Self::Keep(what) => what.clone(),
        }
    }

    /// Whether it is needed. Changes nothing.
    pub(super) fn look(&self, context: &Context<'_>) -> anyhow::Result<Need> {
        let machine = context.machine;
        let skip = |reason: &str| Ok(Need::Skip(reason.to_owned()));
        let there = |is: bool| if is { skip("as it is to be") } else { Ok(Need::Needed) };
        match self {
            Self::Account(account) => match account.number(machine, context.names)? {
                Some(_) => skip("there already"),
                None if !machine.live => skip(STAND_IN),
                None => Ok(Need::Needed),
            },
            Self::ProgramFolder(path) => there(files::is_roots_folder(&machine.at(path))?),
            Self::Folder { path, mode, owner } => {
                there(files::folder_is(&machine.at(path), context.guard(*mode, *owner)?)?)
            }
            Self::Program(path) => {
                let guard = context.guard(0o755, Owner::Root)?;
                let is = files::file_is(&machine.at(path), guard, &this_program())?;
                there(is && !context.force)
            }
            Self::Settings { path, .. } => {
                let guard = context.guard(0o640, Owner::RootAndGroup)?;
                match files::file_is(&machine.at(path), guard, &Content::Any)? {
                    true => skip("there already; it is yours"),
                    false => Ok(Need::Needed),
                }
            }
            Self::Secrets(path) => {
                let guard = context.guard(0o600, Owner::Root)?;
                match files::file_is(&machine.at(path), guard, &Content::Any)? {
                    true => skip("there already"),
                    false => Ok(Need::Needed),
                }
            }
            Self::Systemd { .. } if !machine.has_systemd() => skip(NO_SYSTEMD),
            Self::Systemd { path, text } => {
                let guard = context.guard(0o644, Owner::Root)?;
                let content = Content::Text(text.clone());
                there(files::file_is(&machine.at(path), guard, &content)? && !context.force)
            }
            Self::ApplyTmpfiles | Self::Reload | Self::Enable | Self::Disable => {
                self.look_at_services(context)
            }
            Self::Remove(path) => match files::is_there(&machine.at(path))? {
                true => Ok(Need::Needed),
                false => skip("not there"),
            },
            Self::RemoveEmpty(path) => match files::is_there(&machine.at(path))? {
                false => skip("not there"),
                true if !files::is_empty_folder(&machine.at(path))? => skip("not empty"),
                true => Ok(Need::Needed),
            },
            Self::RemoveData => match files::is_there(&machine.at(STATE_DIR))? {
                true => Ok(Need::Needed),
                false => skip("not there"),
            },
            Self::RemoveAccount(account) => {
                if account.number(machine, context.names)?.is_none() {
                    return skip("not there");
                }
                match account.is_ours(machine, context.names)? {
                    true if machine.live => Ok(Need::Needed),
                    true => skip(STAND_IN),
                    false => skip("kept: `decnet init` did not make it"),
                }
            }
            Self::Keep(_) => skip("kept; --purge removes it"),
        }
    }

    fn look_at_services(&self, context: &Context<'_>) -> anyhow::Result<Need> {
        let skip = |reason: &str| Ok(Need::Skip(reason.to_owned()));
        if let Some(why) = context.no_services() {
            return skip(why);
        }
        let says =
            |word: &str| context.machine.says_yes("systemctl", &[word, "--quiet", UNIT_NAME]);
        match self {
            Self::ApplyTmpfiles if !context.changed(TMPFILES) => skip("nothing changed"),
            Self::Reload if !context.changed(super::layout::UNIT) => skip("nothing changed"),
            Self::Enable if context.no_start => skip("--no-start"),
            Self::Enable if says("is-enabled")? && says("is-active")? => skip("runs already"),
            Self::Disable if !says("is-enabled")? && !says("is-active")? => skip("does not run"),
            _ => Ok(Need::Needed),
        }
    }

    /// Does it.
    pub(super) fn act(&self, context: &Context<'_>) -> anyhow::Result<()> {
        let machine = context.machine;
        match self {
            Self::Account(account) => account.make(machine, context.names),
            Self::ProgramFolder(path) => files::make_folder(
                &machine.at(path),
                context.guard_now(0o755, Owner::RootAndGroup)?,
            ),
            Self::Folder { path, mode, owner } => {
                files::make_folder(&machine.at(path), context.guard_now(*mode, *owner)?)
            }
            Self::Program(path) => {
                let guard = context.guard_now(0o755, Owner::Root)?;
                files::write_file(&machine.at(path), guard, &this_program())
            }
            Self::Settings { path, text } => {
                let guard = context.guard_now(0o640, Owner::RootAndGroup)?;
                write_once(&machine.at(path), guard, || Ok(text.clone()))
            }
            Self::Secrets(path) => {
                let guard = context.guard_now(0o600, Owner::Root)?;
                write_once(&machine.at(path), guard, || secrets::text(machine))
            }
            Self::Systemd { path, text } => {
                let guard = context.guard_now(0o644, Owner::Root)?;
                files::write_file(&machine.at(path), guard, &Content::Text(text.clone()))
            }
            Self::ApplyTmpfiles => machine.run("systemd-tmpfiles", &["--create", TMPFILES]),
            Self::Reload => machine.run("systemctl", &["daemon-reload"]),
            Self::Enable => machine.run("systemctl", &["enable", "--now", UNIT_NAME]),
            Self::Disable => machine.run("systemctl", &["disable", "--now", UNIT_NAME]),
            Self::Remove(path) | Self::RemoveEmpty(path) => files::remove(&machine.at(path), false),
            Self::RemoveData => {
                let folder = machine.at(STATE_DIR);
                refuse_in_use(&folder)?;
                files::remove(&folder, true)
            }
            Self::RemoveAccount(account) => account.remove(machine, context.names),
            Self::Keep(_) => Ok(()),
        }
    }
}

/// The very program that runs, even when its file was replaced meanwhile.
fn this_program() -> Content {
    Content::Of("/proc/self/exe".into())
}

/// Writes a file that is not there; mends mode and owner of one that is.
fn write_once(
    path: &Path,
    guard: Guard,
    text: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let content = if files::is_there(path)? { Content::Any } else { Content::Text(text()?) };
    files::write_file(path, guard, &content)
}

/// Data under a daemon that runs is not removed.
fn refuse_in_use(folder: &Path) -> anyhow::Result<()> {
    let Ok(lock) = File::open(folder.join("lock")) else { return Ok(()) };
    let free = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive);
    free.ok()
        .with_context(|| format!("a DECNET still runs on `{}`; end it first", folder.display()))
}
