//! A decky's machine, simulated: files, accounts, processes, clock and shell.
//!
//! [`HostHandle`] is the machine as services hold it: a cheap clone, one machine behind it, so that
//! a file uploaded by one service is there in the next. [`shell::Process`] runs its shell without
//! threads or I/O. [`persona`] holds what fleet builders need to draw coherent machines.
//!
//! Programs live in `src/shell/commands`, by family; its module documentation says how to add one.
//!
//! Nothing here blocks, reads a clock or opens a socket; nothing an intruder does can grow it past
//! the ceilings of [`fs`] and [`shell::limits`].

mod accounts;
mod clock;
mod crypt;
pub mod fs;
mod handle;
mod login;
mod machine;
pub mod persona;
mod processes;
pub mod shell;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use accounts::{Account, Accounts};
pub use handle::HostHandle;
pub use machine::{Kept, LoginSession, Machine};
