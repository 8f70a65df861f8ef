//! Giving up what root and capabilities allow, for ever.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Gid, Uid, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid, set_thread_uid,
};

use crate::{Ids, SandboxError};

/// Drops the bounding set, which needs a capability that changing the user takes away. Returns
/// whether it is empty; without the right to, `no_new_privs` and the missing `execve` stand in.
pub(crate) fn drop_bounding_set() -> bool {
    for number in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // One past the last capability that this kernel knows.
            Err(Errno::INVAL) => return number > 0,
            Err(_) => return false,
        }
    }
    true
}

/// Becomes `ids`, without supplementary groups. The calls are per thread; there is only one.
pub(crate) fn become_user(ids: Ids) -> Result<(), SandboxError> {
    if ids.is_root() {
        return Err(SandboxError::RootAsUser(ids));
    }
    let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
    set_thread_groups(&[]).map_err(failed("leave all supplementary groups"))?;
    set_thread_res_gid(gid, gid, gid).map_err(failed("become the unprivileged group"))?;
    set_thread_res_uid(uid, uid, uid).map_err(failed("become the unprivileged user"))
}

/// Empties all capability sets and makes sure that no later call refills them.
pub(crate) fn drop_privileges() -> Result<(), SandboxError> {
    // Kernels before 4.3 have no ambient set.
    match clear_ambient_capability_set() {
        Ok(()) | Err(Errno::INVAL) => {}
        Err(errno) => return Err(failed("empty the ambient capabilities")(errno)),
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(failed("drop all capabilities"))?;
    set_no_new_privs(true).map_err(failed("forbid new privileges"))?;
    // Neither core dumps nor ptrace nor /proc/<pid>/mem by other processes of the same user.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("become undumpable"))
}

/// Tries to become root again.
pub(crate) fn refuse_to_be_root_again() -> Result<(), SandboxError> {
    match set_thread_uid(Uid::ROOT) {
        Ok(()) => Err(SandboxError::StillPrivileged),
        Err(_) => Ok(()),
    }
}

fn failed(what: &'static str) -> impl Fn(Errno) -> SandboxError {
    move |errno| SandboxError::Privileges { what, source: errno.into() }
}
