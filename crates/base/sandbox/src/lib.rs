//! The jail of the decoy process: after [`enter`] an attacker who runs code in it can open no
//! connection, run no program and touch no file outside the state folder.
//!
//! Promises: the restrictions hold for every thread made later, cannot be undone, and [`verify()`]
//! tries them out instead of trusting them. Nothing here starts a thread before the jail is closed,
//! and nothing here is asynchronous.
//!
//! Order of calls in the decoy process, first thing in `main`:
//! 1. set up what needs files from outside (logging to standard error, OpenSSL's configuration);
//! 2. [`enter`], while the process still has one thread; paths are relative to the state folder from
//!    then on;
//! 3. [`verify()`]; refuse to run when it finds an opening, unless a weak sandbox was asked for;
//! 4. make the runtime; receive descriptors over the inherited socket.
//!
//! What each layer is for: the unprivileged user and the empty capability sets guard against the
//! kernel's own powers, Landlock (`files`) decides about files, seccomp (`calls`) about
//! everything else. Network isolation does not depend on the age of Landlock: the filter refuses
//! `socket`, `bind`, `connect` and the ways around them.

mod calls;
mod error;
mod files;
mod jail;
mod limits;
mod privileges;
mod report;
mod state_dir;
mod user;
mod verify;

pub use error::SandboxError;
pub use jail::{Jail, enter};
pub use report::{Report, Weakness};
pub use state_dir::prepare_state_dir;
pub use user::{Ids, is_root, unprivileged_user};
pub use verify::{Verified, verify};
