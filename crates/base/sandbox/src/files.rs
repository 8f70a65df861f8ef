//! Landlock: nothing but the working folder, whatever the path, link or descriptor used.
//!
//! Kernels differ. What older versions of the interface do not handle is covered by the system-call
//! filter: network and signals (before 4 and 6) and truncation of files opened for reading (before
//! 3). So version 1 is enough; [`notes`] says what differs.

use std::error::Error;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, make_bitflags,
};

use crate::SandboxError;

/// The newest version whose every right was considered here.
const KNOWN: ABI = ABI::V7;

/// Restricts the calling thread, and all it will make, to the working folder. Returns the version
/// of the interface in use.
pub(crate) fn restrict() -> Result<u32, SandboxError> {
    let status = apply().map_err(SandboxError::Landlock)?;
    match (status.ruleset, status.landlock) {
        (
            RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
            LandlockStatus::Available { effective_abi, .. },
        ) => Ok(effective_abi as u32),
        (_, LandlockStatus::NotEnabled) => Err(SandboxError::NoLandlock {
            why: "it is built in but not switched on",
            mend: "add `landlock` to the boot parameter `lsm=`",
        }),
        (_, LandlockStatus::NotImplemented | LandlockStatus::Available { .. }) => {
            Err(SandboxError::NoLandlock {
                why: "it is not built in, or a container hides it",
                mend: "use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK",
            })
        }
    }
}

fn apply() -> Result<RestrictionStatus, Box<dyn Error + Send + Sync>> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new(".")?, allowed()))?
        .restrict_self()?;
    Ok(status)
}

/// What is allowed beneath the working folder: plain files and folders. No programs, links,
/// sockets, pipes or devices.
fn allowed() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{
        ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir
            | Refer
    })
}

/// What version `abi` leaves to the other layers.
pub(crate) fn notes(abi: u32) -> Vec<&'static str> {
    [
        (2, "this kernel refuses to move files between folders"),
        (3, "truncating is guarded by the system-call filter and file permissions only"),
        (4, "TCP is guarded by the system-call filter only"),
        (6, "signals and abstract sockets are guarded by the system-call filter only"),
    ]
    .into_iter()
    .filter_map(|(since, note)| (abi < since).then_some(note))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_special_files_are_not_among_the_rights() {
        let refused = make_bitflags!(AccessFs::{
            Execute | MakeSym | MakeSock | MakeFifo | MakeChar | MakeBlock | IoctlDev
        });
        assert!((allowed() & refused).is_empty());
    }

    #[test]
    fn an_older_kernel_is_described_and_a_current_one_is_not() {
        assert_eq!(notes(1).len(), 4);
        assert_eq!(notes(7), Vec::<&str>::new());
    }
}
