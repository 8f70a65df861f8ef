//! The self-test: forbidden acts, tried from a thread made after the jail was closed.
//!
//! The acts are chosen so that they do no harm where they are not refused: the arguments are
//! invalid in a way that the kernel finds only after the filter had its say, or the effect is undone.

mod calls;
mod paths;

use std::io;
use std::thread;

use crate::SandboxError;

/// Every forbidden act was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many acts were tried.
    pub tried: usize,
}

/// Tries forbidden acts from a thread made for it; call after [`enter`](crate::enter).
///
/// # Errors
/// [`SandboxError::Open`] names the acts that were not refused. With a weak sandbox some are
/// expected; the caller decides and says so.
pub fn verify() -> Result<Verified, SandboxError> {
    let tester = thread::Builder::new()
        .name("sandbox-test".into())
        .spawn(try_all)
        .map_err(SandboxError::SelfTest)?;
    let (tried, worked) = tester
        .join()
        .map_err(|_| SandboxError::SelfTest(io::Error::other("the testing thread panicked")))?;
    if worked.is_empty() { Ok(Verified { tried }) } else { Err(SandboxError::Open { worked }) }
}

/// The number of acts tried and the names of those not refused.
fn try_all() -> (usize, Vec<&'static str>) {
    let calls = calls::FORBIDDEN.iter().map(|act| (act.name, act.is_refused()));
    let paths = paths::FORBIDDEN.iter().map(|(name, refused)| (*name, refused()));
    let outcomes: Vec<(&str, bool)> = calls.chain(paths).collect();
    let worked = outcomes.iter().filter(|(_, refused)| !refused).map(|(name, _)| *name).collect();
    (outcomes.len(), worked)
}

/// Whether the error is one of permission. Any other means that the kernel looked at the request.
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES))
}
