//! Resource limits: as many descriptors as allowed, no core dumps.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::SandboxError;

/// Raises the soft descriptor limit to the hard one and, with the right to, the hard one to
/// `needed`. Returns what is in force.
pub(crate) fn raise_open_files(needed: u64) -> Result<u64, SandboxError> {
    let hard = getrlimit(Resource::Nofile).maximum;
    if hard.is_some_and(|hard| hard < needed) {
        let raised = Rlimit { current: Some(needed), maximum: Some(needed) };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return Ok(needed);
        }
        return Err(SandboxError::TooFewDescriptors { needed, limit: hard.unwrap_or_default() });
    }
    // The limit is already enough when raising it fails, or the comparison below says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard });
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if limit < needed {
        return Err(SandboxError::TooFewDescriptors { needed, limit });
    }
    Ok(limit)
}

/// No core dumps: they would put captured secrets on the disk.
pub(crate) fn forbid_core_dumps() -> Result<(), SandboxError> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(|errno| {
        SandboxError::Privileges { what: "forbid core dumps", source: errno.into() }
    })
}
