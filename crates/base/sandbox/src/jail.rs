//! Closing the jail, wall by wall, in the only order that works.

use std::fs;
use std::path::PathBuf;

use rustix::fs::Mode;

use crate::{Ids, Report, SandboxError, Weakness, calls, files, limits, privileges, state_dir};

/// What the jail is to be.
#[derive(Clone, Debug)]
pub struct Jail {
    /// The folder that becomes the working folder and the only one reachable.
    pub state_dir: PathBuf,
    /// Whom to become when started as root ([`unprivileged_user`](crate::unprivileged_user));
    /// not used otherwise.
    pub user: Option<Ids>,
    /// Descriptors needed; the limit is raised as far as allowed and never below this.
    pub open_files: u64,
    /// Go on when the kernel lacks a wall; the report names it.
    pub allow_weak: bool,
}

/// Closes the jail around this process, for ever.
///
/// # Errors
/// When a wall cannot be put up. The process is then in an undefined state between free and jailed
/// and must end.
pub fn enter(jail: &Jail) -> Result<Report, SandboxError> {
    check_alone()?;
    // Before the user changes: the parents of the folder may be closed to the unprivileged user.
    state_dir::enter(&jail.state_dir)?;
    let open_files = limits::raise_open_files(jail.open_files)?;
    limits::forbid_core_dumps()?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);

    let mut weaknesses = Vec::new();
    let mut notes = Vec::new();
    if !privileges::drop_bounding_set() {
        notes.push("the capability bounding set stays, without effect: no program can be run");
    }
    weaknesses.extend(leave_root(jail)?);
    privileges::drop_privileges()?;
    if !weaknesses.contains(&Weakness::Root) {
        privileges::refuse_to_be_root_again()?;
    }
    state_dir::check_writable(&jail.state_dir)?;

    let landlock = match files::restrict() {
        Ok(abi) => {
            notes.extend(files::notes(abi));
            Some(abi)
        }
        Err(SandboxError::NoLandlock { why, .. }) if jail.allow_weak => {
            weaknesses.push(Weakness::Files { why });
            None
        }
        Err(error) => return Err(error),
    };
    // Last, because the filter refuses the calls made above.
    let seccomp = match calls::filter() {
        Ok(()) => true,
        Err(SandboxError::NoSeccomp { why }) if jail.allow_weak => {
            weaknesses.push(Weakness::Calls { why });
            false
        }
        Err(error) => return Err(error),
    };
    Ok(Report { ids: Ids::current(), open_files, landlock, seccomp, weaknesses, notes })
}

/// Landlock and the change of user bind the calling thread and its offspring only.
fn check_alone() -> Result<(), SandboxError> {
    match fs::read_dir("/proc/self/task").map_err(SandboxError::Threads)?.count() {
        1 => Ok(()),
        threads => Err(SandboxError::NotAlone { threads }),
    }
}

/// Becomes the unprivileged user when root.
fn leave_root(jail: &Jail) -> Result<Option<Weakness>, SandboxError> {
    match jail.user {
        _ if !crate::is_root() => Ok(None),
        Some(ids) => privileges::become_user(ids).map(|()| None),
        None if jail.allow_weak => Ok(Some(Weakness::Root)),
        None => Err(SandboxError::StaysRoot),
    }
}
