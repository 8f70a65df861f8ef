//! The decky's shell: a bash-like interpreter over the simulated machine.
//!
//! A [`Process`] is one program of a session: a login shell on a terminal, or one command line. It
//! is a coroutine without a runtime: `async fn`s polled by hand, which suspend where a real program
//! would block — reading the terminal, sleeping, a full pipe — and say so. [`Process::poll`] never
//! blocks and does a bounded amount of work.
//!
//! Start with `process` (driving), `interp` (the language), `builtins`, `commands` (the programs).

mod arith;
mod builtins;
pub(crate) mod commands;
mod expand;
mod fd;
mod interp;
mod io;
pub mod limits;
mod pattern;
mod proc;
mod process;
mod readline;
mod regex;
mod test_expr;

pub use io::{Act, Item, Written};
pub use process::{Entry, Process, Spawn, Stdio};
