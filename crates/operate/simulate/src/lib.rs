//! Scripted, harmless attackers, which make a DECNET show what it catches and give tests a world
//! that can be had again.
//!
//! A [`World`] is what a ready file of `decnet up` lists. [`Plan::new`] is a pure function of world,
//! seed and scenarios: who comes from which address, does what, with which words, in which order.
//! [`run()`] carries a plan out with real protocol clients, each actor from a source address of its
//! own. Only loopback addresses are attacked, only while the DECNET that wrote the ready file
//! runs, and every payload is inert ([`payload`]).
//!
//! Start with `plan`, then a file of `scenarios`, then `run`.

mod alive;
mod draw;
mod lists;
pub mod payload;
mod plan;
mod rhythm;
mod run;
mod scenarios;
mod world;

mod clients;

pub use clients::Fault;
pub use plan::{
    Act, Actor, DatabaseVisit, FtpVisit, FtpWork, HttpVisit, Login, Mail, Plan, RedisVisit,
    Request, SmtpVisit, SshClient, SshVisit, SshWork, TelnetVisit, Typed,
};
pub use rhythm::{Key, keys};
pub use run::{ActorSummary, Counts, Happening, Note, Outcome, Pace, Progress, Summary, run};
pub use scenarios::{ALL, Scenario, find};
pub use world::{Decky, Door, Service, World, WorldError};
